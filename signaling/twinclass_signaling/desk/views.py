"""The desk as one viewer may see it: a complete section, worked out for her alone.

Names come from the host's directory: of pupils a given name and a class, never more, and tutors
get these without the id.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from twinclass_signaling.desk import pupil_views, staff_views
from twinclass_signaling.desk.commands import Actor
from twinclass_signaling.desk.directory import Directory, Known
from twinclass_signaling.desk.state import DeskState
from twinclass_signaling.desk.tutor_views import tutor_view
from twinclass_signaling.desk.view_types import DeskView, GuardedSession, GuardianView
from twinclass_signaling.desk.visibility import may_see_session
from twinclass_signaling.desk.waiting import Estimator
from twinclass_signaling.ids import PersonId
from twinclass_signaling.roles import Role

__all__ = ["Directory", "Known", "view", "views"]


def view(
    state: DeskState, viewer: Actor, people: Mapping[PersonId, Known], now: float
) -> DeskView | None:
    """Returns what a viewer is shown; None: nothing at this desk."""
    return next(iter(views(state, [viewer], people, now)))


def views(
    state: DeskState, viewers: Iterable[Actor], people: Mapping[PersonId, Known], now: float
) -> list[DeskView | None]:
    """Returns what each of many viewers is shown; waits are worked out once for all."""
    directory = Directory(people)
    estimator, boards = Estimator(state, now), pupil_views.Boards(state, directory)
    return [_one(state, viewer, directory, boards, estimator, now) for viewer in viewers]


def _one(
    state: DeskState,
    viewer: Actor,
    people: Directory,
    boards: pupil_views.Boards,
    estimator: Estimator,
    now: float,
) -> DeskView | None:
    match viewer.role:
        case Role.PUPIL:
            return pupil_views.pupil_view(state, viewer, people, boards, estimator, now)
        case Role.TUTOR:
            return tutor_view(state, viewer.person, people, now)
        case Role.MODERATOR:
            return staff_views.moderator_view(state, people, now)
        case Role.DUTY_PLANNER:
            return staff_views.planner_view(state, people, now)
        case Role.SAFEGUARDING:
            return staff_views.safeguarding_view(state, people)
        case Role.GUARDIAN:
            return _guardian(state, viewer, people)
        case _:
            return None


def _guardian(state: DeskState, viewer: Actor, people: Directory) -> GuardianView:
    sessions = [
        GuardedSession(
            session.number,
            child,
            session.kind,
            session.subject,
            people.name(session.tutor),
            session.members[child].joined_at,
            session.members[child].left_at,
            session.reason,
        )
        for session in state.sessions.values()
        if may_see_session(viewer, session)
        for child in viewer.children
        if child in session.members
    ]
    return GuardianView(tuple(sessions))
