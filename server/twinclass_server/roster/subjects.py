"""Subjects and grades as schools write them, and as the evening desk names them."""

from __future__ import annotations

import re

#: Those of junior and senior secondary school; a planned lesson's subject is free text.
_SUBJECTS = {
    "chinese": ("语文", "Chinese"),
    "maths": ("数学", "Maths", "Math", "Mathematics"),
    "english": ("英语", "English"),
    "politics": ("道德与法治", "政治", "思想政治", "Politics"),
    "physics": ("物理", "Physics"),
    "chemistry": ("化学", "Chemistry"),
    "biology": ("生物", "生物学", "Biology"),
    "history": ("历史", "History"),
    "geography": ("地理", "Geography"),
    "science": ("科学", "Science"),
    "it": ("信息科技", "信息技术", "IT"),
    "latin": ("拉丁语", "Latin"),
}
_ID_OF = {name.lower(): key for key, names in _SUBJECTS.items() for name in (*names, key)}
_GRADES = ("一年级", "二年级", "三年级", "四年级", "五年级", "六年级", "七年级", "八年级", "九年级",
           "高一", "高二", "高三")  # fmt: skip
_GRADE_OF = {name: number for number, name in enumerate(_GRADES, 1)} | {
    name: number for number, name in enumerate(("初一", "初二", "初三"), 7)
}
_NUMBER = re.compile(r"(?:grade )?(1[0-2]|[1-9])(?:年级)?")


def subject_id(text: str) -> str:
    """Returns the desk's name of a subject as somebody has written it, empty: not known.

    A grade before it does not matter: ``七年级数学``.
    """
    wanted = text.strip().lower()
    for name in _GRADE_OF:
        wanted = wanted.removeprefix(name)
    return _ID_OF.get(wanted.strip(" ·"), "")


def grade_number(text: str) -> int | None:
    """Returns the grade, 1 to 12, that somebody has written; None: not known."""
    wanted = text.strip().lower()
    match = _NUMBER.fullmatch(wanted)
    return int(match[1]) if match else _GRADE_OF.get(wanted)


def subject_text(subject: str) -> str:
    """Returns how schools write a subject of the desk."""
    return _SUBJECTS[subject][0] if subject in _SUBJECTS else subject


def grade_text(grade: int | None) -> str:
    """Returns how schools write a grade."""
    return "" if grade is None else _GRADES[grade - 1]
