"""A copy of everything a server has, and its return."""
