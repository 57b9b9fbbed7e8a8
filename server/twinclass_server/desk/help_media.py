"""The media of live help: brings the media plane to what the evening's state says.

A session of live help is to the media plane a lesson of its own (``place``), with seats for
participants. Devices come into it when their person does, and their transports end with it.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from twinclass_server.adapters.redis_desk import EveningId
from twinclass_server.desk.client import DeskClient
from twinclass_signaling.desk import media_policy
from twinclass_signaling.desk.plan import SessionNumber
from twinclass_signaling.desk.state import DeskState, Session
from twinclass_signaling.errors import Conflict, Forbidden, Unavailable
from twinclass_signaling.ids import LessonId, ParticipantId, PersonId, SessionId
from twinclass_signaling.messages import MediaLost, PublishAnswer, PublishedTrack
from twinclass_signaling.ports import Grant, MediaPlane, RecordingWish, Subscription
from twinclass_signaling.roles import Source

logger = logging.getLogger(__name__)

#: No id of a lesson has a colon.
PREFIX = "help:"


def not_in_session() -> Conflict:
    """Returns the refusal of media outside of live help."""
    return Conflict(
        "not_in_session",
        "您现在不在辅导中，不能使用音视频。",
        "You are not in a session of live help: there is nothing to send sound or picture to.",
    )


@dataclass(slots=True)
class _Place:
    """One session as the media plane knows it."""

    session: SessionNumber
    lesson: LessonId
    published: set[media_policy.Publication] = field(default_factory=set)
    #: Devices that were opened, by their session, and whose seat they are on.
    devices: dict[SessionId, ParticipantId] = field(default_factory=dict)
    grants: dict[ParticipantId, list[Grant]] = field(default_factory=dict)
    wanted: dict[SessionId, list[Subscription]] = field(default_factory=dict)
    recording: RecordingWish | None = None


def recording_name(evening: EveningId, session: SessionNumber) -> str:
    """Returns how the recording of a session is called."""
    return f"help-{evening.name}-{session}"


class HelpMedia:
    """All live help of one evening."""

    def __init__(
        self,
        evening: EveningId,
        media: MediaPlane,
        state: Callable[[], DeskState],
        clients: Mapping[SessionId, DeskClient],
        client_of: Callable[[PersonId], DeskClient | None],
        ended: Callable[[Session, str], None],
    ) -> None:
        self._evening = evening
        self._name = evening.name
        self._media = media
        self._state = state
        self._clients = clients
        self._client_of = client_of
        self._ended = ended
        self._places: dict[SessionNumber, _Place] = {}
        self._by_device: dict[SessionId, _Place] = {}
        self._by_lesson: dict[LessonId, _Place] = {}

    # ---- names -----------------------------------------------------------------------------

    def place(self, session: SessionNumber) -> LessonId:
        """Returns what the media plane calls a session."""
        return LessonId(f"{PREFIX}{self._name}:{session}")

    def recording(self, session: SessionNumber) -> str:
        """Returns how a session's recording is called."""
        return recording_name(self._evening, session)

    def devices(self, lesson: LessonId) -> list[SessionId]:
        """Returns the devices in a session, by what the media plane calls it."""
        place = self._by_lesson.get(lesson)
        return [] if place is None else list(place.devices)

    @property
    def running(self) -> set[SessionNumber]:
        """Returns the sessions that have media here."""
        return set(self._places)

    def close(self) -> None:
        """Ends all media here: another process has the evening."""
        for place in self._places.values():
            self._media.close_lesson(place.lesson)

    # ---- what the state says ---------------------------------------------------------------

    async def enter(self, client: DeskClient) -> bool:
        """Opens a device's media, if its person is in a session; True: it is still alive."""
        session = self.session_of(client.person)
        if session is None:
            return False
        place = self._place(session)
        seat = media_policy.seats(session).get(client.person)
        if seat is None:
            return False
        try:
            is_alive = await self._media.open_session(
                place.lesson, client.session, seat, client.video_codecs
            )
        except Unavailable as error:
            # The page is told by the plane when a worker is there; help goes on by the board.
            logger.warning("no media for live help: %s", error.code)
            return False
        place.devices[client.session] = seat
        self._by_device[client.session] = place
        place.wanted.pop(client.session, None)
        place.grants.pop(seat, None)
        return is_alive

    async def update(self, sessions: Iterable[SessionNumber]) -> None:
        """Brings these to the state."""
        for number in sessions:
            session = self._state().sessions[number]
            if session.ended_at is None:
                await self._bring(session)
            elif number in self._places:
                self._close(self._places[number], session)

    async def _bring(self, session: Session) -> None:
        place = self._place(session)
        seats = media_policy.seats(session)
        for device, seat in list(place.devices.items()):
            if seat not in seats.values():
                self._remove(place, device, told=True)
        for person, seat in seats.items():
            client = self._client_of(person)
            if client is None or not client.is_welcome:
                continue
            if place.devices.get(client.session) != seat:
                await self.enter(client)
            self._grant(place, seat)
            if client.session in place.devices:
                self._subscribe(place, client.session, seat, session, list(seats.values()))
        self._record(place, session)

    def _place(self, session: Session) -> _Place:
        place = self._places.get(session.number)
        if place is None:
            place = _Place(session.number, self.place(session.number))
            self._places[session.number] = place
            self._by_lesson[place.lesson] = place
        return place

    def _grant(self, place: _Place, seat: ParticipantId) -> None:
        grants = media_policy.grants(seat)
        if place.grants.get(seat) != grants:
            place.grants[seat] = grants
            self._media.set_grants(place.lesson, seat, grants)

    def _subscribe(
        self,
        place: _Place,
        device: SessionId,
        seat: ParticipantId,
        session: Session,
        present: Sequence[ParticipantId],
    ) -> None:
        wanted = media_policy.subscriptions(seat, session, present, place.published)
        if place.wanted.get(device) != wanted:
            self._media.set_subscriptions(place.lesson, device, wanted)
            place.wanted[device] = wanted

    def _record(self, place: _Place, session: Session) -> None:
        sources = media_policy.recorded(session, place.published)
        if not sources and place.recording is None:
            return  # Nobody has sent anything yet.
        wish = RecordingWish(
            self.recording(session.number), session.started_at, sources, paused=False
        )
        if wish != place.recording:
            place.recording = wish
            self._media.set_recording(place.lesson, wish)

    def _close(self, place: _Place, session: Session) -> None:
        for device in list(place.devices):
            self._remove(place, device, told=True)
        self._media.close_lesson(place.lesson)
        del self._places[place.session], self._by_lesson[place.lesson]
        if place.recording is not None:
            self._ended(session, place.recording.recording)

    def _remove(self, place: _Place, device: SessionId, *, told: bool) -> None:
        place.devices.pop(device, None)
        place.wanted.pop(device, None)
        self._by_device.pop(device, None)
        self._media.remove_session(place.lesson, device)
        client = self._clients.get(device)
        if told and client is not None and client.connection is not None:
            client.connection.send(MediaLost(uplink=True, downlink=True))

    def session_of(self, person: PersonId) -> Session | None:
        """Returns the session somebody is in now."""
        state = self._state()
        for number in self._numbers(state, person):
            session = state.sessions[number]
            if session.ended_at is None and person in media_policy.seats(session):
                return session
        return None

    @staticmethod
    def _numbers(state: DeskState, person: PersonId) -> list[SessionNumber]:
        pupil, tutor = state.pupils.get(person), state.tutors.get(person)
        found = [
            one.session for one in (pupil, tutor) if one is not None and one.session is not None
        ]
        if person in state.moderators:
            found += [s.number for s in state.sessions.values() if s.moderator == person]
        return found

    # ---- what devices ask ------------------------------------------------------------------

    def _at(self, client: DeskClient) -> LessonId:
        place = self._by_device.get(client.session)
        if place is None:
            raise not_in_session()
        return place.lesson

    async def publish(
        self, client: DeskClient, n: int, sdp: str, tracks: Sequence[PublishedTrack]
    ) -> PublishAnswer:
        """Takes a device's offer.

        Raises:
            Conflict: ``not_in_session``.
            Forbidden: its role may not publish this.
            SdpError, Unavailable: see ``MediaPlane.publish``.
        """
        lesson = self._at(client)
        may = media_policy.MAY_PUBLISH.get(client.actor.role, ())
        for track in tracks:
            if track.source not in may:
                raise Forbidden(
                    "forbidden", "您没有这个权限。", f"Your role may not publish {track.source}."
                )
        return PublishAnswer(n, await self._media.publish(lesson, client.session, sdp, tracks))

    def answered(self, client: DeskClient, n: int, sdp: str) -> None:
        """Takes an answer; raises as ``publish``."""
        self._media.subscribe_answered(self._at(client), client.session, n, sdp)

    def refused(self, client: DeskClient, n: int) -> None:
        """Takes a refusal; raises as ``publish``."""
        self._media.subscribe_refused(self._at(client), client.session, n)

    def restart(self, client: DeskClient, *, fresh: bool) -> None:
        """Offers the downlink again; raises as ``publish``."""
        self._media.restart_downlink(self._at(client), client.session, fresh)

    def forget(self, device: SessionId) -> None:
        """Ends the media of a device that is gone for good."""
        place = self._by_device.get(device)
        if place is not None:
            self._remove(place, device, told=False)

    # ---- what the media plane says ---------------------------------------------------------

    def published(
        self, lesson: LessonId, seat: ParticipantId, source: Source, *, on: bool
    ) -> SessionNumber | None:
        """Notes that a source has come or gone; returns the session that may have to change."""
        place = self._by_lesson.get(lesson)
        if place is None:
            return None
        (place.published.add if on else place.published.discard)((seat, source))
        return place.session
