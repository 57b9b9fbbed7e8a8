"""How long packets of Opus last, and what stands where none came (RFC 6716 section 3). Core.

A silent microphone sends a packet of one byte every 400 ms (discontinuous transmission), and a lost
packet leaves a hole as well. A decoder gives 20 ms of sound for a packet whatever its file says of
its duration, so a browser would play such a track too fast and be at its end long before the
others. An empty frame is what the decoder itself puts where nothing came.
"""

from __future__ import annotations

#: Samples of a frame at 48 kHz, by the configuration number (table 2 of the RFC).
_SILK = (480, 960, 1920, 2880)
_HYBRID = (480, 960)
_CELT = (120, 240, 480, 960)
#: 120 ms; a packet that says more is damaged.
_LONGEST = 5760


def frame_samples(packet: bytes) -> int:
    """Returns how long one frame of a packet is."""
    config = packet[0] >> 3
    if config < 12:
        return _SILK[config % 4]
    return _HYBRID[config % 2] if config < 16 else _CELT[config % 4]


def packet_samples(packet: bytes) -> int:
    """Returns how long a packet is."""
    code = packet[0] & 3
    if code == 0:
        frames = 1
    elif code < 3:
        frames = 2
    else:
        frames = packet[1] & 63 if len(packet) > 1 else 1
    return min(_LONGEST, max(1, frames) * frame_samples(packet))


def empty(packet: bytes) -> bytes:
    """Returns a packet of one empty frame of the same configuration."""
    return bytes((packet[0] & 0xFC,))
