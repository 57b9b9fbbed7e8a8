"""What looking for echo costs a worker's audio packet, beside the plain way.

    .venv/bin/python benchmarks/echo.py

One lead and one room on stage, both speaking, 50 packets a second each. The plain way is what a
packet's level costs anyway (who speaks); the whole way of a forwarded packet is in
``docs/figures.md``.
"""

from __future__ import annotations

import random
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

from media.echo import envelopes as sounds
from twinclass_media.echo import EchoDetector
from twinclass_media.rtp.speech import SpeechDetector
from twinclass_media.worker.telemetry import ECHO_S, SPEAKERS_S

SECONDS = 300


def main(seconds: float = SECONDS) -> tuple[float, float]:
    """Prints and returns microseconds a packet: plain, and what looking for echo adds."""
    rng = random.Random(1)
    sent = sounds.speech(rng, seconds)
    back = sounds.mixed(sounds.echo(sent, 0.3, -10), sounds.speech(rng, seconds, -30))
    packets = [
        (index * 0.02, key, min(127, max(0, round(-level))))
        for index, levels in enumerate(zip(sent, back, strict=True))
        for key, level in zip(("lead", "room"), levels, strict=True)
    ]
    speech, due = SpeechDetector(), 0.0
    started = time.process_time()
    for now, key, level in packets:
        speech.heard(key, level, now)
        if now >= due:
            due = now + SPEAKERS_S
            speech.speakers(now)
    plain = (time.process_time() - started) / len(packets) * 1e6
    echo, due = EchoDetector(), 0.0
    echo.watch("room")
    started = time.process_time()
    for now, key, level in packets:
        echo.heard(key, level, now, round(now * 48_000) & 0xFFFFFFFF)
        if now >= due:
            due = now + ECHO_S
            echo.look(now)
    added = (time.process_time() - started) / len(packets) * 1e6
    print(f"packets                       {len(packets)}")
    print(f"who speaks, us a packet       {plain:.2f}")
    print(f"looking for echo, us a packet {added:.2f} ({added / plain:.1f} times)")
    return plain, added


if __name__ == "__main__":
    main()
