"""Who comes in: what the log is told of them before they have a place."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from typing import NamedTuple

from twinclass_server.desk.journal import DeskJournal
from twinclass_server.desk.ports import About, DeskSchool
from twinclass_server.desk.seats import Seats
from twinclass_signaling.desk.commands import (
    SYSTEM,
    Actor,
    PupilHere,
    StaffHere,
    TellConsents,
)
from twinclass_signaling.errors import Unavailable
from twinclass_signaling.ids import PersonId
from twinclass_signaling.roles import Role
from twinclass_signaling.tokens import DeskClaims


class _Pupil(NamedTuple):
    claims: DeskClaims
    about: About
    #: What the log is told of her.
    here: PupilHere


class Entrance:
    """The entrance of one evening."""

    def __init__(
        self,
        journal: DeskJournal,
        school: DeskSchool,
        seats: Seats,
        clock: Callable[[], float],
    ) -> None:
        self._journal = journal
        self._school = school
        self._seats = seats
        self._now = clock
        self._pupils: dict[PersonId, _Pupil] = {}
        #: Who is told to the log, and has no place yet.
        self._arriving: Counter[PersonId] = Counter()

    def is_here(self, person: PersonId) -> bool:
        """Tells whether somebody has a line, or is coming in."""
        return person in self._arriving or self._seats.is_here(person)

    def arrivals(self) -> Iterator[PupilHere | StaffHere]:
        """Yields what the log is told of those who have a line."""
        for client in self._seats.connected():
            if client.actor.role in {Role.TUTOR, Role.MODERATOR}:
                yield StaffHere(client.person, client.actor.role)
            elif (known := self._pupils.get(client.person)) is not None:
                yield known.here

    async def arrive(self, claims: DeskClaims, actor: Actor) -> None:
        """Tells the log of somebody.

        Raises:
            SignalingError: the desk is full, the log or the database away.
        """
        self._arriving[actor.person] += 1
        try:
            await self._tell(claims, actor)
        finally:
            self._arriving[actor.person] -= 1
            self._arriving += Counter()  # Drops whoever has come in.

    async def _tell(self, claims: DeskClaims, actor: Actor) -> None:
        arrival: PupilHere | StaffHere
        if actor.role is Role.PUPIL:
            arrival = await self._here(claims)
        elif actor.role in {Role.TUTOR, Role.MODERATOR}:
            arrival = StaffHere(actor.person, actor.role)
        else:
            return
        if not self._journal.is_up and self._was_here(actor.person):
            return  # The place is hers; that she is back is told when the log is.
        await self._journal.commit(arrival, SYSTEM, self._now())

    async def consents(self, pupil: PersonId) -> TellConsents | None:
        """Returns how the consents of a pupil stand now; None: she was not here tonight.

        Raises:
            Unavailable: the database is away.
        """
        known = self._pupils.get(pupil)
        if known is None:
            return None
        here = await self._here(known.claims)
        return TellConsents(pupil, here.consented, here.recorded, here.media)

    async def _here(self, claims: DeskClaims) -> PupilHere:
        about, person = await self._about(claims), PersonId(claims.sub)
        here = PupilHere(
            person,
            claims.grade or 0,
            claims.school,
            about.teachers,
            about.consented,
            about.recorded,
            about.media,
        )
        self._pupils[person] = _Pupil(claims, about, here)
        return here

    async def _about(self, claims: DeskClaims) -> About:
        try:
            return await self._school.about(claims)
        except Unavailable:
            known = self._pupils.get(PersonId(claims.sub))
            if known is None:
                raise
            return known.about

    def _was_here(self, person: PersonId) -> bool:
        state = self._journal.committed
        return person in state.pupils or person in state.tutors or person in state.moderators
