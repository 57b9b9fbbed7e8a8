"""What the lead's camera and microphone are: a busy picture of 720 lines, and a voice that never
rests, so that each lost packet of sound is heard."""

from __future__ import annotations

import subprocess
from pathlib import Path


def flags(folder: Path) -> tuple[str, ...]:
    """Chromium's flags; the files are made once."""
    camera, voice = folder / "busy.y4m", folder / "voice.wav"
    if not camera.exists():
        _ffmpeg(
            "testsrc2=size=1280x720:rate=30,noise=alls=14:allf=t+u",
            *("-t", "3", "-pix_fmt", "yuv420p", str(camera)),
        )
    if not voice.exists():
        # A buzz that goes up and down is taken for a voice, and is never silent.
        tone = "aevalsrc=0.25*sin(2*PI*(180+60*sin(2*PI*0.7*t))*t)*(0.6+0.4*sin(2*PI*3*t)):s=48000"
        _ffmpeg(tone, *("-t", "10", "-ac", "1", str(voice)))
    return (
        f"--use-file-for-fake-video-capture={camera}",
        f"--use-file-for-fake-audio-capture={voice}",
    )


def _ffmpeg(source: str, *rest: str) -> None:
    subprocess.run(
        ["ffmpeg", "-loglevel", "error", "-y", "-f", "lavfi", "-i", source, *rest], check=True
    )
