"""The shared boards of live help: one Yjs document a session.

Sans-I/O: bytes in, bytes out, and ``now``. The host knows who is in a session, passes on what
``apply`` returns, and writes down what ``take_unsaved`` gives.

Theory of operation. An update is read (``board_update``), every new mark in it is checked
(``board_marks``, and ``words`` for text), its place in the document is checked, and only then it is
applied; until that nothing has changed. Three rules keep a document sound whatever a member sends:

* **Nothing is kept for later.** An update that builds on what is missing here is refused
  (``board_behind``), and its sender asks for the state and sends all again. The library would put
  it aside, without a bound.
* **A device is one member's.** Yjs tells devices apart by a number drawn by chance. Whoever uses
  one first has it: nobody adds marks in another one's name, which would split the document.
* **Nothing is ever dropped from it.** What is erased on the pages stays in the document
  (``skip_gc``), so that whoever opens a case sees it. Hence a document only grows, and its size is
  the sum of what was added.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from pycrdt import Array, Doc

from twinclass_server.desk.board_marks import check
from twinclass_server.desk.board_update import (
    ROOT,
    Item,
    Mark,
    Update,
    bad_update,
    read_update,
    read_vector,
)
from twinclass_signaling.desk.words import refuse
from twinclass_signaling.errors import Conflict, LimitExceeded

#: Half an hour of two who draw without a pause; a usual board is 100 KiB.
MAX_BOARD_BYTES = 2 * 1024 * 1024
#: A roster has at most 500 tutors, each in one session.
MAX_BOARDS = 500
#: All boards of a desk together: 500 usual ones five times over.
MAX_ALL_BYTES = 256 * 1024 * 1024
#: Texts, formulas and photos that were ever put on a board; pages keep each as an element.
MAX_PLACED = 500
#: Devices of one member on one board: each reload of a page is another one.
MAX_DEVICES = 60

#: A page sends 20 updates a second while the hand moves. One costs 1, and 1 for each KiB.
RATE_PER_S = 60.0
#: A page that comes back sends the most that an update may have, and its next pieces.
BURST = 240.0
#: Asking makes the server encode what is missing, perhaps all of the board.
ASK_COST = 20.0

#: A document is written down at most once in so long; a crash costs as much.
SAVE_S = 1.0


@dataclass(slots=True)
class _Bucket:
    """What one member may still send at once."""

    tokens: float
    at: float


@dataclass(slots=True)
class _Board:
    doc: Doc[Array[Mark]] = field(default_factory=lambda: Doc(skip_gc=True))
    marks: Array[Mark] = field(init=False)
    size: int = 0
    placed: int = 0
    #: How much of each device the document has.
    clocks: dict[int, int] = field(default_factory=dict)
    owners: dict[int, str] = field(default_factory=dict)
    buckets: dict[str, _Bucket] = field(default_factory=dict)
    unsaved: list[bytes] = field(default_factory=list)
    saved_at: float = float("-inf")
    #: What the last transaction changed; filled by the document itself.
    changes: list[bytes] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.marks = self.doc.get(ROOT.decode(), type=Array)
        # The document holds only the list: through the board it would hold itself for ever.
        changes = self.changes
        self.doc.observe(lambda event: changes.append(event.update))


class Boards:
    """The boards of one desk's evening, by session."""

    def __init__(self) -> None:
        self._boards: dict[int, _Board] = {}
        self._size = 0

    def open(self, session: int) -> None:
        """Begins an empty board; nothing if there is one.

        Raises:
            LimitExceeded: ``board_none``, there are too many.
        """
        if session in self._boards:
            return
        if len(self._boards) >= MAX_BOARDS:
            raise LimitExceeded(
                "board_none",
                "白板暂时不可用，请先用语音讲解。",
                "No board is available now; go on by voice.",
                retry_after_s=60.0,
            )
        self._boards[session] = _Board()

    def is_open(self, session: int) -> bool:
        """Tells whether a session has a board."""
        return session in self._boards

    def apply(self, session: int, update: bytes, member: str, now: float) -> bytes | None:
        """Takes what a member has drawn; returns what to pass on to the others, None for nothing
        new.

        Raises:
            Conflict: ``board_closed``; ``board_update_bad``; ``board_behind``, its sender must
                ask for the state first; ``board_full``; or what ``words.refuse`` says of a text.
            LimitExceeded: ``board_fast``.
        """
        board = self._board(session)
        _spend(board, member, now, 1 + len(update) / 1024)
        read = read_update(update)
        added = _new_items(board, read)
        devices = {device for device, _ in added}
        _check_owners(board, devices, member)
        placed = sum(_check_marks(board.clocks.get(device, 0), item) for device, item in added)
        # An upper bound: what is known already is in it, too.
        if (
            board.placed + placed > MAX_PLACED
            or board.size + len(update) > MAX_BOARD_BYTES
            or self._size + len(update) > MAX_ALL_BYTES
        ) and added:
            raise Conflict(
                "board_full",
                "白板写满了，不能再写。已写的都在，可以继续用语音讲解。",
                "The board is full. What is on it stays; go on by voice.",
            )
        changes = _apply(board, update)
        if changes is None:
            return None
        for device in devices:
            board.owners[device] = member
        board.placed += placed
        board.size += len(changes)
        self._size += len(changes)
        board.unsaved.append(changes)
        return changes

    def state(self, session: int, vector: bytes, member: str, now: float) -> tuple[bytes, bytes]:
        """Returns what a page lacks that has ``vector``, as an update, and the board's vector.

        Raises:
            Conflict: ``board_closed``, ``board_update_bad``.
            LimitExceeded: ``board_fast``.
        """
        board = self._board(session)
        _spend(board, member, now, ASK_COST)
        known = read_vector(vector)
        # The library is asked for nothing that is not there.
        known = {device: min(have, board.clocks.get(device, 0)) for device, have in known.items()}
        return board.doc.get_update(_vector(known)), board.doc.get_state()

    def close(self, session: int) -> bytes:
        """Ends a board; returns all of it, erased marks too, as an update for the archive.

        Raises:
            Conflict: ``board_closed``.
        """
        board = self._board(session)
        del self._boards[session]
        self._size -= board.size
        return board.doc.get_update()

    def restore(self, session: int, updates: Iterable[bytes]) -> None:
        """Brings back a board from what ``take_unsaved`` gave, in that order; what cannot be read
        is left out.

        Raises:
            LimitExceeded: ``board_none``.
        """
        self.open(session)
        board = self._boards[session]
        for update in updates:
            try:
                changes = _apply(board, update)
            except Conflict:
                continue
            if changes is not None:
                board.size += len(changes)
                self._size += len(changes)
        board.placed = sum(1 for mark in board.marks.to_py() or [] if mark["k"] != "s")

    def take_unsaved(self, now: float) -> dict[int, list[bytes]]:
        """Returns what is to be written down now, by session: what was added since the last time.
        The caller gives back by ``put_back`` what it could not write."""
        taken: dict[int, list[bytes]] = {}
        for session, board in self._boards.items():
            if board.unsaved and now - board.saved_at >= SAVE_S:
                taken[session], board.unsaved = board.unsaved, []
                board.saved_at = now
        return taken

    def put_back(self, session: int, updates: list[bytes]) -> None:
        """Keeps for the next time what was not written; nothing when the board is closed."""
        if (board := self._boards.get(session)) is not None:
            board.unsaved[:0] = updates

    def _board(self, session: int) -> _Board:
        board = self._boards.get(session)
        if board is None:
            raise Conflict("board_closed", "这次辅导的白板已结束。", "This board is closed.")
        return board


def _apply(board: _Board, update: bytes) -> bytes | None:
    """Applies an update; returns what it changed, None for nothing."""
    board.changes.clear()
    try:
        board.doc.apply_update(update)
    except ValueError as error:
        raise bad_update() from error
    if not board.changes:
        return None
    board.clocks = read_vector(board.doc.get_state())
    return board.changes[0]


def _new_items(board: _Board, update: Update) -> list[tuple[int, Item]]:
    """Returns what the board does not have yet, with its device.

    Raises:
        Conflict: ``board_behind``.
    """
    added: list[tuple[int, Item]] = []
    ends: dict[int, int] = {}
    for device, items in update.items.items():
        have = board.clocks.get(device, 0)
        for item in items:
            if item.clock > max(have, ends.get(device, 0)):
                raise _behind()
            ends[device] = item.clock + item.length
            if ends[device] <= have:
                continue
            for other, clock in item.neighbours:
                # One's own earlier marks may come in the same update, those of others are here.
                if clock >= (item.clock if other == device else board.clocks.get(other, 0)):
                    raise _behind()
            added.append((device, item))
    for device, first, length in update.erased:
        if first + length > max(board.clocks.get(device, 0), ends.get(device, 0)):
            raise _behind()
    return added


def _behind() -> Conflict:
    return Conflict("board_behind", "白板正在同步。", "The board is being brought up to date.")


def _check_owners(board: _Board, devices: set[int], member: str) -> None:
    if any(board.owners.get(device, member) != member for device in devices):
        raise bad_update()
    if new := devices - board.owners.keys():
        own = sum(1 for owner in board.owners.values() if owner == member)
        if own + len(new) > MAX_DEVICES:
            raise bad_update()


def _check_marks(have: int, item: Item) -> int:
    """Returns how many of an item's new marks are elements of a page."""
    placed = 0
    for mark in (item.marks or [])[max(0, have - item.clock) :]:
        text = check(mark)
        if text is not None:
            refuse(text)
        placed += mark["k"] != "s"
    return placed


def _spend(board: _Board, member: str, now: float, cost: float) -> None:
    bucket = board.buckets.setdefault(member, _Bucket(BURST, now))
    bucket.tokens = min(BURST, bucket.tokens + max(0.0, now - bucket.at) * RATE_PER_S)
    bucket.at = now
    if bucket.tokens < cost:
        wait_s = (cost - bucket.tokens) / RATE_PER_S
        raise LimitExceeded(
            "board_fast", "写得太快了，请稍等。", "Too much at once.", retry_after_s=wait_s
        )
    bucket.tokens -= cost


def _vector(clocks: dict[int, int]) -> bytes:
    """Returns clocks as a state vector."""
    data = bytearray(_uint(len(clocks)))
    for device, clock in clocks.items():
        data += _uint(device) + _uint(clock)
    return bytes(data)


def _uint(number: int) -> bytes:
    data = bytearray()
    while number > 0x7F:
        data.append(number & 0x7F | 0x80)
        number >>= 7
    data.append(number)
    return bytes(data)
