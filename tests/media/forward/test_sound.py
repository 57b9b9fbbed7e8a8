"""What a listener who comes late gets of a track of sound."""

from __future__ import annotations

import struct

import pytest

from twinclass_media.forward.producer import Burst, Producer
from twinclass_media.forward.row import Row
from twinclass_media.forward.shape import Shape
from twinclass_media.rtp.packet import RtpPacket

RATE, FRAME = 48_000, 960


class Voice:
    """A track, whose packets come every 20 ms."""

    def __init__(self, timestamp: int = 2**32 - 3 * FRAME, sequence: int = 65_530) -> None:
        self.producer = Producer("a", False, RATE, ("",), False)
        self.layer = self.producer.layers[0]
        self.timestamp, self.sequence, self.now = timestamp, sequence, 100.0

    def speak(self, packets: int, codec: str = "opus") -> list[Burst]:
        found: list[Burst] = []
        for _ in range(packets):
            self.take(codec)
            found += self.producer.flush(self.layer, self.now)
        return found

    def take(self, codec: str = "opus") -> None:
        self.sequence = (self.sequence + 1) & 0xFFFF
        self.timestamp = (self.timestamp + FRAME) & 0xFFFFFFFF
        self.now += 0.02
        head = struct.pack("!BBHII", 0x80, 111, self.sequence, self.timestamp, 7)
        self.producer.receive(self.layer, RtpPacket(head + b"voice"), codec, self.now)

    def pause(self, seconds: float) -> None:
        self.now += seconds
        self.timestamp = (self.timestamp + round(seconds * RATE)) & 0xFFFFFFFF


def listener() -> Row:
    row = Row(None, 1, 2, RATE, {"opus": (111, None)}, 100, 5_000)
    row.shape = Shape(16, False, 0, 0, 0, b"", 0, 0)
    return row


def stamps(bursts: list[Burst]) -> list[int]:
    return [entry.timestamp for burst in bursts for entry in burst.entries]


def test_a_late_listener_gets_eighty_milliseconds_at_once_and_goes_on_without_a_gap() -> None:
    voice = Voice()
    voice.speak(20)
    row = listener()
    bursts = voice.producer.add(row, 0, voice.now + 0.01)
    assert stamps(bursts) == [(voice.timestamp - n * FRAME) & 0xFFFFFFFF for n in (3, 2, 1, 0)]
    assert [(list(burst.rows), burst.audio, burst.live) for burst in bursts] == [
        ([row], True, False)
    ]
    entries = list(bursts[0].entries)
    (following,) = voice.speak(1)
    assert list(following.rows) == [row]
    entries += following.entries
    assert row.takes(following.layer, following.cuts, following.entries[0].sequence)
    assert [entry.sequence + row.sequence_offset & 0xFFFF for entry in entries] == list(
        range(101, 106)
    )
    assert [entry.timestamp + row.timestamp_offset & 0xFFFFFFFF for entry in entries] == [
        5_000 + n * FRAME for n in range(5)
    ]


def test_what_has_not_left_yet_for_others_is_not_sent_twice() -> None:
    voice = Voice()
    voice.speak(5)
    voice.take()
    row = listener()
    at_once = voice.producer.add(row, 0, voice.now)
    left = voice.producer.flush(voice.layer, voice.now)
    assert stamps(at_once) + stamps(left) == [
        (voice.timestamp - n * FRAME) & 0xFFFFFFFF for n in (4, 3, 2, 1, 0)
    ]


def test_nothing_is_sent_ahead_of_it_over_a_gap_a_pause_or_another_codec() -> None:
    lost = Voice()
    lost.speak(5)
    lost.sequence += 1
    lost.pause(0.02)
    lost.speak(2)
    assert len(stamps(lost.producer.add(listener(), 0, lost.now))) == 2
    silent = Voice()
    silent.speak(5)
    silent.pause(0.4)
    silent.speak(1)
    assert stamps(silent.producer.add(listener(), 0, silent.now)) == [silent.timestamp]
    other = Voice()
    other.speak(5, "PCMU")
    other.speak(1)
    assert stamps(other.producer.add(listener(), 0, other.now)) == [other.timestamp]


@pytest.mark.parametrize("after_s", [0.15, 2.0])
def test_old_sound_is_not_sent_and_the_next_packet_begins(after_s: float) -> None:
    voice = Voice()
    voice.speak(5)
    row = listener()
    assert not voice.producer.add(row, 0, voice.now + after_s)
    (burst,) = voice.speak(1)
    assert list(burst.rows) == [row]


def test_what_was_said_while_the_microphone_was_closed_is_nobodys_to_hear() -> None:
    voice = Voice()
    voice.speak(5)
    voice.producer.set_paused(True)
    voice.speak(5)
    assert not voice.producer.add(listener(), 0, voice.now)
    voice.producer.set_paused(False)
    assert not voice.producer.add(listener(), 0, voice.now)
    voice.speak(1)
    assert len(stamps(voice.producer.add(listener(), 0, voice.now))) == 1


def test_a_listener_who_heard_another_track_gets_none_ahead() -> None:
    first, second = Voice(), Voice()
    first.speak(5)
    second.speak(5)
    row = listener()
    first.producer.add(row, 0, first.now)
    first.producer.remove(row)
    assert not second.producer.add(row, 0, second.now)
