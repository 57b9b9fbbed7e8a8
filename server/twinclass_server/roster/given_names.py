"""The given name of a person: all that a tutor is told of a pupil's name."""

from __future__ import annotations

import re

#: Surnames of two characters that are still common.
_COMPOUND = ("欧阳", "司马", "上官", "诸葛", "司徒", "夏侯", "皇甫", "尉迟", "公孙", "慕容", "令狐",
             "长孙", "宇文", "东方", "独孤", "南宫", "端木", "百里", "呼延", "闻人")  # fmt: skip
_CHINESE = re.compile(r"[\u3400-\u9fff]+")


def given_name(name: str) -> str:
    """Returns the given name: what stands behind the surname of a Chinese name of two to four
    characters, before the first space or dot of any other. What is no such name stays as it is.
    """
    whole = name.strip()
    first = re.split(r"[ ·•．.]", whole, maxsplit=1)[0]
    if first != whole:
        return first or whole
    if not _CHINESE.fullmatch(whole) or not 2 <= len(whole) <= 4:
        return whole
    return whole[2:] if len(whole) > 2 and whole.startswith(_COMPOUND) else whole[1:]
