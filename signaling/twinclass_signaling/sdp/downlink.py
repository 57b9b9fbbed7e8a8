"""The viewer's pool of m-lines: offered once, reused for whoever is to be seen.

The server offers. What browsers really do decided the rules (seen in Chromium): an m-line may
only be appended or reused; a payload type or header extension id that changes its meaning
stops the picture without an error; a rejected offer leaves the server ahead of the page. So
payload types, extension ids and the SSRCs of an m-line never change in a pool's life; one offer
is in flight at a time and growth waits; the *answer* is the commit point; a refusal rolls back.

An m-line is a *slot*: (use, index, kind), "stage 1, video". Who is in it changes without SDP.

The state is plain data, so that it can ride in a media transport's appdata: a control plane
that starts again restores it and goes on at offer n + 1. Slots that were offered when it died
are offered again with the same SSRCs, because the page may or may not have applied that offer.

    IDLE --offer()--> IN_FLIGHT --answered(n)--> IDLE   (sections committed)
                      IN_FLIGHT --refused(n)---> IDLE   (new sections gone, growth blocked)
                      IN_FLIGHT --lapse()------> IDLE   (new sections kept, offered again)

Core module: random numbers come from the caller.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec
from msgspec import Struct

from twinclass_signaling.errors import InvalidState
from twinclass_signaling.messages import Slot, SlotKind
from twinclass_signaling.ports import Subscription
from twinclass_signaling.roles import AUDIO_SOURCES
from twinclass_signaling.sdp.description import (
    ABS_SEND_TIME,
    MID,
    TRANSPORT_CC,
    Extension,
    MediaSection,
    RtpCodec,
    SessionDescription,
    SsrcGroup,
)
from twinclass_signaling.sdp.negotiation import (
    AUDIO_FEEDBACK,
    H264_PARAMETERS,
    OPUS_PARAMETERS,
    VIDEO_CODECS,
    VIDEO_FEEDBACK,
    ExtensionIds,
    LocalTransport,
    MediaKind,
    NegotiatedCodec,
    RemoteTransport,
    our_section,
    remote_transport,
)
from twinclass_signaling.sdp.parser import MAX_MEDIA, malformed
from twinclass_signaling.sdp.serializer import serialize

STATE_FORMAT = 1
#: Fixed in every pool: a page's receivers keep them for the life of the connection.
POOL_CODECS: dict[str, NegotiatedCodec] = {
    "opus": NegotiatedCodec("opus", 111, 48000),
    "red": NegotiatedCodec("red", 63, 48000),
    "VP8": NegotiatedCodec("VP8", 96, 90000, 97),
    "H264": NegotiatedCodec("H264", 102, 90000, 103),
}
POOL_EXTENSIONS = ExtensionIds(mid=4, abs_send_time=2, transport_cc=3)
#: Sound as it is, and with the packets before it in each for those who lose some (RFC 2198).
SOUND_CODECS = ("opus", "red")
#: How many slots are added at once: a room that joins must not cost every viewer an offer.
GROWTH: dict[tuple[SlotKind, MediaKind], int] = {("wall", "video"): 8, ("stage", "audio"): 2}
#: A wall of 32 rooms; the largest lesson on record has 26.
MAX_INDEX: dict[SlotKind, int] = {
    "lead": 4,
    "screen": 2,
    "document": 2,
    "stage": 16,
    "wall": 32,
}

_Key = tuple[SlotKind, int, MediaKind]


class PoolSection(Struct):
    """One m-line. ``codecs`` empty until committed; what the page rejected stays rejected.

    ``doubtful``: its offer's answer was lost; the page may have it though it is not committed.
    """

    mid: str
    kind: MediaKind
    use: SlotKind
    index: int
    ssrc: int
    rtx_ssrc: int = 0
    codecs: tuple[NegotiatedCodec, ...] = ()
    committed: bool = False
    rejected: bool = False
    doubtful: bool = False

    @property
    def key(self) -> _Key:
        """What identifies the slot to the lesson."""
        return (self.use, self.index, self.kind)


class PoolState(Struct):
    """All that must outlive the control plane's process."""

    origin_id: int
    cname: str
    video_codecs: tuple[str, ...]
    extensions: ExtensionIds = POOL_EXTENSIONS
    format: int = STATE_FORMAT
    #: The last offer's number; offers of a session count up over all its pools.
    n: int = 0
    in_flight: bool = False
    #: The page makes a new peer connection for the first offer of this pool.
    fresh: bool = False
    #: Made from a viewer's own offer (WHEP): never offers, never grows.
    answerer: bool = False
    #: ICE restart wanted; the caller draws new credentials for the next offer.
    restart: bool = False
    remote: RemoteTransport | None = None
    sections: list[PoolSection] = msgspec.field(default_factory=list[PoolSection])


class Offer(Struct, frozen=True):
    """What goes to the page."""

    n: int
    sdp: str
    slots: tuple[Slot, ...]
    fresh: bool


class DownlinkPool:
    """One viewer's receiving m-lines. See the module's text for the rules."""

    def __init__(self, state: PoolState, draw_u32: Callable[[], int]) -> None:
        self._state = state
        self._draw_u32 = draw_u32
        self._wanted: dict[_Key, Subscription] = {}
        #: Slots of a refused offer: not offered again until the lesson wants others.
        self._blocked: frozenset[_Key] = frozenset()
        self._begin_anew = False

    @classmethod
    def create(
        cls,
        draw_u32: Callable[[], int],
        video_codecs: Sequence[str] = (),
        *,
        n: int = 0,
        fresh: bool = False,
    ) -> DownlinkPool:
        """An empty pool. ``video_codecs``: what the viewer says it decodes; empty = unknown."""
        known = tuple(c for c in VIDEO_CODECS if c in video_codecs) or VIDEO_CODECS
        # Chromium wants a session id below 2**63 - 1 (RFC 8829 section 5.2.1).
        origin_id = draw_u32() << 16 | 1
        state = PoolState(origin_id, f"tc{draw_u32():08x}", known, n=n, fresh=fresh)
        return cls(state, draw_u32)

    @classmethod
    def restore(cls, data: bytes, draw_u32: Callable[[], int]) -> DownlinkPool:
        """A pool from ``dump``; an offer that was in flight then has lapsed.

        Raises:
            InvalidState: not a dump of this format.
        """
        try:
            state = msgspec.msgpack.decode(data, type=PoolState)
        except msgspec.MsgspecError as error:
            raise _foreign_state() from error
        if state.format != STATE_FORMAT:
            raise _foreign_state()
        pool = cls(state, draw_u32)
        pool.lapse()
        return pool

    def dump(self) -> bytes:
        """The state as bytes."""
        return msgspec.msgpack.encode(self._state)

    @property
    def n(self) -> int:
        """Number of the last offer."""
        return self._state.n

    @property
    def in_flight(self) -> bool:
        """An offer waits for its answer."""
        return self._state.in_flight

    @property
    def is_answerer(self) -> bool:
        """Made from a viewer's own offer."""
        return self._state.answerer

    @property
    def remote(self) -> RemoteTransport | None:
        """The page's side, known once an answer came."""
        return self._state.remote

    @property
    def extensions(self) -> ExtensionIds:
        """Header extension ids in use."""
        return self._state.extensions

    @property
    def restart_wanted(self) -> bool:
        """The next offer restarts ICE: draw new credentials for it."""
        return self._state.restart

    @property
    def sections(self) -> Sequence[PoolSection]:
        """All m-lines in order; read only."""
        return self._state.sections

    def want(self, wanted: Sequence[Subscription]) -> None:
        """Replaces what the viewer is to receive. Slots out of bounds are left out."""
        self._wanted = {_key(s): s for s in wanted if 0 <= s.index < MAX_INDEX[s.use]}
        if self._blocked and not self._blocked >= self._missing():
            self._blocked = frozenset()

    def needs_offer(self) -> bool:
        """True when an offer should go out now."""
        state = self._state
        if state.in_flight or state.answerer:
            return False
        uncommitted = any(not s.committed and not s.rejected for s in state.sections)
        # An empty pool has nothing to restart: a description needs an m-line.
        restart = state.restart and bool(state.sections)
        return restart or uncommitted or bool(self._missing() - self._blocked)

    def offer(self, local: LocalTransport) -> Offer:
        """The next offer; it is in flight from now on.

        Raises:
            InvalidState: one is in flight already, or the pool never offers.
        """
        state = self._state
        if state.in_flight or state.answerer:
            raise InvalidState("offer_in_flight", "内部状态错误", "an offer is in flight already")
        if self._missing() - self._blocked:
            self._grow()
        state.n += 1
        state.in_flight = True
        state.restart = False
        description = SessionDescription(str(state.origin_id), str(state.n), ice_lite=True)
        for section in state.sections:
            first = not description.bundle
            description.media.append(self._offered(section, local, first=first))
            if not section.rejected:
                description.bundle.append(section.mid)
        return Offer(state.n, serialize(description), self.slots(), state.fresh)

    def answered(self, n: int, answer: SessionDescription) -> bool:
        """Commits offer ``n``; False when it is not the one in flight (late: ignore it).

        Raises:
            SdpError: the answer does not fit the offer; the offer stays in flight.
        """
        state = self._state
        if not state.in_flight or n != state.n:
            return False
        if [m.mid for m in answer.media] != [s.mid for s in state.sections]:
            raise malformed("the answer's m-lines are not those of the offer")
        accepted = [m for m in answer.media if not m.is_rejected]
        remote = remote_transport(answer, accepted, ("active",))
        codecs = [
            self._answered_codecs(section, answered)
            for section, answered in zip(state.sections, answer.media, strict=True)
        ]
        for section, taken in zip(state.sections, codecs, strict=True):
            section.committed, section.doubtful = True, False
            section.rejected = section.rejected or not taken
            section.codecs = taken
        state.remote = remote
        state.in_flight = False
        state.fresh = False
        return True

    @property
    def must_begin_anew(self) -> bool:
        """The page may have m-lines that no offer of this pool would have any more (a refusal after
        an offer that lapsed): only a fresh pool, and a new peer connection, agree again."""
        return self._begin_anew

    def refused(self, n: int) -> bool:
        """Rolls offer ``n`` back; False when it is not the one in flight."""
        state = self._state
        if not state.in_flight or n != state.n:
            return False
        state.in_flight = False
        self._blocked = frozenset(s.key for s in state.sections if not s.committed)
        self._begin_anew = any(s.doubtful for s in state.sections)
        state.sections = [s for s in state.sections if s.committed]
        return True

    def lapse(self) -> None:
        """Nobody will answer the offer in flight (its way was lost): offer it anew as n + 1."""
        if self._state.in_flight:
            self._state.in_flight = False
            self._state.restart = True
            for section in self._state.sections:
                section.doubtful = not section.committed

    def restart(self) -> None:
        """Asks for an ICE restart with the next offer."""
        self._state.restart = True

    def remote_restarted(self, ufrag: str) -> bool:
        """Notes the viewer's new ICE user fragment; False when it is the one we know (WHEP)."""
        remote = self._state.remote
        if remote is None or remote.ufrag == ufrag:
            return False
        self._state.remote = msgspec.structs.replace(remote, ufrag=ufrag)
        return True

    def slots(self) -> tuple[Slot, ...]:
        """All slots and who is in them, offered ones too."""
        return tuple(
            Slot(
                mid=section.mid,
                kind=section.kind,
                use=section.use,
                index=section.index,
                participant=subscription.participant if subscription else None,
                source=subscription.source if subscription and subscription.participant else None,
            )
            for section, subscription in self.assignments()
            if not section.rejected
        )

    def assignments(self) -> list[tuple[PoolSection, Subscription | None]]:
        """Every m-line with what belongs into it."""
        return [(s, self._wanted.get(s.key)) for s in self._state.sections]

    def _missing(self) -> frozenset[_Key]:
        have = {section.key for section in self._state.sections}
        return frozenset(key for key in self._wanted if key not in have)

    def _grow(self) -> None:
        """Appends what is missing, in the order of the lesson's list, in steps of GROWTH."""
        have = {section.key for section in self._state.sections}
        for use, index, kind in self._wanted:
            if (use, index, kind) in have:
                continue
            step = GROWTH.get((use, kind), 1)
            start = index - index % step
            for other in range(start, min(start + step, MAX_INDEX[use])):
                key: _Key = (use, other, kind)
                if key not in have and len(self._state.sections) < MAX_MEDIA:
                    have.add(key)
                    self._append(key)

    def _append(self, key: _Key) -> None:
        use, index, kind = key
        used = {0} | {n for s in self._state.sections for n in (s.ssrc, s.rtx_ssrc)}
        ssrc = self._draw_ssrc(used)
        self._state.sections.append(
            PoolSection(
                mid=str(len(self._state.sections)),
                kind=kind,
                use=use,
                index=index,
                ssrc=ssrc,
                rtx_ssrc=self._draw_ssrc(used | {ssrc}) if kind == "video" else 0,
            )
        )

    def _draw_ssrc(self, used: set[int]) -> int:
        ssrc = self._draw_u32()
        while ssrc in used:
            ssrc = (ssrc + 1) & 0xFFFFFFFF
        return ssrc

    def _offered(self, section: PoolSection, local: LocalTransport, *, first: bool) -> MediaSection:
        codecs = pool_codec_lines(section.kind, self._state.video_codecs)
        payload_types = [c.payload_type for c in codecs]
        offered = our_section(section.kind, section.mid, payload_types, local, first=first)
        if section.rejected:
            offered.port = 0
        offered.setup = "actpass"
        offered.direction = "sendonly"
        offered.codecs = codecs
        offered.extensions = [
            Extension(POOL_EXTENSIONS.abs_send_time, ABS_SEND_TIME),
            Extension(POOL_EXTENSIONS.transport_cc, TRANSPORT_CC),
            Extension(POOL_EXTENSIONS.mid, MID),
        ]
        describe_ssrcs(offered, section, self._state.cname)
        return offered

    def _answered_codecs(
        self, section: PoolSection, answered: MediaSection
    ) -> tuple[NegotiatedCodec, ...]:
        """Our codecs of the m-line that the page takes, in our order."""
        if answered.is_rejected or answered.kind != section.kind:
            return ()
        taken = {c.payload_type: c.name.lower() for c in answered.codecs}
        names = SOUND_CODECS if section.kind == "audio" else self._state.video_codecs
        codecs: list[NegotiatedCodec] = []
        for name in names:
            codec = POOL_CODECS[name]
            if taken.get(codec.payload_type) != name.lower():
                continue
            rtx = codec.rtx_payload_type if taken.get(codec.rtx_payload_type) == "rtx" else 0
            codecs.append(msgspec.structs.replace(codec, rtx_payload_type=rtx))
        return tuple(codecs)


def pool_codec_lines(kind: MediaKind, video_codecs: Sequence[str]) -> list[RtpCodec]:
    """The codec lines of an offered m-line."""
    if kind == "audio":
        opus, red = (POOL_CODECS[name] for name in SOUND_CODECS)
        line = RtpCodec(opus.payload_type, "opus", opus.clock_rate, 2, OPUS_PARAMETERS)
        line.feedback = list(AUDIO_FEEDBACK)
        each = f"{opus.payload_type}/{opus.payload_type}"
        return [line, RtpCodec(red.payload_type, "red", red.clock_rate, 2, each)]
    lines: list[RtpCodec] = []
    for name in video_codecs:
        codec = POOL_CODECS[name]
        parameters = H264_PARAMETERS if name == "H264" else ""
        line = RtpCodec(codec.payload_type, name, codec.clock_rate, 1, parameters)
        # No "ccm fir": PLI does the same, and a full pool's answer must fit the message limit.
        line.feedback = [item for item in VIDEO_FEEDBACK if item != "ccm fir"]
        apt = f"apt={codec.payload_type}"
        lines.append(line)
        lines.append(RtpCodec(codec.rtx_payload_type, "rtx", codec.clock_rate, 1, apt))
    return lines


def describe_ssrcs(target: MediaSection, section: PoolSection, cname: str) -> None:
    """Signals the slot's SSRCs (RFC 5576) and its name.

    Picture and sound of one slot share the stream id, so that browsers keep lips in time.
    """
    stream = f"slot-{section.use}-{section.index}"
    target.msid = f"{stream} slot-{section.kind}-{section.use}-{section.index}"
    target.ssrcs[section.ssrc] = cname
    if section.rtx_ssrc:
        target.ssrcs[section.rtx_ssrc] = cname
        target.ssrc_groups.append(SsrcGroup("FID", (section.ssrc, section.rtx_ssrc)))


def subscription_kind(subscription: Subscription) -> MediaKind:
    """What a subscription's source is."""
    return "audio" if subscription.source in AUDIO_SOURCES else "video"


def _key(subscription: Subscription) -> _Key:
    return (subscription.use, subscription.index, subscription_kind(subscription))


def _foreign_state() -> InvalidState:
    return InvalidState("pool_state", "内部状态错误", "not a pool state of this format")
