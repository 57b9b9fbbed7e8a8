"""Sound with the packets before it (RFC 2198), read back by a parser of the test's own."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from twinclass_media.forward.red import with_redundancy
from twinclass_media.forward.ring import Entry, Ring

OPUS = 111


def blocks(payload: bytes) -> list[tuple[int, int, bytes]]:
    """(Payload type, timestamp offset, bytes) of each block, as RFC 2198 section 3 has it."""
    heads, at = [], 0
    while payload[at] & 0x80:
        word = int.from_bytes(payload[at : at + 4], "big")
        heads.append((word >> 24 & 0x7F, word >> 10 & 0x3FFF, word & 0x3FF))
        at += 4
    kind, at = payload[at], at + 1
    found = []
    for payload_type, offset, size in heads:
        found.append((payload_type, offset, payload[at : at + size]))
        at += size
    return [*found, (kind, 0, payload[at:])]


def sound(ring: Ring, sequence: int, timestamp: int, payload: bytes, codec: str = "opus") -> Entry:
    entry = Entry(sequence, timestamp & 0xFFFFFFFF, 0, payload, codec, 0.0)
    ring.add(entry)
    return entry


def test_each_packet_brings_those_before_it_oldest_first() -> None:
    ring = Ring(64)
    made = [sound(ring, 70_000 + n, 960 * n, bytes((n,)) * 10) for n in range(5)]
    [packet] = with_redundancy([made[4]], ring, 2, OPUS)
    assert (packet.sequence, packet.timestamp) == (70_004, 960 * 4)
    assert blocks(packet.payload) == [
        (OPUS, 1920, b"\2" * 10),
        (OPUS, 960, b"\3" * 10),
        (OPUS, 0, b"\4" * 10),
    ]


def test_what_is_missing_silent_too_old_or_too_long_is_left_out() -> None:
    ring = Ring(64)
    sound(ring, 100, 0, b"old")
    sound(ring, 102, 48_000, b"x" * 1_024)
    last = sound(ring, 103, 48_960, b"now")
    assert blocks(with_redundancy([last], ring, 3, OPUS)[0].payload) == [(OPUS, 0, b"now")]


def test_a_timestamp_that_wraps_is_no_obstacle() -> None:
    ring = Ring(64)
    sound(ring, 1, 2**32 - 480, b"before")
    last = sound(ring, 2, 480, b"after")
    assert blocks(with_redundancy([last], ring, 1, OPUS)[0].payload)[0] == (OPUS, 960, b"before")


@given(
    st.lists(st.tuples(st.integers(1, 3), st.binary(max_size=1100)), min_size=1, max_size=20),
    st.integers(1, 2),
)
def test_whatever_comes_the_sound_itself_is_whole(
    steps: list[tuple[int, bytes]], generations: int
) -> None:
    ring, sequence = Ring(64), 0
    for gap, payload in steps:
        sequence += gap
        entry = sound(ring, sequence, 960 * sequence, payload)
        [packet] = with_redundancy([entry], ring, generations, OPUS)
        found = blocks(packet.payload)
        assert found[-1] == (OPUS, 0, payload)
        assert len(found) <= generations + 1
