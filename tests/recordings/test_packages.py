"""From a recorder's files to what a player reads."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from msgspec.structs import replace
from PIL import Image

from light.ffmpeg import complaints
from recordings.feeding import H264, OPUS, VP8, Feeding, Stream, audio_track, probe, video_track
from twinclass_recordings import manifest as m
from twinclass_recordings.assemble import Looking, finish, look
from twinclass_recordings.cover import write_cover
from twinclass_recordings.jobs.transcode import transcode
from twinclass_recordings.playlists import can_be_listed, is_over, playlist
from twinclass_recordings.scan import scan


async def test_a_lesson_with_gaps_becomes_runs_and_playlists_that_play(tmp_path: Path) -> None:
    async with Feeding(tmp_path, video_track(), audio_track()) as feeding:
        camera, sound = Stream(H264.payload_type, 90_000), Stream(OPUS.payload_type, 48_000)
        streams = {"lead-camera": camera, "lead-microphone": sound}
        await feeding.play(6.0, streams)
        await feeding.play(6.0, streams, size=(640, 360))
        for _ in range(40):  # the camera is silent for 4 s
            await feeding.play(0.1, {"lead-microphone": sound})
        await feeding.play(6.0, streams)
        await feeding.finish()
    media = finish(feeding.package)
    assert media.duration_s == pytest.approx(22.0, abs=0.05)
    video, audio = sorted(media.tracks, key=lambda track: track.kind, reverse=True)
    assert [len(run.parts) for run in video.runs] == [2, 1]
    assert video.runs[0].duration_s == pytest.approx(12.0, abs=0.05)
    assert [(gap.cause) for gap in video.gaps] == ["not_sent"]
    assert video.gaps[0].start_s == pytest.approx(12.0, abs=0.1)
    assert video.gaps[0].end_s == pytest.approx(16.0, abs=0.1)
    assert [len(run.parts) for run in audio.runs] == [1]
    for track in media.tracks:
        for run in track.runs:
            if len(run.parts) > 1:
                continue  # ffmpeg knows one map a playlist; Chromium plays these in tests/e2e.
            played = feeding.package.folder / run.playlist
            assert complaints(played) == ""
    for track in media.tracks:
        for run in track.runs:
            for part in run.parts:
                assert len(part.sha256) == 64
                assert part.segments[0].offset == part.header_bytes
                last = part.segments[-1]
                assert last.offset + last.length == part.bytes
                lasts = sum(segment.duration_s for segment in part.segments)
                assert lasts == pytest.approx(part.duration_s, abs=0.01)
    assert "avc1.42c0" in video.runs[0].parts[0].mime


async def test_a_vp8_file_gets_a_duration_and_can_be_sought_in(tmp_path: Path) -> None:
    async with Feeding(tmp_path, video_track()) as feeding:
        await feeding.play(6.0, {"lead-camera": Stream(VP8.payload_type, 90_000)}, codec="VP8")
        await feeding.finish()
    before = look(feeding.package).tracks[0].runs[0]
    assert before.duration_s == pytest.approx(6.0, abs=0.1)
    media = finish(feeding.package)
    run = media.tracks[0].runs[0]
    assert run.playlist == ""
    path = feeding.package.folder / run.parts[0].path
    assert len(probe(path)) == 150
    shown = subprocess.run(
        ["ffprobe", "-v", "error", "-show_entries", "format=duration", "-of", "csv=p=0", str(path)],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert float(shown.stdout) == pytest.approx(6.0, abs=0.1)
    assert finish(feeding.package).tracks[0].runs[0].parts == run.parts


async def test_a_lesson_is_looked_at_while_it_is_recorded(tmp_path: Path) -> None:
    async with Feeding(tmp_path, video_track(), audio_track()) as feeding:
        streams = {
            "lead-camera": Stream(H264.payload_type, 90_000),
            "lead-microphone": Stream(OPUS.payload_type, 48_000),
        }
        looking = Looking()
        for seconds in (3.0, 6.0, 9.0):
            await feeding.play(3.0, streams)
            await feeding.settle()
            media = look(feeding.package, looking)
            assert len(media.tracks) == 2
            # At most a piece, and the frame that waits for its successor, are not on disk.
            assert seconds - 0.8 < media.duration_s <= seconds
        whole = look(feeding.package)
        assert whole == media
        await feeding.finish()


async def test_half_a_piece_at_the_end_is_not_counted(tmp_path: Path) -> None:
    async with Feeding(tmp_path, video_track()) as feeding:
        await feeding.play(6.0, {"lead-camera": Stream(H264.payload_type, 90_000)})
        await feeding.finish()
    path = feeding.package.folder / look(feeding.package).tracks[0].runs[0].parts[0].path
    data = path.read_bytes()
    whole = scan(path)
    ends = {piece.offset + piece.length for piece in whole.pieces}
    for size in range(0, len(data), 997):
        path.write_bytes(data[:size])
        if size < whole.header_bytes:
            continue
        found = scan(path)
        assert found.good == max({e for e in ends if e <= size}, default=whole.header_bytes)


async def test_a_cover_is_a_real_frame_and_no_picture_is_no_cover(tmp_path: Path) -> None:
    async with Feeding(tmp_path, video_track(), audio_track()) as feeding:
        streams = {
            "lead-camera": Stream(H264.payload_type, 90_000),
            "lead-microphone": Stream(OPUS.payload_type, 48_000),
        }
        await feeding.play(4.0, streams)
        await feeding.finish()
    package = feeding.package
    media = finish(package)
    made = m.Manifest("lesson-1", "示例课", 0.0, media.duration_s, "closed", media.tracks)
    package.manifest.write_bytes(m.encode(made))
    assert write_cover(package)
    with Image.open(package.folder / "cover.jpg") as picture:
        assert picture.size == (640, 360)
        # A drawn ramp, not a black picture.
        assert len(set(picture.convert("L").resize((16, 9)).tobytes())) > 20
    silent = tuple(track for track in media.tracks if track.kind == "audio")
    package.manifest.write_bytes(m.encode(replace(made, tracks=silent)))
    assert not write_cover(package)


async def test_vp8_becomes_h264_that_stands_where_it_stood(tmp_path: Path) -> None:
    async with Feeding(tmp_path, video_track(), audio_track()) as feeding:
        camera, sound = Stream(VP8.payload_type, 90_000), Stream(OPUS.payload_type, 48_000)
        streams = {"lead-camera": camera, "lead-microphone": sound}
        await feeding.play(5.0, streams, codec="VP8")
        await feeding.play(3.0, streams, codec="VP8", size=(640, 360))
        await feeding.finish()
    package = feeding.package
    media = finish(package)
    made = m.Manifest("lesson-1", "示例课", 0.0, media.duration_s, "closed", media.tracks)
    package.manifest.write_bytes(m.encode(made))
    shares = list(transcode(package))
    assert shares == sorted(shares)
    assert shares[-1] == 1.0
    after = m.decode(package.manifest.read_bytes())
    [run] = next(track for track in after.tracks if track.kind == "video").runs
    assert run.playlist
    assert [part.width for part in run.transcoded] == [320, 640]
    for old, new in zip(run.parts, run.transcoded, strict=True):
        assert new.start_s == old.start_s
        assert new.duration_s == pytest.approx(old.duration_s, abs=0.05)
        before, pictures = probe(package.folder / old.path), probe(package.folder / new.path)
        assert len(pictures) == len(before)
        assert [at for at, _ in pictures] == pytest.approx([at for at, _ in before], abs=0.002)
    assert list(transcode(package)) == [1.0]


async def test_silence_that_was_not_sent_lasts_as_long_as_it_did(tmp_path: Path) -> None:
    """A silent microphone sends one byte every 400 ms; decoders give 20 ms for it."""
    async with Feeding(tmp_path, audio_track()) as feeding:
        sound = Stream(OPUS.payload_type, 48_000)
        await feeding.play(2.0, {"lead-microphone": sound})
        began = feeding.now
        for n in range(10):
            feeding.now = began + n * 0.4
            feeding.push("lead-microphone", sound.packets((b"\x78",), feeding.now))
            feeding.tick()
        feeding.now = began + 4.0
        await feeding.play(2.0, {"lead-microphone": sound})
        await feeding.finish()
    [run] = finish(feeding.package).tracks[0].runs
    [part] = run.parts
    assert part.duration_s == pytest.approx(8.0, abs=0.05)
    path = feeding.package.folder / part.path
    assert complaints(path) == ""
    decoded = subprocess.run(
        ["ffmpeg", "-v", "error", "-i", str(path), "-ac", "1", "-ar", "48000", "-f", "s16le", "-"],
        capture_output=True, check=True,
    ).stdout  # fmt: skip
    assert len(decoded) / 2 / 48_000 == pytest.approx(8.0, abs=0.05)


async def test_what_a_growing_playlist_says_once_it_says_for_ever(tmp_path: Path) -> None:
    """A player fetches a segment once: were it to grow later, a hole would be played."""
    async with Feeding(tmp_path, video_track(), audio_track()) as feeding:
        streams = {
            "lead-camera": Stream(H264.payload_type, 90_000),
            "lead-microphone": Stream(OPUS.payload_type, 48_000),
        }
        said: dict[str, str] = {}
        looking = Looking(segment_s=3.0)
        grown = 0
        for _ in range(24):
            await feeding.play(0.5, streams)
            await feeding.settle()
            media = look(feeding.package, looking)
            for track in media.tracks:
                for run in track.runs:
                    if not can_be_listed(run, media.duration_s):
                        continue
                    text = playlist(run.parts, run.start_s, media.origin_unix, is_live=True)
                    lines = [x for x in text.splitlines() if "TARGETDURATION" not in x]
                    before = said.get(run.id, "").splitlines()
                    assert lines[: len(before)] == before
                    grown += len(lines) > len(before)
                    assert "#EXTINF" in text
                    said[run.id] = "\n".join(lines)
        assert grown > 3
        await feeding.finish()
    [whole] = [x for t in finish(feeding.package).tracks for x in t.runs if t.kind == "video"]
    assert is_over(whole, whole.start_s + whole.duration_s + 6)
    assert not is_over(whole, whole.start_s + whole.duration_s + 3)
