"""The viewer's pool: growth, commit, rollback, restore."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from twinclass_signaling.errors import InvalidState, SdpError
from twinclass_signaling.ids import ParticipantId
from twinclass_signaling.messages import MAX_SDP_CHARS, SlotKind
from twinclass_signaling.ports import Subscription
from twinclass_signaling.roles import Source
from twinclass_signaling.sdp.description import SessionDescription
from twinclass_signaling.sdp.downlink import DownlinkPool, Offer
from twinclass_signaling.sdp.negotiation import HostAddress, LocalTransport
from twinclass_signaling.sdp.parser import parse
from twinclass_signaling.sdp.serializer import serialize
from twinclass_signaling.sdp.viewer import answer_viewer

FIXTURES = Path(__file__).parent / "fixtures"
LOCAL = LocalTransport(
    "0123456789abcdef",
    "p" * 32,
    "sha-256",
    ":".join(["AB"] * 32),
    (HostAddress("udp", "127.0.0.1", 7900), HostAddress("tcp", "127.0.0.1", 7900)),
)
LEAD = ParticipantId("lead")


def counter(start: int = 1) -> Callable[[], int]:
    generator = random.Random(start)
    return lambda: generator.getrandbits(32)


def want(use: SlotKind, index: int, source: Source, who: str | None = None) -> Subscription:
    return Subscription(use, index, source, ParticipantId(who) if who else None)


BASE = [want("lead", 0, "camera", "lead"), want("lead", 0, "microphone", "lead")]


def answer_to(
    sdp: str, *, reject: tuple[str, ...] = (), codecs: tuple[str, ...] = ("opus", "VP8", "H264")
) -> SessionDescription:
    """What a page answers: the offer turned round."""
    answered = parse(sdp)
    answered.ice_lite = False
    answered.origin_id = "77"
    for section in answered.media:
        keep = {c.payload_type for c in section.codecs if c.name in codecs}
        section.codecs = [
            c
            for c in section.codecs
            if c.payload_type in keep or c.parameter("apt") in {str(k) for k in keep}
        ]
        section.formats = [str(c.payload_type) for c in section.codecs]
        section.setup = "active"
        section.direction = "recvonly"
        section.ssrcs.clear()
        section.ssrc_groups.clear()
        section.candidates.clear()
        section.ice_ufrag, section.ice_pwd = "page", "q" * 24
        if section.mid in reject:
            section.port = 0
    return parse(serialize(answered))


def committed(wanted: list[Subscription], **options: tuple[str, ...]) -> DownlinkPool:
    pool = DownlinkPool.create(counter())
    pool.want(wanted)
    offer = pool.offer(LOCAL)
    assert pool.answered(offer.n, answer_to(offer.sdp, **options))
    return pool


def test_the_first_offer_holds_fixed_numbers() -> None:
    pool = DownlinkPool.create(counter())
    pool.want(BASE)
    offer = pool.offer(LOCAL)
    video, audio = parse(offer.sdp).media
    assert [(c.payload_type, c.name) for c in video.codecs] == [
        (102, "H264"),
        (103, "rtx"),
        (96, "VP8"),
        (97, "rtx"),
    ]
    assert audio.codecs[0].payload_type == 111
    for section in (video, audio):
        assert {e.id: e.uri.rsplit("/", 1)[-1].rsplit(":", 1)[-1] for e in section.extensions} == {
            2: "abs-send-time",
            3: "draft-holmer-rmcat-transport-wide-cc-extensions-01",
            4: "mid",
        }
        assert section.setup == "actpass"
        assert section.direction == "sendonly"
    assert video.msid == "slot-lead-0 slot-video-lead-0"
    assert video.ssrc_groups[0].ssrcs == tuple(video.ssrcs)
    assert len(set(video.ssrcs) | set(audio.ssrcs)) == 3
    assert [(s.mid, s.kind, s.participant, s.source) for s in offer.slots] == [
        ("0", "video", LEAD, "camera"),
        ("1", "audio", LEAD, "microphone"),
    ]


def test_a_viewer_without_h264_is_offered_vp8_only() -> None:
    pool = DownlinkPool.create(counter(), ("VP8", "VP9"))
    pool.want(BASE)
    assert [c.name for c in parse(pool.offer(LOCAL).sdp).media[0].codecs] == ["VP8", "rtx"]


def test_what_the_answer_takes_is_what_is_sent() -> None:
    pool = committed(BASE, codecs=("opus", "VP8"))
    assert [c.name for c in pool.sections[0].codecs] == ["VP8"]
    assert pool.sections[0].codecs[0].rtx_payload_type == 97


def test_a_real_chromium_answer_is_taken() -> None:
    pool = DownlinkPool.create(counter())
    stage = [want("stage", 0, "camera"), want("stage", 0, "microphone")]
    pool.want([*BASE, *stage])
    offer = pool.offer(LOCAL)
    answer = parse((FIXTURES / "chromium_answer_1.sdp").read_bytes().decode())
    assert len(answer.media) == len(parse(offer.sdp).media)
    assert pool.answered(offer.n, answer)
    assert {c.name for s in pool.sections for c in s.codecs} == {"H264", "VP8", "opus"}


def test_the_wall_grows_by_eight_and_stage_sound_by_two() -> None:
    pool = DownlinkPool.create(counter())
    pool.want([want("wall", 9, "camera"), want("stage", 0, "microphone")])
    slots = pool.offer(LOCAL).slots
    assert [s.index for s in slots if s.use == "wall"] == list(range(8, 16))
    assert [s.index for s in slots if s.use == "stage"] == [0, 1]


def test_m_lines_are_only_appended() -> None:
    pool = committed(BASE)
    before = [(s.mid, s.ssrc, s.rtx_ssrc) for s in pool.sections]
    pool.want([want("screen", 0, "screen", "lead"), *BASE])
    offer = pool.offer(LOCAL)
    assert offer.n == 2
    assert [(s.mid, s.ssrc, s.rtx_ssrc) for s in pool.sections][:2] == before
    assert [m.mid for m in parse(offer.sdp).media] == ["0", "1", "2"]


def test_changing_who_is_in_a_slot_needs_no_offer() -> None:
    pool = committed(BASE)
    pool.want([want("lead", 0, "camera", "other")])
    assert not pool.needs_offer()
    assert [s.participant for s in pool.slots()] == ["other", None]


def test_only_one_offer_is_in_flight() -> None:
    pool = DownlinkPool.create(counter())
    pool.want(BASE)
    offer = pool.offer(LOCAL)
    pool.want([*BASE, want("screen", 0, "screen", "lead")])
    assert not pool.needs_offer()
    with pytest.raises(InvalidState):
        pool.offer(LOCAL)
    assert not pool.answered(offer.n + 1, answer_to(offer.sdp))
    assert pool.answered(offer.n, answer_to(offer.sdp))
    assert pool.needs_offer()


def test_a_refusal_rolls_back_and_is_not_repeated_for_the_same_wish() -> None:
    pool = committed(BASE)
    more = [*BASE, want("screen", 0, "screen", "lead")]
    pool.want(more)
    offer = pool.offer(LOCAL)
    assert pool.refused(offer.n)
    assert [s.mid for s in pool.sections] == ["0", "1"]
    assert not pool.needs_offer()
    pool.want(more)
    assert not pool.needs_offer()
    pool.want([*more, want("document", 0, "document", "lead")])
    assert pool.needs_offer()
    assert pool.offer(LOCAL).n == 3
    assert not pool.refused(2)


def test_an_m_line_the_page_rejects_stays_dead() -> None:
    pool = committed(BASE, reject=("0",))
    assert [s.mid for s in pool.slots()] == ["1"]
    pool.restart()
    assert parse(pool.offer(LOCAL).sdp).media[0].is_rejected


def test_an_ice_restart_is_one_more_offer() -> None:
    pool = committed(BASE)
    assert not pool.needs_offer()
    pool.restart()
    assert pool.restart_wanted
    assert pool.offer(LOCAL).n == 2
    assert not pool.restart_wanted


def test_a_restored_pool_goes_on_at_the_next_number() -> None:
    pool = committed(BASE)
    again = DownlinkPool.restore(pool.dump(), counter(9))
    again.want(BASE)
    assert not again.needs_offer()
    assert again.remote == pool.remote
    again.want([*BASE, want("screen", 0, "screen", "lead")])
    offer = again.offer(LOCAL)
    assert offer.n == 2
    assert not offer.fresh


def test_an_offer_in_flight_at_a_crash_is_offered_again_unchanged() -> None:
    pool = committed(BASE)
    pool.want([*BASE, want("screen", 0, "screen", "lead")])
    lost = parse(pool.offer(LOCAL).sdp)
    again = DownlinkPool.restore(pool.dump(), counter(9))
    again.want(BASE)
    assert again.needs_offer()
    offer = again.offer(LOCAL)
    assert offer.n == 3
    assert [m.ssrcs for m in parse(offer.sdp).media] == [m.ssrcs for m in lost.media]


@pytest.mark.parametrize("data", [b"", b"\x00", b"\x81\xa1x\x01", b"{}"])
def test_a_foreign_state_is_refused(data: bytes) -> None:
    with pytest.raises(InvalidState):
        DownlinkPool.restore(data, counter())


BAD_ANSWERS: dict[str, Callable[[SessionDescription], None]] = {
    "m-line missing": lambda a: a.media.pop() and None,
    "order changed": lambda a: a.media.reverse(),
    "we would be the dtls client": lambda a: setattr(a.media[0], "setup", "passive"),
    "no fingerprint": lambda a: [m.fingerprints.clear() for m in a.media] and None,
    "everything rejected": lambda a: [setattr(m, "port", 0) for m in a.media] and None,
}


@pytest.mark.parametrize("spoil", BAD_ANSWERS.values(), ids=BAD_ANSWERS.keys())
def test_an_answer_that_does_not_fit_commits_nothing(
    spoil: Callable[[SessionDescription], None],
) -> None:
    pool = DownlinkPool.create(counter())
    pool.want(BASE)
    offer = pool.offer(LOCAL)
    answer = answer_to(offer.sdp)
    spoil(answer)
    with pytest.raises(SdpError):
        pool.answered(offer.n, answer)
    assert pool.in_flight
    assert not any(s.committed for s in pool.sections)
    assert pool.answered(offer.n, answer_to(offer.sdp))


def test_a_full_pool_and_its_answer_fit_the_message_limit() -> None:
    everything = [*BASE, want("screen", 0, "screen"), want("document", 0, "document")]
    everything += [want("wall", i, "camera") for i in range(40)]
    everything += [want("stage", i, "camera") for i in range(16)]
    everything += [want("stage", i, "microphone") for i in range(20)]
    pool = DownlinkPool.create(counter())
    pool.want(everything)
    offer = pool.offer(LOCAL)
    assert len(parse(offer.sdp).media) == 64
    assert len(offer.sdp) < MAX_SDP_CHARS


def test_whep_viewers_get_slots_in_the_order_of_kinds() -> None:
    wanted = [*BASE, want("screen", 0, "screen", "lead")]
    for name in ("chromium_viewer", "firefox_viewer"):
        offer = parse((FIXTURES / f"{name}.sdp").read_bytes().decode())
        text, pool = answer_viewer(offer, wanted, LOCAL, counter())
        answer = parse(text)
        assert [m.direction for m in answer.media] == ["sendonly"] * 3
        assert [(s.use, s.kind) for s in pool.sections] == [
            ("lead", "audio"),
            ("lead", "video"),
            ("screen", "video"),
        ]
        assert pool.is_answerer
        pool.want([*wanted, want("wall", 0, "camera")])
        assert not pool.needs_offer()
        offered = {c.payload_type for m in offer.media for c in m.codecs}
        assert {c.payload_type for s in pool.sections for c in s.codecs} <= offered
        assert all(m.ssrcs for m in answer.media)


def test_surplus_m_lines_of_a_whep_viewer_are_inactive() -> None:
    offer = parse((FIXTURES / "chromium_viewer.sdp").read_bytes().decode())
    text, pool = answer_viewer(offer, BASE, LOCAL, counter())
    assert [m.direction for m in parse(text).media] == ["sendonly", "sendonly", "inactive"]
    assert len(pool.sections) == 2


def test_a_refusal_after_an_answer_that_was_lost_begins_anew() -> None:
    draw = counter()
    pool = DownlinkPool.create(draw)
    pool.want(BASE)
    pool.offer(LOCAL)
    # The page has applied it, but its answer came to nobody.
    pool = DownlinkPool.restore(pool.dump(), draw)
    pool.want(BASE)
    again = pool.offer(LOCAL)
    assert pool.refused(again.n)
    assert pool.must_begin_anew
    plain = DownlinkPool.create(draw)
    plain.want(BASE)
    assert plain.refused(plain.offer(LOCAL).n)
    assert not plain.must_begin_anew


class PoolMachine(RuleBasedStateMachine):
    """Any order of wishes, answers, refusals and crashes keeps page and pool together."""

    def __init__(self) -> None:
        super().__init__()
        self.draw = counter(3)
        self.pool = DownlinkPool.create(self.draw)
        self.flying: Offer | None = None
        #: What the page has applied: mid -> SSRC.
        self.page: dict[str, int] = {}
        self.numbers: list[int] = []

    @rule(walls=st.integers(0, 34), stages=st.integers(0, 17), extras=st.booleans())
    def wish(self, walls: int, stages: int, extras: bool) -> None:
        wanted = [want("wall", i, "camera", f"r{i}") for i in range(walls)]
        wanted += [want("stage", i, "microphone") for i in range(stages)]
        self.pool.want([*BASE, *wanted] if extras else wanted)

    @precondition(lambda self: self.pool.needs_offer())
    @rule()
    def offer(self) -> None:
        self.flying = self.pool.offer(LOCAL)
        self.numbers.append(self.flying.n)

    def _ssrcs(self) -> dict[str, int]:
        assert self.flying is not None
        return {m.mid: next(iter(m.ssrcs)) for m in parse(self.flying.sdp).media}

    @precondition(lambda self: self.flying is not None and self.pool.in_flight)
    @rule()
    def answer(self) -> None:
        assert self.flying is not None
        offered = self._ssrcs()
        assert {k: offered[k] for k in self.page} == self.page
        assert list(offered)[: len(self.page)] == list(self.page)
        self.page = offered
        assert self.pool.answered(self.flying.n, answer_to(self.flying.sdp))
        self.flying = None

    @precondition(lambda self: self.flying is not None and self.pool.in_flight)
    @rule()
    def refuse(self) -> None:
        assert self.flying is not None
        assert self.pool.refused(self.flying.n)
        self.flying = None
        if self.pool.must_begin_anew:
            self.pool = DownlinkPool.create(self.draw, n=self.pool.n, fresh=True)
            self.page = {}

    @rule(applied=st.booleans())
    def crash(self, applied: bool) -> None:
        if self.flying is not None and applied:
            self.page = self._ssrcs()
        self.flying = None
        self.pool = DownlinkPool.restore(self.pool.dump(), self.draw)

    @rule()
    def restart(self) -> None:
        self.pool.restart()

    @invariant()
    def numbers_count_up(self) -> None:
        assert self.numbers == sorted(set(self.numbers))

    @invariant()
    def ssrcs_are_unique(self) -> None:
        used = [n for s in self.pool.sections for n in (s.ssrc, s.rtx_ssrc) if n]
        assert len(set(used)) == len(used)
        assert [s.mid for s in self.pool.sections] == [
            str(i) for i in range(len(self.pool.sections))
        ]


TestPoolMachine = PoolMachine.TestCase
TestPoolMachine.settings = settings(max_examples=25, stateful_step_count=25, deadline=None)
