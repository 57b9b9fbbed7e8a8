"""From the committed state to the media plane: what changed of grants and subscriptions.

Recomputed after each batch that can change them. Viewers that see the same share one
computation: in a lesson of 270 most do.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable

from twinclass_signaling.errors import InvalidState
from twinclass_signaling.ids import ParticipantId, PersonId, SessionId
from twinclass_signaling.lesson.events import (
    LessonEvent,
    ParticipantJoined,
    ParticipantLost,
    ParticipantRecovered,
    PublicationEnded,
    PublicationStarted,
)
from twinclass_signaling.lesson.media_policy import external_subscriptions, grants, subscriptions
from twinclass_signaling.lesson.state import HOME_ROLES, LEAD_ROLES, LessonState
from twinclass_signaling.lesson.talk_events import RecordingChanged, TeachingChanged
from twinclass_signaling.lesson.tool_events import (
    SpotlightSet,
    StageMoved,
    StageMuted,
    ToolEvent,
)
from twinclass_signaling.lesson.tools import recording
from twinclass_signaling.lesson.tools.echo import EchoEvent
from twinclass_signaling.lesson.tools.sound_check import SoundCheckEvent, turn_of
from twinclass_signaling.lesson.tools.teaching import teaching_room
from twinclass_signaling.lesson.tools.work import WorkEvent
from twinclass_signaling.messages import View
from twinclass_signaling.ports import Grant, MediaPlane, RecordingWish, Subscription
from twinclass_signaling.roles import Role, Source

#: Tools that change who is heard or shown; the others leave media alone.
_MEDIA_TOOLS = (
    SoundCheckEvent
    | EchoEvent
    | WorkEvent
    | TeachingChanged
    | RecordingChanged
    | StageMuted
    | StageMoved
    | SpotlightSet
)

logger = logging.getLogger(__name__)


def changes_media(state: LessonState, event: LessonEvent) -> bool:
    """Tells whether others' media may change by an event. A home that comes, goes, or starts its
    camera changes nothing for others until it is called on."""
    match event:
        case (
            ParticipantJoined(participant)
            | ParticipantLost(participant)
            | ParticipantRecovered(participant)
            | PublicationStarted(participant)
            | PublicationEnded(participant)
        ):
            seat = state.seats.get(participant)
            quiet = HOME_ROLES | {Role.OBSERVER, Role.ASSISTANT}
            return seat is None or seat.role not in quiet
        case _:
            return not isinstance(event, ToolEvent) or isinstance(event, _MEDIA_TOOLS)


class MediaEffects:
    """Remembers what the media plane was told, and tells it only differences."""

    def __init__(self, media: MediaPlane, withdrawn: frozenset[PersonId] = frozenset()) -> None:
        self._media = media
        self._grants: dict[ParticipantId, list[Grant]] = {}
        self._wanted: dict[SessionId, list[Subscription]] = {}
        self._recording: RecordingWish | None = None
        #: Whose consent to be recorded ended after the lesson was planned.
        self.withdrawn = withdrawn

    def update(
        self,
        state: LessonState,
        viewers: Iterable[tuple[SessionId, ParticipantId, View]],
        screens: Iterable[SessionId] = (),
    ) -> None:
        """Brings the media plane to what ``state`` says."""
        for participant in state.seats:
            self._grant(state, participant)
        shared: dict[tuple[Role, View, bool, ParticipantId | None], list[Subscription]] = {}
        for session, participant, view in viewers:
            seat = state.seats.get(participant)
            if seat is None:
                continue
            is_special = (
                seat.role in LEAD_ROLES
                or state.is_on_stage(participant)
                or participant == teaching_room(state)
                or (seat.role is Role.ASSISTANT and turn_of(state) is not None)
            )
            own = participant if is_special else None
            key = (seat.role, view, seat.companion or seat.sound_off, own)
            if key not in shared:
                shared[key] = subscriptions(state, participant, view)
            self._subscribe(state, session, shared[key])

        for session in screens:
            self._subscribe(state, session, external_subscriptions(state))
        self._record(state)

    def update_one(
        self, state: LessonState, session: SessionId, participant: ParticipantId, view: View
    ) -> None:
        """Tells the media plane all of one session (it is new or its page is)."""
        self.update_grants(state, participant)
        self._wanted.pop(session, None)
        self._subscribe(state, session, subscriptions(state, participant, view))

    def forget(self, session: SessionId) -> None:
        """Forgets a session that was removed."""
        self._wanted.pop(session, None)

    def update_grants(self, state: LessonState, participant: ParticipantId) -> None:
        """Tells the media plane what one participant's sources may do, whatever it knew."""
        self._grants.pop(participant, None)
        self._grant(state, participant)

    def _record(self, state: LessonState) -> None:
        if state.phase != "live" or state.opened_at is None:
            return  # Not before the bell; after the lesson whoever closes it ends the recording.
        recorded = recording.recorded(state, self.withdrawn)
        sources: tuple[tuple[ParticipantId, Source], ...] = tuple(
            (one.participant, one.source) for one in recorded
        )
        if self._recording is None and not recording.is_on(state):
            return  # Never begun.
        wish = RecordingWish(
            recording.recording_id(state), state.opened_at, sources, not recording.is_on(state)
        )
        if wish != self._recording:
            self._recording = wish
            self._media.set_recording(state.id, wish)

    def _grant(self, state: LessonState, participant: ParticipantId) -> None:
        wanted = grants(state, participant)
        if self._grants.get(participant, []) != wanted:
            self._grants[participant] = wanted
            self._media.set_grants(state.id, participant, wanted)

    def _subscribe(
        self, state: LessonState, session: SessionId, wanted: list[Subscription]
    ) -> None:
        if self._wanted.get(session) == wanted:
            return
        try:
            self._media.set_subscriptions(state.id, session, wanted)
        except InvalidState as error:
            # WHIP and WHEP open their session after they have a seat: the next update finds it.
            logger.debug("session not open yet: %s", error.code)
            return
        self._wanted[session] = wanted
