"""As much session description as these peers need: read an offer, write an offer or an answer.

Spec: RFC 8866, RFC 8829 (BUNDLE with one transport, rtcp-mux), RFC 8839 (ICE), RFC 8842 (DTLS).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from peers import Peer
from tracks import Kind, Track

CODECS: dict[Kind, str] = {"video": "VP8/90000", "audio": "opus/48000/2"}
PAYLOAD_TYPES: dict[Kind, int] = {"video": 96, "audio": 111}
FEEDBACK: dict[Kind, tuple[str, ...]] = {"video": ("nack", "nack pli", "goog-remb"), "audio": ()}
AUDIO_LEVEL = "urn:ietf:params:rtp-hdrext:ssrc-audio-level"


@dataclass
class Section:
    """One m-line of the other side."""

    kind: Kind
    mid: str = ""
    payload_type: int = 0
    ssrc: int = 0


@dataclass
class Remote:
    """What the other side says of itself."""

    ufrag: str = ""
    password: str = ""
    address: tuple[str, int] = ("", 0)
    sections: list[Section] = field(default_factory=list)


def parse(text: str) -> Remote:
    """Reads an offer or answer. Of several the first UDP candidate, codec and SSRC are taken."""
    remote = Remote()
    for line in text.splitlines():
        name, _, value = line.partition(":")
        if line.startswith("m="):
            remote.sections.append(Section("video" if line.startswith("m=video") else "audio"))
        elif name == "a=ice-ufrag":
            remote.ufrag = value
        elif name == "a=ice-pwd":
            remote.password = value
        elif name == "a=candidate" and not remote.address[0]:
            words = value.split()
            if words[2].lower() == "udp":
                remote.address = words[4], int(words[5])
        elif remote.sections:
            _attribute(remote.sections[-1], name, value)
    return remote


def _attribute(section: Section, name: str, value: str) -> None:
    if name == "a=mid":
        section.mid = value
    elif name == "a=rtpmap" and not section.payload_type:
        number, _, codec = value.partition(" ")
        if codec.lower() == CODECS[section.kind].lower():
            section.payload_type = int(number)
    elif name == "a=ssrc" and not section.ssrc:
        section.ssrc = int(value.split(maxsplit=1)[0])


def _head(mids: Sequence[str]) -> list[str]:
    return ["v=0", "o=- 1 1 IN IP4 127.0.0.1", "s=-", "t=0 0", f"a=group:BUNDLE {' '.join(mids)}"]


def _section(peer: Peer, section: Section, direction: str) -> list[str]:
    number = section.payload_type
    lines = [
        f"m={section.kind} 9 UDP/TLS/RTP/SAVPF {number}",
        "c=IN IP4 0.0.0.0",
        f"a=mid:{section.mid}",
        f"a={direction}",
        "a=rtcp-mux",
        f"a=ice-ufrag:{peer.ufrag}",
        f"a=ice-pwd:{peer.password}",
        f"a=fingerprint:sha-256 {peer.identity.fingerprint}",
        # The peer begins the handshake.
        "a=setup:active",
        f"a=rtpmap:{number} {CODECS[section.kind]}",
        *(f"a=rtcp-fb:{number} {one}" for one in FEEDBACK[section.kind]),
    ]
    if section.ssrc:
        lines.append(f"a=ssrc:{section.ssrc} cname:bench")
    return lines


def offer(
    peer: Peer,
    tracks: Sequence[Track],
    direction: str = "sendonly",
    payload_types: dict[Kind, int] = PAYLOAD_TYPES,
    *,
    bound: bool = False,
) -> str:
    """An offer to send ``tracks``, or to receive what there is of their kinds.

    ``bound``: the peer's socket is; the offer names its address, which an agent that is not lite
    wants to know.
    """
    lines = _head([str(mid) for mid in range(len(tracks))])
    for mid, track in enumerate(tracks):
        ssrc = track.ssrc if direction == "sendonly" else 0
        one = Section(track.kind, str(mid), payload_types[track.kind], ssrc)
        lines += _section(peer, one, direction)
        if bound:
            host, port = peer.local_address()
            lines.append(f"a=candidate:1 1 udp 2130706431 {host} {port} typ host")
        elif track.kind == "audio":
            lines.append(f"a=extmap:1 {AUDIO_LEVEL}")
    return "\r\n".join([*lines, ""])


def answer(peer: Peer, remote: Remote) -> str:
    """An answer that receives everything."""
    lines = _head([one.mid for one in remote.sections])
    for one in remote.sections:
        own = Section(one.kind, one.mid, one.payload_type)
        lines += _section(peer, own, "recvonly")
    return "\r\n".join([*lines, ""])
