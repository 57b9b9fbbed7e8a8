"""Pictures and sound that really decode, as RTP payloads: what a recorder is tested with.

Encoded once with PyAV; payloads are cut as browsers cut them (RFC 6184, RFC 7741).
"""

from __future__ import annotations

import functools
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

import av
import numpy as np
from av.audio.codeccontext import AudioCodecContext
from av.video.codeccontext import VideoCodecContext

PAYLOAD_BYTES = 1100


@dataclass(frozen=True)
class Encoded:
    """One frame: its payloads, in order."""

    payloads: tuple[bytes, ...]
    keyframe: bool
    size: int


def _pictures(width: int, height: int, count: int) -> Iterator[av.VideoFrame]:
    ramp = np.linspace(0, 255, width, dtype=np.uint8)
    for number in range(count):
        picture = np.tile(np.roll(ramp, number * 7), (height, 1))
        picture = np.repeat(picture[:, :, None], 3, axis=2)
        picture[: height // 4, : width // 4] = (number * 29) % 256
        yield av.VideoFrame.from_ndarray(picture, format="rgb24")


@functools.cache
def video(
    codec: str, width: int, height: int, count: int, fps: int, gop: int, kbps: int = 600
) -> tuple[Encoded, ...]:
    """Returns ``count`` frames of H264 (constrained baseline) or VP8; a keyframe every ``gop``."""
    name = "libx264" if codec == "H264" else "libvpx"
    context = av.CodecContext.create(name, "w")
    assert isinstance(context, VideoCodecContext)
    context.width, context.height = width, height
    context.pix_fmt = "yuv420p"
    context.time_base = Fraction(1, fps)
    context.framerate = Fraction(fps)
    context.bit_rate = kbps * 1000
    context.gop_size = gop
    if codec == "H264":
        context.options = {
            "preset": "ultrafast",
            "tune": "zerolatency",
            "profile": "baseline",
            "x264-params": f"keyint={gop}:min-keyint={gop}:scenecut=0:repeat-headers=1",
        }
    else:
        context.options = {"deadline": "realtime", "cpu-used": "8", "lag-in-frames": "0"}
    made: list[Encoded] = []
    for number, picture in enumerate(_pictures(width, height, count)):
        frame = picture.reformat(format="yuv420p")
        frame.pts = number
        frame.time_base = Fraction(1, fps)
        for packet in context.encode(frame):
            made.append(_encoded(codec, bytes(packet), bool(packet.is_keyframe)))
    for packet in context.encode(None):
        made.append(_encoded(codec, bytes(packet), bool(packet.is_keyframe)))
    assert len(made) == count
    return tuple(made)


def _encoded(codec: str, data: bytes, keyframe: bool) -> Encoded:
    payloads = h264_payloads(data) if codec == "H264" else vp8_payloads(data)
    return Encoded(tuple(payloads), keyframe, len(data))


def h264_payloads(annex_b: bytes) -> list[bytes]:
    """Parameter sets as one STAP-A, what is large as FU-A, the rest singly."""
    units = [unit for unit in annex_b.replace(b"\0\0\0\1", b"\0\0\1").split(b"\0\0\1") if unit]
    sets = [unit for unit in units if unit[0] & 0x1F in (7, 8)]
    payloads: list[bytes] = []
    if sets:
        nri = max(unit[0] & 0x60 for unit in sets)
        body = b"".join(len(unit).to_bytes(2, "big") + unit for unit in sets)
        payloads.append(bytes((nri | 24,)) + body)
    for unit in units:
        kind = unit[0] & 0x1F
        if kind in (6, 7, 8, 9):
            continue
        if len(unit) <= PAYLOAD_BYTES:
            payloads.append(unit)
            continue
        body = unit[1:]
        pieces = [body[i : i + PAYLOAD_BYTES] for i in range(0, len(body), PAYLOAD_BYTES)]
        for at, piece in enumerate(pieces):
            flags = (0x80 if at == 0 else 0) | (0x40 if at == len(pieces) - 1 else 0)
            payloads.append(bytes(((unit[0] & 0xE0) | 28, flags | kind)) + piece)
    return payloads


def vp8_payloads(data: bytes) -> list[bytes]:
    """A frame behind the shortest descriptor."""
    pieces = [data[i : i + PAYLOAD_BYTES] for i in range(0, len(data), PAYLOAD_BYTES)]
    return [bytes((0x10 if at == 0 else 0,)) + piece for at, piece in enumerate(pieces)]


@functools.cache
def opus(count: int) -> tuple[bytes, ...]:
    """Returns ``count`` packets of 20 ms: a tone with a beep each second."""
    context = av.CodecContext.create("libopus", "w")
    assert isinstance(context, AudioCodecContext)
    context.sample_rate = 48000
    context.layout = "stereo"
    context.format = "s16"
    context.bit_rate = 32_000
    made: list[bytes] = []
    at = np.arange(960)
    for number in range(count + 2):
        loud = 0.6 if number % 50 < 5 else 0.05
        wave = np.sin((number * 960 + at) * 2 * np.pi * 440 / 48000) * loud * 32767
        samples = np.repeat(wave.astype(np.int16), 2).reshape(1, -1)
        frame = av.AudioFrame.from_ndarray(samples, format="s16", layout="stereo")
        frame.sample_rate = 48000
        frame.pts = number * 960
        made.extend(bytes(packet) for packet in context.encode(frame))
    return tuple(made[:count])
