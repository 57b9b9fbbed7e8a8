"""A page without a browser: writes offers and answers as a browser does, over a light peer."""

from __future__ import annotations

import random

from light.peer import Identity, LightPeer
from twinclass_signaling.sdp.description import SessionDescription
from twinclass_signaling.sdp.parser import parse

AUDIO_LEVEL_ID, TRANSPORT_CC_ID, MID_ID, RID_ID = 1, 3, 4, 10


class LightPage:
    """One peer connection, publishing or viewing. ``lines`` of media are the caller's."""

    def __init__(self, identity: Identity) -> None:
        self.peer = LightPeer(identity)
        self.origin = random.getrandbits(60)
        self._identity = identity
        self._started = False

    def transport_lines(self, setup: str) -> list[str]:
        return [
            f"a=ice-ufrag:{self.peer.ufrag}",
            f"a=ice-pwd:{self.peer.password}",
            f"a=fingerprint:sha-256 {self._identity.fingerprint}",
            f"a=setup:{setup}",
        ]

    def head(self, mids: list[str]) -> list[str]:
        return [
            "v=0",
            f"o=- {self.origin} 2 IN IP4 127.0.0.1",
            "s=-",
            "t=0 0",
            f"a=group:BUNDLE {' '.join(mids)}",
        ]

    def publish_offer(self, audio_ssrc: int, video_ssrc: int) -> str:
        """Microphone (mid 0) and a camera of one encoding (mid 1)."""
        lines = self.head(["0", "1"])
        lines += ["m=audio 9 UDP/TLS/RTP/SAVPF 111", "c=IN IP4 0.0.0.0"]
        lines += [*self.transport_lines("actpass"), "a=mid:0", "a=sendonly", "a=rtcp-mux"]
        lines += [
            f"a=extmap:{AUDIO_LEVEL_ID} urn:ietf:params:rtp-hdrext:ssrc-audio-level",
            "a=rtpmap:111 opus/48000/2",
            "a=fmtp:111 minptime=10;useinbandfec=1",
            f"a=ssrc:{audio_ssrc} cname:light",
        ]
        lines += ["m=video 9 UDP/TLS/RTP/SAVPF 96 97 108 109", "c=IN IP4 0.0.0.0"]
        lines += [*self.transport_lines("actpass"), "a=mid:1", "a=sendonly", "a=rtcp-mux"]
        lines += [
            "a=rtpmap:96 VP8/90000",
            "a=rtcp-fb:96 nack pli",
            "a=rtpmap:97 rtx/90000",
            "a=fmtp:97 apt=96",
            "a=rtpmap:108 H264/90000",
            "a=fmtp:108 packetization-mode=1;profile-level-id=42e01f",
            "a=rtpmap:109 rtx/90000",
            "a=fmtp:109 apt=108",
            f"a=ssrc:{video_ssrc} cname:light",
        ]
        return "\r\n".join(lines) + "\r\n"

    def viewer_offer(self, videos: int = 1) -> str:
        """One sound and some pictures to receive (WHEP)."""
        mids = [str(n) for n in range(videos + 1)]
        lines = self.head(mids)
        for mid in mids:
            kind, formats = ("audio", "111") if mid == "0" else ("video", "96 97")
            lines += [f"m={kind} 9 UDP/TLS/RTP/SAVPF {formats}", "c=IN IP4 0.0.0.0"]
            lines += [*self.transport_lines("actpass"), f"a=mid:{mid}", "a=recvonly"]
            lines += ["a=rtcp-mux", f"a=extmap:{MID_ID} urn:ietf:params:rtp-hdrext:sdes:mid"]
            lines += (
                ["a=rtpmap:111 opus/48000/2"]
                if mid == "0"
                else ["a=rtpmap:96 VP8/90000", "a=rtpmap:97 rtx/90000", "a=fmtp:97 apt=96"]
            )
        return "\r\n".join(lines) + "\r\n"

    def answer(self, offer: str, codecs: tuple[str, ...] = ("opus", "VP8", "H264")) -> str:
        """Takes all m-lines of a server's offer with these codecs."""
        parsed = parse(offer)
        lines = self.head([m.mid for m in parsed.media])
        for section in parsed.media:
            taken = [c for c in section.codecs if c.name in codecs]
            names = [c.payload_type for c in taken]
            taken += [c for c in section.codecs if (c.parameter("apt") or "") in map(str, names)]
            formats = " ".join(str(c.payload_type) for c in taken)
            lines += [f"m={section.kind} 9 UDP/TLS/RTP/SAVPF {formats}", "c=IN IP4 0.0.0.0"]
            lines += [*self.transport_lines("active"), f"a=mid:{section.mid}", "a=recvonly"]
            lines.append("a=rtcp-mux")
            for codec in taken:
                channels = "/2" if codec.channels == 2 else ""
                rtpmap = f"{codec.name}/{codec.clock_rate}{channels}"
                lines.append(f"a=rtpmap:{codec.payload_type} {rtpmap}")
                if codec.format_parameters:
                    lines.append(f"a=fmtp:{codec.payload_type} {codec.format_parameters}")
        return "\r\n".join(lines) + "\r\n"

    def connect(self, description: str | SessionDescription) -> None:
        """Starts ICE and DTLS towards the first UDP candidate of what the server said."""
        if self._started:
            return
        self._started = True
        remote = parse(description) if isinstance(description, str) else description
        first = next(m for m in remote.media if m.candidates)
        host = next(c for c in first.candidates if c.protocol == "udp" and ":" not in c.host)
        self.peer.start((host.host, host.port), first.ice_ufrag, first.ice_pwd)

    def close(self) -> None:
        self.peer.close()
