"""A small bank for demos and first looks: knowledge points, questions, answers."""

from __future__ import annotations

from typing import NamedTuple

from twinclass_server.desk.content.bank_desk import Verdict
from twinclass_server.desk.content.desk_content import DeskContent
from twinclass_server.desk.content.media import Author
from twinclass_signaling.roles import Role

POINTS = (
    ("maths-rational", "maths", "有理数的运算"),
    ("maths-equation", "maths", "一元一次方程"),
    ("maths-pythagoras", "maths", "勾股定理"),
    ("maths-function", "maths", "一次函数"),
    ("physics-density", "physics", "密度"),
    ("physics-buoyancy", "physics", "浮力"),
    ("english-tense", "english", "一般过去时"),
    ("chinese-classical", "chinese", "文言文实词"),
)


class _Sample(NamedTuple):
    subject: str
    grade: int
    point: str
    question: str
    answer: str


_ENTRIES = (
    _Sample(
        "maths", 7, "maths-equation",
        "解方程 $3x+5=20$ 时，为什么移项要变号？",
        "等式两边同时减去 $5$，左边的 $+5$ 就没有了，右边多出 $-5$：\n"
        "$3x+5-5=20-5$，所以 $3x=15$，$x=5$。\n"
        "“移项变号”就是“两边同时减去同一个数”的简写。",
    ),
    _Sample(
        "maths", 7, "maths-rational",
        "为什么 $(-2)\\times(-3)=6$，负负得正？",
        "看规律：$(-2)\\times 2=-4$，$(-2)\\times 1=-2$，$(-2)\\times 0=0$。\n"
        "右边的数每减少 $1$，积就增加 $2$，接下去 $(-2)\\times(-1)=2$，$(-2)\\times(-3)=6$。",
    ),
    _Sample(
        "maths", 8, "maths-pythagoras",
        "直角三角形两条直角边是 $3$ 和 $4$，怎样求斜边？",
        "用勾股定理：$c^2=a^2+b^2=3^2+4^2=25$，斜边是正数，所以 $c=5$。",
    ),
    _Sample(
        "maths", 8, "maths-function",
        "一次函数 $y=kx+b$ 里，$k$ 和 $b$ 分别决定什么？",
        "$k$ 决定方向和陡的程度：$k>0$ 时上升，$k<0$ 时下降，$|k|$ 越大越陡。\n"
        "$b$ 是图象与 $y$ 轴交点的纵坐标。",
    ),
    _Sample(
        "physics", 8, "physics-buoyancy",
        "木块浮在水面上，浮力等于重力吗？",
        "等于。木块静止，二力平衡：$F_{浮}=G$。\n"
        "它排开的水的重力也等于浮力，所以浸在水里的体积是 $V_{排}=\\dfrac{G}{\\rho_{水}g}$。",
    ),
    _Sample(
        "english", 7, "english-tense",
        "什么时候用一般过去时？go 的过去式是什么？",
        "说过去某个时间发生、已经结束的事，例如 I went to the park yesterday.\n"
        "go 是不规则动词，过去式是 went。",
    ),
)  # fmt: skip


def put_sample(content: DeskContent, desk: str, evening: str) -> None:
    """Publishes the sample in an empty bank; blocks."""
    content.bank.refresh()
    if content.bank.found("", "", None, "", 0)[1] or content.bank_desk.proposals(desk):
        return
    content.bank_desk.set_points(POINTS)
    tutor = Author("sample", Role.TUTOR, desk, evening)
    pupil = Author("sample", Role.PUPIL, desk, evening)
    for one in _ENTRIES:
        number = content.bank_desk.propose(
            desk, one.subject, one.grade, [one.point],
            content.contents.add(pupil, one.question, [], None),
            content.contents.add(tutor, one.answer, [], None),
        )  # fmt: skip
        if number is not None:
            content.bank_desk.review(tutor, number, Verdict(publish=True))
