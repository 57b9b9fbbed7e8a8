"""Which code a recorder runs: its own and that of the pipes (``twinclass_media.release``)."""

from __future__ import annotations

from pathlib import Path

from twinclass_media import release

#: As it was when it was imported.
RELEASE = release.RELEASE + release.release_of(Path(__file__).parent)
