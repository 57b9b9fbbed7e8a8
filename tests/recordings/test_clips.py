"""A stretch of a lesson is cut out without encoding, and plays as the lesson did."""

from __future__ import annotations

from pathlib import Path

import pytest
from msgspec.structs import replace

from light.ffmpeg import complaints, packets
from recordings.feeding import H264, OPUS, ORIGIN, VP8, Feeding, Stream, audio_track, video_track
from twinclass_recordings import manifest as m
from twinclass_recordings.assemble import finish
from twinclass_recordings.clip import ClipError, cut, sweep
from twinclass_recordings.consent import without
from twinclass_recordings.package import Package
from twinclass_recordings.scan import ScanError


async def lesson(root: Path, codec: str = "H264") -> tuple[Package, m.Manifest]:
    """Twelve seconds of lead and sound, then seven in which the lead's picture is larger."""
    payload_type = (H264 if codec == "H264" else VP8).payload_type
    async with Feeding(root, video_track(), audio_track()) as feeding:
        streams = {
            "lead-camera": Stream(payload_type, 90_000),
            "lead-microphone": Stream(OPUS.payload_type, 48_000),
        }
        await feeding.play(12.0, streams, codec=codec)
        await feeding.play(7.0, streams, codec=codec, size=(640, 360))
        await feeding.finish()
    media = finish(feeding.package)
    made = m.Manifest(
        lesson="lesson-1", title="有理数的乘法", origin_unix=ORIGIN, duration_s=media.duration_s,
        state="closed", tracks=media.tracks,
        chapters=(
            m.Chapter(0, 6, "phase", m.Text("引入", "Opening")),
            m.Chapter(6, 19, "phase", m.Text("新课", "New")),
            m.Chapter(8, 10, "stage", m.Text("三班上台", "Class 3"), "room-3"),
        ),
        marks=tuple(m.Mark(at, "hand", m.Text("举手", "Hand")) for at in (3, 9)),
        people=(
            m.Person("lead", "lead", m.Text("示例老师", "Demo")),
            m.Person("room-3", "room", m.Text("三班", "Class 3")),
            m.Person("gone", "room", m.Text("九班", "Class 9")),
        ),
    )  # fmt: skip
    return feeding.package, made


def decoded(folder: Path, track: m.Track) -> list[tuple[float, float]]:
    """(time in the clip, time in the file) of all packets of a track."""
    found: list[tuple[float, float]] = []
    for run in track.runs:
        for part in run.parts:
            assert complaints(folder / part.path) == ""
            found += [(part.start_s + at, at) for at, _ in packets(folder / part.path)]
    return found


@pytest.mark.parametrize(("start", "end"), [(5.3, 14.2), (0.0, 4.0), (12.5, 19.0), (7.0, 99.0)])
async def test_a_clip_has_all_of_its_stretch_and_begins_at_a_keyframe(
    tmp_path: Path, start: float, end: float
) -> None:
    source, made = await lesson(tmp_path)
    target = Package.of(tmp_path, "clip-1")
    clip = cut(source, target, made, start, end, "乘法的意义")
    end = min(end, made.duration_s)
    assert m.decode((target.folder / "manifest.json").read_bytes()) == clip
    assert clip.duration_s == pytest.approx(end - start, abs=0.001)
    assert clip.origin_unix == ORIGIN + start
    assert {track.kind for track in clip.tracks} == {"audio", "video"}
    for track in clip.tracks:
        times = decoded(target.folder, track)
        assert times[0][1] == pytest.approx(0.0, abs=0.001)
        # Sound begins at a piece's start, pictures at the keyframe before.
        reach = 0.6 if track.kind == "audio" else 2.1
        assert -reach <= times[0][0] <= max(0.1, made.tracks[0].runs[0].start_s - start + 0.1)
        assert clip.duration_s - 0.1 <= times[-1][0] <= clip.duration_s + 0.7
        for run in track.runs:
            text = (target.folder / run.playlist).read_text()
            assert text.startswith("#EXTM3U")
            assert text.rstrip().endswith("#EXT-X-ENDLIST")
            assert all(part.sha256 and part.segments for part in run.parts)


async def test_a_clip_knows_what_happened_in_it_and_nobody_else(tmp_path: Path) -> None:
    source, made = await lesson(tmp_path)
    clip = cut(source, Package.of(tmp_path, "clip-1"), made, 7.0, 12.0, "三班上台")
    assert [(c.kind, c.start_s, c.end_s) for c in clip.chapters] == [
        ("phase", 0.0, 5.0), ("stage", 1.0, 3.0),
    ]  # fmt: skip
    assert [mark.at_s for mark in clip.marks] == [2.0]
    assert {person.id for person in clip.people} == {"lead", "room-3"}
    assert (clip.title, clip.subtitle) == ("三班上台", "有理数的乘法")


async def test_who_may_not_be_shown_any_more_is_in_no_clip(tmp_path: Path) -> None:
    source, made = await lesson(tmp_path)
    child = replace(made.tracks[1], participant="home-1")
    made = replace(
        made,
        tracks=(made.tracks[0], child),
        marks=(m.Mark(9, "called_on", m.Text("点名：小明", "Called on: Ming"), "home-1"),),
        people=(*made.people, m.Person("home-1", "home_learner", m.Text("小明", "Ming"))),
        presence=(m.Presence("home-1", 0.0, 19.0),),
        cover="cover.jpg",
    )
    assert without(made, frozenset()) == made
    clip = cut(source, Package.of(tmp_path, "clip-1"), without(made, {"home-1"}), 7.0, 12.0, "x")
    assert [track.participant for track in clip.tracks] == ["lead"]
    assert "小明" not in m.encode(clip).decode()
    assert "home-1" not in m.encode(without(made, {"home-1"})).decode()
    assert without(made, {"home-1"}).cover == ""


async def test_what_is_left_of_the_disk_is_for_recording(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source, made = await lesson(tmp_path)
    monkeypatch.setattr("twinclass_recordings.clip.KEEP_FREE", 1 << 60)
    with pytest.raises(ClipError) as refused:
        cut(source, Package.of(tmp_path, "clip-1"), made, 7.0, 12.0, "x")
    assert refused.value.code == "clip_disk_full"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["lesson-1"]


async def test_a_lesson_that_is_not_h264_yet_is_cut_later(tmp_path: Path) -> None:
    source, made = await lesson(tmp_path, "VP8")
    with pytest.raises(ClipError) as refused:
        cut(source, Package.of(tmp_path, "clip-1"), made, 2.0, 8.0, "x")
    assert refused.value.code == "clip_waiting"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["lesson-1"]


@pytest.mark.parametrize(("start", "end"), [(-1.0, 5.0), (5.0, 5.5), (9.0, 2.0), (40.0, 50.0)])
async def test_a_stretch_that_is_none_is_refused(tmp_path: Path, start: float, end: float) -> None:
    source, made = await lesson(tmp_path)
    with pytest.raises(ClipError) as refused:
        cut(source, Package.of(tmp_path, "clip-1"), made, start, end, "x")
    assert refused.value.code == "clip_length"


async def test_a_damaged_file_leaves_no_half_of_a_clip(tmp_path: Path) -> None:
    source, made = await lesson(tmp_path)
    [run] = made.tracks[0].runs
    path = source.folder / run.parts[0].path
    data = bytearray(path.read_bytes())
    at = data.index(b"tfdt")
    data[at : at + 4] = b"xxxx"
    path.write_bytes(data)
    with pytest.raises(ScanError):
        cut(source, Package.of(tmp_path, "clip-1"), made, 2.0, 8.0, "x")
    assert sorted(one.name for one in tmp_path.iterdir()) == ["lesson-1"]
    outside = replace(run, parts=(replace(run.parts[0], path="../../etc/passwd"),))
    hostile = replace(made, tracks=(replace(made.tracks[0], runs=(outside,)),))
    with pytest.raises(ClipError) as refused:
        cut(source, Package.of(tmp_path, "clip-1"), hostile, 2.0, 8.0, "x")
    assert refused.value.code == "clip_broken"


def test_what_a_killed_process_had_cut_is_swept(tmp_path: Path) -> None:
    (tmp_path / ".clip-1.part" / "parts").mkdir(parents=True)
    (tmp_path / "lesson-1").mkdir()
    sweep(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["lesson-1"]
