"""A recorded lesson becomes one file: what is seen and heard in it, and when."""

from __future__ import annotations

import asyncio
import functools
import json
import subprocess
import sys
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path

import av
import msgspec
import numpy as np
import pikepdf
import pytest
from msgspec.structs import replace

from light.ffmpeg import complaints, packets
from recordings.lessons import BLUE, GREEN, RED, WHITE, Colour, changed, two_rooms
from twinclass_recordings import manifest as m
from twinclass_recordings.clip import cut
from twinclass_recordings.jobs.export import DiskFull, archive, export
from twinclass_recordings.jobs.export_scene import Layout, pieces, scenes
from twinclass_recordings.jobs.export_sound import limited
from twinclass_recordings.jobs.export_zip import Names
from twinclass_recordings.jobs.transcode import transcode
from twinclass_recordings.package import Package

BLACK = (0, 0, 0)
PAGE = (230, 200, 40)


@pytest.fixture(scope="module")
def recorded() -> Package:
    """Recorded once: no test changes it."""
    return asyncio.run(two_rooms(Path(tempfile.mkdtemp(prefix="twinclass-export-"))))


@pytest.fixture
def package(recorded: Package, tmp_path: Path) -> Package:
    """A lesson of one's own, to be changed."""
    subprocess.run(["cp", "-r", str(recorded.folder), str(tmp_path / "lesson-1")], check=True)
    return Package(tmp_path / "lesson-1")


@dataclass(frozen=True)
class Decoded:
    pictures: list[np.ndarray]
    times: list[float]
    sound: np.ndarray

    def colour(self, second: float, x: float, y: float) -> Colour:
        picture = self.pictures[round(second * 25)]
        height, width, _ = picture.shape
        red, green, blue = picture[round(y * height), round(x * width)]
        return int(red), int(green), int(blue)

    def loudness(self, start: float, end: float) -> float:
        return float(np.abs(self.sound[round(start * 48000) : round(end * 48000)]).max())

    def begins(self, after: float, above: float) -> float:
        """When it becomes loud after a moment, seconds."""
        first = round(after * 48000)
        return float(first + np.argmax(np.abs(self.sound[first:]) > above)) / 48000


def decoded(path: Path) -> Decoded:
    pictures, times, sound = [], [], []
    with av.open(str(path)) as container:
        video, audio = container.streams.video[0], container.streams.audio[0]
        for frame in container.decode(video, audio):
            if isinstance(frame, av.VideoFrame):
                pictures.append(frame.reformat(320, 180, "rgb24").to_ndarray())
                times.append(float(frame.time or 0.0))
            elif isinstance(frame, av.AudioFrame):
                sound.append(frame.to_ndarray()[0])
    return Decoded(pictures, times, np.concatenate(sound))


def alike(one: Colour, other: Colour) -> bool:
    return all(abs(int(a) - int(b)) < 24 for a, b in zip(one, other, strict=True))


@functools.cache
def made(package: Package, layout: Layout) -> Decoded:
    target = package.folder.parent / f"{layout}.mp4"
    shares = list(export(package, target, layout))
    assert shares[-1] == (1.0, 0)
    assert [share for share, _ in shares] == sorted(share for share, _ in shares)
    assert complaints(target) == ""
    return decoded(target)


def test_a_lesson_is_one_file_with_chapters_that_browsers_play_while_it_loads(
    recorded: Package,
) -> None:
    shown = made(recorded, "auto")
    target = recorded.folder.parent / "auto.mp4"
    assert len(shown.pictures) == 250
    assert shown.times == pytest.approx([number / 25 for number in range(250)], abs=0.001)
    assert len(shown.sound) / 48000 == pytest.approx(10.0, abs=0.03)
    with av.open(str(target)) as container:
        assert container.duration == pytest.approx(10_000_000, abs=30_000)
        assert [one["metadata"]["title"] for one in container.chapters()] == ["导入", "新课"]
        video, audio = container.streams.video[0], container.streams.audio[0]
        assert (video.codec_context.name, audio.codec_context.name) == ("h264", "aac")
        assert (video.width, video.height, video.average_rate) == (1280, 720, 25)
        keyframes = [p.pts * p.time_base for p in container.demux(video) if p.pts and p.is_keyframe]
    assert [float(at) for at in keyframes] == pytest.approx([2.0, 4.0, 6.0, 8.0])
    data = target.read_bytes()
    assert data.index(b"moov") < data.index(b"mdat")
    assert packets(target)


def test_who_taught_is_large_and_a_class_is_small_until_a_screen_is_shared(
    recorded: Package,
) -> None:
    shown = made(recorded, "auto")
    for second, main, corner in (
        (1.0, BLUE, BLUE), (3.0, BLUE, GREEN), (4.5, BLUE, GREEN), (6.9, RED, GREEN),
        (7.9, RED, GREEN), (9.5, BLUE, BLUE),
    ):  # fmt: skip
        assert alike(shown.colour(second, 0.5, 0.5), main), second
        assert alike(shown.colour(second, 0.88, 0.88), corner), second
    # The screen is 4:3: nothing beside it. Above the class stands the teacher.
    assert alike(shown.colour(6.9, 0.05, 0.5), BLACK)
    assert alike(shown.colour(6.9, 0.88, 0.66), BLUE)


def test_each_layout_puts_what_it_says_in_the_large_place(recorded: Package) -> None:
    lead = made(recorded, "lead")
    assert alike(lead.colour(6.9, 0.5, 0.5), BLUE)
    assert alike(lead.colour(6.9, 0.88, 0.66), RED)
    screen = made(recorded, "screen")
    assert alike(screen.colour(3.0, 0.88, 0.88), BLUE)
    assert alike(screen.colour(6.9, 0.5, 0.5), RED)
    assert alike(screen.colour(6.9, 0.85, 0.88), RED)
    side = made(recorded, "side")
    assert alike(side.colour(1.0, 0.75, 0.5), BLUE)
    assert alike(side.colour(3.0, 0.25, 0.5), BLUE)
    assert alike(side.colour(3.0, 0.75, 0.5), GREEN)
    assert alike(side.colour(6.9, 0.25, 0.5), RED)
    assert alike(side.colour(6.9, 0.75, 0.25), BLUE)
    assert alike(side.colour(6.9, 0.75, 0.75), GREEN)


def test_a_flash_and_its_beep_are_together_through_sizes_and_gaps(recorded: Package) -> None:
    shown = made(recorded, "lead")
    for second in (2.0, 6.0, 9.0):
        heard = shown.begins(second - 0.5, 0.2)
        seen = next(
            at for at, picture in zip(shown.times, shown.pictures, strict=True)
            if at > second - 0.5 and alike(tuple(picture[60, 100]), WHITE)
        )  # fmt: skip
        assert abs(heard - seen) < 0.04
        assert abs(seen - second) < 0.04


def test_everybody_is_heard_and_silence_is_silent(recorded: Package) -> None:
    shown = made(recorded, "auto")
    for start, end in ((0.3, 1.9), (2.5, 4.9), (5.6, 5.9), (6.5, 8.9), (9.5, 9.9)):
        assert shown.loudness(start, end) < 0.02, start
    for start in (2.05, 5.05, 6.05, 9.05):
        assert shown.loudness(start, start + 0.1) > 0.3, start


def test_many_voices_at_once_do_not_crackle() -> None:
    quiet = np.linspace(-0.8, 0.8, 1000, dtype=np.float32).reshape(-1, 2)
    assert (limited(quiet) == quiet).all()
    loud = limited(np.linspace(-6, 6, 1000, dtype=np.float32).reshape(-1, 2))
    assert np.abs(loud).max() <= 1.0
    assert (np.diff(loud[:, 0]) >= 0).all()


def slides(folder: Path) -> m.Document:
    """A document of one yellow page in a folder of files."""
    with pikepdf.new() as pdf:
        page = pdf.add_blank_page(page_size=(400, 300))
        red, green, blue = (one / 255 for one in PAGE)
        content = f"{red} {green} {blue} rg 0 0 400 300 re f".encode()
        page.Contents = pdf.make_stream(content)
        pdf.save(folder / "slides.pdf")
    sha256 = "ab" * 32
    (folder / "ab").mkdir()
    (folder / "slides.pdf").rename(folder / "ab" / sha256)
    return m.Document("d1", "有理数.pdf", 1, sha256)


def test_slides_are_shown_while_they_were(package: Package, tmp_path: Path) -> None:
    folder = tmp_path / "files"
    folder.mkdir()
    document = slides(folder)
    before = m.decode(package.manifest.read_bytes())
    shown_from = m.Chapter(2.5, 7.0, "slide", m.Text("第 1 页", "Page 1"), document="d1", page=1)
    changed(package, documents=(document,), chapters=(*before.chapters, shown_from))
    target = tmp_path / "slides.mp4"
    assert list(export(package, target, "auto", folder))[-1] == (1.0, 0)
    shown = decoded(target)
    assert alike(shown.colour(2.3, 0.5, 0.5), BLUE)
    assert alike(shown.colour(3.0, 0.5, 0.5), PAGE)
    assert alike(shown.colour(3.0, 0.88, 0.66), BLUE)
    assert alike(shown.colour(6.9, 0.5, 0.5), RED)
    # Without its file the lesson is as if there were none.
    made_ = m.decode(package.manifest.read_bytes())
    assert list(scenes(made_, "auto", frozenset())) != list(
        scenes(made_, "auto", frozenset({document.sha256}))
    )


def test_a_clip_shows_nothing_before_its_start_or_after_its_end(
    package: Package, tmp_path: Path
) -> None:
    """Files of a clip begin with the keyframe before it."""
    assert list(transcode(package))[-1] == 1.0
    clip = Package.of(tmp_path, "clip-1")
    made_ = cut(package, clip, m.decode(package.manifest.read_bytes()), 1.5, 6.5, "乘法的意义")
    assert min(piece.start_s for piece in pieces(made_, "video")) < 0
    target = tmp_path / "clip.mp4"
    assert list(export(clip, target, "auto"))[-1] == (1.0, 0)
    shown = decoded(target)
    assert len(shown.pictures) == 125
    assert len(shown.sound) / 48000 == pytest.approx(5.0, abs=0.03)
    assert shown.begins(0.0, 0.2) == pytest.approx(0.5, abs=0.04)
    assert alike(shown.colour(0.56, 0.3, 0.3), WHITE)
    assert alike(shown.colour(4.2, 0.5, 0.5), RED)


def test_what_is_damaged_is_black_or_silent_and_told_and_the_rest_is_there(
    package: Package, tmp_path: Path
) -> None:
    before = m.decode(package.manifest.read_bytes())
    files = {(track.participant, track.source): track.runs[0].parts[0] for track in before.tracks}
    screen, voice = files["lead", "screen"], files["lead", "microphone"]
    path = package.folder / screen.path
    path.write_bytes(path.read_bytes()[: screen.header_bytes + 20])
    (package.folder / files["room-1", "camera"].path).unlink()
    (package.folder / voice.path).write_bytes(b"\0" * 5000)
    target = tmp_path / "damaged.mp4"
    assert list(export(package, target, "auto"))[-1] == (1.0, 3)
    shown = decoded(target)
    assert alike(shown.colour(6.9, 0.4, 0.5), BLACK)
    assert alike(shown.colour(6.9, 0.88, 0.66), BLUE)
    assert alike(shown.colour(3.0, 0.88, 0.88), BLUE)
    assert shown.loudness(2.0, 2.3) < 0.02
    assert shown.loudness(5.05, 5.15) > 0.3


def test_noise_where_a_picture_was_ends_nothing(package: Package, tmp_path: Path) -> None:
    before = m.decode(package.manifest.read_bytes())
    [screen] = [track for track in before.tracks if track.source == "screen"]
    [part] = screen.runs[0].parts
    path = package.folder / part.path
    data = bytearray(path.read_bytes())
    # Boxes stay as they are; what decoders get does not.
    rng = np.random.default_rng(7)
    for start in range(data.index(b"mdat") + 40, len(data), 7):
        if data[start - 8 : start + 8].isalnum():
            continue
        data[start] = int(rng.integers(256))
    path.write_bytes(data)
    changed(package, duration_s=8.0)
    target = tmp_path / "noise.mp4"
    assert list(export(package, target, "screen"))[-1] == (1.0, 1)
    assert len(decoded(target).pictures) == 200


def test_pictures_that_come_on_late_are_decoded_from_the_keyframe_before(
    package: Package, tmp_path: Path
) -> None:
    """Only what is shown is decoded: the class is skipped until the lead has gone."""
    before = m.decode(package.manifest.read_bytes())
    cameras = [track for track in before.tracks if track.source == "camera"]
    lead, room = cameras
    for track in (lead, room):
        assert track.runs[0].parts[0].segments
    gone = replace(lead, runs=(replace(
        lead.runs[0], duration_s=4.0, parts=lead.runs[0].parts[:1]
    ),))  # fmt: skip
    tracks = tuple(
        gone if track.id == lead.id else track
        for track in before.tracks
        if track.source != "screen"
    )
    changed(package, tracks=tracks)
    target = tmp_path / "late.mp4"
    assert list(export(package, target, "screen"))[-1] == (1.0, 0)
    shown = decoded(target)
    assert alike(shown.colour(3.9, 0.5, 0.5), BLUE)
    assert alike(shown.colour(4.1, 0.5, 0.5), GREEN)
    assert alike(shown.colour(7.9, 0.5, 0.5), GREEN)
    assert alike(shown.colour(8.2, 0.5, 0.5), BLACK)


def test_nothing_is_left_of_an_export_that_is_given_up(package: Package, tmp_path: Path) -> None:
    target = tmp_path / "given-up.mp4"
    going = export(package, target, "auto")
    next(going)
    assert (tmp_path / "given-up.mp4.part").exists()
    going.close()
    assert not list(tmp_path.glob("given-up*"))
    with pytest.raises(DiskFull):
        list(export(package, target, "auto", keep_free=1 << 60))
    assert not list(tmp_path.glob("given-up*"))


def run(*arguments: str) -> tuple[int, list[dict[str, object]]]:
    done = subprocess.run(
        [sys.executable, "-m", "twinclass_recordings.jobs.export", *arguments],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    return done.returncode, [json.loads(line) for line in done.stdout.splitlines()]


def test_the_job_tells_how_far_it_is_and_a_full_disk_by_its_name(
    recorded: Package, tmp_path: Path
) -> None:
    target = tmp_path / "job.mp4"
    code, lines = run(str(recorded.folder), str(target), "--layout", "auto")
    assert code == 0
    assert lines[-1] == {"done": True, "damaged": 0}
    assert {"progress": 1.0} in lines
    assert complaints(target) == ""
    code, lines = run(
        str(recorded.folder), str(tmp_path / "full.mp4"), "--layout", "auto",
        "--keep-free", str(1 << 60),
    )  # fmt: skip
    assert (code, lines[-1]) == (1, {"error": "disk_full"})
    if Path("/dev/full").exists():
        (tmp_path / "full.mp4.part").symlink_to("/dev/full")
        code, lines = run(str(recorded.folder), str(tmp_path / "full.mp4"), "--layout", "auto")
        assert (code, lines[-1]) == (1, {"error": "disk_full"})
    assert not list(tmp_path.glob("full*"))
    code, lines = run(str(tmp_path), str(target), "--layout", "auto")
    assert code == 1
    assert "error" in lines[-1]


# ---- the archive


def lesson(path: Path, **more: object) -> Path:
    about = {
        "title": "有理数的乘法", "subject": "数学", "grade": "七年级", "points": ["有理数"],
        "lead": "示例老师", "school": "示例一中", "taught_at": "2026-11-02T08:00:00+00:00",
    } | more  # fmt: skip
    path.write_bytes(msgspec.json.encode(about))
    return path


def test_an_archive_holds_everything_under_safe_names(package: Package, tmp_path: Path) -> None:
    folder = tmp_path / "files"
    folder.mkdir()
    captions = package.folder / "captions"
    captions.mkdir()
    (captions / "zh-CN.vtt").write_text("WEBVTT\n")
    (package.folder / "cover.jpg").write_bytes(b"jpeg")
    changed(package, documents=(slides(folder),), cover="cover.jpg")
    sheet, elsewhere = tmp_path / "a1", tmp_path / "secret"
    sheet.write_bytes(b"worksheet")
    elsewhere.write_bytes(b"secret")
    (tmp_path / "link").symlink_to(elsewhere)
    attachments = [
        (str(sheet), "练习.docx"), (str(sheet), "练习.DOCX"), (str(sheet), "../../etc/passwd"),
        (str(sheet), "CON"), (str(sheet), ""), (str(tmp_path / "link"), "link"),
        (str(tmp_path / "gone"), "gone"),
    ]  # fmt: skip
    about = lesson(tmp_path / "lesson.json", attachments=attachments)
    target = tmp_path / "lesson.zip"
    shares = [share for share, _ in archive(package, target, about, folder)]
    assert shares[-1] == 1.0
    with zipfile.ZipFile(target) as found:
        assert found.testzip() is None
        names = found.namelist()
        assert {one.compress_type for one in found.infolist()} == {zipfile.ZIP_STORED}
        before = m.decode(package.manifest.read_bytes())
        parts = [part for t in before.tracks for run_ in t.runs for part in run_.parts]
        for part in parts:
            assert found.read(part.path) == (package.folder / part.path).read_bytes()
        assert m.decode(found.read("manifest.json")) == before
        told = json.loads(found.read("lesson.json"))
        readme = found.read("README.txt").decode("utf-8-sig")
        assert found.read("attachments/练习.docx") == b"worksheet"
    assert sorted(name for name in names if name.startswith("attachments/")) == sorted(
        ["attachments/etc_passwd", "attachments/_CON", "attachments/file",
         "attachments/练习.docx", "attachments/练习 (2).DOCX"]
    )  # fmt: skip
    assert {"slides/有理数.pdf", "captions/zh-CN.vtt", "cover.jpg"} <= set(names)
    assert any(name.startswith("hls/") for name in names)
    assert "recording.jsonl" not in names
    assert (told["title"], told["points"]) == ("有理数的乘法", ["有理数"])
    assert str(tmp_path) not in json.dumps(told)
    for name in names:
        top = f"{name.partition('/')[0]}/" if "/" in name else name
        assert top in readme or top == "README.txt"
    assert "原始录制" in readme
    assert "as recorded" in readme


def test_names_are_plain_everywhere_and_each_there_once() -> None:
    names = Names()
    made_ = [
        names.take("a/", name)
        for name in ("x.pdf", "X.PDF", "a\\b:c?.txt", "..", ".hidden", "\u202ecod.exe", "n" * 300)
    ]
    assert made_[:6] == [
        "a/x.pdf", "a/X (2).PDF", "a/a_b_c.txt", "a/file", "a/hidden", "a/cod.exe",
    ]  # fmt: skip
    assert len(made_[6]) == 102


def test_a_package_without_media_is_an_archive_of_what_is_said(tmp_path: Path) -> None:
    about = lesson(tmp_path / "lesson.json", title="第一单元")
    target = tmp_path / "unit.zip"
    list(archive(Package(tmp_path / "nothing"), target, about))
    with zipfile.ZipFile(target) as found:
        assert found.namelist() == ["README.txt", "lesson.json"]
    code, lines = run(str(tmp_path / "nothing"), str(tmp_path / "again.zip"), "--zip", str(about))
    assert (code, lines[-1]["done"]) == (0, True)
