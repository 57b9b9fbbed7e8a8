"""The like questions of an evening: texts are read from SQL once, and compared in memory."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from twinclass_server.adapters.redis_desk import EveningId
from twinclass_server.desk.alike import OpenTexts
from twinclass_server.desk.ports import DeskSchool
from twinclass_signaling.desk.plan import QuestionId, queue_key
from twinclass_signaling.desk.questions import may
from twinclass_signaling.desk.state import DeskState


class LikeQuestions:
    """Of each queue (subject and grade). Nothing of it is kept: another server that takes the
    evening over reads the texts of what is open again, with the first question that is asked."""

    def __init__(
        self, evening: EveningId, school: DeskSchool, state: Callable[[], DeskState]
    ) -> None:
        self._evening = evening
        self._school = school
        self._state = state
        self._queues: dict[str, OpenTexts] = {}
        #: Texts that two would read at once are read once.
        self._reading = asyncio.Lock()

    async def of(self, number: QuestionId) -> tuple[QuestionId, ...]:
        """Returns the open questions that one reads like, the most alike first; none when it is
        done with by now.

        Raises:
            Unavailable: the database is away.
        """
        async with self._reading:
            question = self._state().questions[number]
            key = queue_key(question.subject, question.grade)
            texts = self._queues.setdefault(key, OpenTexts())
            missing = texts.keep(self._open(question.subject, question.grade))
            if missing:
                contents = {one: self._state().questions[one].content for one in missing}
                read = await self._school.texts(self._evening, list(contents.values()))
                for one, content in contents.items():
                    texts.put(one, read.get(content, ""))
            return texts.like(number)

    def _open(self, subject: str, grade: int) -> list[QuestionId]:
        """Returns what may become one with another question; at most ``MAX_QUESTIONS``."""
        state = self._state()
        return [
            number
            for number in state.index.active.get(grade, ())
            if state.questions[number].subject == subject and may(state.questions[number], "merge")
        ]
