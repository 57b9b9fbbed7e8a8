"""All that is kept of a recorded lesson as one ZIP archive (shell).

    README.txt        what is what, in Chinese and English
    lesson.json       title, subject, knowledge points and whatever else the library says of it
    manifest.json     every track, part, gap, chapter and mark with its times
    cover.jpg         the picture of its card
    parts/            what was recorded, as it was recorded
    transcoded/ hls/  the same as H264, and playlists, where there are
    captions/         WebVTT
    slides/           the PDF documents that were taught with
    attachments/      files that were added in the library

Nothing is packed: pictures and sound are as small as they get. What is no plain file any more is
left out. Sizes beyond 4 GiB are written as ZIP64.
"""

from __future__ import annotations

import os
import re
import stat
import time
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO

import msgspec
from msgspec import Struct

from twinclass_recordings.consent import without
from twinclass_recordings.manifest import FILE_NAME, Manifest, decode, encode
from twinclass_recordings.package import Package

_COPY = 1024 * 1024
#: Names within an archive: Windows takes 255 characters with the folders before them.
MAX_NAME = 100
#: Paths, characters that Windows refuses, and those that turn a name around (RFC 8265 section 3).
_UNSAFE = re.compile(r"[\x00-\x1f\x7f/\\:*?\"<>|\u200e\u200f\u202a-\u202e\u2066-\u2069]+")
_RESERVED = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)
#: ZIP knows no time before (APPNOTE section 4.4.6).
_FIRST_YEAR = 1980

_README = """双师课堂 · 课程存档
Twinclass · archive of a lesson

{title}

文件 / Files
"""
_WORDS = (
    ("lesson.json", "课程信息：名称、学科、年级、知识点、说明", "what is said of the lesson"),
    (FILE_NAME, "清单：每一路音视频、章节与时间（秒，0 为上课铃）",
     "every track, chapter and time (seconds; 0 is the bell)"),
    ("cover.jpg", "封面", "cover"),
    ("parts/", "原始录制：.mp4 为 H264 画面或 Opus 声音，.webm 为 VP8 画面",
     "as recorded: .mp4 is H264 or Opus, .webm is VP8"),
    ("transcoded/", "由 VP8 转换成的 H264 画面", "H264 made of VP8"),
    ("hls/", "播放列表，可用 VLC 等播放器打开", "playlists, for players such as VLC"),
    ("captions/", "字幕（WebVTT）", "captions (WebVTT)"),
    ("slides/", "上课用的课件（PDF）", "slides (PDF)"),
    ("attachments/", "课程附件", "attachments"),
)  # fmt: skip


class Attachment(Struct, frozen=True, array_like=True):
    """A file that somebody added to a lesson."""

    path: str
    name: str


class Lesson(Struct, frozen=True):
    """What the library says of a lesson: the content of ``lesson.json``, and where attachments
    are, which is not written."""

    title: str = ""
    subtitle: str = ""
    subject: str = ""
    grade: str = ""
    edition: str = ""
    points: tuple[str, ...] = ()
    description: str = ""
    lead: str = ""
    school: str = ""
    taught_at: str = ""
    attachments: tuple[Attachment, ...] = ()


class Names:
    """Names that are safe in a folder on every system, and each there once."""

    def __init__(self) -> None:
        self._taken: set[str] = set()

    def take(self, folder: str, name: str) -> str:
        """Returns the path for a file that somebody called ``name``."""
        plain = _UNSAFE.sub("_", name).strip(" ._")[-MAX_NAME:].strip(" .") or "file"
        if _RESERVED.fullmatch(plain):
            plain = f"_{plain}"
        stem, dot, ending = plain.rpartition(".")
        if not stem:
            stem, dot, ending = plain, "", ""
        stem = stem.rstrip(" ._") or "file"
        path, number = f"{folder}{stem}{dot}{ending}", 1
        # As Windows and macOS do, which take two cases for one name.
        while path.casefold() in self._taken:
            number += 1
            path = f"{folder}{stem} ({number}){dot}{ending}"
        self._taken.add(path.casefold())
        return path


def write_zip(
    package: Package,
    target: Path,
    about: Path,
    slides: Callable[[str], Path | None],
    hidden: frozenset[str] = frozenset(),
) -> Iterator[float]:
    """Writes an archive, without those who are ``hidden``; yields how much of it is done, 0 to 1.

    Raises:
        OSError, ManifestError, msgspec.MsgspecError: something cannot be read or written.
    """
    lesson = msgspec.json.decode(about.read_bytes(), type=Lesson)
    manifest = None
    if package.manifest.exists():
        manifest = without(decode(package.manifest.read_bytes()), hidden)
    files = list(_files(package, manifest, lesson, slides))
    total = sum(size for _, _, size in files) or 1
    done = 0
    with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as archive:
        names = [name for name, _, _ in files]
        if manifest is not None:
            names.append(FILE_NAME)
        archive.writestr(_entry("README.txt"), _readme(lesson.title, names))
        told = {
            name: value for name, value in msgspec.to_builtins(lesson).items()
            if name != "attachments"
        }  # fmt: skip
        told["attachments"] = [name for name in names if name.startswith("attachments/")]
        archive.writestr(_entry("lesson.json"), msgspec.json.format(msgspec.json.encode(told)))
        if manifest is not None:
            archive.writestr(_entry(FILE_NAME), encode(manifest))
        for name, path, _ in files:
            with _opened(path) as file:
                found = os.fstat(file.fileno())
                info = _entry(name, found.st_mtime)
                info.file_size = found.st_size
                with archive.open(info, "w") as into:
                    while piece := file.read(_COPY):
                        into.write(piece)
                        done += len(piece)
                        yield min(1.0, done / total)


def _files(
    package: Package,
    manifest: Manifest | None,
    lesson: Lesson,
    slides: Callable[[str], Path | None],
) -> Iterator[tuple[str, Path, int]]:
    """Yields (name in the archive, where it is, bytes) of what is there."""
    named: list[tuple[str, Path]] = []
    names = Names()
    if manifest is not None:
        for name in dict.fromkeys([*_of_package(manifest), *package.captions().values()]):
            path = package.served(name)
            if path is not None:
                named.append((name, path))
        for document in manifest.documents:
            found = slides(document.sha256)
            if found is not None:
                title = re.sub(r"\.pdf$", "", document.title, flags=re.IGNORECASE)
                named.append((names.take("slides/", f"{title[: MAX_NAME - 4]}.pdf"), found))
    for one in lesson.attachments:
        named.append((names.take("attachments/", one.name), Path(one.path)))
    for name, path in named:
        try:
            found_ = path.lstat()
        except OSError:
            continue
        if stat.S_ISREG(found_.st_mode):
            yield name, path, found_.st_size


def _of_package(manifest: Manifest) -> Iterator[str]:
    yield manifest.cover
    for track in manifest.tracks:
        for run in track.runs:
            yield run.playlist
            for part in (*run.parts, *run.transcoded):
                yield part.path


def _opened(path: Path) -> BinaryIO:
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    return os.fdopen(descriptor, "rb")


def _entry(name: str, modified: float | None = None) -> zipfile.ZipInfo:
    when = time.gmtime(time.time() if modified is None else modified)
    moment = when[:6] if when.tm_year >= _FIRST_YEAR else (_FIRST_YEAR, 1, 1, 0, 0, 0)
    info = zipfile.ZipInfo(name, moment)
    info.external_attr = 0o644 << 16
    return info


def _readme(title: str, names: list[str]) -> str:
    """Returns the text that says what is what, with a byte order mark for old editors."""
    lines = [
        f"  {name:<14}{chinese}\n  {'':<14}{english}\n"
        for name, chinese, english in _WORDS
        if name == "lesson.json" or any(one.startswith(name) for one in names)
    ]
    return "\ufeff" + (_README.format(title=title) + "\n".join(lines)).replace("\n", "\r\n")
