"""Consent to be recorded that ends: the child is out of a lesson within a minute, and out of what
is made of recordings at once."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence

from sqlalchemy import select

from twinclass_recordings.manifest import Manifest
from twinclass_server.roster.database import Database
from twinclass_server.roster.models import Enrolment, RecordingConsent, SchoolClass
from twinclass_server.roster.plans import group_id
from twinclass_server.signal.lessons import Lessons
from twinclass_signaling.errors import Unavailable
from twinclass_signaling.ids import PersonId
from twinclass_signaling.roles import Role

logger = logging.getLogger(__name__)

#: "At once" is within a minute (scenario 20).
EVERY_S = 20.0


class Consents:
    """Watches the consents of those who take part in lessons that go on."""

    def __init__(self, database: Database, lessons: Lessons) -> None:
        self._database = database
        self._lessons = lessons

    def withdrawn(self, people: Sequence[PersonId]) -> frozenset[PersonId]:
        """Returns those who had agreed and do not any more. Blocks."""
        query = select(RecordingConsent.person_id, RecordingConsent.withdrawn_at).where(
            RecordingConsent.person_id.in_(people)
        )
        agreed: set[str] = set()
        ended: set[str] = set()
        with self._database.session() as session:
            for person, withdrawn_at in session.execute(query):
                (agreed if withdrawn_at is None else ended).add(person)
        return frozenset(PersonId(person) for person in ended - agreed)

    def left_out(self, recorded: Manifest) -> frozenset[str]:
        """Returns who is in a recording and may not be shown any more: whose consent has ended, and
        home groups of such a child (as groups are now). Blocks."""
        agreed = [person for person in recorded.people if person.consent == "given"]
        seats = {(person.id, person.id) for person in agreed}
        classes = [person.room for person in agreed if person.role == Role.HOME_GROUP]
        if classes:
            query = (
                select(Enrolment.person_id, SchoolClass.school_id, Enrolment.home_group)
                .join(SchoolClass, SchoolClass.id == Enrolment.class_id)
                .where(Enrolment.class_id.in_(classes), Enrolment.home_group.is_not(None))
            )
            groups = {person.id for person in agreed}
            with self._database.session() as session:
                rows = session.execute(query)
                found = [(pupil, group_id(at, name)) for pupil, at, name in rows if name]
            seats |= {(pupil, group) for pupil, group in found if group in groups}
        ended = self.withdrawn([PersonId(pupil) for pupil, _ in seats])
        return frozenset(seat for pupil, seat in seats if pupil in ended)

    async def look(self) -> None:
        """Looks once at every lesson that is open or about to be.

        Raises:
            Unavailable: the database is away.
        """
        for host in list(self._lessons.hosts.values()):
            # Before the bell too: what holds at the bell is not older than at any other time.
            state = host.state
            people = state.recordable
            if state.phase != "closed" and people:
                host.consent_withdrawn(await asyncio.to_thread(self.withdrawn, people))

    async def keep(self) -> None:
        """Looks for ever."""
        while True:
            try:
                await self.look()
            except Unavailable as error:
                logger.warning("consents not read: %s", error)
            await asyncio.sleep(EVERY_S)
