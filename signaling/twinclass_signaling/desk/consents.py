"""What a child may do by her guardian's word, and what becomes of what she has when it changes.

Live help is always recorded: whoever may not be recorded is answered in writing. Without consent to
the desk itself she has no question here. A word counts from the second at which it is told, in the
middle of live help, too: who is in a one_to_one hears that it is over, and her question goes on in
writing, at its place.
"""

from __future__ import annotations

from twinclass_signaling.desk import sessions
from twinclass_signaling.desk.commands import TellConsents
from twinclass_signaling.desk.events import (
    ConsentChanged,
    DeskEvent,
    OfferEnded,
    QuestionReturned,
    QuestionUnfollowed,
    QuestionWished,
    QuestionWithdrawn,
)
from twinclass_signaling.desk.questions import Question
from twinclass_signaling.desk.state import DeskState
from twinclass_signaling.ids import PersonId


def tell(state: DeskState, told: TellConsents) -> list[DeskEvent]:
    """Returns what it means that a guardian has agreed to something, or does not any more."""
    seat = state.pupils.get(told.pupil)
    if seat is None:
        return []  # She has not been here tonight; it is told with her.
    now = (told.consented, told.recorded, told.media)
    if now == (seat.consented, seat.recorded, seat.media):
        return []
    return [
        ConsentChanged(told.pupil, *now),
        *ended(state, told.pupil, consented=told.consented, recorded=told.recorded),
    ]


def ended(state: DeskState, pupil: PersonId, *, consented: bool, recorded: bool) -> list[DeskEvent]:
    """Returns what she has to give up when only so much is allowed."""
    seat = state.pupils.get(pupil)
    if seat is None or (consented and recorded):
        return []
    events: list[DeskEvent] = []
    if seat.session is not None:
        events += sessions.not_recorded(state, state.sessions[seat.session], pupil)
    question = None if seat.active is None else state.questions[seat.active]
    if question is None:
        return events
    if question.pupil != pupil:
        if question.wish == "live" or not consented:
            events.append(QuestionUnfollowed(question.id, pupil))
    elif not consented:
        events.append(QuestionWithdrawn(question.id, "consent", pupil))
    elif question.wish == "live":
        events += [*_taken_back(question), QuestionWished(question.id, "written", None)]
    return events


def _taken_back(question: Question) -> list[DeskEvent]:
    """Returns how a question comes back from a tutor who is to help with it live."""
    if question.tutor is None:
        return []
    if question.state == "offered":
        return [OfferEnded(question.id, question.tutor, "consent")]
    if question.state == "claimed":
        return [QuestionReturned(question.id, question.tutor, "consent")]
    return []
