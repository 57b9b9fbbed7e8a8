"""Recordings of live help: what is over goes, what a case holds stays."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest

from twinclass_recordings import manifest as m
from twinclass_recordings.package import Package
from twinclass_server.desk.recordings import Receipt, SessionName, delete_over, session_of

NOW = datetime(2026, 11, 25, 3, tzinfo=UTC)


def recording(root: Path, name: str, keep_until: str | None) -> Path:
    package = Package.of(root, name)
    package.folder.mkdir(parents=True)
    if keep_until is not None:
        made = m.Manifest(name, "", 0.0, 60.0, "closed", (), keep_until=keep_until)
        package.manifest.write_bytes(m.encode(made))
    return package.folder


def test_what_is_over_goes_and_what_is_held_stays(tmp_path: Path) -> None:
    root, proofs = tmp_path / "recordings", tmp_path / "proofs"
    over = recording(root, "help-city-desk-2026-10-01-3", "2026-10-31")
    held = recording(root, "help-city-desk-2026-10-01-4", "2026-10-31")
    young = recording(root, "help-city-desk-2026-11-24-1", "2026-12-24")
    withdrawn = recording(root, "help-city-desk-2026-11-24-2", "2026-12-24")
    running = recording(root, "help-city-desk-2026-11-24-9", None)
    lesson = recording(root, "algebra-1700000000", "2026-01-01")

    def is_held(desk: str, day: str, session: int) -> bool:
        return (desk, day, session) == ("city-desk", "2026-10-01", 4)

    gone: set[SessionName] = {("city-desk", "2026-11-24", 2), ("city-desk", "2026-11-24", 9)}
    receipt = delete_over(root, proofs, NOW, is_held, gone)
    assert receipt is not None
    assert receipt.recordings == (over.name, withdrawn.name)
    assert not over.exists()
    assert not withdrawn.exists()
    assert all(one.exists() for one in (held, young, running, lesson))
    kept = [msgspec.json.decode(path.read_bytes(), type=Receipt) for path in proofs.iterdir()]
    assert kept == [receipt]
    assert delete_over(root, proofs, NOW, is_held, gone) is None


@pytest.mark.parametrize(
    ("name", "session"),
    [
        ("help-city-desk-2026-10-01-12", ("city-desk", "2026-10-01", 12)),
        ("help-a-2026-10-01-b-2026-10-02-1", ("a-2026-10-01-b", "2026-10-02", 1)),
        ("help-desk", None),
        ("lesson-2026-10-01-1", None),
    ],
)
def test_a_recording_s_name_tells_its_session(name: str, session: SessionName | None) -> None:
    assert session_of(name) == session
