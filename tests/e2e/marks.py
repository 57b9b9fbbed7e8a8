"""Marks by which receivers tell whom they see and hear: a colour and a beep per person."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from playwright.async_api import Page

from e2e.conftest import require


@dataclass(frozen=True)
class Mark:
    """A colour (for pictures) and a pitch (for sound)."""

    colour: str
    rgb: tuple[int, int, int]
    hertz: int


#: Far apart, so that lossy coding and noise suppression do not confuse them.
MARKS = {
    "demo-lead": Mark("0xd02020", (208, 32, 32), 0),
    "room-1": Mark("0x20b030", (32, 176, 48), 600),
    "room-2": Mark("0x2040d0", (32, 64, 208), 1000),
    "demo-home-1": Mark("0xd0c020", (208, 192, 32), 1500),
    "demo-home-2": Mark("0xb020b0", (176, 32, 176), 2200),
}


def device_arguments(folder: Path, who: str, size: str = "640x360") -> tuple[str, ...]:
    """Chromium flags for a camera and a microphone that show and play a person's mark.

    The lead speaks (espeak-ng); the others beep, as steady tones are taken for noise.
    """
    mark = MARKS[who]
    video, sound = folder / f"{who}.y4m", folder / f"{who}.wav"
    ffmpeg = (require("ffmpeg", "ffmpeg"), "-loglevel", "error", "-y")
    if not video.exists():
        subprocess.run(
            [
                *(*ffmpeg, "-f", "lavfi", "-i"),
                f"color=c={mark.colour}:s={size}:r=30:d=1,noise=alls=8:allf=t",
                *("-pix_fmt", "yuv420p", str(video)),
            ],
            check=True,
        )
    if not sound.exists():
        if mark.hertz:
            beeps = f"aevalsrc=0.7*sin({mark.hertz}*2*PI*t)*lt(mod(t\\,0.4)\\,0.2):s=48000:d=8"
            subprocess.run(
                [*ffmpeg, "-f", "lavfi", "-i", beeps, "-ac", "1", str(sound)], check=True
            )
        else:
            subprocess.run(
                [
                    *(require("espeak-ng", "espeak-ng"), "-v", "en", "-w", str(sound)),
                    "Good morning. Today we multiply rational numbers. Minus three times four.",
                ],
                check=True,
            )
    return (
        f"--use-file-for-fake-video-capture={video}",
        f"--use-file-for-fake-audio-capture={sound}",
    )


def nearest(rgb: list[float]) -> str:
    """Whose colour this is; empty when it is nobody's."""
    best, distance = "", 90.0
    for who, mark in MARKS.items():
        d = sum((a - b) ** 2 for a, b in zip(rgb, mark.rgb, strict=True)) ** 0.5
        if d < distance:
            best, distance = who, d
    return best


async def slot(page: Page, use: str, kind: str, index: int = 0) -> dict[str, Any] | None:
    """One slot of a page's downlink."""
    slots: list[dict[str, Any]] = await page.evaluate("[...window.__twinclass.slots]")
    for found in slots:
        if (found["use"], found["kind"], found["index"]) == (use, kind, index):
            return found
    return None


async def sees(page: Page, use: str, index: int = 0) -> str:
    """Whom a page shows in a slot, by the colour of the decoded picture."""
    found = await slot(page, use, "video", index)
    if found is None:
        return ""
    rgb: list[float] | None = await page.evaluate(
        """async mid => {
            const track = window.__twinclass.track(mid);
            if (!track) return null;
            const video = document.createElement('video');
            video.muted = true;
            video.srcObject = new MediaStream([track]);
            await video.play();
            const canvas = document.createElement('canvas');
            canvas.width = canvas.height = 8;
            const context = canvas.getContext('2d');
            for (let i = 0; i < 20 && video.readyState < 2; i++)
                await new Promise(r => setTimeout(r, 50));
            if (video.readyState < 2) return null;
            context.drawImage(video, 0, 0, 8, 8);
            const data = context.getImageData(0, 0, 8, 8).data;
            const sum = [0, 0, 0];
            for (let i = 0; i < data.length; i += 4)
                for (let c = 0; c < 3; c++) sum[c] += data[i + c] / 64;
            video.srcObject = null;
            return sum;
        }""",
        found["mid"],
    )
    return "" if rgb is None else nearest(rgb)


async def hears(page: Page, use: str, index: int = 0) -> str:
    """Whom a page hears in a slot, by the loudest pitch of one second; "speech" for a voice."""
    found = await slot(page, use, "audio", index)
    if found is None:
        return ""
    pitch: float | None = await page.evaluate(
        """async mid => {
            const track = window.__twinclass.track(mid);
            if (!track) return null;
            const context = new AudioContext({sampleRate: 48000});
            await context.resume();
            const analyser = context.createAnalyser();
            analyser.fftSize = 4096;
            analyser.smoothingTimeConstant = 0;
            context.createMediaStreamSource(new MediaStream([track])).connect(analyser);
            const bins = new Float32Array(analyser.frequencyBinCount);
            const power = new Float64Array(bins.length);
            for (let i = 0; i < 25; i++) {
                await new Promise(r => setTimeout(r, 40));
                analyser.getFloatFrequencyData(bins);
                for (let b = 0; b < bins.length; b++) power[b] += 10 ** (bins[b] / 10);
            }
            await context.close();
            let best = 0;
            for (let b = 0; b < power.length; b++) if (power[b] > power[best]) best = b;
            const total = power.reduce((a, b) => a + b, 0);
            if (total < 1e-7) return null;
            const share = power.slice(Math.max(0, best - 3), best + 4).reduce((a, b) => a + b, 0);
            return share / total < 0.6 ? -1 : best * 48000 / 4096;
        }""",
        found["mid"],
    )
    if pitch is None:
        return ""
    for who, mark in MARKS.items():
        if mark.hertz and abs(pitch - mark.hertz) < 40:
            return who
    return "speech"
