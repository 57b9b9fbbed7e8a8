"""What hangs on an entry when its page is opened: four short questions (shell; calls block)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from msgspec import Struct
from sqlalchemy import Connection, bindparam, case, func, select

from twinclass_recordings.library.models import Attachment, Member, Position, Rating
from twinclass_recordings.library.packages import MAX_MEMBERS
from twinclass_recordings.library.plays import MIN_RATERS
from twinclass_recordings.library.shelf import Sessions

_KEY, _VIEWER = (
    bindparam("key", type_=Member.entry.type),
    bindparam("viewer", type_=Rating.viewer.type),
)
# Made once: building a statement costs SQLAlchemy more than asking it.
_ATTACHMENTS = (
    select(
        Attachment.sha256,
        Attachment.kind,
        Attachment.title,
        Attachment.media_type,
        Attachment.bytes,
    )
    .where(Attachment.entry == _KEY)
    .order_by(Attachment.added_at, Attachment.sha256)
)
_MEMBERS = select(Member.entry).where(Member.package == _KEY).order_by(Member.position)
_PACKAGES = select(Member.package).where(Member.entry == _KEY).limit(MAX_MEMBERS)
_POSITION = select(Position.position_s).where(Position.entry == _KEY, Position.viewer == _VIEWER)
_RATING = select(
    func.max(case((Rating.viewer == _VIEWER, Rating.stars))), func.avg(Rating.stars), func.count()
).where(Rating.entry == _KEY)


class Rated(Struct, frozen=True):
    """Stars of an entry. ``mine``: of who asks; ``mean`` is None below ``MIN_RATERS``."""

    mine: int | None
    mean: float | None
    raters: int


@dataclass(frozen=True, slots=True)
class Hanging:
    """What hangs on an entry. ``attachments``: sha256, kind, title, media type, bytes; ``members``
    and ``packages``: keys of entries."""

    attachments: list[tuple[str, str, str, str, int]]
    members: list[int]
    packages: list[int]
    position_s: float
    rating: Rated


def hanging(sessions: Sessions, key: int, viewer: str, *, is_package: bool) -> Hanging:
    """Returns what hangs on an entry for somebody (a pseudonym)."""
    asked: dict[str, Any] = {"key": key, "viewer": viewer}
    with sessions() as session:
        connection = session.connection()
        attachments: list[Any] = [tuple(row) for row in connection.execute(_ATTACHMENTS, asked)]
        related = connection.execute(_MEMBERS if is_package else _PACKAGES, asked)
        keys = [int(one) for one in related.scalars()]
        position = connection.execute(_POSITION, asked).scalar()
        rated = _rated(connection, asked)
    return Hanging(
        attachments,
        keys if is_package else [],
        [] if is_package else keys,
        position or 0.0,
        rated,
    )


def rating(sessions: Sessions, key: int, viewer: str) -> Rated:
    """Returns the stars of an entry, for somebody (a pseudonym)."""
    with sessions() as session:
        return _rated(session.connection(), {"key": key, "viewer": viewer})


def _rated(connection: Connection, asked: dict[str, Any]) -> Rated:
    mine, mean, raters = connection.execute(_RATING, asked).one()
    return Rated(mine, round(float(mean), 1) if raters >= MIN_RATERS else None, raters)
