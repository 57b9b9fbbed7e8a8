"""The media plane over real worker processes, with light peers in place of browsers."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path
from typing import TypeVar

import pytest

from light.page import LightPage
from light.peer import Identity, Received
from light.ports import free_port
from light.source import AudioSource, VideoSource
from twinclass_media.settings import MediaSettings
from twinclass_server.adapters.media_plane import WorkerMediaPlane
from twinclass_signaling.errors import SdpError, Unavailable
from twinclass_signaling.ids import LessonId, ParticipantId, SessionId
from twinclass_signaling.messages import (
    MediaLost,
    PublishedTrack,
    PublishWishes,
    Quality,
    Slots,
    SubscribeOffer,
)
from twinclass_signaling.ports import EchoReport, Grant, MediaMessage, Subscription
from twinclass_signaling.roles import Source
from twinclass_signaling.sdp.parser import parse

LESSON = LessonId("demo")
LEAD, ROOM = ParticipantId("lead"), ParticipantId("room-1")
TRACKS = (PublishedTrack("0", "microphone"), PublishedTrack("1", "camera"))
OPEN = (Grant("camera", True, True), Grant("microphone", True, True))
LEAD_SLOTS = (
    Subscription("lead", 0, "microphone", LEAD, priority=0),
    Subscription("lead", 0, "camera", LEAD),
)
PORT = free_port(10)


Message = TypeVar("Message")


class Recorder:
    """What a lesson's host would hear."""

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
        return [m for s, m in self.messages if s == session and isinstance(m, kind)]


async def until(condition: Callable[[], object], timeout_s: float = 10.0) -> None:
    async with asyncio.timeout(timeout_s):
        while not condition():
            await asyncio.sleep(0.01)


class Stage:
    """A plane and the pages around it."""

    def __init__(self, plane: WorkerMediaPlane, heard: Recorder) -> None:
        self.plane, self.heard = plane, heard
        self.identity = Identity()
        self.pages: list[LightPage] = []

    def page(self) -> LightPage:
        page = LightPage(self.identity)
        self.pages.append(page)
        return page

    async def publisher(
        self, session: str, participant: ParticipantId, audio: int, video: int
    ) -> LightPage:
        """A session that publishes microphone and camera, connected."""
        await self.plane.open_session(LESSON, SessionId(session), participant, ("H264", "VP8"))
        return await self.publish(session, audio, video)

    async def publish(self, session: str, audio: int, video: int) -> LightPage:
        page = self.page()
        offer = page.publish_offer(audio, video)
        answer = await self.plane.publish(LESSON, SessionId(session), offer, TRACKS)
        page.connect(answer)
        async with asyncio.timeout(10):
            await page.peer.connected.wait()
        return page

    async def viewer(
        self,
        session: str,
        participant: ParticipantId,
        wanted: Sequence[Subscription],
        codecs: tuple[str, ...] = ("H264", "VP8"),
    ) -> LightPage:
        """A session that receives, connected."""
        await self.plane.open_session(LESSON, SessionId(session), participant, codecs)
        page = self.page()
        self.plane.set_subscriptions(LESSON, SessionId(session), wanted)
        await self.answer(session, page, ("opus", *codecs))
        async with asyncio.timeout(10):
            await page.peer.connected.wait()
        return page

    async def answer(
        self, session: str, page: LightPage, codecs: tuple[str, ...] = ("opus", "VP8", "H264")
    ) -> SubscribeOffer:
        """Answers the last downlink offer."""
        await until(lambda: self.heard.of(session, SubscribeOffer))
        offer = self.heard.of(session, SubscribeOffer)[-1]
        answer = page.answer(offer.sdp, codecs)
        self.plane.subscribe_answered(LESSON, SessionId(session), offer.n, answer)
        page.connect(offer.sdp)
        return offer


@pytest.fixture
async def heard() -> Recorder:
    return Recorder()


@pytest.fixture
async def stage(tmp_path: Path, heard: Recorder) -> AsyncIterator[Stage]:
    settings = MediaSettings(bind=("127.0.0.1",), port=PORT)
    plane = WorkerMediaPlane(settings, tmp_path, heard)
    plane.shutdown_workers = True
    async with plane:
        stage = Stage(plane, heard)
        yield stage
        for page in stage.pages:
            page.close()


def ssrc_of(offer: SubscribeOffer, mid: str) -> int:
    section = parse(offer.sdp).section(mid)
    assert section is not None
    return next(iter(section.ssrcs))


def mid_of(offer: SubscribeOffer, kind: str, use: str, index: int = 0) -> str:
    return next(s.mid for s in offer.slots if (s.kind, s.use, s.index) == (kind, use, index))


async def test_a_lead_is_seen_and_heard_by_a_room(stage: Stage, heard: Recorder) -> None:
    lead = await stage.publisher("s-lead", LEAD, 1001, 1002)
    stage.plane.set_grants(LESSON, LEAD, OPEN)
    room = await stage.viewer("s-room", ROOM, LEAD_SLOTS)
    offer = heard.of("s-room", SubscribeOffer)[0]

    await asyncio.gather(
        AudioSource(lead.peer, 1001, 111, level_id=1, level=20).run(1.5),
        VideoSource(lead.peer, 1002, 108, codec="H264", kbps=500).run(1.5),
    )

    audio = room.peer.streams[ssrc_of(offer, mid_of(offer, "audio", "lead"))]
    video = room.peer.streams[ssrc_of(offer, mid_of(offer, "video", "lead"))]
    assert audio.packets > 50
    assert audio.lost == 0
    assert video.packets > 50
    assert video.lost == 0
    assert set(video.payload_types) == {102}
    assert not room.peer.errors
    assert ("started", LEAD, "camera") in heard.publications
    assert ("started", LEAD, "microphone") in heard.publications
    assert (LEAD,) in heard.speakers
    wishes = heard.of("s-lead", PublishWishes)
    assert {w.source for w in wishes} == {"camera", "microphone"}
    assert wishes[-1].open
    slots = {(s.kind, s.use): s for s in offer.slots}
    assert slots["video", "lead"].participant == LEAD
    assert slots["video", "lead"].source == "camera"


async def test_a_source_that_is_not_granted_never_leaves_the_server(
    stage: Stage, heard: Recorder
) -> None:
    room = await stage.publisher("s-room", ROOM, 2001, 2002)
    stage.plane.set_grants(LESSON, ROOM, (Grant("camera", True, False),))
    slots = (Subscription("stage", 0, "microphone", ROOM), Subscription("stage", 0, "camera", ROOM))
    lead = await stage.viewer("s-lead", LEAD, slots)
    offer = heard.of("s-lead", SubscribeOffer)[0]
    microphone = ssrc_of(offer, mid_of(offer, "audio", "stage"))
    camera = ssrc_of(offer, mid_of(offer, "video", "stage"))

    sound, picture = AudioSource(room.peer, 2001), VideoSource(room.peer, 2002, 96, kbps=300)
    await asyncio.gather(sound.run(1.0), picture.run(1.0))
    assert microphone not in lead.peer.streams
    assert lead.peer.streams[camera].packets > 20
    wish = next(w for w in heard.of("s-room", PublishWishes)[::-1] if w.source == "camera")
    assert wish.encodings[0].max_bitrate == 60_000
    assert wish.encodings[0].max_framerate == 5

    stage.plane.set_grants(LESSON, ROOM, OPEN)
    await asyncio.gather(sound.run(0.5), picture.run(0.5))
    assert lead.peer.streams[microphone].packets > 15

    stage.plane.set_grants(LESSON, ROOM, ())
    await asyncio.sleep(0.1)
    before = lead.peer.streams[microphone].packets
    await sound.run(0.5)
    assert lead.peer.streams[microphone].packets == before


async def test_a_slot_changes_hands_without_a_new_offer(stage: Stage, heard: Recorder) -> None:
    lead = await stage.publisher("s-lead", LEAD, 1001, 1002)
    room = await stage.publisher("s-room", ROOM, 2001, 2002)
    for participant in (LEAD, ROOM):
        stage.plane.set_grants(LESSON, participant, OPEN)
    empty = Subscription("stage", 0, "camera", None)
    viewer = await stage.viewer("s-home", ParticipantId("home"), [empty])
    offer = heard.of("s-home", SubscribeOffer)[0]
    ssrc = ssrc_of(offer, "0")

    sources = (VideoSource(lead.peer, 1002, 96, kbps=300), VideoSource(room.peer, 2002, 96))
    sending = [asyncio.ensure_future(s.run(2.0)) for s in sources]
    await asyncio.sleep(0.2)
    assert ssrc not in viewer.peer.streams
    for participant in (LEAD, ROOM):
        stream = viewer.peer.streams.get(ssrc)
        enough = (stream.packets if stream else 0) + 5
        wanted = [Subscription("stage", 0, "camera", participant)]
        stage.plane.set_subscriptions(LESSON, SessionId("s-home"), wanted)
        await until(lambda n=enough: viewer.peer.streams.get(ssrc, Received()).packets > n)
    await asyncio.gather(*sending)
    assert len(heard.of("s-home", SubscribeOffer)) == 1
    assert [s.slots[0].participant for s in heard.of("s-home", Slots)] == [LEAD, ROOM]
    assert viewer.peer.streams[ssrc].lost == 0


async def test_growth_waits_for_the_answer_in_flight(stage: Stage, heard: Recorder) -> None:
    session = SessionId("s-lead")
    await stage.plane.open_session(LESSON, session, LEAD, ("VP8",))
    wall = [Subscription("wall", i, "camera", None, 0, 60) for i in range(12)]
    stage.plane.set_subscriptions(LESSON, session, wall[:3])
    stage.plane.set_subscriptions(LESSON, session, wall)
    assert [o.n for o in heard.of("s-lead", SubscribeOffer)] == [1]
    page = stage.page()
    first = await stage.answer("s-lead", page)
    assert len(first.slots) == 8
    assert first.fresh
    second = heard.of("s-lead", SubscribeOffer)[-1]
    assert second.n == 2
    assert len(second.slots) == 16
    assert not second.fresh
    stage.plane.subscribe_refused(LESSON, session, 2)
    assert len(heard.of("s-lead", SubscribeOffer)) == 2


async def test_a_killed_worker_costs_only_its_own_lesson(tmp_path: Path, heard: Recorder) -> None:
    settings = MediaSettings(bind=("127.0.0.1",), port=PORT + 2, workers=2)
    plane = WorkerMediaPlane(settings, tmp_path, heard)
    plane.shutdown_workers = True
    async with plane:
        stage = Stage(plane, heard)
        await stage.publisher("s-lead", LEAD, 1001, 1002)
        plane.set_grants(LESSON, LEAD, OPEN)
        await stage.viewer("s-room", ROOM, LEAD_SLOTS)
        other = LessonId("other")
        await plane.open_session(other, SessionId("o"), LEAD, ())
        plane.set_subscriptions(other, SessionId("o"), LEAD_SLOTS)

        home = plane._home(plane._lessons[LESSON])
        assert home is not plane._home(plane._lessons[other])
        attached = home.attached
        assert attached is not None
        os.kill(attached.pid, signal.SIGKILL)
        await until(lambda: heard.of("s-lead", MediaLost) and heard.of("s-room", MediaLost))
        assert heard.of("s-lead", MediaLost) == [MediaLost(uplink=True, downlink=False)]
        assert heard.of("s-room", MediaLost) == [MediaLost(uplink=False, downlink=True)]
        assert not heard.of("o", MediaLost)

        lead = await stage.publish("s-lead", 1003, 1004)
        plane.restart_downlink(LESSON, SessionId("s-room"), True)
        await until(lambda: len(heard.of("s-room", SubscribeOffer)) == 2)
        page = stage.page()
        offer = await stage.answer("s-room", page)
        assert offer.n == 2
        assert offer.fresh
        async with asyncio.timeout(10):
            await page.peer.connected.wait()
        await AudioSource(lead.peer, 1003).run(0.5)
        assert page.peer.streams[ssrc_of(offer, mid_of(offer, "audio", "lead"))].packets > 10
        for each in stage.pages:
            each.close()


async def test_a_new_control_plane_takes_the_lesson_over(tmp_path: Path, heard: Recorder) -> None:
    settings = MediaSettings(bind=("127.0.0.1",), port=PORT + 4)
    async with WorkerMediaPlane(settings, tmp_path, heard) as plane:
        stage = Stage(plane, heard)
        lead = await stage.publisher("s-lead", LEAD, 1001, 1002)
        plane.set_grants(LESSON, LEAD, OPEN)
        room = await stage.viewer("s-room", ROOM, LEAD_SLOTS)
        offer = heard.of("s-room", SubscribeOffer)[0]
        audio = ssrc_of(offer, mid_of(offer, "audio", "lead"))
        sending = asyncio.ensure_future(AudioSource(lead.peer, 1001).run(4.0))
        await until(lambda: audio in room.peer.streams)

    after = Recorder()
    plane = WorkerMediaPlane(settings, tmp_path, after)
    plane.shutdown_workers = True
    async with plane:
        stage.plane, stage.heard = plane, after
        assert await plane.open_session(LESSON, SessionId("s-lead"), LEAD, ("H264", "VP8"))
        assert await plane.open_session(LESSON, SessionId("s-room"), ROOM, ("H264", "VP8"))
        assert not await plane.open_session(LESSON, SessionId("s-new"), ROOM, ())
        plane.set_grants(LESSON, LEAD, OPEN)
        plane.set_subscriptions(LESSON, SessionId("s-room"), LEAD_SLOTS)
        assert not after.of("s-room", SubscribeOffer)
        more = [*LEAD_SLOTS, Subscription("stage", 0, "camera", None)]
        plane.set_subscriptions(LESSON, SessionId("s-room"), more)
        grown = await stage.answer("s-room", room)
        assert grown.n == offer.n + 1
        assert not grown.fresh
        await sending
        assert room.peer.streams[audio].lost == 0
        assert room.peer.streams[audio].packets > 180
        assert not after.of("s-room", MediaLost)
        for page in stage.pages:
            page.close()


async def test_a_viewer_without_h264_makes_everybody_send_vp8(
    stage: Stage, heard: Recorder
) -> None:
    await stage.publisher("s-lead", LEAD, 1001, 1002)
    stage.plane.set_grants(LESSON, LEAD, OPEN)
    camera = [w for w in heard.of("s-lead", PublishWishes) if w.source == "camera"]
    assert camera[-1].codec == "H264"
    await stage.plane.open_session(LESSON, SessionId("s-fox"), ROOM, ("VP8", "VP9"))
    camera = [w for w in heard.of("s-lead", PublishWishes) if w.source == "camera"]
    assert camera[-1].codec == "VP8"
    stage.plane.remove_session(LESSON, SessionId("s-fox"))
    camera = [w for w in heard.of("s-lead", PublishWishes) if w.source == "camera"]
    assert camera[-1].codec == "H264"


async def test_a_whep_viewer_brings_its_own_offer(stage: Stage) -> None:
    lead = await stage.publisher("s-lead", LEAD, 1001, 1002)
    stage.plane.set_grants(LESSON, LEAD, OPEN)
    session = SessionId("s-screen")
    await stage.plane.open_session(LESSON, session, ParticipantId("observer"), ())
    page = stage.page()
    wanted = [Subscription("lead", 0, "camera", LEAD), Subscription("lead", 0, "microphone", LEAD)]
    answer = await stage.plane.view(LESSON, session, page.viewer_offer(2), wanted)
    page.connect(answer)
    async with asyncio.timeout(10):
        await page.peer.connected.wait()
    await asyncio.gather(
        AudioSource(lead.peer, 1001).run(0.7), VideoSource(lead.peer, 1002, 96).run(0.7)
    )
    parsed = parse(answer)
    assert [m.direction for m in parsed.media] == ["sendonly", "sendonly", "inactive"]
    for section in parsed.media[:2]:
        assert page.peer.streams[next(iter(section.ssrcs))].packets > 10


async def test_quality_reaches_each_client(stage: Stage, heard: Recorder) -> None:
    await stage.publisher("s-lead", LEAD, 1001, 1002)
    await until(lambda: heard.of("s-lead", Quality), 6)
    assert heard.of("s-lead", Quality)[0].level == "good"


async def test_a_bad_offer_is_an_error_and_changes_nothing(stage: Stage, heard: Recorder) -> None:
    session = SessionId("s-lead")
    await stage.plane.open_session(LESSON, session, LEAD, ())
    for sdp in ("", "v=0\r\n", "v=0\r\nm=audio x\r\n", "x" * 70_000):
        with pytest.raises(SdpError):
            await stage.plane.publish(LESSON, session, sdp, ())
    await stage.publish("s-lead", 1, 2)


async def test_a_full_worker_says_so(tmp_path: Path, heard: Recorder) -> None:
    settings = MediaSettings(bind=("127.0.0.1",), port=PORT + 6, max_transports=2)
    plane = WorkerMediaPlane(settings, tmp_path, heard)
    plane.shutdown_workers = True
    async with plane:
        stage = Stage(plane, heard)
        page = await stage.publisher("s-lead", LEAD, 1, 2)
        with pytest.raises(Unavailable) as refused:
            await plane.open_session(LESSON, SessionId("another"), ROOM, ())
        assert refused.value.code == "media_full"
        page.close()


async def test_a_worker_short_of_its_core_takes_only_whom_the_lesson_needs(stage: Stage) -> None:
    await stage.publisher("s-lead", LEAD, 1, 2)
    load = stage.plane._supervisor.links[0]._load
    for n in range(6):
        load.measured(1e3 + n * 2.0, 0.0, 1, n * 2.0)  # All of its core.
    with pytest.raises(Unavailable) as refused:
        await stage.plane.open_session(LESSON, SessionId("h"), ROOM, (), needed=False)
    assert refused.value.code == "media_full"
    assert "满载" in refused.value.zh
    await stage.plane.open_session(LESSON, SessionId("r"), ROOM, ())
    await stage.plane.open_session(LESSON, SessionId("s-lead"), LEAD, (), needed=False)


async def test_a_busy_port_is_named_at_the_start(tmp_path: Path, stage: Stage) -> None:
    settings = MediaSettings(bind=("127.0.0.1",), port=PORT)
    with pytest.raises(Unavailable, match=str(PORT)):
        async with WorkerMediaPlane(settings, tmp_path / "other", Recorder()):
            pass


async def test_a_lost_control_connection_costs_nothing(stage: Stage, heard: Recorder) -> None:
    lead = await stage.publisher("s-lead", LEAD, 1001, 1002)
    stage.plane.set_grants(LESSON, LEAD, OPEN)
    room = await stage.viewer("s-room", ROOM, LEAD_SLOTS)
    offer = heard.of("s-room", SubscribeOffer)[0]
    audio = ssrc_of(offer, mid_of(offer, "audio", "lead"))
    sending = asyncio.ensure_future(AudioSource(lead.peer, 1001).run(1.5))
    await until(lambda: audio in room.peer.streams)
    link = stage.plane._home(stage.plane._lessons[LESSON])
    client = link._client
    assert client is not None
    client.close()
    stage.plane.set_grants(LESSON, LEAD, ())
    await until(lambda: link.attached is not None and link._client is not client)
    await asyncio.sleep(0.1)
    before = room.peer.streams[audio].packets
    await sending
    assert room.peer.streams[audio].packets == before
    assert not heard.of("s-room", MediaLost)


async def test_a_worker_that_hangs_is_replaced(
    stage: Stage, heard: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("twinclass_server.adapters.worker_client.REPLY_TIMEOUT_S", 0.5)
    monkeypatch.setattr("twinclass_server.adapters.worker_link.STATISTICS_PERIOD_S", 0.1)
    await stage.publisher("s-lead", LEAD, 1001, 1002)
    await asyncio.sleep(2.1)  # the pause between readings that had begun before
    attached = stage.plane._home(stage.plane._lessons[LESSON]).attached
    assert attached is not None
    os.kill(attached.pid, signal.SIGSTOP)
    await until(lambda: heard.of("s-lead", MediaLost))
    await stage.publish("s-lead", 1003, 1004)


async def test_an_older_control_plane_is_refused_and_says_so(
    tmp_path: Path, stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("twinclass_server.adapters.media_plane.WORKER_WAIT_S", 0.3)
    settings = MediaSettings(bind=("127.0.0.1",), port=PORT)
    await stage.publisher("s-lead", LEAD, 1001, 1002)
    async with WorkerMediaPlane(settings, tmp_path, Recorder()) as newer:
        assert await newer.open_session(LESSON, SessionId("s-lead"), LEAD, ())
        await until(lambda: stage.plane._home(stage.plane._lessons[LESSON]).trouble)
        with pytest.raises(Unavailable, match="another server"):
            await stage.publish("s-lead", 1, 2)


async def test_an_ice_restart_by_fragment_goes_on_with_the_same_media(
    stage: Stage, heard: Recorder
) -> None:
    lead = await stage.publisher("s-lead", LEAD, 1001, 1002)
    session = SessionId("s-lead")
    same = f"a=ice-ufrag:{lead.peer.ufrag}\r\na=ice-pwd:{lead.peer.password}\r\n"
    assert stage.plane.restart_ice(LESSON, session, same) == ""
    fresh = "a=ice-ufrag:another1\r\na=ice-pwd:0123456789012345678901\r\n"
    ours = stage.plane.restart_ice(LESSON, session, fresh)
    assert "a=ice-ufrag:" in ours
    assert "a=candidate:" in ours
    assert stage.plane.restart_ice(LESSON, session, fresh) == ""
    stage.plane.set_grants(LESSON, LEAD, OPEN)
    await AudioSource(lead.peer, 1001).run(0.3)
    assert ("started", LEAD, "microphone") in heard.publications


async def test_what_nobody_claims_after_a_restart_is_removed(
    tmp_path: Path, heard: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("twinclass_server.adapters.media_plane.CLAIM_S", 0.5)
    settings = MediaSettings(bind=("127.0.0.1",), port=PORT + 8)
    async with WorkerMediaPlane(settings, tmp_path, heard) as plane:
        stage = Stage(plane, heard)
        page = await stage.publisher("s-lead", LEAD, 1001, 1002)
    after = WorkerMediaPlane(settings, tmp_path, Recorder())
    after.shutdown_workers = True
    async with after:
        outbox = after._supervisor.links[0].outbox
        assert outbox.transports == 1
        await until(lambda: outbox.transports == 0)
        await until(lambda: outbox.get("router", "lesson/demo") is None)
        assert not await after.open_session(LESSON, SessionId("s-lead"), LEAD, ())
        page.close()


async def test_leaving_the_plane_leaves_no_task_behind(tmp_path: Path, heard: Recorder) -> None:
    before = asyncio.all_tasks()
    settings = MediaSettings(bind=("127.0.0.1",), port=PORT + 8)
    plane = WorkerMediaPlane(settings, tmp_path, heard)
    plane.shutdown_workers = True
    async with plane:
        assert asyncio.all_tasks() > before
        pid = plane._supervisor.links[0]._pid
    assert asyncio.all_tasks() == before
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
