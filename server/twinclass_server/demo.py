"""The demo lesson: its plan, and a link per role. Names are plainly those of a demo."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass

from twinclass_config import DemoSettings
from twinclass_server.signal.host import LessonHost
from twinclass_server.signal.lessons import Lessons
from twinclass_signaling.errors import Conflict, SignalingError, Unavailable
from twinclass_signaling.ids import LessonId, RoomId
from twinclass_signaling.lesson.state import Plan, PlannedRoom
from twinclass_signaling.messages import OpenLesson
from twinclass_signaling.roles import Role
from twinclass_signaling.tokens import Claims, TokenKeys

logger = logging.getLogger(__name__)

DEMO = LessonId("demo")
#: Long enough for a demo's day; the next start prints new links.
_TTL_S = 24 * 3600.0
_DIGITS = "零一二三四五六七八九十"

#: Which page serves a role.
PAGE_OF_ROLE: dict[Role, str] = {
    Role.LEAD: "lead",
    Role.CO_LEAD: "lead",
    Role.ROOM: "room",
    Role.HOME_LEARNER: "home",
    Role.HOME_GROUP: "home",
    Role.OBSERVER: "observe",
    Role.ASSISTANT: "assistant",
}


@dataclass(frozen=True, slots=True)
class DemoLink:
    """One link of the portal; ``path`` carries the token in its fragment."""

    role: Role
    participant: str
    name: str
    school: str
    path: str


def _numeral(number: int) -> str:
    """Chinese numerals up to 99: 十二, 二十, 三十二."""
    if number < len(_DIGITS):
        return _DIGITS[number]
    if number > 99:
        return str(number)
    tens, ones = divmod(number, 10)
    return ("" if tens == 1 else _DIGITS[tens]) + "十" + (_DIGITS[ones] if ones else "")


def demo_plan(settings: DemoSettings) -> Plan:
    """Returns the plan of the demo lesson."""
    rooms = tuple(
        PlannedRoom(RoomId(f"room-{number}"), f"七({number})班", f"示例{_numeral(number)}中")
        for number in range(1, settings.rooms + 1)
    )
    return Plan("有理数的乘法", "七年级数学 · 演示课", 40, rooms, settings.homes)


def demo_links(settings: DemoSettings, keys: TokenKeys, now: float) -> list[DemoLink]:
    """Returns a link per role, with tokens that are good for a day."""
    plan = demo_plan(settings)
    people: list[tuple[Role, str, str, str, str | None]] = [
        (Role.LEAD, "demo-lead", "主讲老师（演示）", "示例主讲学校", None)
    ]
    people += [(Role.ROOM, room.id, room.name, room.school, room.id) for room in plan.rooms]
    for number in range(1, settings.homes + 1):
        room = plan.rooms[(number - 1) % len(plan.rooms)] if plan.rooms else None
        people.append(
            (
                Role.HOME_LEARNER,
                f"demo-home-{number}",
                f"演示学生{_numeral(number)}",
                room.school if room is not None else "",
                room.id if room is not None else None,
            )
        )
    if plan.rooms:
        first = plan.rooms[0]
        assistant = (Role.ASSISTANT, "demo-assistant", "辅讲老师（演示）", first.school, first.id)
        people.append(assistant)
    people.append((Role.OBSERVER, "demo-observer", "听课老师（演示）", "", None))
    links: list[DemoLink] = []
    for role, participant, name, school, room_id in people:
        claims = Claims(
            sub=participant,
            role=role,
            lesson=DEMO,
            exp=float(int(now + _TTL_S)),
            iat=float(int(now)),
            room=room_id,
            name=name,
            school=school,
        )
        path = f"/{PAGE_OF_ROLE[role]}#token={keys.issue(claims)}"
        links.append(DemoLink(role, participant, name, school, path))
    return links


class Demo:
    """The demo lesson as long as the server runs."""

    def __init__(self, lessons: Lessons, settings: DemoSettings) -> None:
        self._lessons = lessons
        self._settings = settings
        self._lock = asyncio.Lock()

    async def ensure(self) -> None:
        """Opens the lesson, anew when the last one is over.

        Raises:
            SignalingError: Redis is away, or the lesson is owned elsewhere.
        """
        # The portal and the clock may ask at once; only one of them can create.
        async with self._lock:
            host = self._lessons.hosts.get(DEMO)
            if host is None:
                host = await self._find_or_create()
            if host.state.phase == "closed":
                raise Unavailable(
                    "demo_reopens",
                    "演示课刚下课，正在重新打开。",
                    "The demo lesson has just ended and is being opened again.",
                    retry_after_s=1.0,
                )
            if host.state.phase == "pre_class":
                await host.operate(OpenLesson())

    async def _find_or_create(self) -> LessonHost:
        try:
            return await self._lessons.host(DEMO)
        except Conflict as error:
            if error.code not in {"lesson_unknown", "lesson_closed"}:
                raise
        return await self._lessons.create(DEMO, demo_plan(self._settings))

    async def keep(self) -> None:
        """Ensures for ever."""
        while True:
            try:
                await self.ensure()
            except SignalingError as error:
                logger.warning("demo lesson not opened: %s", error)
            await asyncio.sleep(1)

    def title(self) -> str:
        """Returns the lesson's title."""
        return demo_plan(self._settings).title

    def links(self, keys: TokenKeys, now: float) -> list[DemoLink]:
        """Returns a link per role."""
        return demo_links(self._settings, keys, now)
