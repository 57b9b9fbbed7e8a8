"""What a text is found by: Chinese by pairs of characters and single ones, other scripts by words.

Chinese is written without spaces and most of its words have two characters; pairs find them without
a dictionary that knows no names of textbooks. The same terms are made of what is stored and of what
is asked, so both databases search alike. Core.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from itertools import pairwise

#: Longest word that is kept: an id that somebody pasted is no word.
MAX_WORD_CHARS = 32
#: Terms of one entry: a description of 2,000 characters has about so many.
MAX_TERMS = 4000
#: Terms of one question.
MAX_ASKED = 24

_CHINESE = "\\u3400-\\u4dbf\\u4e00-\\u9fff\\uf900-\\ufaff"
#: Chinese, or a word of another script; 第3课 is three pieces.
_PIECES = re.compile(f"([{_CHINESE}]+)|([^\\W_{_CHINESE}]+)")


def terms_of(text: str) -> set[str]:
    """Returns what a stored text is found by."""
    found: set[str] = set()
    for chinese, word in _split(text):
        if word:
            found.add(word)
        found.update(chinese)
        found.update(map("".join, pairwise(chinese)))
        if len(found) > MAX_TERMS:
            break
    return found


def terms_asked(text: str) -> tuple[list[str], str]:
    """Returns (terms that must all be there, the beginning of a word that is being typed or "")."""
    found: dict[str, None] = {}
    typed = ""
    pieces = list(_split(text))
    for at, (chinese, word) in enumerate(pieces):
        if word:
            is_last = at == len(pieces) - 1 and not text[-1:].isspace()
            if is_last:
                typed = word
            else:
                found[word] = None
        elif len(chinese) == 1:
            found[chinese] = None
        else:
            found |= dict.fromkeys(map("".join, pairwise(chinese)))
    return list(found)[:MAX_ASKED], typed


def _split(text: str) -> Iterable[tuple[str, str]]:
    """Yields (Chinese, "") and ("", word)."""
    for found in _PIECES.finditer(unicodedata.normalize("NFKC", text).casefold()):
        chinese, word = found.groups("")
        yield chinese, word[:MAX_WORD_CHARS]
