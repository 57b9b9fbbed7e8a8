"""The tools of a lesson on everybody's page: what changed is gathered and sent once.

A page is told a tool as a whole, and only when what it may see of it has changed. Viewers that
see the same share one computation and one encoding.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping

from twinclass_server.connection import encode
from twinclass_server.signal.clients import Clients
from twinclass_signaling.ids import ParticipantId
from twinclass_signaling.lesson.events import LessonEvent
from twinclass_signaling.lesson.state import HOME_ROLES, LessonState
from twinclass_signaling.lesson.tool_board import VIEWS
from twinclass_signaling.lesson.tool_changes import changed_tools
from twinclass_signaling.lesson.visibility import Audience, Person, Viewer
from twinclass_signaling.messages import Tool
from twinclass_signaling.roles import Role
from twinclass_signaling.tool_views import ToolView

#: Longer than a burst of taps, shorter than anybody notices.
GATHER_S = 0.1

#: Of these every home has its own; of the others it sees what its class sees.
_PERSONAL = frozenset({"attendance", "own_class", "quiz", "chat", "hands", "sound", "echo"})

#: Of these all teachers see the same.
_SAME_FOR_STAFF = frozenset(
    {"hands", "stage", "sound_check", "quiz", "agenda", "teaching", "chat", "policy", "slides"}
    | {"sound", "recording"}
)

_Key = tuple[str, str, str | None, str | None]


class ToolBoard:
    """Keeps every page's tools as the committed state says."""

    def __init__(
        self,
        state: Callable[[], LessonState],
        people: Mapping[ParticipantId, Person],
        clients: Clients,
    ) -> None:
        self._state = state
        self._people = people
        self._clients = clients
        self._dirty: dict[str, Audience] = {}
        self._wake = asyncio.Event()
        #: Views that were worked out, for whoever asks what a lesson costs.
        self.views_made = 0

    def mark(self, event: LessonEvent) -> None:
        """Notes what an event has changed, and for whom."""
        for name, who in changed_tools(event, self._state()):
            before = self._dirty.get(name)
            self._dirty[name] = who if before is None else before.joined(who)
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
        dirty, self._dirty = self._dirty, {}
        state = self._state()
        made: dict[_Key, tuple[ToolView, str]] = {}
        for name, who in dirty.items():
            for client, connection, viewer in self._clients.reached(who, state):
                key = view_key(name, viewer)
                if key not in made:
                    view = VIEWS[name](state, viewer, self._people)
                    made[key] = (view, encode(Tool(view)))
                view, frame = made[key]
                if client.tools.get(name) != view:
                    client.tools[name] = view
                    connection.send_frame(frame)
        self.views_made += len(made)


def view_key(name: str, viewer: Viewer) -> _Key:
    """Viewers with the same key see the same of a tool."""
    if viewer.is_staff and name in _SAME_FOR_STAFF:
        return (name, "staff", None, None)
    if viewer.leads:
        return (name, "leads", None, None)
    is_personal = viewer.role in {Role.ASSISTANT, Role.ROOM} or (
        viewer.role in HOME_ROLES and name in _PERSONAL
    )
    return (
        name,
        viewer.role,
        None if viewer.role is Role.OBSERVER else viewer.room,
        viewer.participant if is_personal else None,
    )
