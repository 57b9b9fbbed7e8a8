"""Updates of a board, read before they are applied.

A board is one Yjs document with one list, ``marks``, of flat objects. That is a small part of what
an update can say (nested types, maps, formatted text, other documents), and only that part is
read: whatever else an update holds, it is refused whole. So the library that keeps the document
never sees a struct that we have not understood.

The format is Yjs' "update V1" (``encoding.js`` and ``structs/`` of yjs; ``lib0/encoding`` for
numbers and values):

    update    := n:uint block* deletes
    block     := n:uint client:uint clock:uint struct*
    struct    := info:byte [left:id] [right:id] [parent] content
    deletes   := n:uint (client:uint n:uint (clock:uint length:uint)*)*

Bit 8 of ``info``: a left neighbour is named; bit 7: a right one; without either its parent is.
Structs "GC" and "Skip" never come about in a flat list, and are refused.

Not handled: update V2, which no client of ours sends.
"""

from __future__ import annotations

import math
import struct
from dataclasses import dataclass, field

from twinclass_signaling.errors import Conflict

#: Base64 of it is ``messages.MAX_UPDATE_CHARS``; a long stroke is 2 KiB.
MAX_UPDATE_BYTES = 48 * 1024
#: The list of a board.
ROOT = b"marks"
#: Yjs draws client ids from 32 bits.
MAX_CLIENT = 2**32 - 1
#: What one device adds to a board in its life; 30 min of drawing are 36,000 pieces.
MAX_CLOCK = 2**20
#: Members of one mark; ``board_marks`` knows at most seven.
MAX_MEMBERS = 8
#: Devices in a state vector: 50 pupils who have all reloaded their page often.
MAX_VECTOR = 4_000

_OBJECT = 118
_HAS_LEFT, _HAS_RIGHT, _HAS_KEY, _CONTENT = 0x80, 0x40, 0x20, 0x1F

Value = str | int | bytes
Mark = dict[str, Value]
#: A device and its count of what it had added before.
ItemId = tuple[int, int]


@dataclass(slots=True)
class Item:
    """A run of marks that one device added together; ``marks`` None: they are erased already."""

    clock: int
    length: int
    neighbours: tuple[ItemId, ...]
    marks: list[Mark] | None


@dataclass(slots=True)
class Update:
    """What an update adds, by device and in order, and what it erases."""

    items: dict[int, list[Item]] = field(default_factory=dict)
    #: Device, first, length.
    erased: list[tuple[int, int, int]] = field(default_factory=list)


def bad_update() -> Conflict:
    """Returns what is said of an update that cannot be read or says what no client says."""
    return Conflict(
        "board_update_bad",
        "这一笔没有写上，白板已恢复，请再写一次。",
        "That did not arrive on the board; it is restored, please draw it again.",
    )


def read_update(data: bytes) -> Update:
    """Returns what an update says.

    Raises:
        Conflict: ``board_update_bad``.
    """
    if len(data) > MAX_UPDATE_BYTES:
        raise bad_update()
    reader = _Reader(data)
    update = Update()
    for _ in range(reader.uint(MAX_VECTOR)):
        count, client, clock = reader.uint(len(data)), reader.client(), reader.uint(MAX_CLOCK)
        if client in update.items:
            raise bad_update()
        items = update.items[client] = []
        for _ in range(count):
            item = _read_item(reader, clock)
            clock += item.length
            if clock > MAX_CLOCK:
                raise bad_update()
            items.append(item)
    for _ in range(reader.uint(MAX_VECTOR)):
        client = reader.client()
        for _ in range(reader.uint(len(data))):
            update.erased.append((client, reader.uint(MAX_CLOCK), reader.uint(MAX_CLOCK)))
    reader.expect_end()
    return update


def read_vector(data: bytes) -> dict[int, int]:
    """Returns a state vector: of which device how much is known. Empty bytes: nothing is.

    Raises:
        Conflict: ``board_update_bad``.
    """
    if not data:
        return {}
    reader = _Reader(data)
    vector = {reader.client(): reader.uint(MAX_CLOCK) for _ in range(reader.uint(MAX_VECTOR))}
    reader.expect_end()
    return vector


def _read_item(reader: _Reader, clock: int) -> Item:
    info = reader.byte()
    neighbours: list[ItemId] = []
    for flag in (_HAS_LEFT, _HAS_RIGHT):
        if info & flag:
            neighbours.append((reader.client(), reader.uint(MAX_CLOCK)))
    # A key belongs to a map. Yjs sets its bit also where a parent is not named, but never in lists.
    if info & _HAS_KEY:
        raise bad_update()
    if not neighbours and (reader.uint(1) != 1 or reader.sized() != ROOT):
        raise bad_update()
    match info & _CONTENT:
        case 1:  # ContentDeleted
            length, marks = reader.uint(MAX_CLOCK), None
        case 8:  # ContentAny
            marks = [_read_mark(reader) for _ in range(reader.uint(reader.left))]
            length = len(marks)
        case _:
            raise bad_update()
    if length == 0:
        raise bad_update()
    return Item(clock, length, tuple(neighbours), marks)


def _read_mark(reader: _Reader) -> Mark:
    if reader.byte() != _OBJECT:
        raise bad_update()
    mark: Mark = {}
    for _ in range(reader.uint(MAX_MEMBERS)):
        name = reader.text()
        if name in mark:
            raise bad_update()
        mark[name] = _read_value(reader)
    return mark


def _read_value(reader: _Reader) -> Value:
    match reader.byte():
        case 119:  # string
            return reader.text()
        case 116:  # Uint8Array
            return reader.sized()
        case 125:  # integer
            return reader.signed()
        case 124:  # float32: the document's library writes small numbers so
            return _whole(struct.unpack(">f", reader.take(4))[0])
        case 123:  # float64
            return _whole(struct.unpack(">d", reader.take(8))[0])
        case _:
            raise bad_update()


def _whole(number: float) -> int:
    if not math.isfinite(number) or number != int(number):
        raise bad_update()
    return int(number)


class _Reader:
    """Reads from the front; every step is checked against what is left."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    @property
    def left(self) -> int:
        """Bytes not read yet."""
        return len(self._data) - self._at

    def take(self, count: int) -> bytes:
        if count > self.left:
            raise bad_update()
        self._at += count
        return self._data[self._at - count : self._at]

    def byte(self) -> int:
        return self.take(1)[0]

    def uint(self, most: int) -> int:
        """Reads a number of 7 bits a byte, lowest first; more than ``most`` is refused."""
        number = shift = 0
        while True:
            byte = self.byte()
            number |= (byte & 0x7F) << shift
            shift += 7
            if number > most or shift > 63:
                raise bad_update()
            if byte < 0x80:
                return number

    def signed(self) -> int:
        """Reads a number whose first byte has a sign and 6 bits."""
        byte = self.byte()
        number, shift, is_negative = byte & 0x3F, 6, bool(byte & 0x40)
        while byte & 0x80:
            byte = self.byte()
            number |= (byte & 0x7F) << shift
            shift += 7
            if shift > 34:
                raise bad_update()
        return -number if is_negative else number

    def client(self) -> int:
        return self.uint(MAX_CLIENT)

    def sized(self) -> bytes:
        return self.take(self.uint(self.left))

    def text(self) -> str:
        try:
            return self.sized().decode()
        except UnicodeDecodeError as error:
            raise bad_update() from error

    def expect_end(self) -> None:
        if self.left:
            raise bad_update()
