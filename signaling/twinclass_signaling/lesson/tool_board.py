"""The tools of a lesson as one client may see them: pure functions of state and viewer."""

from __future__ import annotations

from collections.abc import Mapping

from twinclass_signaling.ids import ParticipantId
from twinclass_signaling.lesson.state import LessonState
from twinclass_signaling.lesson.visibility import Person, Viewer
from twinclass_signaling.tool_views import (
    AgendaView,
    AttendanceView,
    BackchannelView,
    ChatView,
    HandsView,
    OwnClassView,
    PolicyView,
    QuizzesView,
    SlidesView,
    SoundCheckView,
    SoundView,
    StageView,
    TeachingView,
    ToolViews,
    WorkView,
)


def all_views(
    state: LessonState, viewer: Viewer, people: Mapping[ParticipantId, Person]
) -> ToolViews:
    """Returns every tool for a page that comes in."""
    del viewer, people
    policy = state.policy
    return ToolViews(
        hands=HandsView(()),
        stage=StageView(policy.stage_limit, (), None, ()),
        attendance=AttendanceView((), ()),
        sound_check=SoundCheckView(False, None, None, 5, ()),
        quiz=QuizzesView(None, 0),
        work=WorkView(None, None),
        agenda=AgendaView((), (), None),
        backchannel=BackchannelView((), (), ()),
        own_class=OwnClassView(None, "", "", (), ()),
        teaching=TeachingView(None, None, None, 0.0),
        chat=ChatView(policy.public_chat, ()),
        policy=PolicyView(
            policy.hands_need_approval, policy.public_chat, policy.stage_limit, False, None
        ),
        slides=SlidesView((), None, 0),
        sound=SoundView(()),
    )
