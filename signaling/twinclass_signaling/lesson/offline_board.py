"""What came in for a class that had no line, as its assistants may see it."""

from __future__ import annotations

from collections.abc import Mapping

from twinclass_signaling.ids import ParticipantId
from twinclass_signaling.lesson.state import LessonState
from twinclass_signaling.lesson.visibility import Person, Viewer
from twinclass_signaling.roles import Role
from twinclass_signaling.tool_views import OfflineRecordView, OfflineView


def offline_view(
    state: LessonState, viewer: Viewer, _: Mapping[ParticipantId, Person]
) -> OfflineView:
    """Returns the records of an assistant's class."""
    if viewer.role is not Role.ASSISTANT or viewer.room is None:
        return OfflineView(())
    return OfflineView(
        tuple(
            OfflineRecordView(one.key, one.kind, one.taken_at, one.outcome, one.kept)
            for one in state.tools.offline.get(viewer.room, ())
        )
    )
