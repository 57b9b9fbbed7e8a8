"""Reads files and the environment once into one frozen Settings; nothing else does."""
