"""The lesson library: what is in it, who may see it, what was watched, how long it is kept."""
