"""The tools of a lesson on everybody's page: what changed is gathered and sent once.

A page is told a tool as a whole, and only when what it may see of it has changed. Viewers that
see the same share one computation and one encoding.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping

from twinclass_server.connection import Connection, encode
from twinclass_server.signal.client import Client
from twinclass_signaling.ids import ParticipantId
from twinclass_signaling.lesson.events import LessonEvent
from twinclass_signaling.lesson.state import HOME_ROLES, LessonState
from twinclass_signaling.lesson.tool_board import VIEWS
from twinclass_signaling.lesson.visibility import Person, Viewer, viewer_of
from twinclass_signaling.messages import Tool
from twinclass_signaling.roles import Role
from twinclass_signaling.tool_views import ToolView

#: Longer than a burst of taps, shorter than anybody notices.
GATHER_S = 0.1

_SEAT_TOOLS = (
    "stage",
    "attendance",
    "own_class",
    "teaching",
    "sound",
    "quiz",
    "backchannel",
    "echo",
)
#: Which tools an event may change, by its type; others change those of ``_SEAT_TOOLS``.
_CHANGES: dict[str, tuple[str, ...]] = {
    "lesson_opened": ("stage", "sound_check", "teaching", "recording"),
    "called_on": (),
    "stage_enter": ("stage",),
    "stage_leave": ("stage",),
    "publication_started": ("teaching",),
    "publication_ended": ("teaching",),
    "hand_raised": ("hands", "stage"),
    "hand_approved": ("hands", "stage"),
    "hand_lowered": ("hands", "stage"),
    "spotlight_set": ("stage",),
    "stage_moved": ("stage",),
    "stage_muted": ("stage",),
    "roll_called": ("attendance", "quiz"),
    "attendance_changed": ("attendance", "quiz"),
    "sound_check_started": ("sound_check",),
    "sound_checked": ("sound_check",),
    "sound_check_ended": ("sound_check",),
    "quiz_opened": ("quiz",),
    "quiz_answered": ("quiz",),
    "quiz_tallied": ("quiz",),
    "quiz_closed": ("quiz",),
    "quiz_released": ("quiz",),
    "countdown_started": ("work",),
    "countdown_ended": ("work",),
    "group_work_started": ("work",),
    "group_work_ended": ("work",),
    "listened_in": ("work",),
    "phase_changed": ("agenda",),
    "cue_marked": ("agenda",),
    "note_sent": ("backchannel",),
    "note_acked": ("backchannel",),
    "pulse_sent": ("backchannel",),
    "pulse_answered": ("backchannel",),
    "help_asked": ("own_class",),
    "help_answered": ("own_class",),
    "hand_over_offered": ("teaching",),
    "hand_over_withdrawn": ("teaching",),
    "teaching_changed": ("teaching",),
    "catch_up_changed": ("catch_up",),
    "echo_found": ("echo",),
    "echo_faded": ("echo",),
    "echo_muted": ("echo",),
    "echo_retried": ("echo",),
    "echo_ended": ("echo",),
    "sound_switched": ("sound",),
    "offline_recorded": ("offline",),
    "chat_said": ("chat",),
    "recording_changed": ("recording",),
    "policy_changed": ("policy", "chat", "stage", "hands"),
    "slides_attached": ("slides",),
    "slide_turned": ("slides",),
    "ink_cleared": (),
}
#: Of these every home has its own; of the others it sees what its class sees.
_PERSONAL = frozenset({"attendance", "own_class", "quiz", "chat", "hands", "sound", "echo"})

Audience = Callable[[], Iterable[tuple[Client, Connection]]]
_Key = tuple[str, Role, str | None, str | None]


class ToolBoard:
    """Keeps every page's tools as the committed state says."""

    def __init__(
        self,
        state: Callable[[], LessonState],
        people: Mapping[ParticipantId, Person],
        audience: Audience,
    ) -> None:
        self._state = state
        self._people = people
        self._audience = audience
        self._dirty: set[str] = set()
        self._wake = asyncio.Event()

    def mark(self, event: LessonEvent) -> None:
        """Notes what an event may have changed."""
        changed = _CHANGES.get(str(type(event).__struct_config__.tag), _SEAT_TOOLS)
        if changed:
            self._dirty.update(changed)
            self._wake.set()

    async def run(self) -> None:
        """Flushes at most once in ``GATHER_S``, for ever."""
        while True:
            await self._wake.wait()
            await asyncio.sleep(GATHER_S)
            self._wake.clear()
            self.flush()

    def flush(self) -> None:
        """Tells now what has changed."""
        dirty, self._dirty = self._dirty, set()
        if not dirty:
            return
        state = self._state()
        made: dict[_Key, tuple[ToolView, str]] = {}
        for client, connection in self._audience():
            viewer = viewer_of(state, client.participant)
            if viewer is None:
                continue
            for name in dirty:
                key = _key(name, viewer)
                if key not in made:
                    view = VIEWS[name](state, viewer, self._people)
                    made[key] = (view, encode(Tool(view)))
                view, frame = made[key]
                if client.tools.get(name) != view:
                    client.tools[name] = view
                    connection.send_frame(frame)


def _key(name: str, viewer: Viewer) -> _Key:
    """Viewers with the same key see the same of a tool."""
    is_personal = viewer.role is Role.ASSISTANT or (viewer.role in HOME_ROLES and name in _PERSONAL)
    is_of_class = not viewer.leads and viewer.role is not Role.OBSERVER
    return (
        name,
        viewer.role,
        viewer.room if is_of_class else None,
        viewer.participant if is_personal or viewer.role is Role.ROOM else None,
    )
