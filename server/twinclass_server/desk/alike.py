"""Questions of one evening that read alike: pupils of one class ask the same at the same time.

The bank's index ranks entries by the share of a question that they have: an answer may be longer
than what is asked. Here both are questions, so what counts is the share of both (Jaccard's
coefficient); and exercises differ by their numbers alone, which that index drops as saying little.
So a text is cut into pairs of characters, signs and digits included, and words of three letters on.

``ALIKE`` was measured on the thirty pairs of ``tests/server/desk/alike_pairs.py``: one exercise in
two children's words has 0.44 and more, but for two that are missed; two exercises of one kind have
0.39 and less. A wrong pair costs a pupil her attention, a missed one nothing: so it lies above the
middle. Core; not for two threads at once.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection
from heapq import nsmallest
from itertools import islice, pairwise

from twinclass_signaling.desk.asking import MAX_LIKE
from twinclass_signaling.desk.plan import QuestionId

#: So much of both texts must be the same.
ALIKE = 0.42
#: "Why is that?" beside a photo says nothing of what is asked: not compared.
MIN_TERMS = 5
#: Of a text: a page of it has about so many.
MAX_TERMS = 400

#: Entries that are looked through for one question: some milliseconds, if a thousand children send
#: one and the same page.
MAX_LOOKED = 20_000
MAX_CANDIDATES = 20

_EMPTY = (
    "老师您好请问谢谢帮忙看一下请老师讲一下讲解一下求讲解求解答详细过程这里怎么理解同学你好我想问一下这道题这一题这个题目这题第一问第二问第三问第一步第二步第三步"
    "怎么做怎么写怎么算怎么解怎么求怎么来的是怎么来是什么意思为什么不会做不懂不明白看不懂没听懂"
    "想不出来卡在哪里卡住了可以讲一下吗能不能讲一讲帮我看看的答案是多少过程步骤方法在书上练习册作业本第几页"
)
_PIECES = re.compile(r"[^\W\d_\u3400-\u9fff]{3,}|\S")
_SILENT = re.compile(r"[\s$\\{}，。？！、：；,.?!:;\"'“”‘’（）()【】《》~…]+")


def terms_of(text: str) -> frozenset[str]:
    """Returns what a text is compared by, at most ``MAX_TERMS``; without what every question
    has."""
    return frozenset(islice((one for one in _cut(text) if one not in _SAYS_NOTHING), MAX_TERMS))


def _cut(text: str) -> dict[str, None]:
    """Returns the pairs and words of a text, in their order."""
    found: dict[str, None] = {}
    for run in _SILENT.split(unicodedata.normalize("NFKC", text).casefold()):
        pieces = _PIECES.findall(run)
        found |= dict.fromkeys(one for one in pieces if len(one) > 1)
        found |= dict.fromkeys(map("".join, pairwise(pieces)))
    return found


_SAYS_NOTHING = frozenset(_cut(_EMPTY))


class OpenTexts:
    """The texts of a queue's open questions."""

    def __init__(self) -> None:
        self._terms: dict[QuestionId, frozenset[str]] = {}
        self._postings: dict[str, set[QuestionId]] = {}

    def keep(self, numbers: Collection[QuestionId]) -> list[QuestionId]:
        """Forgets all but these; returns those whose text is to be ``put`` yet."""
        for gone in self._terms.keys() - set(numbers):
            for term in self._terms.pop(gone):
                posting = self._postings[term]
                posting.discard(gone)
                if not posting:
                    del self._postings[term]
        return [number for number in numbers if number not in self._terms]

    def put(self, number: QuestionId, text: str) -> None:
        """Takes a question in; once, its text never changes."""
        terms = terms_of(text)
        self._terms[number] = terms if len(terms) >= MIN_TERMS else frozenset()
        for term in self._terms[number]:
            self._postings.setdefault(term, set()).add(number)

    def like(self, number: QuestionId) -> tuple[QuestionId, ...]:
        """Returns those that a question reads like, the most alike first, at most ``MAX_LIKE``."""
        terms = self._terms.get(number, frozenset())
        ranked: list[tuple[float, QuestionId]] = []
        for other in self._candidates(number, terms):
            theirs = self._terms[other]
            both = len(terms & theirs)
            share = both / (len(terms) + len(theirs) - both)
            if share >= ALIKE:
                ranked.append((-share, other))
        return tuple(other for _, other in sorted(ranked)[:MAX_LIKE])

    def _candidates(self, number: QuestionId, terms: frozenset[str]) -> list[QuestionId]:
        """Returns those that have most of the terms, the rarest of which are looked up first."""
        shared: dict[QuestionId, int] = {}
        looked = 0
        for posting in sorted((self._postings[term] for term in terms), key=len):
            looked += len(posting)
            if looked > MAX_LOOKED and shared:
                break
            for other in posting:
                shared[other] = shared.get(other, 0) + 1
        shared.pop(number, None)
        return nsmallest(MAX_CANDIDATES, shared, key=lambda other: (-shared[other], other))
