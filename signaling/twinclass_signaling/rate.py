"""How often a client may send each kind of message: token buckets, without a clock inside."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Allowance:
    """``burst`` messages at once, refilled at ``per_s``."""

    per_s: float
    burst: float


#: A page sends a handful of offers in its life; a nervous thumb taps some ten times a second.
ALLOWANCES: dict[str, Allowance] = {
    "authenticate": Allowance(0.2, 1),
    "publish_offer": Allowance(1, 10),
    "subscribe_answer": Allowance(2, 20),
    "subscribe_refused": Allowance(1, 10),
    "restart_downlink": Allowance(0.5, 6),
    # Two connections, each at most once in ten seconds; a path that comes and goes tells so.
    "relay_ask": Allowance(0.2, 6),
    "routes": Allowance(2, 20),
    "view": Allowance(2, 10),
    "report": Allowance(2, 10),
    "command": Allowance(10, 40),
    "ink": Allowance(30, 90),
    "board_update": Allowance(40, 120),
    "board_ask": Allowance(1, 10),
    "ping": Allowance(1, 10),
}
#: Commands that others see at once have a rate of their own besides.
COMMAND_ALLOWANCES: dict[str, Allowance] = {
    "hand_raise": Allowance(1, 6),
    "hand_lower": Allowance(2, 20),
    "note_send": Allowance(0.5, 6),
    "pulse_send": Allowance(0.5, 8),
    "help_ask": Allowance(0.2, 3),
    "chat_say": Allowance(0.5, 5),
    "quiz_answer": Allowance(2, 20),
    "quiz_tally": Allowance(1, 6),
    # All that was taken down in an outage comes at once: twenty, then as fast as it is logged.
    "offline_record": Allowance(5, 20),
    "slides_attach": Allowance(0.2, 5),
    # Nobody asks more than some questions an evening; what is wrong is corrected at once.
    "question_ask": Allowance(0.05, 4),
    "question_follow": Allowance(0.2, 6),
    "safety_report": Allowance(0.2, 4),
}


class TokenBucket:
    """Invariant: ``0 <= level <= burst``. ``now`` never runs backwards."""

    __slots__ = ("_allowance", "_at", "_level")

    def __init__(self, allowance: Allowance, now: float) -> None:
        self._allowance = allowance
        self._level = allowance.burst
        self._at = now

    def take(self, now: float) -> float:
        """Takes one and returns 0, or returns the seconds until one is there."""
        elapsed = max(0.0, now - self._at)
        self._at = now
        level = min(self._allowance.burst, self._level + elapsed * self._allowance.per_s)
        if level >= 1:
            self._level = level - 1
            return 0.0
        self._level = level
        return (1 - level) / self._allowance.per_s


class MessageRates:
    """The buckets of one connection, made as kinds appear."""

    def __init__(self) -> None:
        self._buckets: dict[str, TokenBucket] = {}

    def take(self, kind: str, now: float) -> float:
        """Takes one of a kind; returns 0 or the seconds to wait."""
        return self._take(kind, ALLOWANCES[kind], now)

    def take_command(self, kind: str, now: float) -> float:
        """Takes one of a kind of command; returns 0 or the seconds to wait."""
        allowance = COMMAND_ALLOWANCES.get(kind)
        return 0.0 if allowance is None else self._take(kind, allowance, now)

    def _take(self, kind: str, allowance: Allowance, now: float) -> float:
        bucket = self._buckets.get(kind)
        if bucket is None:
            bucket = self._buckets[kind] = TokenBucket(allowance, now)
        return bucket.take(now)
