"""What guardians have agreed to: the desk before its first use, photos and voices, recording.

Words are added, never changed, so it can be told later who agreed when. A word about recordings is
told to the roster, too: lessons that go on leave the child out within a minute.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Literal, NamedTuple

from msgspec import Struct
from sqlalchemy import select
from sqlalchemy.orm import Session

from twinclass_server.desk.content import models
from twinclass_server.desk.content.audit import Act, Audit, Doer
from twinclass_server.desk.content.contents import Contents
from twinclass_server.roster.database import Database
from twinclass_server.roster.models import NAME_CHARS, Person, RecordingConsent
from twinclass_signaling.errors import Forbidden

ConsentKind = Literal["desk", "photo", "recording"]
KINDS: tuple[ConsentKind, ...] = ("desk", "photo", "recording")
#: Of the text that guardians agree to; a new one asks them anew.
VERSION = "2026-11"
#: Who begins this grade in autumn is fourteen, and may agree herself.
OLD_ENOUGH_GRADE = 9
#: Words that are told in one go; more wait for the next look.
MAX_SAID = 500


class ChildConsent(Struct, frozen=True):
    """How one matter stands for one child; None: never, or not any more."""

    child: str
    child_name: str
    purpose: ConsentKind
    version: str
    given_at: datetime | None
    withdrawn_at: datetime | None


class Allowed(NamedTuple):
    """What a pupil may do: use the desk, be recorded, send photos and voices."""

    use: bool
    recorded: bool
    media: bool


class GuardianConsents:
    """Calls block."""

    def __init__(
        self, database: Database, contents: Contents, audit: Audit, now: Callable[[], datetime]
    ) -> None:
        self._database = database
        self._contents = contents
        self._audit = audit
        self._now = now

    def of(self, children: Sequence[str]) -> list[ChildConsent]:
        """Returns how everything stands for some children."""
        found: list[ChildConsent] = []
        with self._database.session() as session:
            for child in children:
                person = session.get(Person, child)
                name = person.name if person is not None else ""
                for kind in KINDS:
                    last = _last(session, child, kind)
                    given_at = last.at if last is not None and last.given else None
                    if kind == "recording" and given_at is None:
                        given_at = _on_paper(session, child)
                    ended = last.at if last is not None and not last.given else None
                    version = VERSION if last is None else last.version
                    found.append(ChildConsent(child, name, kind, version, given_at, ended))
        return found

    def has(self, child: str, kind: ConsentKind) -> bool:
        """Tells whether a guardian has agreed to something and still does."""
        with self._database.session() as session:
            last = _last(session, child, kind)
            if kind == "recording" and session.get(Person, child) is not None:
                # The roster's word goes before the one said here: a school may have it on paper.
                return _on_paper(session, child) is not None
            return last is not None and last.given

    def allowed(self, child: str, grade: int) -> Allowed:
        """Returns what a pupil may do. To use the desk, and to be recorded and so helped live, her
        guardian has agreed to each, here or (to be recorded) on the school's paper; or she is old
        enough and nobody has objected. Photos and voices: nobody has objected."""
        with self._database.session() as session:
            desk, recording, photo = (
                _last(session, child, kind) for kind in ("desk", "recording", "photo")
            )
            query = select(RecordingConsent.withdrawn_at)
            paper = session.scalars(query.where(RecordingConsent.person_id == child)).all()
        is_old_enough = grade >= OLD_ENOUGH_GRADE
        recorded = is_old_enough if recording is None else recording.given
        return Allowed(
            is_old_enough if desk is None else desk.given,
            None in paper if paper else recorded,
            photo is None or photo.given,
        )

    def may_send_media(self, child: str) -> bool:
        """Tells whether a pupil may send photos and voices: nobody has objected."""
        with self._database.session() as session:
            last = _last(session, child, "photo")
            return last is None or last.given

    def say(self, doer: Doer, child: str, kind: ConsentKind, *, given: bool) -> None:
        """A guardian agrees, or does not any more: then what her child has sent goes with the next
        retention. Nothing happens when it stands so already. That it is her child, the caller has
        made sure of (``require_child``)."""
        now = self._now()
        with self._database.session() as session:
            last = _last(session, child, kind)
            if last is not None and last.given == given:
                return
            session.add(
                models.ConsentWord(
                    child=child,
                    kind=kind,
                    given=given,
                    version=VERSION,
                    guardian=doer.person,
                    at=now,
                )
            )
            if kind == "recording" and session.get(Person, child) is not None:
                _tell_roster(session, child, doer.person, now, given=given)
            act: Act = "consent_given" if given else "consent_withdrawn"
            self._audit.add(session, doer, act, f"child/{child}", kind)
        if not given and kind != "recording":
            self._contents.forget_author(child, media_only=kind == "photo")

    def said(self, after: int | None) -> list[tuple[int, str]]:
        """Returns (number, child) of the words after one, in order; None: of the last ones; at
        most ``MAX_SAID``."""
        word = models.ConsentWord
        query = select(word.key, word.child).limit(MAX_SAID)
        query = (
            query.order_by(word.key.desc())
            if after is None
            else query.where(word.key > after).order_by(word.key)
        )
        with self._database.session() as session:
            return sorted((key, child) for key, child in session.execute(query))

    def withdrawn(self, kind: ConsentKind) -> frozenset[str]:
        """Returns the children whose consent has ended: what was recorded of their live help goes
        within fifteen days."""
        query = select(models.ConsentWord).where(models.ConsentWord.kind == kind)
        last: dict[str, bool] = {}
        with self._database.session() as session:
            for row in session.scalars(query.order_by(models.ConsentWord.key)):
                last[row.child] = row.given
        return frozenset(child for child, given in last.items() if not given)


def require_child(children: Sequence[str], child: str) -> None:
    """Makes sure that a child is one's own.

    Raises:
        Forbidden: ``not_your_child``.
    """
    if child not in children:
        raise Forbidden("not_your_child", "这不是您的孩子。", "That is not your child.")


def _last(session: Session, child: str, kind: ConsentKind) -> models.ConsentWord | None:
    word = models.ConsentWord
    query = select(word).where(word.child == child, word.kind == kind)
    return session.scalars(query.order_by(word.key.desc()).limit(1)).first()


def _on_paper(session: Session, child: str) -> datetime | None:
    """Returns since when the roster says that a child may be recorded."""
    query = select(RecordingConsent.date_last_modified).where(
        RecordingConsent.person_id == child, RecordingConsent.withdrawn_at.is_(None)
    )
    return session.scalars(query.limit(1)).first()


def _tell_roster(
    session: Session, child: str, guardian: str, now: datetime, *, given: bool
) -> None:
    query = select(RecordingConsent).where(RecordingConsent.person_id == child)
    rows = {row.given_on: row for row in session.scalars(query)}
    if not given:
        for row in rows.values():
            if row.withdrawn_at is None:
                row.withdrawn_at, row.date_last_modified = now.date(), now
        return
    today = rows.get(now.date())
    if today is None:
        person = session.get(Person, guardian)
        name = person.name if person is not None else guardian
        today = RecordingConsent(person_id=child, given_on=now.date(), given_by=name[:NAME_CHARS])
        session.add(today)
    today.withdrawn_at, today.date_last_modified = None, now
