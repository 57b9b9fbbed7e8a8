"""Who is here, whether the log can take it or not; as ``signal.facts`` for lessons."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from twinclass_server.desk.journal import DeskJournal
from twinclass_signaling.desk.commands import SYSTEM, Fact, Lose, PupilHere, StaffHere
from twinclass_signaling.desk.state import DeskState
from twinclass_signaling.errors import SignalingError, Unavailable
from twinclass_signaling.ids import PersonId

logger = logging.getLogger(__name__)


@dataclass(slots=True)
class Facts:
    """One evening's facts. ``arrivals``: what is told of those who have a line now."""

    journal: DeskJournal
    wall_clock: Callable[[], float]
    is_here: Callable[[PersonId], bool]
    arrivals: Callable[[], Iterable[PupilHere | StaffHere]]

    def tell(self, fact: Fact) -> None:
        """Submits a fact."""
        try:
            self.journal.submit(fact, SYSTEM, self.wall_clock())
        except Unavailable:
            logger.debug("the log is away; the fact is told when it is back")
        except SignalingError as error:
            logger.warning("%s refused: %s", type(fact).__name__, error.code)

    def line_lost(self, person: PersonId) -> None:
        """Notes that a line of somebody is gone."""
        if not self.is_here(person) and is_present(self.journal.head, person):
            self.tell(Lose(person))

    def reconcile(self) -> None:
        """Submits whatever the state of the log does not know yet."""
        head = self.journal.head
        for person in [*head.pupils, *head.tutors, *head.moderators]:
            self.line_lost(person)
        for arrival in self.arrivals():
            self.tell(arrival)


def is_present(state: DeskState, person: PersonId) -> bool:
    """Tells whether the state believes that somebody has a line."""
    pupil = state.pupils.get(person)
    if pupil is not None:
        return not pupil.away and pupil.lost_at == 0
    tutor = state.tutors.get(person)
    if tutor is not None:
        return tutor.here and tutor.lost_at == 0
    return state.moderators.get(person, False)
