"""Where everything of a recorded lesson is: the layout of a package's folder.

    recording.jsonl   the recorder's journal: what it began and ended, a line each
    parts/            what was recorded: 0001.mp4 (H264, Opus), 0002.webm (VP8)
    transcoded/       H264 of VP8 parts, made after the close
    hls/              a media playlist for each run
    captions/         WebVTT, if somebody put them there
    cover.jpg         a real frame
    manifest.json     written at the close, and again when something is added

Nothing in it changes once the manifest names it, except the manifest itself.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

#: As lesson ids everywhere (``twinclass_signaling.lesson.plan.ID_PATTERN``), and the second of the
#: bell behind it.
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,79}")
#: What may be asked for by name from outside: no dot files, no way up, no journal.
_SERVED = re.compile(
    r"(parts|transcoded)/[0-9a-z-]{1,40}\.(mp4|webm)|hls/[0-9a-z-]{1,40}\.m3u8"
    r"|captions/[A-Za-z-]{2,20}\.vtt|cover\.jpg|manifest\.json"
)


@dataclass(frozen=True, slots=True)
class Package:
    """The folder of one lesson's recording."""

    folder: Path

    @classmethod
    def of(cls, root: Path, lesson: str) -> Package:
        """The package of a lesson under the recordings' folder.

        Raises:
            ValueError: that is no lesson id.
        """
        if not _ID.fullmatch(lesson):
            raise ValueError(f"not a lesson id: {lesson!r}")
        return cls(root / lesson)

    @property
    def journal(self) -> Path:
        """The recorder's journal."""
        return self.folder / "recording.jsonl"

    @property
    def manifest(self) -> Path:
        """The manifest."""
        return self.folder / "manifest.json"

    @property
    def parts(self) -> Path:
        """Recorded files."""
        return self.folder / "parts"

    def captions(self) -> dict[str, str]:
        """Returns the WebVTT files that are there: language tag -> name; blocks."""
        names = sorted(f"captions/{path.name}" for path in (self.folder / "captions").glob("*.vtt"))
        return {Path(name).stem: name for name in names if self.served(name) is not None}

    def served(self, name: str) -> Path | None:
        """Where a file can be read that may be asked for from outside; None: no such name.

        The name is checked, not the file: whether it exists is the caller's to see.
        """
        return self.folder / name if _SERVED.fullmatch(name) else None
