"""What an evening's host asks of the school's data: fills ``desk.ports.DeskSchool`` from SQL."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence

from msgspec.structs import replace
from sqlalchemy import select
from sqlalchemy.orm import aliased

from twinclass_server.adapters.redis_desk import EveningId
from twinclass_server.desk.content.desk_content import DeskContent
from twinclass_server.desk.content.noting import Noting
from twinclass_server.desk.journal import DeskStep
from twinclass_server.desk.ports import About
from twinclass_server.roster.database import Database
from twinclass_server.roster.models import Enrolment
from twinclass_signaling.desk.commands import CarryOver
from twinclass_signaling.desk.directory import Known
from twinclass_signaling.desk.plan import Desk, DeskId
from twinclass_signaling.desk.questions import Question
from twinclass_signaling.desk.state import DeskState
from twinclass_signaling.ids import PersonId
from twinclass_signaling.tokens import DeskClaims


class KeptSchool:
    """Blocking work goes to threads. ``plans``: of the desks, whose rosters stand in SQL."""

    def __init__(
        self, database: Database, content: DeskContent, plans: Mapping[DeskId, Desk]
    ) -> None:
        self._database = database
        self._content = content
        self._plans = plans
        self._noting = Noting(database, content)

    async def plan(self, evening: EveningId) -> Desk | None:
        """See ``ports.DeskSchool``."""
        plan = self._plans.get(evening.desk)
        if plan is None:
            return None
        duties = await asyncio.to_thread(self._content.rosters.duties, evening.desk, evening.day)
        return replace(plan, roster=duties) if duties else plan

    async def about(self, claims: DeskClaims) -> About:
        """See ``ports.DeskSchool``."""
        return await asyncio.to_thread(self._about, claims)

    def _about(self, claims: DeskClaims) -> About:
        allowed = self._content.consents.allowed(claims.sub, claims.grade or 0)
        own, hers = aliased(Enrolment), aliased(Enrolment)
        query = (
            select(hers.person_id)
            .join(own, own.class_id == hers.class_id)
            .where(
                own.person_id == claims.sub,
                own.role == "pupil",
                hers.role == "teacher",
                hers.status == "active",
            )
            .distinct()
        )
        with self._database.session() as session:
            teachers = tuple(PersonId(one) for one in sorted(session.scalars(query)))
        return About(allowed.use, teachers, allowed.recorded, allowed.media)

    async def wrote(self, evening: EveningId, person: PersonId, content: str) -> bool:
        """See ``ports.DeskSchool``."""
        contents = self._content.contents
        return await asyncio.to_thread(contents.is_own, person, evening.desk, content)

    async def carried(self, evening: EveningId) -> Sequence[CarryOver]:
        """See ``ports.DeskSchool``."""
        return await asyncio.to_thread(self._carried, evening)

    def _carried(self, evening: EveningId) -> list[CarryOver]:
        waiting = self._content.carried.waiting(evening.desk, evening.day)
        self._content.carried.take([number for number, _ in waiting], evening.day)
        return [fact for _, fact in waiting]

    async def matches(self, evening: EveningId, question: Question) -> Sequence[str]:
        """See ``ports.DeskSchool``."""
        del evening  # The bank is everybody's.
        return await self._content.search(
            question.subject, question.grade, question.points, question.content
        )

    async def texts(self, evening: EveningId, contents: Sequence[str]) -> Mapping[str, str]:
        """See ``ports.DeskSchool``."""
        del evening
        return await asyncio.to_thread(self._content.contents.texts, contents)

    async def met_this_week(self, evening: EveningId, tutor: PersonId, pupil: PersonId) -> int:
        """See ``ports.DeskSchool``."""
        del evening
        return await asyncio.to_thread(self._content.helps.met_this_week, tutor, pupil)

    async def noted(self, evening: EveningId) -> int:
        """See ``ports.DeskSchool``."""
        return await asyncio.to_thread(self._noting.noted, evening.desk, evening.day)

    async def note(
        self,
        evening: EveningId,
        state: DeskState,
        steps: Sequence[DeskStep],
        people: Mapping[PersonId, Known],
    ) -> None:
        """See ``ports.DeskSchool``."""
        # Of tutors only: they are what a help is told with.
        names = {one: people[one].name for one in state.tutors if one in people}
        await asyncio.to_thread(self._noting.note, evening.desk, evening.day, state, steps, names)
