"""School terms: two a year, from September and from February. Core."""

from __future__ import annotations

from datetime import date

from twinclass_signaling.errors import Conflict

#: The first days of term, by month.
_AUTUMN, _SPRING = 9, 2


def term_of(evening: str) -> str:
    """Returns the term of an evening, ``2026-09`` or ``2027-02``: the month it begins in.

    Raises:
        Conflict: ``date_malformed``.
    """
    day = day_of(evening)
    if day.month >= _AUTUMN:
        return f"{day.year}-{_AUTUMN:02}"
    if day.month >= _SPRING:
        return f"{day.year}-{_SPRING:02}"
    return f"{day.year - 1}-{_AUTUMN:02}"


def day_of(text: str) -> date:
    """Returns a date as evenings are named.

    Raises:
        Conflict: ``date_malformed``.
    """
    try:
        day = date.fromisoformat(text)
        # It reads other forms of a date, too.
        if day.isoformat() != text:
            raise ValueError
        return day
    except ValueError as error:
        raise Conflict(
            "date_malformed", "日期格式应为 2026-11-25。", "A date is like 2026-11-25."
        ) from error
