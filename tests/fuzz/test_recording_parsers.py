"""Whatever a publisher sends and whatever is on the disk: a result or our own error, at once."""

from __future__ import annotations

import contextlib
import tempfile
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from fuzz.test_media_parsers import mutations
from light import encoded
from recordings.feeding import ORIGIN, Stream, video_track
from twinclass_recordings import manifest as m
from twinclass_recordings.recorder import journal
from twinclass_recordings.recorder.frames import H264Frames, Vp8Frames
from twinclass_recordings.recorder.mp4 import Sample, fragment, h264_header, opus_header
from twinclass_recordings.recorder.part import Part
from twinclass_recordings.recorder.reorder import Gap, Reorder
from twinclass_recordings.recorder.track import Track
from twinclass_recordings.recorder.webm import cluster, vp8_header
from twinclass_recordings.scan import ScanError, scan

payloads = st.lists(
    st.tuples(st.integers(0, 2), st.booleans(), st.binary(max_size=60)), max_size=40
)
SAMPLES = [Sample(at * 3000, 3000, b"frame", at == 0) for at in range(5)]
SPS, PPS = bytes.fromhex("6742c01fda014016e840"), bytes.fromhex("68ce3c80")
MP4 = h264_header(SPS, PPS, 320, 180) + fragment(1, SAMPLES) + fragment(2, SAMPLES)
SOUND = opus_header() + fragment(1, SAMPLES)
WEBM = vp8_header(320, 180) + cluster(SAMPLES) + cluster(SAMPLES)


@given(payloads)
def test_payloads_never_raise_and_frames_are_bounded(sent: list[tuple[int, bool, bytes]]) -> None:
    for frames in (H264Frames(), Vp8Frames()):
        for timestamp, marker, payload in sent:
            frame = frames.push(timestamp, int(marker), payload)
            assert frame is None or len(frame.data) < 10_000


@given(st.data())
def test_real_packets_with_bytes_changed_never_raise(data: st.DataObject) -> None:
    for codec, frames in (("H264", H264Frames()), ("VP8", Vp8Frames())):
        for one in encoded.video(codec, 160, 90, 4, 25, 2):
            for at, payload in enumerate(one.payloads):
                sent = data.draw(mutations(payload)) if data.draw(st.booleans()) else payload
                frames.push(7, int(at == len(one.payloads) - 1), sent)


@given(st.lists(st.tuples(st.integers(0, 65535), st.floats(0, 2)), max_size=120))
def test_packets_come_out_once_and_in_order(sent: list[tuple[int, float]]) -> None:
    reorder: Reorder[int] = Reorder()
    now = 0.0
    out: list[int] = []
    for number, pause in sent:
        now += pause
        found = [*reorder.push(number, number, now), *reorder.due(now)]
        out += [one for one in found if not isinstance(one, Gap)]
    out += [one for one in reorder.due(now + 10) if not isinstance(one, Gap)]
    assert len(out) <= len(sent)


class _Nowhere:
    """Files that nobody keeps."""

    def __init__(self) -> None:
        self.number = 0

    def next_number(self) -> int:
        self.number += 1
        return self.number

    def begin(self, track: Track, part: Part) -> None: ...

    def append(self, part: Part, data: bytes) -> bool:
        return True

    def correct(self, part: Part) -> None: ...

    def end(self, part: Part, cause: journal.EndCause) -> None: ...


@given(st.lists(st.tuples(st.integers(0, 3), st.binary(max_size=80), st.floats(0, 3)), max_size=60))
def test_a_track_takes_whatever_the_pipe_brings(sent: list[tuple[int, bytes, float]]) -> None:
    track = Track(video_track(layers=3), ORIGIN, _Nowhere(), 0.0)
    stream = Stream(102, 90_000)
    now = 0.0
    for layer, body, pause in sent:
        now += pause
        track.packet(layer, body, now, ORIGIN + now)
        for packet in stream.packets((body,), now):
            track.packet(layer, packet, now, ORIGIN + now)
        track.report(layer, len(body), ORIGIN + now)
        track.tick(now)
        track.wants_keyframe(now)
        track.missing(now)
    track.finish("finished", now)


@given(st.sampled_from([MP4, SOUND, WEBM]).flatmap(mutations), st.sampled_from([".mp4", ".webm"]))
def test_files_are_scanned_or_refused(data: bytes, ending: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"0001{ending}"
        path.write_bytes(data)
        try:
            found = scan(path)
        except ScanError:
            return
        assert found.good <= len(data)
        assert all(piece.offset + piece.length <= len(data) for piece in found.pieces)


@given(st.binary(max_size=400))
def test_journals_and_manifests_are_read_or_refused(data: bytes) -> None:
    assert isinstance(journal.decode(data), list)
    with contextlib.suppress(m.ManifestError):
        m.decode(data)
