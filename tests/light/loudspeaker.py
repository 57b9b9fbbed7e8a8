"""A classroom's loudspeaker in front of its microphone, in a page of a real browser; and a voice.

The page plays as ever. What it plays comes back, ``late_s`` later, by what it captures as its
microphone: as loud as the element's volume and ``window.__loudspeaker.gain`` let it. That is 0 at
first: a quiet room.
"""

from __future__ import annotations

import math
import random
import struct
import wave
from pathlib import Path

from media.echo import envelopes as sounds

RATE = 48_000

#: In ``window.__log``: [milliseconds of the page, what] of words about echo, of closed and of
#: replaced tracks.
SCRIPT = """
(() => {
  const log = (window.__log = []);
  const Socket = window.WebSocket;
  window.WebSocket = class extends Socket {
    constructor(...given) {
      super(...given);
      this.addEventListener('message', ({ data }) => {
        if (typeof data !== 'string' || !data.includes('"echo_')) return;
        log.push([performance.now(), JSON.parse(data)]);
      });
    }
  };
  const enabled = Object.getOwnPropertyDescriptor(MediaStreamTrack.prototype, 'enabled');
  Object.defineProperty(MediaStreamTrack.prototype, 'enabled', {
    ...enabled,
    set(on) {
      if (this.kind === 'audio' && this.enabled && !on) log.push([performance.now(), 'closed']);
      enabled.set.call(this, on);
    },
  });
  const replace = RTCRtpSender.prototype.replaceTrack;
  RTCRtpSender.prototype.replaceTrack = function (track) {
    return replace.call(this, track).then(() => {
      if (track?.kind === 'audio') log.push([performance.now(), 'replaced']);
    });
  };
  let air = null;
  const room = () => {
    if (air !== null) return air;
    const context = new AudioContext();
    const way = context.createDelay(1);
    way.delayTime.value = LATE_S;
    const gain = context.createGain();
    gain.gain.value = 0;
    const end = context.createMediaStreamDestination();
    way.connect(gain).connect(end);
    window.__loudspeaker = gain;
    return (air = { context, way, end });
  };
  const property = Object.getOwnPropertyDescriptor(HTMLMediaElement.prototype, 'srcObject');
  Object.defineProperty(HTMLMediaElement.prototype, 'srcObject', {
    ...property,
    set(stream) {
      property.set.call(this, stream);
      if (!(this instanceof HTMLAudioElement) || stream === null) return;
      const { context, way } = room();
      const volume = context.createGain();
      volume.gain.value = this.volume;
      this.addEventListener('volumechange', () => {
        volume.gain.value = this.volume;
        log.push([performance.now(), `volume ${this.volume}`]);
      });
      context.createMediaStreamSource(stream).connect(volume).connect(way);
    },
  });
  const capture = MediaDevices.prototype.getUserMedia;
  MediaDevices.prototype.getUserMedia = async function (wanted) {
    const real = await capture.call(this, wanted);
    if (!wanted?.audio) return real;
    real.getAudioTracks().forEach((track) => track.stop());
    const heard = room().end.stream.getAudioTracks()[0].clone();
    return new MediaStream([...real.getVideoTracks(), heard]);
  };
})();
"""


def script(late_s: float) -> str:
    """What to run in the page before its own code."""
    return SCRIPT.replace("LATE_S", str(late_s))


def write_voice(path: Path, seconds: float = 30.0, seed: int = 1) -> None:
    """Writes a WAV of somebody who speaks: syllables of a voice at 140 Hz, with its overtones."""
    rng = random.Random(seed)
    envelope = sounds.speech(rng, seconds, level=-16)
    samples: list[int] = []
    for index in range(int(seconds * RATE)):
        place = index / RATE / sounds.STEP_S
        step = min(int(place), len(envelope) - 2)
        level = envelope[step] + (envelope[step + 1] - envelope[step]) * (place - step)
        turn = 2 * math.pi * 140 * index / RATE
        tone = sum(math.sin(turn * k) / k for k in (1, 2, 3, 5, 8)) / 1.2
        samples.append(round(32767 * max(-1.0, min(1.0, 10 ** (level / 20) * tone))))
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(struct.pack(f"<{len(samples)}h", *samples))
