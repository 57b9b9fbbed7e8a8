"""The demo lesson: its plan, and a link per role. Names are plainly those of a demo."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass

from twinclass_config import DemoSettings
from twinclass_server.signal.host import LessonHost
from twinclass_server.signal.lessons import Lessons
from twinclass_signaling.errors import Conflict, SignalingError, Unavailable
from twinclass_signaling.ids import LessonId, ParticipantId, PersonId, RoomId
from twinclass_signaling.lesson.plan import (
    Plan,
    PlannedCue,
    PlannedPhase,
    PlannedPupil,
    PlannedRoom,
)
from twinclass_signaling.messages import OpenLesson
from twinclass_signaling.roles import Role
from twinclass_signaling.tokens import Claims, TokenKeys

logger = logging.getLogger(__name__)

DEMO = LessonId("demo")
#: Long enough for a demo's day; the next start prints new links.
_TTL_S = 24 * 3600.0
_DIGITS = "零一二三四五六七八九十"

#: The home group: one screen, several children.
_GROUP = ParticipantId("demo-group")
_CHILDREN = 5
#: Pupils in each room.
_PUPILS = 12

_PHASES = (
    PlannedPhase("导入：水位的变化", 6),
    PlannedPhase("新授：有理数的乘法法则", 10),
    PlannedPhase("各班提问", 4),
    PlannedPhase("分组练习", 8),
    PlannedPhase("展示与讲评", 6),
    PlannedPhase("随堂小测与小结", 6),
)
_CUES = (
    PlannedCue(0, "用声音确认：听得清请点“就绪”", "assistant"),
    PlannedCue(3, "请一班回答第 1 题", "assistant", RoomId("room-1")),
    PlannedCue(10, "板书：同号得正，异号得负", "lead"),
    PlannedCue(16, "出示选择题，各班举牌，辅讲报数", "all"),
    PlannedCue(20, "分组：每组两题，辅讲巡视", "assistant"),
    PlannedCue(28, "请两个班上台展示", "lead"),
    PlannedCue(34, "小测 3 题", "all"),
    PlannedCue(38, "小结，布置分层作业", "lead"),
)

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


def _pupils(settings: DemoSettings, number: int) -> tuple[PlannedPupil, ...]:
    """The roster of one room: those in it, her homes, and in the first the home group."""
    pupils = [
        PlannedPupil(PersonId(f"demo-pupil-{number}-{pupil}"), f"示例学生 {number}-{pupil}")
        for pupil in range(1, _PUPILS + 1)
    ]
    for home in range(1, settings.homes + 1):
        if (home - 1) % settings.rooms + 1 == number:
            name = f"演示学生{_numeral(home)}"
            pupils.append(
                PlannedPupil(PersonId(f"demo-home-{home}"), name, at_home=True, recordable=True)
            )
    if number == 1:
        pupils += [
            PlannedPupil(PersonId(f"demo-child-{child}"), f"示例同学 {child}", group=_GROUP)
            for child in range(1, _CHILDREN + 1)
        ]
    return tuple(pupils)


def demo_plan(settings: DemoSettings) -> Plan:
    """Returns the plan of the demo lesson."""
    rooms = tuple(
        PlannedRoom(
            RoomId(f"room-{number}"),
            f"七({number})班",
            f"示例{_numeral(number)}中",
            pupils=_pupils(settings, number),
        )
        for number in range(1, settings.rooms + 1)
    )
    return Plan(
        "有理数的乘法",
        "七年级数学 · 演示课",
        40,
        rooms,
        settings.homes + (1 if rooms else 0),
        phases=_PHASES,
        cues=_CUES,
        subject="maths",
        grade=7,
    )


def _people(settings: DemoSettings) -> list[tuple[Role, str, str, str, str | None]]:
    """Role, participant, name, school and room of everybody with a link."""
    plan = demo_plan(settings)
    people: list[tuple[Role, str, str, str, str | None]] = [
        (Role.LEAD, "demo-lead", "主讲老师（演示）", "示例主讲学校", None),
        (Role.CO_LEAD, "demo-co-lead", "协同主讲（演示）", "示例主讲学校", None),
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
        people.append((Role.HOME_GROUP, _GROUP, "居家小组（演示）", first.school, first.id))
    for number, room in enumerate(plan.rooms[:2], 1):
        suffix, name = ("", "辅讲老师（演示）") if number == 1 else ("-2", "辅讲老师二（演示）")
        people.append((Role.ASSISTANT, f"demo-assistant{suffix}", name, room.school, room.id))
    people.append((Role.OBSERVER, "demo-observer", "听课老师（演示）", "", None))
    return people


def demo_links(settings: DemoSettings, keys: TokenKeys, now: float) -> list[DemoLink]:
    """Returns a link per role, with tokens that are good for a day."""
    links: list[DemoLink] = []
    for role, participant, name, school, room_id in _people(settings):
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
