"""Links from the desk into the library: one entry, to look at, for a while."""

from __future__ import annotations

from typing import Protocol

from twinclass_signaling.tokens import ChapterClaims, DeskClaims, TokenKeys

#: As links to photos and voices of the desk: somebody reads an answer, and looks.
TTL_S = 2 * 3600.0


class DeskLibrary(Protocol):
    """What the desk asks of the library. Calls block.

    Raises:
        Unavailable: the database is away.
    """

    def lesson_of(self, entry: str) -> str | None:
        """Returns the lesson of an entry; None: there is none of this id."""
        ...

    def may_see(self, teacher: str, entry: str) -> bool:
        """Tells whether a teacher finds an entry in the library: by her school, or by the city."""
        ...


def chapter_url(keys: TokenKeys, who: DeskClaims, entry: str, second: float, now: float) -> str:
    """Returns a link that shows an entry from a second on, good for ``TTL_S``. That she may see it,
    the caller knows."""
    issued = float(int(now))
    token = keys.issue(ChapterClaims(who.sub, who.role, entry, issued + TTL_S, issued))
    return f"/library/lesson/{entry}?t={second:g}#token={token}"
