"""WebM of one VP8 track (RFC 8794 EBML, RFC 9559 Matroska), written cluster by cluster. Core.

Browsers play no VP8 in MP4. While the file grows it has neither duration nor index; there is room
for both in its header, and ``sealed`` fills it once the index (``cues``) stands at the end.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import NamedTuple

from twinclass_recordings.recorder.mp4 import VIDEO_RATE, Sample

#: Block times are 16 bits of milliseconds from their cluster's (RFC 9559 section 10.2).
MAX_CLUSTER_MS = 30_000
_UNKNOWN = b"\x01" + b"\xff" * 7
CLUSTER_ID = b"\x1f\x43\xb6\x75"
CUES_ID = b"\x1c\x53\xbb\x6b"
#: A SeekHead with one entry, and a Duration, as written below.
_SEEK_BYTES, _DURATION_BYTES = 26, 11


class Seal(NamedTuple):
    """What is known of a file at its end. ``cues_at``: where the index stands."""

    duration_ms: float
    cues_at: int
    file_bytes: int


def _size(value: int) -> bytes:
    """A length of eight bytes (RFC 8794 section 4)."""
    return (value | 1 << 56).to_bytes(8, "big")


def _element(identifier: int, content: bytes) -> bytes:
    return _id(identifier) + _size(len(content)) + content


def _id(identifier: int) -> bytes:
    return identifier.to_bytes((identifier.bit_length() + 7) // 8, "big")


def _number(identifier: int, value: int) -> bytes:
    return _element(identifier, value.to_bytes(max(1, (value.bit_length() + 7) // 8), "big"))


def vp8_header(width: int, height: int, seal: Seal | None = None) -> bytes:
    """Returns what stands before the clusters; as long with a ``seal`` as without."""
    ebml = b"".join(
        (
            _number(0x4286, 1),  # EBMLVersion
            _number(0x42F7, 1),  # EBMLReadVersion
            _number(0x42F2, 4),  # EBMLMaxIDLength
            _number(0x42F3, 8),  # EBMLMaxSizeLength
            _element(0x4282, b"webm"),
            _number(0x4287, 4),
            _number(0x4285, 2),
        )
    )
    info = b"".join(
        (
            _number(0x2AD7B1, 1_000_000),  # TimestampScale: milliseconds
            _element(0x4D80, b"twinclass"),
            _element(0x5741, b"twinclass"),
            _void(_DURATION_BYTES)
            if seal is None
            else b"\x44\x89\x88" + struct.pack(">d", seal.duration_ms),
        )
    )
    video = _number(0xB0, width) + _number(0xBA, height)
    track = b"".join(
        (
            _number(0xD7, 1),  # TrackNumber
            _number(0x73C5, 1),  # TrackUID
            _number(0x83, 1),  # TrackType: video
            _number(0x9C, 0),  # FlagLacing
            _element(0x86, b"V_VP8"),
            _element(0xE0, video),
        )
    )
    tracks = _element(0x1654AE6B, _element(0xAE, track))
    start = _element(0x1A45DFA3, ebml) + _id(0x18538067)
    data_at = len(start) + 8
    if seal is None:
        seek, size = _void(_SEEK_BYTES), _UNKNOWN
    else:
        entry = b"\x53\xab\x84" + CUES_ID + b"\x53\xac\x88"
        entry += struct.pack(">Q", seal.cues_at - data_at)
        seek = b"\x11\x4d\x9b\x74" + bytes((0x80 | 21,)) + b"\x4d\xbb" + bytes((0x80 | 18,)) + entry
        size = _size(seal.file_bytes - data_at)
    return start + size + seek + _element(0x1549A966, info) + tracks


def cues(width: int, height: int, clusters: Sequence[tuple[int, int]]) -> bytes:
    """Returns the index; ``clusters``: (milliseconds, offset) of those with keyframes."""
    header = vp8_header(width, height)
    data_at = header.index(_id(0x18538067)) + 12
    points = b"".join(
        _element(
            0xBB,
            _number(0xB3, at) + _element(0xB7, _number(0xF7, 1) + _number(0xF1, offset - data_at)),
        )
        for at, offset in clusters
    )
    return CUES_ID + _size(len(points)) + points


def _void(size: int) -> bytes:
    """Room for an element of this size (RFC 8794 section 11.3.2)."""
    return b"\xec" + bytes((0x80 | (size - 2),)) + bytes(size - 2)


def cluster(samples: Sequence[Sample]) -> bytes:
    """Returns one cluster with these frames; sample times as in MP4."""
    first = _milliseconds(samples[0].time)
    content = [_number(0xE7, first)]
    for sample in samples:
        head = struct.pack(
            ">BhB", 0x81, _milliseconds(sample.time) - first, 0x80 if sample.keyframe else 0
        )
        content.append(_element(0xA3, head + sample.data))
    return _element(0x1F43B675, b"".join(content))


def _milliseconds(time: int) -> int:
    return (time * 1000 + VIDEO_RATE // 2) // VIDEO_RATE
