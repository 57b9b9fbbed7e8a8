"""Fragmented MP4 of one track (ISO 14496-12, -15; Opus in ISO BMFF), written piece by piece. Core.

Why not a library: a fragment must end when *we* say so, so that what is on disk is never more than
half a second behind, whatever comes next; a fragment that a full disk refuses must be droppable as
a whole; and PyAV's muxer takes the process down after a header it does not like. All of it is
twenty boxes.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import NamedTuple

VIDEO_RATE = 90_000
AUDIO_RATE = 48_000
_MATRIX = struct.pack(">9I", 0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000)
#: ISO 14496-12 section 8.8.3.1: depends on others, is no sync sample; and its contrary.
_NOT_SYNC, _SYNC = 0x01010000, 0x02000000


class Sample(NamedTuple):
    """One frame. ``time`` and ``duration`` in units of the track's rate."""

    time: int
    duration: int
    data: bytes
    keyframe: bool


def box(kind: bytes, *content: bytes) -> bytes:
    """Returns a box."""
    body = b"".join(content)
    return struct.pack(">I4s", 8 + len(body), kind) + body


def _full(kind: bytes, version: int, flags: int, *content: bytes) -> bytes:
    return box(kind, struct.pack(">I", version << 24 | flags), *content)


def h264_header(sps: bytes, pps: bytes, width: int, height: int) -> bytes:
    """Returns what stands before the fragments of an H264 track."""
    avcc = box(
        b"avcC",
        bytes((1, sps[1], sps[2], sps[3], 0xFF, 0xE1)),
        struct.pack(">H", len(sps)),
        sps,
        b"\x01",
        struct.pack(">H", len(pps)),
        pps,
    )
    entry = box(
        b"avc1",
        struct.pack(">6xH16xHHII4xH32xHh", 1, width, height, 0x480000, 0x480000, 1, 0x18, -1),
        avcc,
    )
    media = _full(b"vmhd", 0, 1, bytes(8))
    return _header(VIDEO_RATE, b"vide", media, entry, width, height)


def opus_header() -> bytes:
    """Returns what stands before the fragments of an Opus track.

    Spec: "Encapsulation of Opus in ISO BMFF" section 4.3; WebRTC's Opus has two channels at 48 kHz
    (RFC 7587 section 4.1), a decoder makes two of one. No pre-skip: it begins in mid-stream.
    """
    dops = box(b"dOps", struct.pack(">BBHIhB", 0, 2, 0, AUDIO_RATE, 0, 0))
    entry = box(b"Opus", struct.pack(">6xH8xHH4xI", 1, 2, 16, AUDIO_RATE << 16), dops)
    return _header(AUDIO_RATE, b"soun", _full(b"smhd", 0, 0, bytes(4)), entry, 0, 0)


def _header(
    rate: int, handler: bytes, media: bytes, entry: bytes, width: int, height: int
) -> bytes:
    volume = 0 if width else 0x0100
    tkhd = _full(
        b"tkhd",
        0,
        3,
        struct.pack(">IIIII8xHHHH", 0, 0, 1, 0, 0, 0, 0, volume, 0),
        _MATRIX,
        struct.pack(">II", width << 16, height << 16),
    )
    empty = b"".join(
        (
            _full(b"stts", 0, 0, bytes(4)),
            _full(b"stsc", 0, 0, bytes(4)),
            _full(b"stsz", 0, 0, bytes(8)),
            _full(b"stco", 0, 0, bytes(4)),
        )
    )
    stbl = box(b"stbl", _full(b"stsd", 0, 0, struct.pack(">I", 1), entry), empty)
    dref = _full(b"dref", 0, 0, struct.pack(">I", 1), _full(b"url ", 0, 1))
    minf = box(b"minf", media, box(b"dinf", dref), stbl)
    mdhd = _full(b"mdhd", 0, 0, struct.pack(">IIIIHH", 0, 0, rate, 0, 0x55C4, 0))
    hdlr = _full(b"hdlr", 0, 0, struct.pack(">I4s12x", 0, handler), b"twinclass\0")
    trak = box(b"trak", tkhd, box(b"mdia", mdhd, hdlr, minf))
    mvhd = _full(
        b"mvhd",
        0,
        0,
        struct.pack(">IIIIIH10x", 0, 0, 1000, 0, 0x10000, 0x0100),
        _MATRIX,
        bytes(24),
        struct.pack(">I", 2),
    )
    trex = _full(b"trex", 0, 0, struct.pack(">IIIII", 1, 1, 0, 0, 0))
    ftyp = box(b"ftyp", b"iso6", struct.pack(">I", 0), b"iso6cmfcmp41")
    return ftyp + box(b"moov", mvhd, trak, box(b"mvex", trex))


def fragment(number: int, samples: Sequence[Sample]) -> bytes:
    """Returns one fragment (moof and mdat); ``number`` counts from 1."""
    flags = 0x000001 | 0x000100 | 0x000200 | 0x000400
    entries = b"".join(
        struct.pack(">III", s.duration, len(s.data), _SYNC if s.keyframe else _NOT_SYNC)
        for s in samples
    )
    tfhd = _full(b"tfhd", 0, 0x020000, struct.pack(">I", 1))
    tfdt = _full(b"tfdt", 1, 0, struct.pack(">Q", samples[0].time))
    mfhd = _full(b"mfhd", 0, 0, struct.pack(">I", number))
    trun_bytes = 8 + 4 + 8 + len(entries)
    moof_bytes = 8 + len(mfhd) + 8 + len(tfhd) + len(tfdt) + trun_bytes
    trun = _full(b"trun", 0, flags, struct.pack(">Ii", len(samples), moof_bytes + 8), entries)
    moof = box(b"moof", mfhd, box(b"traf", tfhd, tfdt, trun))
    return moof + box(b"mdat", *(s.data for s in samples))


def rebased(piece: bytes, base: int, number: int) -> bytes:
    """Returns a fragment as ``fragment`` writes it with ``base`` taken off its time, and another
    number.

    Raises:
        ValueError: it is none, or begins before ``base``.
    """
    kinds = (piece[4:8], piece[12:16], piece[28:32], piece[36:40], piece[52:56])
    if kinds != (b"moof", b"mfhd", b"traf", b"tfhd", b"tfdt") or piece[56] != 1:
        raise ValueError("not a fragment of the recorder")
    time = int.from_bytes(piece[60:68], "big") - base
    if time < 0:
        raise ValueError("a fragment begins before the cut")
    return b"".join(
        (piece[:20], struct.pack(">I", number), piece[24:60], struct.pack(">Q", time), piece[68:])
    )
