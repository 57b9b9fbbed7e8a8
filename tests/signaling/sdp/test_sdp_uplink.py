"""Answers to what clients offer to send."""

from __future__ import annotations

from pathlib import Path

import pytest
from aiortc import RTCPeerConnection, RTCSessionDescription
from hypothesis import given, settings
from hypothesis import strategies as st

from twinclass_signaling.errors import SdpError
from twinclass_signaling.roles import Source
from twinclass_signaling.sdp.description import SessionDescription
from twinclass_signaling.sdp.negotiation import HostAddress, LocalTransport, candidate_lines
from twinclass_signaling.sdp.parser import parse
from twinclass_signaling.sdp.uplink import UplinkDescription, UplinkEncoding, answer_uplink

FIXTURES = Path(__file__).parent / "fixtures"
LOCAL = LocalTransport(
    "0123456789abcdef",
    "p" * 24,
    "sha-256",
    ":".join(["AB"] * 32),
    (
        HostAddress("udp", "127.0.0.1", 7900),
        HostAddress("udp", "::1", 7900),
        HostAddress("tcp", "127.0.0.1", 7900),
    ),
)
PAGE: dict[str, Source] = {"0": "microphone", "1": "camera"}


def text(name: str) -> str:
    return (FIXTURES / f"{name}.sdp").read_bytes().decode()


def answer(sdp: str, sources: dict[str, Source]) -> tuple[SessionDescription, UplinkDescription]:
    written, description = answer_uplink(parse(sdp), sources, LOCAL, origin_id=7, version=1)
    return parse(written), description


def test_chromium_simulcast_is_answered_h264_first_with_all_layers() -> None:
    answered, description = answer(text("chromium_simulcast"), PAGE)
    audio, video = answered.media
    assert answered.ice_lite
    assert answered.bundle == ["0", "1"]
    assert [c.name for c in video.codecs] == ["H264", "rtx", "VP8", "rtx"]
    assert video.codecs[0].payload_type == 108
    assert video.simulcast_recv == ["q", "h", "f"]
    assert [(r.id, r.direction) for r in video.rids] == [
        ("q", "recv"),
        ("h", "recv"),
        ("f", "recv"),
    ]
    assert {e.id for e in video.extensions} == {2, 3, 4, 10, 11}
    assert audio.codecs[0].parameter("useinbandfec") == "1"
    assert audio.codecs[0].parameter("usedtx") == "1"
    assert (audio.setup, audio.direction) == ("passive", "recvonly")
    camera = description.tracks[1]
    assert [e.rid for e in camera.encodings] == ["q", "h", "f"]
    assert [(c.name, c.payload_type, c.rtx_payload_type) for c in camera.codecs] == [
        ("H264", 108, 109),
        ("VP8", 96, 97),
    ]
    assert description.transport_cc
    assert description.extensions.repaired_rid == 11


def test_the_codec_that_is_preferred_stands_first_in_the_answer_only() -> None:
    offer = parse(text("chromium_simulcast"))
    written, description = answer_uplink(
        offer, PAGE, LOCAL, origin_id=7, version=1, video_codecs=("VP8", "H264")
    )
    names = [c.name for c in parse(written).media[1].codecs if c.name != "rtx"]
    assert names == ["VP8", "H264"]
    assert [c.name for c in description.tracks[1].codecs] == ["H264", "VP8"]


def test_candidates_stand_once_with_udp_before_tcp() -> None:
    answered, _ = answer(text("chromium_simulcast"), PAGE)
    first, second = answered.media
    assert [c.protocol for c in first.candidates] == ["udp", "udp", "tcp"]
    assert first.candidates[2].tcptype == "passive"
    priorities = [c.priority for c in first.candidates]
    assert priorities == sorted(priorities, reverse=True)
    assert first.end_of_candidates
    assert not second.candidates


def test_firefox_without_h264_is_answered_in_vp8_with_mirrored_directions() -> None:
    sources: dict[str, Source] = {"0": "camera", "1": "microphone", "2": "screen"}
    answered, description = answer(text("firefox_simulcast_screen"), sources)
    assert [c.name for c in answered.media[0].codecs] == ["VP8", "rtx"]
    assert {e.id: e.direction for e in answered.media[0].extensions}[9] == "recvonly"
    assert [m.direction for m in answered.media] == ["recvonly"] * 3 + ["inactive"]
    assert [t.source for t in description.tracks] == ["camera", "microphone", "screen"]
    assert [e.rid for e in description.tracks[0].encodings] == ["q", "h", "f"]
    assert description.tracks[2].encodings[0].rtx_ssrc != 0


def test_a_single_encoding_is_known_by_its_signalled_ssrcs() -> None:
    _, description = answer(text("chromium_plain"), PAGE)
    assert description.tracks[1].encodings == (UplinkEncoding(ssrc=4188539080, rtx_ssrc=103397947),)


def test_a_data_channel_is_rejected_and_the_rest_taken() -> None:
    answered, _ = answer(text("chromium_plain"), PAGE)
    assert [m.port for m in answered.media] == [9, 9, 0]
    assert answered.bundle == ["0", "1"]


def test_obs_is_answered_without_transport_cc() -> None:
    answered, description = answer(text("obs"), PAGE)
    assert [c.name for c in answered.media[1].codecs] == ["H264"]
    assert answered.media[1].codecs[0].feedback == ["goog-remb", "nack", "nack pli"]
    assert not description.transport_cc
    assert description.tracks[1].encodings == (UplinkEncoding(ssrc=2183012432),)


def test_high_profile_is_taken_when_there_is_no_baseline() -> None:
    sdp = text("obs").replace("profile-level-id=42e01f", "profile-level-id=640c1f")
    answered, _ = answer(sdp, PAGE)
    assert answered.media[1].codecs[0].parameter("profile-level-id") == "640c1f"


def test_the_case_of_the_offer_is_kept() -> None:
    answered, _ = answer(text("obs").replace("H264/90000", "h264/90000"), PAGE)
    assert answered.media[1].codecs[0].name == "h264"


async def test_aiortc_takes_our_answer() -> None:
    connection = RTCPeerConnection()
    connection.addTransceiver("audio", direction="sendonly")
    connection.addTransceiver("video", direction="sendonly")
    await connection.setLocalDescription(await connection.createOffer())
    written, description = answer_uplink(
        parse(connection.localDescription.sdp), PAGE, LOCAL, origin_id=1, version=1
    )
    await connection.setRemoteDescription(RTCSessionDescription(written, "answer"))
    await connection.close()
    assert [t.source for t in description.tracks] == ["microphone", "camera"]
    assert description.tracks[1].codecs[0].name == "H264"


BAD = {
    "dtls server": ("a=setup:actpass", "a=setup:passive"),
    "no rtcp-mux": ("a=rtcp-mux\r\n", ""),
    "no fingerprint": ("a=fingerprint:", "a=x-fingerprint:"),
    "no credentials": ("a=ice-ufrag:", "a=x-ufrag:"),
    "no bundle": ("a=group:BUNDLE 0 1\r\n", ""),
    "no mid": ("a=mid:", "a=x-mid:"),
    "no codec": ("opus/48000/2", "speex/48000/2"),
    "rids without simulcast names": ("a=rid:", "a=x-rid:"),
}


@pytest.mark.parametrize(("old", "new"), BAD.values(), ids=BAD.keys())
def test_what_we_do_not_do_is_refused(old: str, new: str) -> None:
    sdp = text("chromium_simulcast")
    assert old in sdp
    with pytest.raises(SdpError):
        answer(sdp.replace(old, new), PAGE)


def test_a_track_that_is_not_there_or_of_the_wrong_kind_is_refused() -> None:
    sdp = text("chromium_simulcast")
    for sources in ({"9": "camera"}, {"0": "camera"}, {"1": "microphone"}):
        with pytest.raises(SdpError):
            answer(sdp, sources)  # type: ignore[arg-type]


def test_one_extension_with_two_ids_is_refused() -> None:
    sdp = text("chromium_simulcast")
    at = sdp.rindex("a=extmap:4 ")
    with pytest.raises(SdpError):
        answer(sdp[:at] + "a=extmap:8" + sdp[at + 10 :].replace("a=extmap:8 ", "a=x "), PAGE)


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_a_damaged_offer_is_answered_or_refused(data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(["chromium_simulcast", "firefox_simulcast_screen", "obs"]))
    lines = text(name).split("\r\n")
    for _ in range(data.draw(st.integers(1, 6))):
        at = data.draw(st.integers(0, len(lines) - 1))
        other = data.draw(st.integers(0, len(lines) - 1))
        lines[at] = data.draw(st.sampled_from([lines[other], "a=inactive", "a=recvonly", "a=x"]))
    try:
        answered, _ = answer("\r\n".join(lines), PAGE)
    except SdpError:
        return
    assert answered.bundle


def test_the_candidates_of_a_restart_rank_above_all_of_before() -> None:
    addresses = tuple(
        HostAddress(protocol, host, 7900)
        for protocol in ("udp", "tcp")
        for host in ("192.0.2.1", "198.51.100.1")
    )
    first, second = (candidate_lines(addresses, restarts) for restarts in (0, 1))
    for kind in (slice(0, 2), slice(2, 4)):
        before, after = ([line.priority for line in lines[kind]] for lines in (first, second))
        assert min(after) > max(before)
    # TCP stays below UDP, and ours below a browser's own, which would decide alone otherwise.
    assert max(line.priority for line in second[2:]) < min(line.priority for line in first[:2])
    assert max(line.priority for line in candidate_lines(addresses, 10_000)) < 2122194687
