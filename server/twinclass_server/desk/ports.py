"""What an evening needs of the school's data: plans, people, the bank, and who keeps its history.

``desk.content`` fills these from SQL; their methods are called on the control loop and wait in
threads.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from twinclass_server.adapters.redis_desk import EveningId
from twinclass_server.desk.journal import DeskStep
from twinclass_signaling.desk.commands import CarryOver
from twinclass_signaling.desk.directory import Known
from twinclass_signaling.desk.plan import Desk
from twinclass_signaling.desk.questions import Question
from twinclass_signaling.desk.state import DeskState
from twinclass_signaling.ids import PersonId
from twinclass_signaling.tokens import DeskClaims


@dataclass(frozen=True, slots=True)
class About:
    """What is known of a pupil besides her link. ``consented``: she may use the desk;
    ``recorded``, ``media``: she may be recorded, she may send photos and voices."""

    consented: bool = True
    teachers: tuple[PersonId, ...] = ()
    recorded: bool = True
    media: bool = True


class DeskSchool(Protocol):
    """The school's data as a desk asks for it."""

    async def plan(self, evening: EveningId) -> Desk | None:
        """Returns a desk with the roster of an evening; None: there is no such desk."""
        ...

    async def about(self, claims: DeskClaims) -> About:
        """Returns what is known of a pupil."""
        ...

    async def wrote(self, evening: EveningId, person: PersonId, content: str) -> bool:
        """Tells whether somebody has stored this content herself: nobody sends another's."""
        ...

    async def carried(self, evening: EveningId) -> Sequence[CarryOver]:
        """Returns the questions of earlier evenings that are to be asked again."""
        ...

    async def matches(self, evening: EveningId, question: Question) -> Sequence[str]:
        """Returns the bank's answers that may fit, best first, at most three."""
        ...

    async def texts(self, evening: EveningId, contents: Sequence[str]) -> Mapping[str, str]:
        """Returns what is written in some contents; what is not there any more is left out."""
        ...

    async def met_this_week(self, evening: EveningId, tutor: PersonId, pupil: PersonId) -> int:
        """Returns how many one_to_one two have had in seven days, before this one."""
        ...

    async def noted(self, evening: EveningId) -> int:
        """Returns the last step of an evening that ``note`` has written; 0: none."""
        ...

    async def note(
        self,
        evening: EveningId,
        state: DeskState,
        steps: Sequence[DeskStep],
        people: Mapping[PersonId, Known],
    ) -> None:
        """Writes what is to last of some steps. ``state``: after the last of them, or later;
        ``people``: as their links call them, for whom no roster has. Repeating steps changes
        nothing."""
        ...
