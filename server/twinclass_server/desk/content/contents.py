"""What questions and answers say: stored before they are sent, found by those who may see them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime

from msgspec import Struct
from sqlalchemy import or_, select, update
from sqlalchemy.orm import Session

from twinclass_server.desk.content import keeping, models
from twinclass_server.desk.content.flags import Flags
from twinclass_server.desk.content.ids import new_id
from twinclass_server.desk.content.media import Author, MediaKind, Stored, media_of
from twinclass_server.roster.database import Database
from twinclass_signaling.errors import Conflict

#: Both sides of a sheet and a drawing.
MAX_PHOTOS = 3
#: Parameters of one query; SQLite takes some ten thousand.
_AT_A_TIME = 500


class Said(Struct, frozen=True):
    """A question or an answer. ``author`` is empty for the bank's; what of its media has gone is
    left out."""

    id: str
    desk: str
    author: str
    role: str
    text: str
    photos: tuple[Stored, ...]
    voice: Stored | None


class Contents:
    """Stores and finds them. Calls block."""

    def __init__(self, database: Database, flags: Flags, now: Callable[[], datetime]) -> None:
        self._database = database
        self._flags = flags
        self._now = now

    def add(self, author: Author, text: str, photos: Sequence[str], voice: str | None) -> str:
        """Stores what somebody is about to send; returns its reference.

        Raises:
            TextBlocked: ``text_blocked``; moderators have it.
            Conflict: ``content_empty``, ``too_many_photos``, ``text_too_long``, ``media_unknown``
                (not hers, or its time is over), ``media_used``.
        """
        text, photos = text.strip(), list(dict.fromkeys(photos))
        if not text and not photos and voice is None:
            raise Conflict(
                "content_empty",
                "请写下问题、拍照或录音。",
                "Write something, take a photo or record a voice.",
            )
        if len(photos) > MAX_PHOTOS:
            raise Conflict(
                "too_many_photos",
                f"最多 {MAX_PHOTOS} 张图片。",
                f"At most {MAX_PHOTOS} pictures.",
            )
        self._flags.screen(author, text)
        identifier, now = new_id("c"), self._now()
        until = now + keeping.SENT
        with self._database.session() as session:
            self._take(session, author, photos, "photo", identifier, until)
            self._take(session, author, [voice] if voice else [], "voice", identifier, until)
            session.add(
                models.Content(
                    id=identifier, desk=author.desk, evening=author.evening, author=author.person,
                    role=author.role, text=text, photos=photos, voice=voice, created_at=now,
                    keep_until=until,
                )
            )  # fmt: skip
        return identifier

    def _take(
        self,
        session: Session,
        author: Author,
        identifiers: Sequence[str],
        kind: MediaKind,
        content: str,
        until: datetime,
    ) -> None:
        for identifier in identifiers:
            row = session.get(models.Media, identifier, with_for_update=True)
            is_hers = (
                row is not None
                and (row.owner, row.desk, row.kind) == (author.person, author.desk, kind)
                and (row.keep_until is None or row.keep_until > self._now())
            )
            if row is None or not is_hers:
                raise Conflict("media_unknown", "没有这个文件。", "There is no such file.")
            if row.content:
                raise Conflict("media_used", "这张图片已经发送过了。", "It was sent before.")
            row.content, row.keep_until = content, until

    def get(self, identifier: str) -> Said | None:
        """Returns what a reference stands for; None: nothing, or its time is over."""
        return self.all([identifier]).get(identifier)

    def all(self, identifiers: Sequence[str]) -> dict[str, Said]:
        """Returns what references stand for, as far as it is still there."""
        query = select(models.Content).where(models.Content.id.in_(identifiers))
        now = self._now()
        with self._database.session() as session:
            rows = [
                row
                for row in session.scalars(query)
                if row.keep_until is None or row.keep_until > now
            ]
            wanted = [one for row in rows for one in (*row.photos, row.voice) if one]
            media = media_of(session, wanted)
            return {row.id: said_of(row, media) for row in rows}

    def texts(self, identifiers: Sequence[str]) -> dict[str, str]:
        """Returns what is written in some contents, as far as they are still there."""
        row, now, found = models.Content, self._now(), dict[str, str]()
        with self._database.session() as session:
            for at in range(0, len(identifiers), _AT_A_TIME):
                query = select(row.id, row.text).where(
                    row.id.in_(identifiers[at : at + _AT_A_TIME]),
                    or_(row.keep_until.is_(None), row.keep_until > now),
                )
                found |= dict(session.execute(query).all())
        return found

    def is_own(self, person: str, desk: str, identifier: str) -> bool:
        """Tells whether somebody stored this herself, at this desk: nobody sends what another one
        has written."""
        said = self.get(identifier)
        return said is not None and (said.author, said.desk) == (person, desk)

    def settle(self, identifiers: Iterable[str]) -> None:
        """A question is done with: what was said in it goes after a week."""
        self._keep_until(list(identifiers), self._now() + keeping.RESOLVED)

    def unsettle(self, identifiers: Iterable[str]) -> None:
        """It is open again."""
        self._keep_until(list(identifiers), self._now() + keeping.SENT)

    def _keep_until(self, identifiers: list[str], until: datetime) -> None:
        with self._database.session() as session:
            # What the bank has is not a question's any more.
            session.execute(
                update(models.Content)
                .where(models.Content.id.in_(identifiers), models.Content.keep_until.is_not(None))
                .values(keep_until=until)
            )
            session.execute(
                update(models.Media)
                .where(models.Media.content.in_(identifiers), models.Media.keep_until.is_not(None))
                .values(keep_until=until)
            )

    def forget_author(self, person: str, *, media_only: bool) -> None:
        """All that somebody has sent goes with the next retention, or her photos and voices do:
        consent was withdrawn."""
        now = self._now()
        with self._database.session() as session:
            if not media_only:
                session.execute(
                    update(models.Content)
                    .where(models.Content.author == person, models.Content.keep_until > now)
                    .values(keep_until=now)
                )
            session.execute(
                update(models.Media)
                .where(models.Media.owner == person, models.Media.keep_until > now)
                .values(keep_until=now)
            )


def said_of(row: models.Content, media: dict[str, Stored]) -> Said:
    """Returns a row with its media."""
    photos = tuple(media[one] for one in row.photos if one in media)
    voice = media.get(row.voice or "")
    return Said(row.id, row.desk, row.author, row.role, row.text, photos, voice)
