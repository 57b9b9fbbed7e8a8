"""What is looked up when something has happened in an evening, and told to its core as a fact."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from twinclass_server.adapters.redis_desk import EveningId
from twinclass_server.desk.facts import Facts
from twinclass_server.desk.like_questions import LikeQuestions
from twinclass_server.desk.ports import DeskSchool
from twinclass_signaling.desk.commands import TellBank, TellLike, TellPair
from twinclass_signaling.desk.plan import QuestionId, SessionNumber
from twinclass_signaling.desk.state import DeskState

#: Searches at a time: each takes a thread and some milliseconds.
_SEARCHES = 4


class FollowUps:
    """Of one evening. ``told``: called when a fact may have made something due."""

    def __init__(
        self,
        evening: EveningId,
        school: DeskSchool,
        facts: Facts,
        state: Callable[[], DeskState],
        told: Callable[[], None],
    ) -> None:
        self._evening = evening
        self._school = school
        self._facts = facts
        self._state = state
        self._told = told
        self._like = LikeQuestions(evening, school, state)
        self._searches = asyncio.Semaphore(_SEARCHES)

    async def search(self, question: QuestionId) -> None:
        """Looks for a question in the bank, then among the evening's others.

        Raises:
            Unavailable: the database is away.
        """
        async with self._searches:
            found = self._state().questions[question]
            matches = await self._school.matches(self._evening, found)
        self._facts.tell(TellBank(question, tuple(matches)))
        self._told()
        like = await self._like.of(question)
        if like:
            self._facts.tell(TellLike(question, like))

    async def pair(self, number: SessionNumber) -> None:
        """Counts how often the two of a one_to_one have met.

        Raises:
            Unavailable: the database is away.
        """
        session = self._state().sessions[number]
        pupil = next(iter(session.members), None)
        if pupil is None:
            return
        times = await self._school.met_this_week(self._evening, session.tutor, pupil)
        self._facts.tell(TellPair(number, times + 1))
