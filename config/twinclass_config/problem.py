"""What keeps a command from running and can be put right by whoever gave it."""

from __future__ import annotations


class OperatorProblem(Exception):
    """The text says what is wrong and what to do; a command prints it and ends with status 2."""
