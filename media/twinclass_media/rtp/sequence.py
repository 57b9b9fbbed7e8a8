"""Arithmetic on 16-bit sequence numbers and 32-bit timestamps that wrap (RFC 3550 appendix A)."""

from __future__ import annotations


def sequence_delta(a: int, b: int) -> int:
    """Returns a - b as a signed number in -32768..32767."""
    return ((a - b + 0x8000) & 0xFFFF) - 0x8000


def timestamp_delta(a: int, b: int) -> int:
    """Returns a - b in clock units as a signed number in -2**31..2**31-1."""
    return ((a - b + 0x80000000) & 0xFFFFFFFF) - 0x80000000


class SequenceUnwrapper:
    """Extends 16-bit numbers to a count that does not wrap; tolerates reordering.

    Starts at 65536 + first, so that packets older than the first one stay positive.
    """

    __slots__ = ("highest",)

    def __init__(self) -> None:
        self.highest = -1

    def unwrap(self, sequence_number: int) -> int:
        """Returns the extended number nearest to the highest seen, and remembers that."""
        highest = self.highest
        if highest < 0:
            self.highest = extended = 0x10000 + sequence_number
            return extended
        extended = highest + ((sequence_number - highest + 0x8000) & 0xFFFF) - 0x8000
        if extended > highest:
            self.highest = extended
        return extended
