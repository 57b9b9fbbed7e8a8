"""What finds lessons: an inverted index in memory, over columns of numbers. Core.

In SQL one search of 22,000 entries with its chips cost 100 to 480 ms, on whichever of the two
databases; here it costs one or two. SQL stays the truth: ``catalogue`` fills this from it and keeps
it so. Some 2 KiB an entry, twice that with a long description.

A row is written once, but for its plays: an entry that changes gets a new row and its old one
dies; when a quarter is dead, the owner makes a new index. Postings are arrays of rows, so a search
is a handful of passes over numbers, whatever was asked.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left, insort
from collections import OrderedDict, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, Literal, TypeVar

import numpy as np
from msgspec import Struct
from msgspec.structs import replace
from numpy.typing import NDArray

from twinclass_recordings.library.access import Rights, Viewer, Visibility
from twinclass_recordings.library.terms import terms_asked, terms_of
from twinclass_signaling.roles import Role

Order = Literal["relevance", "new", "plays"]
#: A page of covers; more is another request.
MAX_PAGE = 60
#: A search that nobody pages through to its end.
MAX_OFFSET = 5000
#: Values of one facet that are worth showing.
MAX_FACET = 60
MAX_POINTS = 20
#: Words that begin with what is being typed; one letter has thousands, and nobody reads those.
MAX_TYPED = 400
#: Answers kept: what a page asks when it opens is the same for a whole school.
MAX_KEPT = 256
#: How much a term says, by where it stands.
_WEIGHTS = {"title": 8, "points": 6, "subtitle": 5, "subject": 4, "people": 3, "description": 1}
_VISIBILITIES: tuple[Visibility, ...] = ("private", "school", "city")
_FACETS = ("subject", "grade", "edition")
_COLUMNS = (*_FACETS, "kind", "lead", "lesson")

N = TypeVar("N", np.bool_, np.int8, np.int32, np.float64)
_Ints = NDArray[np.int64]
_Mask = NDArray[np.bool_]


class Card(Struct, frozen=True):
    """What is found of an entry, and what it is found by. ``taught_at``: Unix seconds."""

    key: int
    id: str
    kind: str
    lesson: str
    title: str
    subtitle: str
    description: str
    subject: str
    grade: str
    edition: str
    points: tuple[str, ...]
    lead: str
    lead_name: str
    school_name: str
    schools: tuple[str, ...]
    visibility: Visibility
    taught_at: float
    duration_s: float
    plays: int
    state: str
    has_cover: bool
    keep_until: str = ""

    @property
    def rights(self) -> Rights:
        """Returns what decides about it."""
        return Rights(self.lesson, self.lead, frozenset(self.schools), self.visibility, self.id)


@dataclass(frozen=True, slots=True)
class Asked:
    """A search. Empty strings: any."""

    text: str = ""
    subject: str = ""
    grade: str = ""
    edition: str = ""
    point: str = ""
    school: str = ""
    kind: str = ""
    order: Order = "relevance"
    page: int = 0
    size: int = 24


@dataclass(frozen=True, slots=True)
class Found:
    """One page of a search; ``facets``: name -> (value, count), most first."""

    total: int
    cards: list[Card]
    facets: dict[str, list[tuple[str, int]]]


class _Growing(Generic[N]):
    """Numbers that are looked at without being copied: who looks while it grows sees the old."""

    def __init__(self, kind: type[N]) -> None:
        self._room: NDArray[N] = np.zeros(1024, kind)
        self._size = 0

    def append(self, value: float) -> None:
        if self._size == len(self._room):
            room: NDArray[N] = np.zeros(2 * self._size, self._room.dtype)
            room[: self._size] = self._room
            self._room = room
        self._room[self._size] = value
        self._size += 1

    @property
    def all(self) -> NDArray[N]:
        return self._room[: self._size]


@dataclass(slots=True)
class _Column:
    """A value of every row as a number; ``names[number]`` is the value."""

    values: _Growing[np.int32] = field(default_factory=lambda: _Growing(np.int32))
    names: list[str] = field(default_factory=list[str])
    codes: dict[str, int] = field(default_factory=dict[str, int])

    def add(self, value: str) -> None:
        self.values.append(self.code(value))

    def code(self, value: str) -> int:
        code = self.codes.get(value)
        if code is None:
            code = self.codes[value] = len(self.names)
            self.names.append(value)
        return code

    def equals(self, value: str) -> _Mask:
        return np.equal(self.values.all, self.codes.get(value, -1))


@dataclass(slots=True)
class _Posting:
    """The rows that have a term, and how much it says of each."""

    rows: array[int] = field(default_factory=lambda: array("i"))
    weights: array[int] = field(default_factory=lambda: array("h"))


class Index:
    """Entries by what they are found by. Not for two threads at once."""

    def __init__(self) -> None:
        self._cards: list[Card] = []
        self._alive = _Growing(np.bool_)
        self._rows: dict[int, int] = {}
        self._keys: dict[str, int] = {}
        self._columns = {name: _Column() for name in _COLUMNS}
        self._visibility = _Growing(np.int8)
        self._taught = _Growing(np.float64)
        self._plays = _Growing(np.int32)
        #: A point of a row each; ``_pointed`` is the row.
        self._points = _Column()
        self._pointed = _Growing(np.int32)
        self._schools: dict[str, array[int]] = defaultdict(lambda: array("i"))
        self._postings: dict[str, _Posting] = {}
        #: Terms that can be typed letter by letter, in order.
        self._words: list[str] = []
        self._kept: OrderedDict[tuple[Any, ...], Found] = OrderedDict()

    def __len__(self) -> int:
        return len(self._rows)

    @property
    def dead(self) -> int:
        """Returns how many rows nobody finds any more."""
        return len(self._cards) - len(self._rows)

    def card(self, key: int) -> Card | None:
        """Returns what is known of an entry."""
        row = self._rows.get(key)
        return None if row is None else self._cards[row]

    def find(self, identifier: str) -> Card | None:
        """Returns what is known of an entry by its id."""
        key = self._keys.get(identifier)
        return None if key is None else self.card(key)

    def keys(self) -> set[int]:
        """Returns the entries that are in it."""
        return set(self._rows)

    # ---- writing

    def put(self, card: Card) -> None:
        """Takes an entry in, or its new state."""
        known = self._rows.get(card.key)
        if known is not None and replace(self._cards[known], plays=card.plays) == card:
            if self._cards[known].plays != card.plays:
                self._cards[known] = card
                self._plays.all[known] = card.plays
                self._kept.clear()
            return
        self.remove(card.key)
        row = len(self._cards)
        self._rows[card.key] = row
        self._keys[card.id] = card.key
        self._cards.append(card)
        self._alive.append(1)
        for name, column in self._columns.items():
            column.add(getattr(card, name))
        self._visibility.append(_VISIBILITIES.index(card.visibility))
        self._taught.append(card.taught_at)
        self._plays.append(card.plays)
        for point in set(card.points[:MAX_POINTS]):
            self._points.add(point)
            self._pointed.append(row)
        for school in set(card.schools):
            self._schools[school].append(row)
        for term, weight in weights_of(card).items():
            posting = self._postings.get(term)
            if posting is None:
                posting = self._postings[term] = _Posting()
                if term.isascii() or not _is_chinese(term):
                    insort(self._words, term)
            posting.rows.append(row)
            posting.weights.append(weight)
        self._kept.clear()

    def remove(self, key: int) -> None:
        """Forgets an entry."""
        row = self._rows.pop(key, None)
        if row is not None:
            identifier = self._cards[row].id
            # An id may have come back under another key.
            if self._keys.get(identifier) == key:
                del self._keys[identifier]
            self._alive.all[row] = False
            self._kept.clear()

    # ---- searching

    def search(self, viewer: Viewer, asked: Asked) -> Found:
        """Returns what somebody may see of what is asked for, one page of it."""
        key = (_scope(viewer), asked)
        kept = self._kept.get(key)
        if kept is None:
            kept = self._kept[key] = self._search(viewer, asked)
            if len(self._kept) > MAX_KEPT:
                self._kept.popitem(last=False)
        else:
            self._kept.move_to_end(key)
        return kept

    def _search(self, viewer: Viewer, asked: Asked) -> Found:
        mask = self._visible(viewer) & self._matching(asked)
        score = np.zeros(len(self._cards), np.int64)
        if asked.text.strip():
            mask &= self._hits(asked.text, score)
        rows = np.flatnonzero(mask)
        size = max(1, min(asked.size, MAX_PAGE))
        offset = min(max(0, asked.page) * size, MAX_OFFSET)
        chosen = self._first(rows, score, asked.order, offset + size)[offset:]
        return Found(len(rows), [self._cards[row] for row in chosen], self._facets(rows, mask))

    def _visible(self, viewer: Viewer) -> _Mask:
        """``access.may`` to see, for all rows at once."""
        alive = self._alive.all
        if viewer.entry:
            one = np.zeros(len(alive), np.bool_)
            key = self._keys.get(viewer.entry)
            if key is not None:
                one[self._rows[key]] = True
            return np.logical_and(alive, one)
        if viewer.lesson:
            of_lesson: _Mask = np.logical_and(alive, self._columns["lesson"].equals(viewer.lesson))
            return of_lesson
        if viewer.role in (Role.OPERATOR, Role.LIBRARIAN):
            return alive
        if viewer.role is not Role.LEAD:
            return np.zeros(len(alive), np.bool_)
        level = self._visibility.all
        seen = (level == _VISIBILITIES.index("city")) | self._columns["lead"].equals(viewer.subject)
        of_school = np.zeros(len(alive), np.bool_)
        for school in viewer.schools & self._schools.keys():
            of_school[_numbers(self._schools[school])] = True
        of_school &= level == _VISIBILITIES.index("school")
        found: _Mask = np.logical_and(alive, seen | of_school)
        return found

    def _matching(self, asked: Asked) -> _Mask:
        mask = np.ones(len(self._cards), np.bool_)
        for name in (*_FACETS, "kind"):
            value = getattr(asked, name)
            if value:
                mask &= self._columns[name].equals(value)
        if asked.point:
            pointed = np.zeros(len(self._cards), np.bool_)
            pointed[self._pointed.all[self._points.equals(asked.point)]] = True
            mask &= pointed
        if asked.school:
            of_school = np.zeros(len(self._cards), np.bool_)
            if asked.school in self._schools:
                of_school[_numbers(self._schools[asked.school])] = True
            mask &= of_school
        return mask

    def _hits(self, text: str, score: _Ints) -> _Mask:
        """Rows that have all terms of a text, and a word that begins with the one being typed;
        adds to their score."""
        terms, typed = terms_asked(text)
        counts = np.zeros(len(self._cards), np.uint8)
        for term in terms:
            posting = self._postings.get(term)
            if posting is None:
                return np.zeros(len(self._cards), np.bool_)
            rows = _numbers(posting.rows)
            counts[rows] += 1
            score[rows] += _weights(posting)
        mask: _Mask = np.equal(counts, len(terms))
        if typed:
            best = np.zeros(len(self._cards), np.int64)
            for term in self._beginning_with(typed):
                posting = self._postings[term]
                rows = _numbers(posting.rows)
                best[rows] = np.maximum(best[rows], _weights(posting))
            mask &= best > 0
            score += best
        return mask

    def _beginning_with(self, typed: str) -> Iterable[str]:
        first = bisect_left(self._words, typed)
        for term in self._words[first : first + MAX_TYPED]:
            if not term.startswith(typed):
                return
            yield term

    def _first(self, rows: _Ints, score: _Ints, order: Order, count: int) -> Sequence[int]:
        """The first ``count`` rows: by what is asked for, then the newest."""
        newest = self._taught.all[rows]
        if order == "plays":
            primary = self._plays.all[rows].astype(np.float64)
        elif order == "relevance":
            primary = score[rows].astype(np.float64)
        else:
            primary = np.zeros(len(rows))
        # One number a row: whole points of the first order, then time (below 2^34 seconds).
        rank = primary * 2.0**34 + newest
        if count < len(rows):
            top = np.argpartition(-rank, count)[:count]
            rows, rank = rows[top], rank[top]
        ordered = np.lexsort((-rows, -rank))
        return [int(row) for row in rows[ordered]]

    def _facets(self, rows: _Ints, mask: _Mask) -> dict[str, list[tuple[str, int]]]:
        facets: dict[str, list[tuple[str, int]]] = {}
        for name in _FACETS:
            column = self._columns[name]
            facets[name] = _counted(column.values.all[rows], column.names)
        points = self._points.values.all[mask[self._pointed.all]]
        facets["point"] = _counted(points, self._points.names)
        return facets


def weights_of(card: Card) -> dict[str, int]:
    """Returns what an entry is found by: term -> how much it says of it."""
    texts = {
        "title": card.title,
        "points": " ".join(card.points),
        "subtitle": card.subtitle,
        "subject": f"{card.subject} {card.grade} {card.edition}",
        "people": f"{card.lead_name} {card.school_name}",
        "description": card.description,
    }
    weights: dict[str, int] = {}
    for name, text in texts.items():
        for term in terms_of(text):
            weights[term] = weights.get(term, 0) + _WEIGHTS[name]
    return weights


def _scope(viewer: Viewer) -> tuple[Any, ...]:
    """What decides about what somebody sees; others with the same see the same."""
    if viewer.entry:
        return ("entry", viewer.entry)
    if viewer.lesson:
        return ("lesson", viewer.lesson)
    if viewer.role is Role.LEAD:
        return ("lead", viewer.subject, viewer.schools)
    return (viewer.role,)


def _numbers(values: array[int]) -> NDArray[np.int32]:
    # A copy: an array that is looked at cannot grow.
    return np.frombuffer(values.tobytes(), np.int32)


def _weights(posting: _Posting) -> NDArray[np.int16]:
    return np.frombuffer(posting.weights.tobytes(), np.int16)


def _counted(codes: NDArray[np.int32], names: Sequence[str]) -> list[tuple[str, int]]:
    counts = np.bincount(codes, minlength=len(names)).tolist()
    found = [(name, n) for name, n in zip(names, counts, strict=False) if n and name]
    return sorted(found, key=lambda one: (-one[1], one[0]))[:MAX_FACET]


def _is_chinese(term: str) -> bool:
    return "\u3400" <= term[0] <= "\u9fff" or "\uf900" <= term[0] <= "\ufaff"
