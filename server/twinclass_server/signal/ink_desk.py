"""Strokes on slides: from who draws to all who look, and beside the log for who comes later.

Pages are written behind, by the host's tick: at a crash the last second of ink may be lost, which
costs a stroke and no fact of the lesson.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import msgspec

from twinclass_server.adapters.redis_ink import InkPages
from twinclass_server.connection import Connection, encode
from twinclass_server.signal.client import Client
from twinclass_signaling.errors import Conflict, Forbidden, Unavailable
from twinclass_signaling.ink_messages import Ink, InkDrawn, InkPage
from twinclass_signaling.lesson.ink import InkBook, Page
from twinclass_signaling.lesson.state import LessonState
from twinclass_signaling.lesson.tools.slides import find
from twinclass_signaling.permissions import allowed


class InkDesk:
    """The ink of one lesson."""

    def __init__(
        self,
        book: InkBook,
        pages: InkPages,
        state: Callable[[], LessonState],
        audience: Callable[[], Iterable[tuple[Client, Connection]]],
    ) -> None:
        self._book = book
        self._pages = pages
        self._state = state
        self._audience = audience
        self._late: set[Page] = set()

    def draw(self, client: Client, message: Ink) -> None:
        """Takes a piece of a stroke and tells all others.

        Raises:
            Forbidden: only who leads draws.
            Conflict: no such page, or the page is full.
        """
        state = self._state()
        if not allowed(client.actor, "slide_turn", state):
            raise Forbidden("forbidden", "您没有这个权限。", "Your role may not do this.")
        document = find(state, message.document)
        if document is None or not 1 <= message.page <= document.pages:
            raise Conflict("no_page", "课件没有这一页。", "There is no such page.")
        piece = self._book.draw(message)
        self._late.add((message.document, message.page))
        frame = encode(InkDrawn(message.document, message.page, piece))
        for other, connection in self._audience():
            if other is not client:
                connection.send_frame(frame)

    def clear(self, page: Page) -> None:
        """Wipes a page for all."""
        self._book.clear(page)
        self._late.add(page)
        self.show(page)

    def show(self, page: Page) -> None:
        """Tells all the strokes of a page that is shown now."""
        frame = encode(self.page(page))
        for _, connection in self._audience():
            connection.send_frame(frame)

    def page(self, page: Page) -> InkPage:
        """Returns a page as a message."""
        return InkPage(page[0], page[1], self._book.strokes(page))

    def shown(self) -> InkPage | None:
        """Returns the page that is shown now, if there is one."""
        slides = self._state().tools.slides
        return None if slides.document is None else self.page((slides.document, slides.page))

    def export(self) -> bytes | None:
        """Returns all pages as one JSON document for the archive, None without ink."""
        pages = [self.page(page) for page in self._book.pages()]
        return msgspec.json.encode(pages) if pages else None

    async def save_late(self) -> None:
        """Writes what waits, as far as Redis takes it."""
        waiting, self._late = self._late, set()
        for page in waiting:
            try:
                if self._book.strokes(page):
                    await self._pages.put(page, self._book.encode(page))
                else:
                    await self._pages.drop(page)
            except Unavailable:
                self._late.add(page)
