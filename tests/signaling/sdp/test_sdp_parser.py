"""The parser: what real peers send, and everything that is wrong."""

from __future__ import annotations

import contextlib
from pathlib import Path

import pytest
from aiortc import RTCPeerConnection, RTCRtpSender
from hypothesis import given, settings
from hypothesis import strategies as st

from twinclass_signaling.errors import SdpError
from twinclass_signaling.messages import MAX_SDP_CHARS
from twinclass_signaling.sdp.parser import MAX_LINES, MAX_MEDIA, parse, parse_fragment
from twinclass_signaling.sdp.serializer import serialize

FIXTURES = Path(__file__).parent / "fixtures"
NAMES = sorted(p.name for p in FIXTURES.glob("*.sdp"))
HEAD = "v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n"


def fixture(name: str) -> str:
    return (FIXTURES / name).read_bytes().decode()


@pytest.mark.parametrize("name", NAMES)
def test_what_browsers_and_encoders_send_survives_a_round_trip(name: str) -> None:
    first = parse(fixture(name))
    again = parse(serialize(first))
    assert [m.kind for m in again.media] == [m.kind for m in first.media]
    for one, two in zip(first.media, again.media, strict=True):
        assert two.codecs == one.codecs
        assert two.extensions == one.extensions
        assert (two.rids, two.simulcast_send) == (one.rids, one.simulcast_send)
        assert (two.ssrcs, two.ssrc_groups) == (one.ssrcs, one.ssrc_groups)
        assert (two.ice_ufrag, two.fingerprints, two.setup) == (
            one.ice_ufrag,
            one.fingerprints,
            one.setup,
        )


def test_chromium_simulcast_is_read_in_full() -> None:
    audio, video = parse(fixture("chromium_simulcast.sdp")).media
    assert (audio.kind, audio.mid, audio.direction) == ("audio", "0", "sendonly")
    assert audio.codecs[0].name == "opus"
    assert audio.codecs[0].channels == 2
    assert video.simulcast_send == ["q", "h", "f"]
    assert [r.id for r in video.rids] == ["q", "h", "f"]
    h264 = [c for c in video.codecs if c.name == "H264"]
    assert [c.parameter("profile-level-id") for c in h264][:3] == ["42001f", "42001f", "42e01f"]
    assert "nack pli" in h264[0].feedback
    assert video.rtcp_mux
    assert video.setup == "actpass"


def test_firefox_puts_the_fingerprint_on_the_session_and_bundles_with_port_zero() -> None:
    audio, video = parse(fixture("firefox_simulcast.sdp")).media
    assert audio.fingerprints == video.fingerprints
    assert video.port == 0
    assert video.bundle_only
    assert not video.is_rejected
    assert {e.id: e.direction for e in video.extensions}[9] == "sendonly"
    assert [g.semantics for g in video.ssrc_groups] == ["FID", "FID", "FID"]


async def test_aiortc_offers_are_read() -> None:
    connection = RTCPeerConnection()
    connection.addTransceiver("audio", direction="sendonly")
    transceiver = connection.addTransceiver("video", direction="sendonly")
    codecs = RTCRtpSender.getCapabilities("video").codecs
    transceiver.setCodecPreferences([c for c in codecs if c.name == "H264"])
    await connection.setLocalDescription(await connection.createOffer())
    audio, video = parse(connection.localDescription.sdp).media
    await connection.close()
    assert audio.codecs[0].name == "opus"
    assert {c.name for c in video.codecs} == {"H264"}
    assert video.ssrcs
    assert video.setup == "actpass"


def test_codec_names_keep_their_case() -> None:
    sdp = HEAD + "m=video 9 UDP/TLS/RTP/SAVPF 96\r\na=rtpmap:96 h264/90000\r\n"
    assert parse(sdp).media[0].codecs[0].name == "h264"
    assert "a=rtpmap:96 h264/90000\r\n" in serialize(parse(sdp))


def test_feedback_for_all_is_given_to_each() -> None:
    sdp = HEAD + (
        "m=video 9 UDP/TLS/RTP/SAVPF 96 97\r\na=rtcp-fb:* nack pli\r\na=rtcp-fb:97 nack\r\n"
        "a=rtpmap:96 VP8/90000\r\na=rtpmap:97 H264/90000\r\n"
    )
    one, two = parse(sdp).media[0].codecs
    assert one.feedback == ["nack pli"]
    assert two.feedback == ["nack", "nack pli"]


def test_alternatives_and_paused_layers_of_simulcast_are_read() -> None:
    sdp = HEAD + (
        "m=video 9 UDP/TLS/RTP/SAVPF 96\r\na=rid:a send\r\na=rid:b send\r\n"
        "a=simulcast:send a,c;~b recv x\r\n"
    )
    section = parse(sdp).media[0]
    assert section.simulcast_send == ["a", "b"]
    assert section.simulcast_recv == ["x"]


MALFORMED = {
    "nothing": "",
    "no version": "o=- 1 2 IN IP4 0.0.0.0\r\n",
    "other version": "v=1\r\n",
    "two versions": HEAD + "v=0\r\n",
    "no equals sign": HEAD + "hello\r\n",
    "unknown type": HEAD + "y=1\r\n",
    "lone carriage return": HEAD + "a=mid:0\ra=mid:1\r\n",
    "null": HEAD + "a=mid:\x00\r\n",
    "empty line inside": HEAD + "\r\nm=audio 9 UDP/TLS/RTP/SAVPF 0\r\n",
    "short origin": "v=0\r\no=- 1\r\n",
    "origin not a number": "v=0\r\no=- x 1 IN IP4 0.0.0.0\r\n",
    "m-line without formats": HEAD + "m=audio 9 UDP/TLS/RTP/SAVPF\r\n",
    "m-line with two spaces": HEAD + "m=audio  9 UDP/TLS/RTP/SAVPF 0\r\n",
    "payload type 128": HEAD + "m=audio 9 UDP/TLS/RTP/SAVPF 128\r\n",
    "payload type twice": HEAD + "m=audio 9 UDP/TLS/RTP/SAVPF 96 96\r\n",
    "superscript payload type": HEAD + "m=audio 9 UDP/TLS/RTP/SAVPF ²\r\n",
    "port 70000": HEAD + "m=audio 70000 UDP/TLS/RTP/SAVPF 0\r\n",
    "line too long": HEAD + "a=x:" + "y" * 3000 + "\r\n",
    "too many lines": HEAD + "a=x\r\n" * MAX_LINES,
    "too many m-lines": HEAD + "m=audio 9 RTP/AVP 0\r\n" * (MAX_MEDIA + 1),
    "too long": HEAD + "a=" + "x" * MAX_SDP_CHARS,
    "too many formats": HEAD + "m=application 9 x " + " ".join(["9"] * 100) + "\r\n",
    "mid twice": HEAD + "m=audio 9 RTP/AVP 0\r\na=mid:0\r\nm=audio 9 RTP/AVP 0\r\na=mid:0\r\n",
    "group of a stranger": HEAD + "a=group:BUNDLE 7\r\nm=audio 9 RTP/AVP 0\r\na=mid:0\r\n",
    "two groups": HEAD + "a=group:BUNDLE\r\na=group:BUNDLE 0\r\na=group:BUNDLE 0\r\n",
}
LINES = {
    "rtpmap without clock": "a=rtpmap:96 VP8",
    "rtpmap number": "a=rtpmap:x VP8/90000",
    "rtpmap clock": "a=rtpmap:96 VP8/0",
    "rtpmap name": "a=rtpmap:96 V P8/90000",
    "rtpmap long number": "a=rtpmap:" + "9" * 1000 + " VP8/90000",
    "fmtp number": "a=fmtp:x a=b",
    "feedback empty": "a=rtcp-fb:96",
    "extmap zero": "a=extmap:0 urn:x",
    "extmap without uri": "a=extmap:1",
    "extmap direction": "a=extmap:1/up urn:x",
    "mid empty": "a=mid:",
    "mid long": "a=mid:" + "x" * 17,
    "mid spaces": "a=mid:a b",
    "ufrag short": "a=ice-ufrag:abc",
    "ufrag colon": "a=ice-ufrag:ab:cd",
    "pwd short": "a=ice-pwd:abc",
    "fingerprint short": "a=fingerprint:sha-256 AB:CD",
    "fingerprint text": "a=fingerprint:sha-256 hello",
    "setup": "a=setup:now",
    "candidate short": "a=candidate:1 1 udp",
    "candidate port": "a=candidate:1 1 udp 1 127.0.0.1 99999 typ host",
    "candidate host": "a=candidate:1 1 udp 1 a<b 9 typ host",
    "candidate priority": "a=candidate:1 1 udp 99999999999 127.0.0.1 9 typ host",
    "rid direction": "a=rid:q up",
    "rid name": "a=rid:q/h send",
    "simulcast empty": "a=simulcast:",
    "simulcast direction": "a=simulcast:up q",
    "simulcast twice": "a=simulcast:send q send h",
    "simulcast same": "a=simulcast:send q;q",
    "simulcast many": "a=simulcast:send 1;2;3;4;5;6;7;8;9",
    "ssrc": "a=ssrc:4294967296 cname:x",
    "ssrc text": "a=ssrc:x cname:x",
    "group": "a=ssrc-group:FID",
    "msid empty": "a=msid:",
}
REPEATED = {
    "rtpmap twice": ["a=rtpmap:96 VP8/90000"] * 2,
    "fmtp twice": ["a=fmtp:96 a=b"] * 2,
    "extension id twice": ["a=extmap:1 urn:x"] * 2,
    "rid twice": ["a=rid:q send"] * 2,
    "many extensions": [f"a=extmap:{n} urn:x" for n in range(1, 40)],
    "many SSRCs": [f"a=ssrc:{n} cname:x" for n in range(40)],
    "many ssrc-groups": ["a=ssrc-group:FID 1 2"] * 40,
    "many rids": [f"a=rid:{n} send" for n in range(9)],
    "many candidates": ["a=candidate:1 1 udp 1 127.0.0.1 9 typ host"] * 101,
    "many fingerprints": ["a=fingerprint:sha-256 " + ":".join(["AB"] * 32)] * 5,
    "much feedback": ["a=rtcp-fb:96 nack"] * 33,
}
IN_MEDIA = HEAD + "m=video 9 UDP/TLS/RTP/SAVPF 96\r\n"


@pytest.mark.parametrize("sdp", MALFORMED.values(), ids=MALFORMED.keys())
def test_malformed_descriptions_are_refused(sdp: str) -> None:
    with pytest.raises(SdpError) as caught:
        parse(sdp)
    assert caught.value.code == "sdp_malformed"


@pytest.mark.parametrize("line", LINES.values(), ids=LINES.keys())
def test_malformed_attributes_are_refused(line: str) -> None:
    with pytest.raises(SdpError):
        parse(IN_MEDIA + line + "\r\n")


@pytest.mark.parametrize("lines", REPEATED.values(), ids=REPEATED.keys())
def test_too_much_of_anything_is_refused(lines: list[str]) -> None:
    with pytest.raises(SdpError):
        parse(IN_MEDIA + "\r\n".join(lines) + "\r\n")


def test_unknown_attributes_and_high_extension_ids_are_ignored() -> None:
    sdp = IN_MEDIA + "a=future:thing\r\na=extmap:4096 urn:x\r\nb=AS:30\r\n"
    assert parse(sdp).media[0].extensions == []


def test_a_restart_fragment_is_read() -> None:
    fragment = parse_fragment(
        "a=group:BUNDLE 0\r\nm=audio 9 UDP/TLS/RTP/SAVPF 0\r\na=mid:0\r\n"
        "a=ice-ufrag:abcd\r\na=ice-pwd:0123456789012345678901\r\n"
        "a=candidate:1 1 udp 1 a-b.local 9 typ host\r\na=end-of-candidates\r\n"
    )
    assert fragment.ice_ufrag == "abcd"
    assert fragment.candidates[0].host == "a-b.local"
    assert fragment.end_of_candidates


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=2000))
def test_any_text_is_parsed_or_refused(text: str) -> None:
    for parser in (parse, parse_fragment):
        with contextlib.suppress(SdpError):
            parser(text)


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_damaged_offers_are_parsed_or_refused(data: st.DataObject) -> None:
    lines = fixture(data.draw(st.sampled_from(NAMES))).split("\r\n")
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(lines) - 1))
        change = data.draw(st.sampled_from(["cut", "insert", "double", "swap", "drop"]))
        line = lines[at]
        if change == "cut":
            lines[at] = line[: data.draw(st.integers(0, len(line)))]
        elif change == "insert":
            where = data.draw(st.integers(0, len(line)))
            lines[at] = line[:where] + data.draw(st.text(max_size=5)) + line[where:]
        elif change == "double":
            lines.insert(at, line)
        elif change == "swap":
            other = data.draw(st.integers(0, len(lines) - 1))
            lines[at], lines[other] = lines[other], lines[at]
        else:
            del lines[at]
            lines = lines or [""]
    try:
        parsed = parse("\r\n".join(lines))
    except SdpError:
        return
    parse(serialize(parsed))
