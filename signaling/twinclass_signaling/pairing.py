"""Pairing codes: a room's screen shows one, the assistant types it and her tablet is the room's.

Sans-I/O: codes are made by the caller (random digits), time comes in. What a claim gives is the
lesson and the room; the caller issues the assistant's token from it. A code lives for minutes,
works once, and cannot be found by trying: six digits, a few thousand at most alive, and wrong
ones are counted by source and in all.
"""

from __future__ import annotations

import hmac
from collections import deque

from msgspec import Struct

from twinclass_signaling.errors import Conflict, LimitExceeded
from twinclass_signaling.ids import LessonId, RoomId

#: Long enough to fetch a tablet; the screen then shows the next code.
CODE_TTL_S = 300.0
CODE_DIGITS = 6
#: A city's lessons of one start, per process.
MAX_CODES = 2000
#: Wrong codes in ``WINDOW_S``: of one source (a thumb slips thrice), and of all together.
MAX_WRONG_OF_SOURCE, MAX_WRONG, WINDOW_S = 8, 200, 60.0
#: Sources that are remembered; older ones are forgotten first.
MAX_SOURCES = 10_000


class Paired(Struct, frozen=True):
    """Where a claimed code leads."""

    lesson: LessonId
    room: RoomId


class _Code(Struct, frozen=True):
    paired: Paired
    expires_at: float


class PairingDesk:
    """The codes that wait in one process. ``now`` never runs backwards."""

    def __init__(self) -> None:
        self._codes: dict[str, _Code] = {}
        self._wrong: dict[str, deque[float]] = {}
        self._all_wrong: deque[float] = deque()

    def offer(self, lesson: LessonId, room: RoomId, code: str, now: float) -> float:
        """Lets a room's screen show ``code``; its former one is over. Returns when it expires.

        Raises:
            Conflict: ``pairing_taken``, another room shows it: offer another one.
            LimitExceeded: ``pairing_full``.
        """
        self._forget(now)
        paired = Paired(lesson, room)
        self._codes = {key: held for key, held in self._codes.items() if held.paired != paired}
        if code in self._codes:
            raise Conflict("pairing_taken", "请再试一次。", "Try again.")
        if len(self._codes) >= MAX_CODES:
            raise LimitExceeded("pairing_full", "请稍后再试。", "Too many codes; try later.")
        self._codes[code] = _Code(paired, now + CODE_TTL_S)
        return now + CODE_TTL_S

    def claim(self, code: str, source: str, now: float) -> Paired:
        """Takes a code that somebody typed; it is over then.

        Args:
            code: as typed; spaces do not matter.
            source: whose tries are counted together, such as an address.
            now: seconds.

        Raises:
            LimitExceeded: ``pairing_tried``: too many wrong codes.
            Conflict: ``pairing_unknown``.
        """
        self._forget(now)
        wrong = self._wrong.get(source, ())
        if len(wrong) >= MAX_WRONG_OF_SOURCE or len(self._all_wrong) >= MAX_WRONG:
            raise LimitExceeded(
                "pairing_tried",
                "输错太多次，请一分钟后再试。",
                "Too many wrong codes; wait a minute.",
                retry_after_s=WINDOW_S,
            )
        typed = "".join(code.split())[: 2 * CODE_DIGITS]
        for known in self._codes:
            if hmac.compare_digest(known.encode(), typed.encode()):
                return self._codes.pop(known).paired
        self._note_wrong(source, now)
        raise Conflict(
            "pairing_unknown",
            "配对码不对或已过期，请看教室大屏上的新码。",
            "Wrong or over; look at the room's screen for the code.",
        )

    def _note_wrong(self, source: str, now: float) -> None:
        if source not in self._wrong and len(self._wrong) >= MAX_SOURCES:
            del self._wrong[next(iter(self._wrong))]
        self._wrong.setdefault(source, deque()).append(now)
        self._all_wrong.append(now)

    def _forget(self, now: float) -> None:
        self._codes = {key: held for key, held in self._codes.items() if held.expires_at > now}
        while self._all_wrong and self._all_wrong[0] <= now - WINDOW_S:
            self._all_wrong.popleft()
        for source in list(self._wrong):
            tries = self._wrong[source]
            while tries and tries[0] <= now - WINDOW_S:
                tries.popleft()
            if not tries:
                del self._wrong[source]
