"""Live rows of one encoding that look alike: one template serves them all.

A burst goes to those that were there when it was made, so it carries a snapshot; it is made anew
only when somebody came or went, which is seldom beside bursts.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from twinclass_media.forward.row import Row


class Rows(tuple[Row, ...]):
    """Some rows in order, which stay as they are.

    Attributes:
        is_current: nobody has come or gone since.
        places: where the compiled send loop finds them; its own affair.
    """

    is_current = False
    places: Any = None


class Group:
    """The live rows of one shape."""

    __slots__ = ("_rows", "_snapshot")

    def __init__(self) -> None:
        self._rows: dict[Row, None] = {}
        self._snapshot: Rows | None = None

    def __contains__(self, row: object) -> bool:
        return row in self._rows

    def __iter__(self) -> Iterator[Row]:
        return iter(self._rows)

    def __len__(self) -> int:
        return len(self._rows)

    def add(self, row: Row) -> None:
        """Takes a row in."""
        self._rows[row] = None
        self._outdate()

    def remove(self, row: Row) -> None:
        """Lets a row go."""
        del self._rows[row]
        self._outdate()

    def snapshot(self) -> Rows:
        """Returns who is here now."""
        if self._snapshot is None:
            self._snapshot = Rows(self._rows)
            self._snapshot.is_current = True
        return self._snapshot

    def _outdate(self) -> None:
        if self._snapshot is not None:
            self._snapshot.is_current = False
            self._snapshot = None
