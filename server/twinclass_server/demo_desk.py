"""The demo desk: open all day, and a link per role. Names are plainly those of a demo."""

from __future__ import annotations

from twinclass_server.demo import DemoLink
from twinclass_signaling.desk.plan import Desk, DeskId, Duty, Hours
from twinclass_signaling.ids import PersonId
from twinclass_signaling.roles import Role
from twinclass_signaling.tokens import DeskClaims, TokenKeys

DEMO_DESK = DeskId("demo-desk")
#: Long enough for a demo's day; the next start prints new links.
_TTL_S = 24 * 3600.0
_SUBJECTS = ("maths", "chinese", "english", "physics", "chemistry", "biology", "history",
             "geography", "politics")  # fmt: skip
_GRADES = (7, 8, 9)
_DAY = 24 * 60
_SCHOOL = "示例一中"
_PUPILS = ("小明", "小红", "小华")


def demo_desk() -> Desk:
    """Returns the plan of the demo desk."""
    return Desk(
        DEMO_DESK,
        "今晚8点半 · 演示答疑台",
        _SUBJECTS,
        _GRADES,
        tuple(Hours(day, _GRADES, 0, _DAY) for day in range(7)),
        (
            Duty(PersonId("demo-tutor"), _SUBJECTS, _GRADES, 0, _DAY),
            Duty(PersonId("demo-tutor-2"), ("maths", "physics"), _GRADES, 0, _DAY),
        ),
        officer="保护专员（演示）",
    )


def _people() -> list[DeskClaims]:
    def person(sub: str, role: Role, name: str, **more: object) -> DeskClaims:
        return DeskClaims(sub, role, DEMO_DESK, 0.0, 0.0, name=name, **more)  # type: ignore[arg-type]

    people = [
        person(f"demo-pupil-{n}", Role.PUPIL, f"{name}（演示）", grade=7, class_name=f"七({n})班",
               school=_SCHOOL)
        for n, name in enumerate(_PUPILS, 1)
    ]  # fmt: skip
    return [
        *people,
        person("demo-tutor", Role.TUTOR, "答疑老师（演示）"),
        person("demo-tutor-2", Role.TUTOR, "答疑老师二（演示）"),
        person("demo-moderator", Role.MODERATOR, "值守老师（演示）"),
        person("demo-planner", Role.DUTY_PLANNER, "排班老师（演示）"),
        person("demo-guardian", Role.GUARDIAN, "家长（演示）", children=("demo-pupil-1",)),
        person("demo-officer", Role.SAFEGUARDING, "保护专员（演示）"),
        person("demo-officer-2", Role.SAFEGUARDING, "保护专员二（演示）"),
    ]


def demo_children(homes: int) -> list[str]:
    """Returns the pupils for whom a guardian of the demo has agreed: the desk's own, and those of
    the demo lesson's ``homes``, who come over from it."""
    own = [one.sub for one in _people() if one.role is Role.PUPIL]
    return [*own, *(f"demo-home-{home}" for home in range(1, homes + 1))]


def desk_links(keys: TokenKeys, now: float) -> list[DemoLink]:
    """Returns a link per role, with tokens that are good for a day."""
    links: list[DemoLink] = []
    for one in _people():
        claims = DeskClaims(
            one.sub,
            one.role,
            one.desk,
            float(int(now + _TTL_S)),
            float(int(now)),
            name=one.name,
            grade=one.grade,
            class_name=one.class_name,
            school=one.school,
            children=one.children,
        )
        path = f"/desk#token={keys.issue(claims)}"
        links.append(DemoLink(one.role, one.sub, one.name, one.school, path))
    return links
