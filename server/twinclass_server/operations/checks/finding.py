"""What a check finds. Vocabulary."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

from twinclass_signaling.messages import Text

State = Literal["ok", "warning", "problem"]
NOTHING = Text("", "")


class Finding(Struct, frozen=True):
    """One thing that was looked at; ``todo`` is empty where nothing is to be done."""

    check: str
    state: State
    text: Text
    todo: Text = NOTHING


def ok(check: str, zh: str, en: str) -> Finding:
    """Returns a finding of which nothing is to be done."""
    return Finding(check, "ok", Text(zh, en))


def warning(check: str, text: tuple[str, str], todo: tuple[str, str]) -> Finding:
    """Returns a finding that does not keep lessons from being held."""
    return Finding(check, "warning", Text(*text), Text(*todo))


def problem(check: str, text: tuple[str, str], todo: tuple[str, str]) -> Finding:
    """Returns a finding that does."""
    return Finding(check, "problem", Text(*text), Text(*todo))
