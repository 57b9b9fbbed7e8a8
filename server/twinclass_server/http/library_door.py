"""Who asks the library for what: shared by all of its routes."""

from __future__ import annotations

import asyncio
import hashlib
import time

from starlette.requests import Request

from twinclass_recordings.library.access import Action, Rights, Viewer, may
from twinclass_recordings.library.models import Entry
from twinclass_recordings.library.shelf import Shelf
from twinclass_server.http.desk_http import Keys, bearer
from twinclass_server.roster.schools import ClassOf, Schools
from twinclass_signaling.errors import Conflict, Forbidden
from twinclass_signaling.roles import Role
from twinclass_signaling.tokens import TokenError, TokenKeys

_REFUSED = {
    "edit": ("只有这节课的主讲和管理员可以修改。", "Only its lead changes a lesson."),
    "cut": ("只有这节课的主讲和管理员可以剪辑。", "Only its lead cuts clips of a lesson."),
    "export": ("只有这节课的主讲和管理员可以导出。", "Only its lead exports a lesson."),
    "delete": (
        "只有管理员和资源管理员可以删除。",
        "Only operators and librarians delete a lesson.",
    ),
    "usage": ("只有这节课的主讲和管理员可以看使用情况。", "Only its lead sees how it is used."),
    "rate": ("自己的课和学生链接不能评分。", "One's own lesson cannot be rated, nor by pupils."),
}


class LibraryDoor:
    """Tells who asks, and what they ask for."""

    def __init__(self, shelf: Shelf, keys: Keys, schools: Schools) -> None:
        self._shelf = shelf
        self._keys = keys
        self._schools = schools

    async def viewer(self, request: Request) -> Viewer:
        """Returns who asks.

        Raises:
            TokenError: neither a staff link, nor a join link, nor a link to one entry that is
                good now.
        """
        token, keys, now = bearer(request), self._keys(), time.time()
        try:
            staff = keys.verify_staff(token, now)
        except TokenError:
            return _without_staff_link(keys, token, now)
        schools: frozenset[str] = frozenset()
        if staff.role is Role.LEAD:
            known = self._schools.known_of_staff(staff.sub, now)
            if known is None:
                known = await asyncio.to_thread(self._schools.look_up, staff.sub, now)
            schools = known
        return Viewer(staff.role, staff.sub, schools)

    async def entry(self, request: Request, viewer: Viewer) -> tuple[Entry, Rights]:
        """Returns the entry of a request.

        Raises:
            Conflict: there is none, or none for this viewer.
        """
        return await asyncio.to_thread(self.get, viewer, request.path_params["entry"])

    def get(self, viewer: Viewer, identifier: str) -> tuple[Entry, Rights]:
        """Does what ``entry`` does; blocks."""
        found = self._shelf.get(viewer, identifier)
        if found is None:
            raise Conflict("lesson_unknown", "没有这节课。", "There is no such lesson.")
        return found

    async def allowed(self, request: Request, action: Action) -> tuple[Viewer, Entry]:
        """Returns who asks for what, when they may do this with it.

        Raises:
            TokenError, Conflict: as above.
            Forbidden: they may not.
        """
        viewer = await self.viewer(request)
        entry, rights = await self.entry(request, viewer)
        if not may(viewer, action, rights):
            raise Forbidden("forbidden", *_REFUSED[action])
        return viewer, entry

    def classes(self, viewer: Viewer) -> list[ClassOf]:
        """Returns the classes that a teacher may say a lesson is shown to; blocks."""
        if viewer.lesson or not viewer.schools:
            return []
        return self._schools.classes_of(viewer.subject, viewer.schools)

    def school_of_class(self, class_id: str) -> str:
        """Returns the id of a class's school, empty without a roster; blocks."""
        return next(iter(self._schools.of_classes([class_id])), "")

    def names_of(self, person: str) -> tuple[str, str]:
        """Returns (name, school's name) of a member of staff; blocks."""
        return self._schools.names_of(person) if person else ("", "")


def _without_staff_link(keys: TokenKeys, token: str, now: float) -> Viewer:
    try:
        chapter = keys.verify_chapter(token, now)
    except TokenError:
        claims = keys.verify(token, now)
        return Viewer(claims.role, claims.sub, lesson=claims.lesson, room=claims.room or "")
    return Viewer(chapter.role, chapter.sub, entry=chapter.entry)


def pseudonym(kind: str, *parts: str) -> str:
    """Returns a name that says nothing: what somebody watched is kept under it."""
    return hashlib.blake2s(
        "\n".join(parts).encode(), digest_size=16, person=kind.encode()
    ).hexdigest()


def viewer_name(viewer: Viewer) -> str:
    """Returns the pseudonym of who watches."""
    return pseudonym("viewer", viewer.lesson, viewer.subject)
