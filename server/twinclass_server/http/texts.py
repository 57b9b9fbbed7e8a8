"""Texts that bodies of requests carry: how long, and that no character in them steers a screen.

``\\Z`` and not ``$``, which lets a line feed stand at the end.
"""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from twinclass_recordings.library.models import (
    DESCRIPTION_CHARS,
    ID_CHARS,
    TITLE_CHARS,
    WORD_CHARS,
)

_LINE = r"^[^\x00-\x1f\x7f]*\Z"

#: The name of something; it is never empty.
Title = Annotated[str, Meta(min_length=1, max_length=TITLE_CHARS, pattern=_LINE)]
Line = Annotated[str, Meta(max_length=TITLE_CHARS, pattern=_LINE)]
Word = Annotated[str, Meta(max_length=WORD_CHARS, pattern=_LINE)]
#: With paragraphs.
Prose = Annotated[
    str, Meta(max_length=DESCRIPTION_CHARS, pattern=r"^[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f]*\Z")
]
Identifier = Annotated[str, Meta(max_length=ID_CHARS, pattern=_LINE)]
