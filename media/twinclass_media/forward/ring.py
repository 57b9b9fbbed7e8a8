"""The plaintext history of one encoding: what live sending, late joiners and RTX read from."""

from __future__ import annotations

from twinclass_media.rtp.payload import Vp8Descriptor

#: 5 s of a 200 packets/s video; a retransmission asked for later is of no use.
VIDEO_PACKETS = 1024
#: 1.3 s of 20 ms packets.
AUDIO_PACKETS = 64


class Entry:
    """One packet's payload and what a viewer's copy of it needs. Immutable by agreement.

    Attributes:
        sequence: extended sequence number in the publisher's counting.
        keyframe: a keyframe starts with this packet.
        vp8: the payload descriptor, when the codec is VP8.
    """

    __slots__ = ("at", "codec", "keyframe", "marker", "payload", "sequence", "timestamp", "vp8")

    def __init__(
        self,
        sequence: int,
        timestamp: int,
        marker: int,
        payload: bytes,
        codec: str,
        at: float,
        keyframe: bool = False,
        vp8: Vp8Descriptor | None = None,
    ) -> None:
        self.sequence = sequence
        self.timestamp = timestamp
        self.marker = marker
        self.payload = payload
        self.codec = codec
        self.at = at
        self.keyframe = keyframe
        self.vp8 = vp8


class Ring:
    """The last ``size`` entries by extended sequence number; ``size`` is a power of two."""

    __slots__ = ("_entries", "_mask", "highest")

    def __init__(self, size: int) -> None:
        if size & (size - 1):
            raise ValueError("size must be a power of two")
        self._entries: list[Entry | None] = [None] * size
        self._mask = size - 1
        self.highest = -1

    def add(self, entry: Entry) -> bool:
        """Keeps an entry. False: it is a duplicate or too old, and not kept."""
        sequence = entry.sequence
        if sequence > self.highest:
            self.highest = sequence
        elif self.highest - sequence > self._mask:
            return False
        index = sequence & self._mask
        present = self._entries[index]
        if present is not None and present.sequence >= sequence:
            return False
        self._entries[index] = entry
        return True

    def get(self, sequence: int) -> Entry | None:
        """Returns the entry with this extended sequence number, if it is still here."""
        entry = self._entries[sequence & self._mask]
        return entry if entry is not None and entry.sequence == sequence else None

    def run(self, first: int, last: int) -> list[Entry]:
        """Returns the entries first..last that are here, in order."""
        found = (self.get(n) for n in range(max(first, last - self._mask), last + 1))
        return [entry for entry in found if entry is not None]

    def clear(self) -> None:
        """Forgets everything."""
        self._entries = [None] * (self._mask + 1)
        self.highest = -1
