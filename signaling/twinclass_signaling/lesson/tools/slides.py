"""Slides: which documents a lesson has and which page is shown. Strokes are no events."""

from __future__ import annotations

import re

from twinclass_signaling.errors import Conflict
from twinclass_signaling.lesson.commands import Actor
from twinclass_signaling.lesson.events import LessonEvent
from twinclass_signaling.lesson.state import LessonState
from twinclass_signaling.lesson.talk_events import InkCleared, SlidesAttached, SlideTurned
from twinclass_signaling.lesson.tool_state import Document
from twinclass_signaling.lesson.tools.checks import clean
from twinclass_signaling.tool_commands import AttachSlides, ClearInk, TurnSlide

SlideCommand = AttachSlides | TurnSlide | ClearInk
SlideEvent = SlidesAttached | SlideTurned | InkCleared

MAX_DOCUMENTS = 20
#: A term's collection of one subject; a lesson's slides have thirty.
MAX_PAGES = 500
MAX_TITLE = 120
_DOCUMENT = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")
_SHA256 = re.compile(r"[0-9a-f]{64}")


def find(state: LessonState, document: str) -> Document | None:
    """Returns an attached document."""
    return next((one for one in state.tools.slides.documents if one.document == document), None)


def handle(state: LessonState, command: SlideCommand, actor: Actor) -> list[LessonEvent]:
    """Decides; see ``core.handle``."""
    who = actor.participant
    slides = state.tools.slides
    match command:
        case AttachSlides(document, pages, sha256, title):
            if (
                not _DOCUMENT.fullmatch(document)
                or not _SHA256.fullmatch(sha256)
                or not 1 <= pages <= MAX_PAGES
            ):
                raise Conflict(
                    "slides_malformed",
                    f"课件无效：最多 {MAX_PAGES} 页。",
                    f"Not a document of at most {MAX_PAGES} pages.",
                )
            if find(state, document) is not None:
                raise Conflict("slides_attached", "课件已在这节课里。", "It is attached already.")
            if len(slides.documents) >= MAX_DOCUMENTS:
                raise Conflict(
                    "slides_limit",
                    f"一节课最多 {MAX_DOCUMENTS} 份课件。",
                    f"A lesson has at most {MAX_DOCUMENTS} documents.",
                )
            name = clean(title, MAX_TITLE, may_be_empty=True)
            return [
                SlidesAttached(document, pages, sha256, name, who),
                SlideTurned(document, 1, who),
            ]
        case TurnSlide(document, page):
            if document is None:
                return [] if slides.document is None else [SlideTurned(None, 0, who)]
            _check_page(state, document, page)
            if (slides.document, slides.page) == (document, page):
                return []
            return [SlideTurned(document, page, who)]
        case ClearInk(document, page):
            _check_page(state, document, page)
            return [InkCleared(document, page, who)]


def _check_page(state: LessonState, document: str, page: int) -> None:
    known = find(state, document)
    if known is None or not 1 <= page <= known.pages:
        raise Conflict("no_page", "课件没有这一页。", "There is no such page.")


def apply(state: LessonState, event: SlideEvent) -> None:
    """Changes the state; see ``core.apply``."""
    slides = state.tools.slides
    match event:
        case SlidesAttached(document, pages, sha256, title, _):
            slides.documents.append(Document(document, title, pages, sha256))
        case SlideTurned(document, page, _):
            slides.document, slides.page = document, page
        case InkCleared():
            pass  # Strokes stand beside the log; the host wipes them.
