"""A lesson's media rules, without processes: what is asked of worker, publisher and host."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TypeVar

import msgspec
import pytest

from twinclass_media.worker import messages as m
from twinclass_server.adapters.media_context import Fleet
from twinclass_server.adapters.media_lesson import LessonMedia
from twinclass_server.adapters.media_quality import quality
from twinclass_server.adapters.media_recovery import find_sessions
from twinclass_server.adapters.media_session import Session
from twinclass_server.adapters.media_wishes import wishes
from twinclass_server.adapters.worker_outbox import WorkerOutbox
from twinclass_signaling.errors import InvalidState
from twinclass_signaling.ids import LessonId, ParticipantId, SessionId
from twinclass_signaling.messages import (
    EncodingWish,
    MediaLost,
    PublishWishes,
    Quality,
    Slots,
    SubscribeOffer,
)
from twinclass_signaling.ports import EchoReport, Grant, MediaMessage, Subscription
from twinclass_signaling.roles import Source
from twinclass_signaling.sdp.negotiation import NegotiatedCodec
from twinclass_signaling.sdp.parser import parse
from twinclass_signaling.sdp.uplink import UplinkEncoding, UplinkTrack

FIXTURES = Path(__file__).parents[1] / "signaling" / "sdp" / "fixtures"
LEAD, ROOM = ParticipantId("lead"), ParticipantId("room")
SIMULCAST: dict[str, Source] = {"0": "microphone", "1": "camera"}
OPEN = (Grant("camera", True, True), Grant("microphone", True, True))
ATTACHED = m.Attached(
    0,
    1,
    1,
    m.Fingerprint("sha-256", ":".join(["AB"] * 32)),
    (m.Candidate("udp", "127.0.0.1", 7900),),
    "",
)
Message = TypeVar("Message")


class WorkerForTests:
    """Remembers what should be."""

    def __init__(self, index: int = 0) -> None:
        self.index = index
        self.outbox = WorkerOutbox()
        self.load = 0.0
        self.attached: m.Attached | None = msgspec.structs.replace(
            ATTACHED, worker=index, pipe_socket=f"pipe-{index}"
        )

    @property
    def transports(self) -> int:
        return self.outbox.transports

    def put(self, spec: m.Spec) -> None:
        self.outbox.put(spec)

    def remove(self, kind: m.ObjectKind, identifier: str) -> None:
        self.outbox.remove(kind, identifier)

    def specs(self, kind: type[Message]) -> list[Message]:
        held = self.outbox._desired.values()
        return [spec for spec in held if isinstance(spec, kind)]


class Host:
    """What a lesson's host hears."""

    def __init__(self) -> None:
        self.messages: list[tuple[SessionId, MediaMessage]] = []
        self.publications: list[tuple[str, ParticipantId, Source]] = []
        self.speakers: list[tuple[ParticipantId, ...]] = []

    def publication_started(
        self, lesson: LessonId, participant: ParticipantId, source: Source
    ) -> None:
        self.publications.append(("started", participant, source))

    def publication_ended(
        self, lesson: LessonId, participant: ParticipantId, source: Source
    ) -> None:
        self.publications.append(("ended", participant, source))

    def speakers_changed(self, lesson: LessonId, participants: Sequence[ParticipantId]) -> None:
        self.speakers.append(tuple(participants))

    def echo_changed(self, lesson: LessonId, participant: ParticipantId, echo: EchoReport) -> None:
        pass

    def send(self, lesson: LessonId, session: SessionId, message: MediaMessage) -> None:
        self.messages.append((session, message))

    def of(self, session: str, kind: type[Message]) -> list[Message]:
        return [x for s, x in self.messages if s == session and isinstance(x, kind)]

    def camera_wish(self, session: str) -> PublishWishes:
        return [w for w in self.of(session, PublishWishes) if w.source == "camera"][-1]


class Lesson:
    """A lesson with its surroundings."""

    def __init__(self, spread_load: float = 0.35) -> None:
        self.worker, self.other, self.host = WorkerForTests(), WorkerForTests(1), Host()
        fleet = Fleet([self.worker, self.other], spread_load, 0)
        self.media = LessonMedia(LessonId("demo"), self.worker, self.host, fleet)
        self._origin = 0

    def session(self, name: str, who: ParticipantId) -> Session:
        self.media.open(SessionId(name), who, ("H264", "VP8"))
        return self.media.sessions[SessionId(name)]

    def publish(
        self, session: Session, *, again: bool = False, name: str = "chromium_simulcast"
    ) -> str:
        offer = parse((FIXTURES / f"{name}.sdp").read_bytes().decode())
        self._origin += 0 if again else 1
        offer.origin_id = str(self._origin)
        answer = self.media.publishing.publish(session, offer, SIMULCAST)
        self.media.publishing.send_wishes(session, again=True)
        return answer

    def layers(
        self, producer: str, active: Sequence[bool], wanted: Sequence[bool], now: float
    ) -> None:
        states = tuple(
            m.LayerState(rid, a, w)
            for rid, a, w in zip(("q", "h", "f"), active, wanted, strict=False)
        )
        self.media.producer_changed(m.ProducerState(m.ProducerId(producer), states), now)


@pytest.fixture
def lesson() -> Lesson:
    return Lesson()


def active(wish: PublishWishes) -> list[bool]:
    return [e.active for e in wish.encodings]


def test_a_full_camera_gets_three_layers_and_an_off_stage_one_the_smallest(
    lesson: Lesson,
) -> None:
    lead = lesson.session("s", LEAD)
    lesson.publish(lead)
    wish = lesson.host.camera_wish("s")
    assert (wish.open, active(wish)) == (False, [False] * 3)
    assert all(p.paused for p in lesson.worker.specs(m.ProducerSpec))

    lesson.media.publishing.set_grants(LEAD, (Grant("camera", True, False),))
    wish = lesson.host.camera_wish("s")
    assert active(wish) == [True, False, False]
    assert (wish.encodings[0].max_bitrate, wish.encodings[0].max_framerate) == (60_000, 5)
    assert {p.mid: p.paused for p in lesson.worker.specs(m.ProducerSpec)} == {"0": True, "1": False}

    lesson.media.publishing.set_grants(LEAD, OPEN)
    wish = lesson.host.camera_wish("s")
    assert [(e.rid, e.active, e.max_bitrate) for e in wish.encodings] == [
        ("q", True, 150_000),
        ("h", True, 500_000),
        ("f", True, 1_500_000),
    ]
    assert wish.codec == "H264"


def test_a_grant_that_does_not_change_anything_says_nothing(lesson: Lesson) -> None:
    lesson.publish(lesson.session("s", LEAD))
    lesson.media.publishing.set_grants(LEAD, OPEN)
    before, commands = len(lesson.host.messages), len(lesson.worker.outbox.take())
    lesson.media.publishing.set_grants(LEAD, OPEN)
    assert len(lesson.host.messages) == before
    assert commands > 0
    assert lesson.worker.outbox.take() == []


def test_layers_nobody_wants_are_stopped_after_a_while_and_started_at_once(
    lesson: Lesson,
) -> None:
    lesson.publish(lesson.session("s", LEAD))
    lesson.media.publishing.set_grants(LEAD, OPEN)
    lesson.layers("s:1", [True] * 3, [False, True, False], 10.0)
    lesson.media.tick(14.9)
    assert active(lesson.host.camera_wish("s")) == [True, True, True]
    lesson.media.tick(15.0)
    assert active(lesson.host.camera_wish("s")) == [True, True, False]
    lesson.layers("s:1", [True, True, False], [False, True, True], 16.0)
    assert active(lesson.host.camera_wish("s")) == [True, True, True]


def test_a_publication_starts_once_and_ends_after_silence(lesson: Lesson) -> None:
    lesson.publish(lesson.session("s", LEAD))
    for now in (1.0, 2.0):
        lesson.layers("s:1", [True, False, False], [True] * 3, now)
    assert lesson.host.publications == [("started", LEAD, "camera")]
    lesson.layers("s:1", [False] * 3, [True] * 3, 3.0)
    lesson.media.tick(4.9)
    assert len(lesson.host.publications) == 1
    lesson.media.tick(5.0)
    assert lesson.host.publications[-1] == ("ended", LEAD, "camera")
    lesson.layers("s:1", [True, True, True], [True] * 3, 9.0)
    assert lesson.host.publications[-1] == ("started", LEAD, "camera")


def test_a_new_connection_for_the_same_source_is_no_end_of_it(lesson: Lesson) -> None:
    session = lesson.session("s", LEAD)
    lesson.publish(session)
    lesson.layers("s:1", [True] * 3, [True] * 3, 1.0)
    first = session.uplink.transport if session.uplink else None
    lesson.publish(session)
    assert session.uplink is not None
    assert session.uplink.transport != first
    lesson.media.tick(2.0)
    lesson.layers("s:1", [True] * 3, [True] * 3, 3.0)
    lesson.media.tick(9.0)
    assert lesson.host.publications == [("started", LEAD, "camera")]
    lesson.publish(session)
    lesson.media.tick(10.0)
    lesson.media.tick(15.0)
    assert lesson.host.publications[-1] == ("ended", LEAD, "camera")


def test_an_offer_of_the_same_connection_keeps_its_transport_and_credentials(
    lesson: Lesson,
) -> None:
    session = lesson.session("s", LEAD)
    first, second = lesson.publish(session), lesson.publish(session, again=True)
    assert parse(first).media[0].ice_pwd == parse(second).media[0].ice_pwd
    assert parse(second).origin_version == "2"
    assert len(lesson.worker.specs(m.TransportSpec)) == 1


def test_an_ice_restart_gets_new_credentials_on_the_same_transport(lesson: Lesson) -> None:
    session = lesson.session("s", LEAD)
    first = parse(lesson.publish(session))
    offer = parse((FIXTURES / "chromium_simulcast.sdp").read_bytes().decode())
    offer.origin_id = "1"
    for section in offer.media:
        section.ice_ufrag = "restarted"
    second = parse(lesson.media.publishing.publish(session, offer, SIMULCAST))
    assert second.media[0].ice_ufrag != first.media[0].ice_ufrag
    (transport,) = lesson.worker.specs(m.TransportSpec)
    assert transport.ufrag == second.media[0].ice_ufrag


def test_a_track_that_is_gone_ends(lesson: Lesson) -> None:
    session = lesson.session("s", LEAD)
    lesson.publish(session)
    lesson.layers("s:1", [True] * 3, [True] * 3, 1.0)
    offer = parse((FIXTURES / "chromium_simulcast.sdp").read_bytes().decode())
    offer.origin_id = "1"
    offer.media[1].direction = "inactive"
    lesson.media.publishing.publish(session, offer, {"0": "microphone"})
    assert lesson.host.publications[-1] == ("ended", LEAD, "camera")
    assert [p.mid for p in lesson.worker.specs(m.ProducerSpec)] == ["0"]


def test_of_two_publishers_of_one_source_the_later_is_shown(lesson: Lesson) -> None:
    for name in ("one", "two"):
        lesson.publish(lesson.session(name, LEAD))
    assert lesson.media.publishing.find(LEAD, "camera") == "two:1"
    lesson.media.remove(SessionId("two"))
    assert lesson.media.publishing.find(LEAD, "camera") == "one:1"


def test_speakers_are_those_who_may_be_heard(lesson: Lesson) -> None:
    lesson.publish(lesson.session("s", LEAD))
    lesson.publish(lesson.session("r", ROOM))
    lesson.media.publishing.set_grants(LEAD, OPEN)
    speaking = [m.ProducerId("r:0"), m.ProducerId("s:0"), m.ProducerId("gone")]
    lesson.media.speakers_changed(speaking)
    lesson.media.speakers_changed(speaking)
    assert lesson.host.speakers == [(LEAD,)]


def test_a_page_that_was_told_of_a_loss_is_not_offered_twice(lesson: Lesson) -> None:
    session = lesson.session("s", ROOM)
    wanted = [Subscription("lead", 0, "camera", LEAD)]
    lesson.media.viewing.set_subscriptions(session, wanted)
    assert session.downlink is not None
    lost = [session.downlink.transport]
    assert lesson.media.transports_lost(lost) == ["s"]
    assert lesson.host.of("s", MediaLost) == [MediaLost(False, True)]
    lesson.media.viewing.set_subscriptions(session, wanted)
    assert len(lesson.host.of("s", SubscribeOffer)) == 1
    lesson.media.viewing.restart_downlink(session, fresh=True)
    offers = lesson.host.of("s", SubscribeOffer)
    assert [(o.n, o.fresh) for o in offers] == [(1, True), (2, True)]

    assert session.downlink is not None
    lesson.media.transports_lost([session.downlink.transport])
    for _ in range(3):
        lesson.media.tick(1.0)
    assert len(lesson.host.of("s", SubscribeOffer)) == 3


@pytest.mark.parametrize(
    ("ice", "dtls"), [("closed", "new"), ("closed", "connected"), ("connected", "failed")]
)
def test_a_transport_that_ended_or_never_connected_leaves_nothing_behind(
    lesson: Lesson, ice: m.IceState, dtls: m.DtlsState
) -> None:
    session = lesson.session("s", LEAD)
    lesson.publish(session)
    lesson.media.viewing.set_subscriptions(session, [Subscription("lead", 0, "camera", ROOM)])
    for transport in [t.id for t in lesson.worker.specs(m.TransportSpec)]:
        state = m.TransportState(transport, ice, dtls, reason="consent expired")
        assert lesson.media.transport_changed(state) == ["s"]
        assert lesson.media.transport_changed(state) == []
        assert not lesson.media.owns(transport)
    assert lesson.worker.specs(m.TransportSpec) == []
    assert lesson.worker.specs(m.ProducerSpec) == []
    assert lesson.worker.specs(m.ConsumerSpec) == []
    assert lesson.media.publishing.find(LEAD, "camera") is None


def test_a_client_that_returns_hears_everything_again(lesson: Lesson) -> None:
    session = lesson.session("s", ROOM)
    lesson.publish(session)
    wanted = [Subscription("lead", 0, "camera", LEAD)]
    lesson.media.viewing.set_subscriptions(session, wanted)
    lesson.host.messages.clear()
    assert lesson.media.open(SessionId("s"), ROOM, ("VP8",))
    lesson.media.viewing.set_subscriptions(session, wanted)
    assert lesson.host.of("s", PublishWishes)
    assert [o.n for o in lesson.host.of("s", SubscribeOffer)] == [2]
    assert not lesson.host.of("s", Slots)


def test_an_uplink_lost_while_the_client_was_away_is_told_when_it_returns(
    lesson: Lesson,
) -> None:
    session = lesson.session("s", ROOM)
    lesson.publish(session)
    assert session.uplink is not None
    lesson.media.transports_lost([session.uplink.transport])
    lesson.host.messages.clear()
    lesson.media.open(SessionId("s"), ROOM, ())
    lesson.media.viewing.set_subscriptions(session, ())
    assert lesson.host.of("s", MediaLost) == [MediaLost(True, False)]


def test_closing_a_lesson_leaves_nothing_and_says_nothing(lesson: Lesson) -> None:
    session = lesson.session("s", LEAD)
    lesson.publish(session)
    lesson.layers("s:1", [True] * 3, [True] * 3, 1.0)
    lesson.media.close()
    assert lesson.worker.specs(m.TransportSpec) == []
    assert lesson.worker.specs(m.RouterSpec) == []
    assert lesson.host.publications == [("started", LEAD, "camera")]


def test_the_two_lines_of_a_client_are_judged_together_whoever_measured_them(
    lesson: Lesson,
) -> None:
    session = lesson.session("s", LEAD)
    lesson.publish(session)
    lesson.media.viewing.set_subscriptions(session, [Subscription("lead", 0, "camera", ROOM)])
    good = m.LinkQuality(m.TransportId("s/up1"), 5.0, 1, 1, 0.0, 0.0)
    bad = m.LinkQuality(m.TransportId("s/down2"), 900.0, 1, 1, 0.0, 0.0)
    for links in ([good], [bad], [good]):
        lesson.media.links_measured(links)
    assert [q.level for q in lesson.host.of("s", Quality)] == ["good", "poor", "poor"]
    lesson.media.viewing.drop(session)
    lesson.media.links_measured([good, bad])
    assert lesson.host.of("s", Quality)[-1].level == "good"


def test_an_unknown_session_is_our_mistake(lesson: Lesson) -> None:
    with pytest.raises(InvalidState):
        lesson.media.session(SessionId("nobody"))


def test_what_was_found_goes_on_untouched_until_its_client_is_back(lesson: Lesson) -> None:
    wanted = [Subscription("lead", 0, "camera", LEAD)]
    for name, who in (("s", LEAD), ("r", ROOM)):
        session = lesson.session(name, who)
        lesson.publish(session)
        lesson.media.viewing.set_subscriptions(session, wanted)
    lesson.media.label(lesson.media.sessions[SessionId("s")], b"whose")
    specs = tuple(lesson.worker.outbox._desired.values())
    after = Lesson()
    after.worker.outbox.adopt(specs)
    for found in find_sessions(0, m.Dumped(1, specs, ()), 100.0).sessions.values():
        after.media.adopt(found)
    after.media.worker_attached(0)
    after.media.tick(101.0)
    # The viewer is back before the publisher: it still gets that publisher's track.
    assert after.media.open(SessionId("r"), ROOM, ())
    after.media.viewing.set_subscriptions(after.media.sessions[SessionId("r")], wanted)
    assert after.media.publishing.find(LEAD, "camera") == "s:1"
    assert after.media.sessions[SessionId("s")].label == b"whose"
    assert not [batch for batch in after.worker.outbox.take() if batch.removes]
    transports = {t.id for t in after.worker.specs(m.TransportSpec)}
    assert transports == {s.id for s in specs if isinstance(s, m.TransportSpec)}
    after.media.release_unclaimed()
    assert list(after.media.sessions) == ["r"]
    assert {t.id for t in after.worker.specs(m.TransportSpec)} == {"r/up1", "r/down2"}


def test_sessions_are_found_in_a_dump_and_closed_ones_are_not(lesson: Lesson) -> None:
    for name in ("s", "r"):
        session = lesson.session(name, LEAD)
        lesson.publish(session)
        lesson.media.viewing.set_subscriptions(session, [Subscription("lead", 0, "camera", LEAD)])
    specs = tuple(lesson.worker.outbox._desired.values())
    transports = [s.id for s in specs if isinstance(s, m.TransportSpec)]
    stranger = m.TransportSpec(m.TransportId("x"), m.RouterId("r"), 1, "u", "p", appdata=b"?")
    ended = m.TransportState(transports[-1], "closed", "connected")
    found = find_sessions(0, m.Dumped(1, (*specs, stranger), (ended,)), 100.0)
    assert not found.empty_routers
    assert found.useless == [transports[-1], "x"]
    one = found.sessions[LessonId("demo"), SessionId("s")]
    two = found.sessions[LessonId("demo"), SessionId("r")]
    assert one.uplink is not None
    assert one.downlink is not None
    assert [p.source for p in one.uplink.publications.values()] == ["microphone", "camera"]
    assert one.offers == 1
    assert two.downlink is None


def track(kind: m.Kind, source: Source, rids: Sequence[str]) -> UplinkTrack:
    codec = NegotiatedCodec("opus" if kind == "audio" else "VP8", 96, 90000)
    return UplinkTrack("0", kind, source, (codec,), tuple(UplinkEncoding(r) for r in rids))


def test_screens_are_sharp_and_slow() -> None:
    wish = wishes(track("video", "screen", [""]), Grant("screen", True, True), (), "H264")
    assert wish.encodings == (EncodingWish("", True, 1_200_000, 15),)
    assert wish.codec == "VP8"  # all this publisher has
    two = wishes(track("video", "screen", "qf"), Grant("screen", True, True), (), "VP8")
    assert [e.max_bitrate for e in two.encodings] == [400_000, 1_200_000]


def test_a_microphone_is_only_opened_and_closed() -> None:
    grant = Grant("microphone", True, True)
    assert wishes(track("audio", "microphone", [""]), grant, {0}, "H264").encodings == (
        EncodingWish("", True),
    )
    assert not wishes(track("audio", "microphone", [""]), None, (), "H264").open


QUALITIES = [
    (0.0, 20.0, "good"),
    (0.03, 300.0, "good"),
    (0.05, 20.0, "fair"),
    (0.0, 500.0, "fair"),
    (0.2, 20.0, "poor"),
    (0.0, 900.0, "poor"),
]


@pytest.mark.parametrize(("loss", "rtt_ms", "level"), QUALITIES)
def test_the_worse_of_two_lines_is_shown(loss: float, rtt_ms: float, level: str) -> None:
    good = m.LinkQuality(m.TransportId("a"), 5.0, 1, 1, 0.0, 0.0)
    bad = m.LinkQuality(m.TransportId("b"), rtt_ms, 1, 1, 0.0, loss)
    assert quality([good, bad]).level == level
