"""Names, subjects and grades as schools write them."""

from __future__ import annotations

import pytest

from twinclass_server.roster.given_names import given_name
from twinclass_server.roster.subjects import (
    grade_number,
    grade_text,
    subject_id,
    subject_text,
)


@pytest.mark.parametrize(
    ("name", "given"),
    [
        ("张小雨", "小雨"), ("王五", "五"), ("欧阳锋", "锋"), ("欧阳", "阳"), ("欧阳小明", "小明"),
        ("演示学生一", "演示学生一"), ("阿依古丽·买买提", "阿依古丽"), ("Li Ming", "Li"),
        ("雨", "雨"), ("", ""), ("  张三 ", "三"),
    ],
)  # fmt: skip
def test_a_tutor_is_told_the_given_name(name: str, given: str) -> None:
    assert given_name(name) == given


@pytest.mark.parametrize(
    ("text", "subject"),
    [("数学", "maths"), ("七年级数学", "maths"), ("初二 物理", "physics"), ("English", "english"),
     ("maths", "maths"), ("体育", ""), ("", "")],
)  # fmt: skip
def test_a_planned_subject_is_one_of_the_desk_s(text: str, subject: str) -> None:
    assert subject_id(text) == subject


@pytest.mark.parametrize(
    ("text", "grade"),
    [("七年级", 7), ("初一", 7), ("高三", 12), ("7", 7), ("Grade 10", 10), ("13", None),
     ("学前班", None), ("", None)],
)  # fmt: skip
def test_a_grade_is_a_number(text: str, grade: int | None) -> None:
    assert grade_number(text) == grade


def test_what_a_plan_says_is_written_as_schools_do() -> None:
    assert (subject_text("maths"), grade_text(7)) == ("数学", "七年级")
    assert (subject_text("robotics"), grade_text(None)) == ("robotics", "")
