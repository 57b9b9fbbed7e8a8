"""Answers a client's offer for what it sends.

The client offers, we answer once, ICE-lite and DTLS-passive, all on one transport. What the
media plane must know of it comes back as an ``UplinkDescription``, which can be stored.

Core module.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec import Struct

from twinclass_signaling.roles import AUDIO_SOURCES, Source
from twinclass_signaling.sdp.description import MediaSection, Rid, SessionDescription
from twinclass_signaling.sdp.negotiation import (
    VIDEO_CODECS,
    ExtensionIds,
    LocalTransport,
    MediaKind,
    NegotiatedCodec,
    RemoteTransport,
    accept_extensions,
    answer_codecs,
    check_bundle,
    choose,
    our_section,
    rejected_section,
    remote_transport,
)
from twinclass_signaling.sdp.parser import unsupported
from twinclass_signaling.sdp.serializer import serialize

#: q, h, f and one to spare; each costs the worker a ring.
MAX_ENCODINGS = 4
#: Camera, screen, document, microphone, screen audio, and one of each to spare.
MAX_TRACKS = 8


class UplinkEncoding(Struct, frozen=True):
    """One encoding: by rid, by SSRC, or by neither (then the mid tells)."""

    rid: str = ""
    ssrc: int = 0
    rtx_ssrc: int = 0


class UplinkTrack(Struct, frozen=True):
    """One sending m-line; encodings from the lowest layer to the highest."""

    mid: str
    kind: MediaKind
    source: Source
    codecs: tuple[NegotiatedCodec, ...]
    encodings: tuple[UplinkEncoding, ...]


class UplinkDescription(Struct, frozen=True):
    """What an answered offer means for the media plane."""

    tracks: tuple[UplinkTrack, ...]
    extensions: ExtensionIds
    transport_cc: bool
    remote: RemoteTransport


def answer_uplink(
    offer: SessionDescription,
    sources: Mapping[str, Source],
    local: LocalTransport,
    *,
    origin_id: int,
    version: int,
    video_codecs: Sequence[str] = VIDEO_CODECS,
) -> tuple[str, UplinkDescription]:
    """The SDP answer, and what it means.

    Args:
        offer: the parsed offer.
        sources: mid -> what the track shows; m-lines not named are answered inactive.
        local: our side; the same as before unless the offer restarts ICE.
        origin_id: constant for the connection.
        version: counts up with each answer on the connection.
        video_codecs: names in the order of preference; browsers send the first.

    Raises:
        SdpError: the offer asks for what we do not do.
    """
    usable = [m for m in offer.media if m.kind in {"audio", "video"} and not m.is_rejected]
    if sum(m.sends for m in usable) > MAX_TRACKS:
        raise unsupported("too many tracks")
    unknown = set(sources) - {m.mid for m in usable}
    if unknown:
        raise unsupported("a track is named whose m-line is not in the offer")
    taken: dict[str, list[NegotiatedCodec]] = {}
    for section in usable:
        codecs = choose(section, video_codecs)
        if codecs:
            taken[section.mid] = codecs
        elif section.mid in sources:
            raise unsupported(f"no codec in common for {section.kind}")
    accepted = [m for m in usable if m.mid in taken]
    check_bundle(offer, accepted)
    remote = remote_transport(offer, accepted, ("actpass", "active"))

    answer = SessionDescription(str(origin_id), str(version), ice_lite=True)
    answer.bundle = [m.mid for m in accepted]
    ids: dict[str, int] = {}
    tracks: list[UplinkTrack] = []
    for section in offer.media:
        codecs = taken.get(section.mid, []) if section in accepted else []
        if not codecs:
            answer.media.append(rejected_section(section))
            continue
        source = sources.get(section.mid)
        if source is not None and (source in AUDIO_SOURCES) != (section.kind == "audio"):
            raise unsupported(f"{section.kind} m-line named {source}")
        live = section.sends and source is not None
        answered = _answer_section(
            section, codecs, local, ids, live=live, first=section is accepted[0]
        )
        answer.media.append(answered)
        if live and source is not None:
            tracks.append(
                UplinkTrack(
                    mid=section.mid,
                    kind="audio" if section.kind == "audio" else "video",
                    source=source,
                    # In an order of its own, so that a producer stays as it is.
                    codecs=tuple(c for c in choose(section, VIDEO_CODECS) if c in codecs),
                    encodings=_encodings(section),
                )
            )
    extensions = ExtensionIds(**ids)
    offered_cc = any("transport-cc" in c.feedback for m in answer.media for c in m.codecs)
    description = UplinkDescription(
        tracks=tuple(tracks),
        extensions=extensions,
        transport_cc=offered_cc and extensions.transport_cc != 0,
        remote=remote,
    )
    return serialize(answer), description


def _answer_section(
    offered: MediaSection,
    codecs: Sequence[NegotiatedCodec],
    local: LocalTransport,
    ids: dict[str, int],
    *,
    live: bool,
    first: bool,
) -> MediaSection:
    lines = answer_codecs(offered, codecs)
    formats = [c.payload_type for c in lines]
    section = our_section(offered.kind, offered.mid, formats, local, first=first)
    section.setup = "passive"
    section.direction = "recvonly" if live else "inactive"
    section.codecs = lines
    section.extensions = accept_extensions(offered, ids)
    if live and offered.simulcast_send:
        rids = _simulcast_rids(offered)
        section.rids = [Rid(rid, "recv") for rid in rids]
        section.simulcast_recv = rids
    return section


def _simulcast_rids(offered: MediaSection) -> list[str]:
    declared = {rid.id for rid in offered.rids if rid.direction == "send"}
    rids = [rid for rid in offered.simulcast_send if rid in declared]
    if not rids or len(rids) > MAX_ENCODINGS:
        raise unsupported("simulcast")
    return rids


def _encodings(section: MediaSection) -> tuple[UplinkEncoding, ...]:
    """By rid where there is simulcast (RFC 8853), else by signalled SSRCs, else by nothing."""
    if section.simulcast_send:
        return tuple(UplinkEncoding(rid=rid) for rid in _simulcast_rids(section))
    rtx = {g.ssrcs[0]: g.ssrcs[1] for g in section.ssrc_groups if _is_pair(g.semantics, g.ssrcs)}
    layers = next((g.ssrcs for g in section.ssrc_groups if g.semantics == "SIM"), ())
    if layers and len(layers) <= MAX_ENCODINGS:
        return tuple(UplinkEncoding(ssrc=s, rtx_ssrc=rtx.get(s, 0)) for s in layers)
    media = [ssrc for ssrc in section.ssrcs if ssrc not in rtx.values()]
    if not media:
        return (UplinkEncoding(),)
    return (UplinkEncoding(ssrc=media[0], rtx_ssrc=rtx.get(media[0], 0)),)


def _is_pair(semantics: str, ssrcs: tuple[int, ...]) -> bool:
    return semantics == "FID" and len(ssrcs) == 2
