"""The wheel brings the send loop along, compiled."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

from twinclass_media.transport.native.library import load

ROOT = Path(__file__).parents[3]


def build(folder: Path, **environment: str) -> Path:
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)],
        cwd=ROOT,
        check=True,
        capture_output=True,
        env=environment or None,
    )
    (wheel,) = folder.glob("*.whl")
    return wheel


def test_a_wheel_holds_a_library_that_can_be_loaded(tmp_path: Path) -> None:
    wheel = build(tmp_path)
    assert "-py3-none-linux" in wheel.name
    with zipfile.ZipFile(wheel) as archive:
        (name,) = (one for one in archive.namelist() if one.endswith(".so"))
        assert name == "twinclass_media/transport/native/libburst.so"
        assert load(Path(archive.extract(name, tmp_path))) is not None
    assert [one.name for one in tmp_path.iterdir() if one.is_dir()] == ["twinclass_media"]


def test_without_a_compiler_a_wheel_is_for_every_platform(tmp_path: Path) -> None:
    wheel = build(tmp_path, CC="no-such-compiler", PATH="")
    assert wheel.name.endswith("-py3-none-any.whl")
