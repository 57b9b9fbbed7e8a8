"""The tools of a lesson, a module each: what a command makes happen, what an event changes."""
