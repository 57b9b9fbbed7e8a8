"""Whether a viewer's line is watched packet by packet, or left alone.

Watching costs: the viewer answers seventeen times a second instead of four (measured in Chromium),
and each answer costs more than forwarding the packets that it is about. So a line is watched while
little is known of it or it carries less than is wanted. Left alone it says by itself when it gets
narrow: receivers lower the rate that they could take (REMB), report loss, or fall silent.
"""

from __future__ import annotations

import math
from enum import Enum

#: A line that carries everything for so long is left alone.
SATISFIED_S = 5.0
#: Room beyond what is sent that a line must have shown by then, and the loss it may have.
SPARE, MOST_LOSS = 1.1, 0.02
#: A receiver that says it could take less than this share of what is sent has a full line.
NARROW = 0.95
#: Receivers cut what they say to 85 % of what came. One that says at least this share of what is
#: sent has cut once, it may be for a swing of the delay: nearly all is still believed to fit, until
#: packets tell. (Measured: on a line 85 % full, the picture was left every twenty seconds.)
ONE_CUT = 0.75
#: Loss of a report that is more than chance, and reports in a row that say so.
LOSSY, LOSSY_REPORTS = 0.03, 2
#: So much is no radio's: the queue is full, and what came is what the line carries. (Never so
#: little that it would be taken for cut.)
FULL_LOSS, LEAST_CAME = 0.25, 0.2
#: Receivers report four times a second; none for so long is a line that is cut or full.
SILENT_S = 1.5
#: Packets with numbers that nobody answers: a receiver that cannot, whatever it negotiated.
DEAF_S, DEAF_PACKETS = 3.0, 50


class State(Enum):
    """``DEAF``: the viewer does not answer numbers; only what it says of itself is known."""

    WATCHED = "watched"
    FREE = "free"
    DEAF = "deaf"


class Watch:
    """One viewer's. ``start_bps``: what to believe of the line when watching begins."""

    __slots__ = (
        "_answered",
        "_lossy",
        "_numbered",
        "_satisfied_since",
        "_since",
        "_told_bps",
        "heard_at",
        "start_bps",
        "state",
    )

    def __init__(self, now: float, start_bps: float, *, can_answer: bool) -> None:
        self.state = State.WATCHED if can_answer else State.DEAF
        self.start_bps = start_bps
        self.heard_at = now
        self._since = now
        self._answered = False
        self._numbered = 0
        self._satisfied_since = math.inf
        self._lossy = 0
        self._told_bps = math.inf

    # ---- while watched

    def numbered(self, packets: int) -> None:
        """Packets with numbers went out."""
        self._numbered += packets

    def answered(self) -> None:
        """The viewer answered numbers."""
        self._answered = True

    @property
    def has_answered(self) -> bool:
        """Tells whether anything is known of the line."""
        return self._answered

    def look(
        self, spent_bps: float, target_bps: float, loss: float, now: float, *, full: bool
    ) -> None:
        """Takes how the line does. ``full``: everybody gets what they want of it."""
        if self.state is not State.WATCHED:
            return
        if not self._answered and self._numbered > DEAF_PACKETS and now - self._since > DEAF_S:
            self.state = State.DEAF
            return
        if not full or loss > MOST_LOSS or target_bps < SPARE * spent_bps:
            self._satisfied_since = math.inf
        elif math.isinf(self._satisfied_since):
            self._satisfied_since = now
        elif now - self._satisfied_since > SATISFIED_S:
            self.state, self.heard_at, self._lossy = State.FREE, now, 0

    # ---- while left alone

    def told(self, could_take_bps: float, sending_bps: float, now: float) -> None:
        """The receiver said what it could take (REMB).

        While it answers numbers it learns nothing of its own and repeats its last word (Chromium),
        from which it climbs when it is left alone; so only a word lower than the last one counts.
        """
        before, self._told_bps = self._told_bps, could_take_bps
        is_lower = 0 < could_take_bps < min(before, NARROW * sending_bps)
        if self.state is not State.FREE or not is_lower:
            return
        has_cut_once = could_take_bps >= ONE_CUT * sending_bps and self._lossy == 0
        self._watch(NARROW * sending_bps if has_cut_once else could_take_bps, now)

    def reported(self, loss: float, sending_bps: float, now: float) -> None:
        """The receiver reported a share of loss."""
        self.heard_at = now
        self._lossy = self._lossy + 1 if loss > LOSSY else 0
        if self.state is State.FREE and self._lossy >= LOSSY_REPORTS:
            came = max(LEAST_CAME, 1.0 - loss) if loss > FULL_LOSS else 1.0
            self._watch(came * sending_bps, now)

    def tick(self, sending_bps: float, now: float) -> None:
        """Looks at the time, once a second."""
        if self.state is State.FREE and sending_bps > 0 and now - self.heard_at > SILENT_S:
            self._watch(sending_bps / 2, now)

    def moved(self, sending_bps: float, now: float) -> None:
        """The viewer is on another line now."""
        if self.state is State.FREE:
            self._watch(sending_bps / 2, now)

    def _watch(self, start_bps: float, now: float) -> None:
        self.state, self.start_bps, self._since = State.WATCHED, start_bps, now
        self._satisfied_since = math.inf
        self._answered, self._numbered = True, 0  # It did answer before.
