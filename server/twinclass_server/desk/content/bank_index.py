"""The bank's index in memory: questions that read alike. Core; not for two threads at once.

As the library's (pairs of Chinese characters, words of other scripts, postings), with one
difference: there all terms of a search must be there; here somebody has typed a whole question, and
no other has all of its words. So entries are ranked by the share of the question that they have,
each term by how rare it is (inverse document frequency); and few of its rare terms are no answer.
"""

from __future__ import annotations

import math
from array import array
from collections import defaultdict
from collections.abc import Iterable, Sequence
from itertools import islice

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from twinclass_recordings.library.terms import terms_of

#: Terms of one question that are looked up: a page of text has about so many.
MAX_ASKED = 400
#: A page of cards.
MAX_PAGE = 24
#: What a pupil is shown instead of a tutor.
MAX_ALIKE = 3
#: So much of a question must be in an entry for it to be called the same matter; less will do when
#: they have a knowledge point in common. Tried on pairs of questions, see the tests.
_ALIKE, _ALIKE_WITH_POINT = 0.42, 0.25
#: A search is a few words: most of them must be there.
_FOUND = 0.6
_POINT_BONUS, _HELPFUL_BONUS, _GRADE_MALUS = 0.25, 0.1, 0.1
#: A grade above or below has the same matter at times.
_GRADES_APART = 1


class BankCard(Struct, frozen=True):
    """What is found of an entry, and what it is found by. ``thumb``: (id, hash) of the small
    picture of its question. ``chapter``: of the library, with its title."""

    key: int
    id: str
    desk: str
    subject: str
    grade: int
    points: tuple[str, ...]
    question: str
    answer: str
    question_text: str
    answer_text: str
    thumb: tuple[str, str] | None
    helpful: int
    not_helpful: int
    chapter: str = ""
    chapter_title: str = ""
    chapter_s: float = 0.0

    @property
    def votes(self) -> int:
        """Returns how many pupils said whether it helped."""
        return self.helpful + self.not_helpful

    @property
    def share(self) -> float:
        """Returns which part of them it helped, as if one of two had said so before (Laplace)."""
        return (self.helpful + 1) / (self.votes + 2)


class BankIndex:
    """Entries by what they say. What is put again or removed leaves a dead row behind."""

    def __init__(self) -> None:
        self._cards: list[BankCard | None] = []
        self._rows: dict[int, int] = {}
        self._keys: dict[str, int] = {}
        self._postings: dict[str, array[int]] = defaultdict(lambda: array("i"))

    def __len__(self) -> int:
        return len(self._rows)

    @property
    def dead(self) -> int:
        """Returns how many rows nobody finds any more."""
        return len(self._cards) - len(self._rows)

    def cards(self) -> list[BankCard]:
        """Returns all entries."""
        return [card for card in self._cards if card is not None]

    def keys(self) -> set[int]:
        """Returns the entries that are in it."""
        return set(self._rows)

    def find(self, identifier: str) -> BankCard | None:
        """Returns an entry by its id."""
        row = self._rows.get(self._keys.get(identifier, -1))
        return None if row is None else self._cards[row]

    def put(self, card: BankCard) -> None:
        """Takes an entry in, or its new state."""
        known = self._rows.get(card.key)
        if known is not None:
            old = self._cards[known]
            if old is not None and _found_by(old) == _found_by(card):
                self._cards[known] = card
                return
        self.remove(card.key)
        row = len(self._cards)
        self._cards.append(card)
        self._rows[card.key], self._keys[card.id] = row, card.key
        # The question says what it is about; the answer's words are found by a search, too.
        for term in terms_of(f"{card.question_text}\n{card.answer_text}"):
            self._postings[term].append(row)

    def remove(self, key: int) -> None:
        """Forgets an entry."""
        row = self._rows.pop(key, None)
        if row is not None:
            card, self._cards[row] = self._cards[row], None
            if card is not None and self._keys.get(card.id) == key:
                del self._keys[card.id]

    def alike(self, subject: str, grade: int, points: Sequence[str], text: str) -> list[BankCard]:
        """Returns entries that may answer a question, best first, at most ``MAX_ALIKE``. A photo
        alone has no text: then those on its points, by whether they helped others."""
        wanted, has_text = set(points), bool(text.strip())
        shares = self._shares([term for term in terms_of(text) if _says_much(term)])
        ranked: list[tuple[float, int, BankCard]] = []
        for card, share in self._of(subject, shares, _ALIKE_WITH_POINT if has_text else 0.0):
            common = len(wanted & set(card.points))
            if abs(card.grade - grade) > _GRADES_APART:
                continue
            if not (common or (has_text and share >= _ALIKE)):
                continue
            rank = (
                share
                + _POINT_BONUS * common / max(1, len(wanted))
                + _HELPFUL_BONUS * card.share
                - _GRADE_MALUS * abs(card.grade - grade)
            )
            ranked.append((-rank, -card.key, card))
        ranked.sort(key=lambda one: one[:2])
        return [card for _, _, card in ranked[:MAX_ALIKE]]

    def search(
        self, text: str, subject: str, grade: int | None, point: str, page: int
    ) -> tuple[list[BankCard], int]:
        """Returns (one page, how many there are): all of what is asked for, best first; without a
        text those that helped most, then the newest."""
        shares = self._shares(list(terms_of(text)))
        ranked: list[tuple[float, int, BankCard]] = []
        for card, share in self._of(subject, shares, _FOUND if text.strip() else 0.0):
            if (grade is not None and card.grade != grade) or (point and point not in card.points):
                continue
            ranked.append((-(share + _HELPFUL_BONUS * card.share), -card.key, card))
        ranked.sort(key=lambda one: one[:2])
        first = page * MAX_PAGE
        return [card for _, _, card in ranked[first : first + MAX_PAGE]], len(ranked)

    def _of(
        self, subject: str, shares: NDArray[np.float64], least: float
    ) -> Iterable[tuple[BankCard, float]]:
        """Yields the entries of a subject ("": any) that have so much of what is asked."""
        for row in np.flatnonzero(shares >= least).tolist():
            card = self._cards[row]
            if card is not None and (not subject or card.subject == subject):
                yield card, float(shares[row])

    def _shares(self, terms: Sequence[str]) -> NDArray[np.float64]:
        """Returns for each row which share of the terms it has, by their weight. A term that no
        entry has weighs most: it is what the question is about, and nothing here is."""
        shares = np.zeros(len(self._cards), np.float64)
        total = 0.0
        for term in islice(sorted(terms), MAX_ASKED):
            rows = self._postings.get(term)
            weight = math.log(1 + len(self._cards) / (1 + (len(rows) if rows is not None else 0)))
            total += weight
            if rows is not None:
                # A copy: an array that is looked at cannot grow.
                shares[np.frombuffer(rows.tobytes(), np.int32)] += weight
        return shares / total if total > 0 else shares


def _found_by(card: BankCard) -> tuple[str, str]:
    return card.question_text, card.answer_text


def _says_much(term: str) -> bool:
    """Single characters of Chinese and single letters are in everything."""
    return len(term) > 1
