"""The compiled send loop: its source, its build, its tables."""
