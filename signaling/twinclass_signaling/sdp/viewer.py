"""Answers a viewer's own receive-only offer (WHEP): its payload types, its extension ids.

Such a viewer has no signalling channel to us after the answer, so its m-lines are given out
once, by kind, in the order of what the lesson wants it to have; m-lines left over stay
inactive. The result is a pool like any other, that never offers and never grows.

Core module.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from twinclass_signaling.ports import Subscription
from twinclass_signaling.sdp.description import (
    ABS_SEND_TIME,
    MID,
    TRANSPORT_CC,
    MediaSection,
    SessionDescription,
)
from twinclass_signaling.sdp.downlink import (
    DownlinkPool,
    PoolSection,
    PoolState,
    describe_ssrcs,
    subscription_kind,
)
from twinclass_signaling.sdp.negotiation import (
    VIDEO_CODECS,
    ExtensionIds,
    LocalTransport,
    accept_extensions,
    answer_codecs,
    check_bundle,
    choose,
    our_section,
    rejected_section,
    remote_transport,
)
from twinclass_signaling.sdp.serializer import serialize


def answer_viewer(
    offer: SessionDescription,
    wanted: Sequence[Subscription],
    local: LocalTransport,
    draw_u32: Callable[[], int],
    video_codecs: Sequence[str] = VIDEO_CODECS,
) -> tuple[str, DownlinkPool]:
    """The SDP answer and the committed pool behind it.

    Raises:
        SdpError: the offer asks for what we do not do.
    """
    usable = [m for m in offer.media if m.kind in {"audio", "video"} and not m.is_rejected]
    chosen = {m.mid: codecs for m in usable if (codecs := choose(m, video_codecs))}
    accepted = [m for m in usable if m.mid in chosen]
    check_bundle(offer, accepted)
    # WHEP section 4.2: the viewer offers actpass; some say active at once.
    remote = remote_transport(offer, accepted, ("actpass", "active"))

    origin_id = draw_u32() << 16 | 1
    state = PoolState(
        origin_id,
        f"tc{draw_u32():08x}",
        tuple(video_codecs),
        answerer=True,
        n=1,
        remote=remote,
    )
    answer = SessionDescription(str(origin_id), "1", ice_lite=True)
    answer.bundle = [m.mid for m in accepted]
    ids: dict[str, int] = {}
    left = list(wanted)
    used = {0}
    for section in offer.media:
        if not any(section is m for m in accepted):
            answer.media.append(rejected_section(section))
            continue
        codecs = chosen[section.mid]
        lines = answer_codecs(section, codecs)
        first = section is accepted[0]
        formats = [c.payload_type for c in lines]
        answered = our_section(section.kind, section.mid, formats, local, first=first)
        answered.setup = "passive"
        answered.direction = "inactive"
        answered.codecs = lines
        answered.extensions = accept_extensions(section, ids, (MID, ABS_SEND_TIME, TRANSPORT_CC))
        subscription = _take(left, section) if section.receives else None
        if subscription is not None:
            slot = PoolSection(
                mid=section.mid,
                kind=subscription_kind(subscription),
                use=subscription.use,
                index=subscription.index,
                ssrc=_draw(draw_u32, used),
                codecs=tuple(codecs),
                committed=True,
            )
            if slot.kind == "video" and any(c.rtx_payload_type for c in codecs):
                slot.rtx_ssrc = _draw(draw_u32, used)
            state.sections.append(slot)
            answered.direction = "sendonly"
            describe_ssrcs(answered, slot, state.cname)
        answer.media.append(answered)
    state.extensions = ExtensionIds(**ids)
    pool = DownlinkPool(state, draw_u32)
    pool.want(wanted)
    return serialize(answer), pool


def _take(left: list[Subscription], section: MediaSection) -> Subscription | None:
    """The next thing of the m-line's kind."""
    for number, subscription in enumerate(left):
        if subscription_kind(subscription) == section.kind:
            return left.pop(number)
    return None


def _draw(draw_u32: Callable[[], int], used: set[int]) -> int:
    ssrc = draw_u32()
    while ssrc in used:
        ssrc = (ssrc + 1) & 0xFFFFFFFF
    used.add(ssrc)
    return ssrc
