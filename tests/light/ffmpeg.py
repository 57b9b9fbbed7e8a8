"""What ffmpeg says of a file: nothing, when there is nothing wrong with it."""

from __future__ import annotations

import subprocess
from pathlib import Path


def complaints(path: Path) -> str:
    """Decodes all of a file; returns what ffmpeg complains of."""
    command = ["ffmpeg", "-v", "error", "-xerror", "-allowed_extensions", "ALL", "-i", str(path)]
    if path.suffix != ".m3u8":
        command[4:6] = []
    # Frames keep their own times: with a guessed rate two of them may fall together.
    command += ["-fps_mode", "passthrough", "-enc_time_base", "-1", "-f", "null", "-"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    return done.stderr or ("" if done.returncode == 0 else f"exit {done.returncode}")


def packets(path: Path) -> list[tuple[float, bool]]:
    """Returns (time, is keyframe) of every packet."""
    done = subprocess.run(
        ["ffprobe", "-v", "error", "-show_entries", "packet=pts_time,flags", "-of", "csv=p=0",
         str(path)],
        capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip
    assert done.stderr == ""
    listed = [line.split(",") for line in done.stdout.split()]
    return [(float(pts), "K" in flags) for pts, flags, *_ in listed]
