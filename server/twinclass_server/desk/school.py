"""The school's data for desks, from SQL: see ``ports.DeskSchool``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from twinclass_server.adapters.redis_desk import EveningId
from twinclass_server.desk.journal import DeskStep
from twinclass_server.desk.ports import About
from twinclass_server.roster.database import Database
from twinclass_signaling.desk.commands import CarryOver
from twinclass_signaling.desk.plan import Desk, DeskId
from twinclass_signaling.desk.questions import Question
from twinclass_signaling.desk.state import DeskState
from twinclass_signaling.ids import PersonId
from twinclass_signaling.tokens import DeskClaims


class SqlDeskSchool:
    """Blocking work goes to threads."""

    def __init__(self, plans: Mapping[DeskId, Desk]) -> None:
        self._plans = plans

    def attach(self, database: Database) -> None:
        """Sets the database."""
        self._database = database

    async def plan(self, evening: EveningId) -> Desk | None:
        return self._plans.get(evening.desk)

    async def about(self, claims: DeskClaims) -> About:
        return About()

    async def carried(self, evening: EveningId) -> Sequence[CarryOver]:
        return ()

    async def matches(self, evening: EveningId, question: Question) -> Sequence[str]:
        return ()

    async def met_this_week(self, evening: EveningId, tutor: PersonId, pupil: PersonId) -> int:
        return 0

    async def noted(self, evening: EveningId) -> int:
        return 0

    async def note(self, evening: EveningId, state: DeskState, steps: Sequence[DeskStep]) -> None:
        return
