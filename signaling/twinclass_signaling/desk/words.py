"""Contact details, links and money in what pupils and tutors write to each other: blocked.

Whoever wants to pass a number on will find a way; this closes the easy ones, and what it blocks a
moderator sees. It must not stop homework, which is full of numbers, of symbols between them, and
of people who pay for apples. So it goes by these rules:

* **A number is a telephone number by its shape**: eleven digits that begin like a mobile number
  (13 to 19), in one piece, in the groupings in which such numbers are written (3-4-4 and the
  like), or digit by digit; Chinese, circled and full-width digits are digits. Numbers listed with
  commas, and a piece of a longer number, are not.
* **Arithmetic is homework**: such a number beside an operator *and* another number
  (``13800138000 ÷ 2``), or with a unit of measure behind it, passes. Not so when the text also
  speaks of calling or adding somebody.
* **Other numbers are contacts when the text says so**: five to twelve digits after "qq", "wx",
  "tel" and the like.
* **Money words are blocked when they are said to somebody**: "转给你", "给老师发红包"; a red packet
  in a story problem, with somebody else as its giver, passes.

Text is looked at twice: as typed (NFKC, lower case, without marks and invisible characters), and
with the decoration between Chinese characters taken out ("加 我 微-信"). All patterns have bounded
repetitions only, so time is linear; and at most ``MAX_CHARS`` are taken.
"""

from __future__ import annotations

import re
import unicodedata

from msgspec import Struct

from twinclass_signaling.desk import word_lists as lists
from twinclass_signaling.desk.word_lists import Kind
from twinclass_signaling.errors import Conflict

#: A long question with its data; more is not read by anybody.
MAX_CHARS = 2_000
#: Findings of one text; after these nobody needs another.
MAX_FOUND = 20
#: What one character may become; fractions and units become three or four.
MAX_ALIKE = 5

_WHY: dict[Kind, tuple[str, str]] = {
    "phone": ("电话号码", "a telephone number"),
    "contact": ("其他联系方式", "another way of contact"),
    "email": ("电子邮箱", "an e-mail address"),
    "link": ("网址链接", "a link"),
    "money": ("金钱往来", "money between you"),
    "meeting": ("线下见面或住址", "meeting elsewhere, or an address"),
}


class Found(Struct, frozen=True):
    """Something that may not be sent. ``start`` and ``end``: in the text as it was typed."""

    kind: Kind
    start: int
    end: int


def find(text: str) -> tuple[Found, ...]:
    """Returns what of a text is blocked, in its order; nothing when it may be sent.

    Only the first ``MAX_CHARS`` are looked at; ``refuse`` does not let longer texts pass.
    """
    plain, places = _plain(text[:MAX_CHARS])
    tight, tight_places = _tight(plain, places)
    found: dict[tuple[int, int], Kind] = {}

    def note(kind: Kind, start: int, end: int, origin: list[int]) -> None:
        if len(found) < MAX_FOUND:
            found.setdefault((origin[start], origin[end - 1] + 1), kind)

    for kind, pattern in lists.PATTERNS:
        for match in pattern.finditer(plain):
            note(kind, match.start(), match.end(), places)
    for kind, pattern in lists.TIGHT_PATTERNS:
        for match in pattern.finditer(tight):
            note(kind, match.start(), match.end(), tight_places)
    for match in lists.MONEY.finditer(tight):
        if not lists.STORY.search(tight, max(0, match.start() - lists.STORY_BEFORE), match.start()):
            note("money", match.start(), match.end(), tight_places)
    speaks_of_calling = lists.CALLING.search(tight) is not None
    for start, end in _phones(plain):
        if speaks_of_calling or not _is_arithmetic(plain, start, end):
            note("phone", start, end, places)
    return _merged(found)


def refuse(text: str) -> None:
    """Lets a text pass, or not.

    Raises:
        Conflict: ``text_too_long``, or ``text_blocked`` with what is in it.
    """
    if len(text) > MAX_CHARS:
        raise Conflict(
            "text_too_long",
            f"最多 {MAX_CHARS} 个字，请改短一些。",
            f"At most {MAX_CHARS} characters.",
        )
    found = find(text)
    if found:
        kinds: list[Kind] = list(dict.fromkeys(one.kind for one in found))
        zh = "、".join(_WHY[kind][0] for kind in kinds)
        en = ", ".join(_WHY[kind][1] for kind in kinds)
        raise Conflict(
            "text_blocked",
            f"不能发送：内容里有{zh}。请只写与题目有关的内容。",
            f"Not sent: it contains {en}. Write about the question only.",
        )


def _merged(found: dict[tuple[int, int], Kind]) -> tuple[Found, ...]:
    """Returns findings in order; those of a kind that overlap are one."""
    merged: list[Found] = []
    for start, end in sorted(found):
        kind = found[start, end]
        last = next((one for one in merged if one.kind == kind and one.end > start), None)
        if last is None:
            merged.append(Found(kind, start, end))
        else:
            merged[merged.index(last)] = Found(kind, last.start, max(last.end, end))
    return tuple(merged)


# ---- making alike -------------------------------------------------------------------------


def _plain(text: str) -> tuple[str, list[int]]:
    """Returns the text as patterns want it, and where each of its characters comes from."""
    characters: list[str] = []
    places: list[int] = []
    for place, typed in enumerate(text):
        alike = unicodedata.normalize("NFKC", typed).lower()
        # A few characters stand for whole phrases; nobody hides a number in these.
        for character in alike if len(alike) <= MAX_ALIKE else typed:
            if unicodedata.category(character) in {"Cf", "Mn", "Me", "Cc"} and character != "\n":
                continue
            characters.append(lists.ALIKE.get(character, character))
            places.append(place)
    return "".join(characters), places


def _tight(plain: str, places: list[int]) -> tuple[str, list[int]]:
    """Returns the text without what is put between characters to hide a word."""
    kept = [
        (character, place)
        for character, place in zip(plain, places, strict=True)
        if character not in lists.DECORATION
    ]
    return "".join(character for character, _ in kept), [place for _, place in kept]


# ---- telephone numbers --------------------------------------------------------------------


def _phones(plain: str) -> list[tuple[int, int]]:
    digits = plain.translate(lists.DIGITS)
    found: list[tuple[int, int]] = []
    for match in lists.DIGIT_RUN.finditer(digits):
        # "+86" and "0086" before a number belong to it.
        run = lists.COUNTRY.sub(lambda code: " " * len(code[0]), match[0], count=1)
        groups = [(part.start(), part.end()) for part in re.finditer(r"\d+", run)]
        start = match.start()
        for first, last in _in_shape(run, groups):
            found.append((start + first, start + last))
    return found


def _in_shape(run: str, groups: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Returns where eleven digits stand in one of the ways in which such numbers are written."""
    sizes = [end - start for start, end in groups]
    found: list[tuple[int, int]] = []
    at = 0
    while at < len(groups):
        count = _groups_of_phone(run, groups, sizes, at)
        if count:
            found.append((groups[at][0], groups[at + count - 1][1]))
        at += count or 1
    return found


def _groups_of_phone(run: str, groups: list[tuple[int, int]], sizes: list[int], at: int) -> int:
    """Returns how many groups from ``at`` on make a mobile number; 0: they make none."""
    total = 0
    for count, size in enumerate(sizes[at : at + 11], 1):
        total += size
        if total == 11:
            shape = tuple(sizes[at : at + count])
            is_end = at + count == len(sizes) or not _goes_on(sizes, at, count)
            text = "".join(run[start:end] for start, end in groups[at : at + count])
            is_written_so = shape in lists.SHAPES or set(shape) == {1} or set(shape[:-1]) == {2}
            return count if is_written_so and is_end and lists.MOBILE.match(text) else 0
        if total > 11:
            return 0
    return 0


def _goes_on(sizes: list[int], at: int, count: int) -> bool:
    """Tells whether more groups of one digit follow, or stand before: it is a list then."""
    is_singles = count == 11
    return is_singles and (sizes[at + count] == 1 or (at > 0 and sizes[at - 1] == 1))


def _is_arithmetic(plain: str, start: int, end: int) -> bool:
    before, after = plain[max(0, start - 12) : start], plain[end : end + 12]
    return bool(
        lists.OPERATOR_AFTER.match(after)
        or lists.OPERATOR_BEFORE.search(before)
        or lists.UNIT_AFTER.match(after)
    )
