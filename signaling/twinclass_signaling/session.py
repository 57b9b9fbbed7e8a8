"""Sessions: which device holds which seat, and how it gets it back.

One participant has at most one session (fencing is per person; a room's session is its sound
authority). A session lives while a connection is attached and ``seat_keep_s`` after. Its resume
secret works once: the answer to a resume brings the next one, and only the secret's SHA-256 is
kept. Secrets and ids are made by the caller, so that this stays deterministic.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from msgspec import Struct

from twinclass_signaling.errors import Conflict
from twinclass_signaling.ids import ParticipantId, RoomId, SessionId
from twinclass_signaling.messages import Resume
from twinclass_signaling.roles import Role


class SessionRecord(Struct):
    """What is kept of a session, also in Redis. ``detached_at``: Unix seconds, None = attached."""

    session: SessionId
    participant: ParticipantId
    role: Role
    room: RoomId | None
    secret_sha256: str
    detached_at: float | None = None


@dataclass(frozen=True, slots=True)
class Admission:
    """The outcome of ``Sessions.admit``. ``fenced``: the session that has lost its seat."""

    record: SessionRecord
    resumed: bool
    fenced: SessionRecord | None


def hash_secret(secret: str) -> str:
    """Returns what is kept of a resume secret (it is random, so no salt is needed)."""
    return hashlib.sha256(secret.encode()).hexdigest()


class Sessions:
    """All sessions of one lesson. Invariant: one session a participant."""

    def __init__(self, keep_s: float, records: Iterable[SessionRecord] = ()) -> None:
        self._keep_s = keep_s
        self._by_participant: dict[ParticipantId, SessionRecord] = {}
        self._seats: dict[SessionId, ParticipantId] = {}
        for record in records:
            self._put(record)

    def _put(self, record: SessionRecord) -> None:
        former = self._by_participant.get(record.participant)
        if former is not None:
            self._seats.pop(former.session, None)
        self._by_participant[record.participant] = record
        self._seats[record.session] = record.participant

    def __iter__(self) -> Iterator[SessionRecord]:
        return iter(list(self._by_participant.values()))

    def of(self, participant: ParticipantId) -> SessionRecord | None:
        """Returns the session that holds a seat."""
        return self._by_participant.get(participant)

    def admit(
        self,
        offered: SessionRecord,
        resume: Resume | None,
        *,
        use_here: bool,
        now: float,
    ) -> Admission:
        """Gives the seat to a device.

        Args:
            offered: a new record for this device, with new id and the hash of a new secret; of
                a resume only the secret is used.
            resume: the claim on a former session; a wrong or used secret is no resume, and the
                device comes in anew.
            use_here: False: do not take the seat from a device that is there. A page that names the
                session of that device is itself this device, and was cut off before it got the
                answer that brought its next secret.
            now: Unix seconds.

        Raises:
            Conflict: ``seat_taken``.
        """
        current = self._by_participant.get(offered.participant)
        if current is not None and resume is not None and self._may_resume(current, resume, now):
            current.secret_sha256 = offered.secret_sha256
            current.detached_at = None
            current.role, current.room = offered.role, offered.room
            return Admission(current, resumed=True, fenced=None)
        is_itself = current is not None and resume is not None and resume.session == current.session
        is_held = current is not None and current.detached_at is None
        if is_held and not use_here and not is_itself:
            raise Conflict(
                "seat_taken",
                "这个座位正在另一台设备上使用。",
                "This seat is in use on another device.",
            )
        self._put(offered)
        return Admission(offered, resumed=False, fenced=current)

    def _may_resume(self, current: SessionRecord, resume: Resume, now: float) -> bool:
        if current.session != resume.session:
            return False
        if current.detached_at is not None and now - current.detached_at > self._keep_s:
            return False
        return hmac.compare_digest(current.secret_sha256, hash_secret(resume.secret))

    def detach(self, session: SessionId, now: float) -> SessionRecord | None:
        """Notes that a session's connection is gone; returns the record if it held a seat."""
        seat = self._seats.get(session)
        if seat is None:
            return None
        record = self._by_participant[seat]
        record.detached_at = now
        return record

    def expire(self, now: float) -> list[SessionRecord]:
        """Drops and returns the sessions whose time is over."""
        over = [
            record
            for record in self._by_participant.values()
            if record.detached_at is not None and now - record.detached_at >= self._keep_s
        ]
        for record in over:
            self.drop(record.participant)
        return over

    def drop(self, participant: ParticipantId) -> None:
        """Forgets a participant's session."""
        record = self._by_participant.pop(participant, None)
        if record is not None:
            self._seats.pop(record.session, None)
