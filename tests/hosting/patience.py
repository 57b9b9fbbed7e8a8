"""How long a test waits for what must happen."""

#: A wait ends a test that hangs; how quick things are stands in the table of figures instead. So
#: waits are this many times what is usual: machines of continuous integration were seen to be a
#: third as quick as a school's, and to stand still for seconds.
PATIENCE = 4.0
