"""What questions of an evening refer to, and who may have it: asked by the routes of content."""

from __future__ import annotations

from twinclass_signaling.desk.commands import Actor
from twinclass_signaling.desk.plan import QuestionId
from twinclass_signaling.desk.state import DeskState
from twinclass_signaling.desk.visibility import may_see_question
from twinclass_signaling.ids import PersonId
from twinclass_signaling.roles import Role


def contents_of(state: DeskState, question: int) -> tuple[str, ...]:
    """Returns the references of a question: its content and its answer."""
    found = state.questions.get(QuestionId(question))
    if found is None:
        return ()
    return (found.content,) if found.answer is None else (found.content, found.answer)


def rated_tutor(state: DeskState, pupil: PersonId, question: int) -> str | None:
    """Returns the tutor whose help with a question a pupil may speak of; None: nobody's."""
    found = state.questions.get(QuestionId(question))
    if found is None or (found.pupil != pupil and pupil not in found.followers):
        return None
    return found.tutor if found.state in {"resolved", "answered_async"} else None


def origin_of(state: DeskState, actor: Actor, question: int) -> str | None:
    """Returns where a question comes from, for whoever may know: who asked it, its tutor, staff."""
    found = state.questions.get(QuestionId(question))
    if found is None or not may_see_question(state, actor, found):
        return None
    if actor.role is Role.PUPIL and found.pupil != actor.person:
        return None
    return found.origin


def may_see(state: DeskState, actor: Actor, question: int) -> bool:
    """Tells whether somebody may be shown what a question stands for."""
    found = state.questions.get(QuestionId(question))
    return found is not None and may_see_question(state, actor, found)
