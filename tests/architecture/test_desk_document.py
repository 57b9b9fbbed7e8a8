"""DESK.md says what the code says: states, commands, events, views, times."""

from __future__ import annotations

import re
from pathlib import Path
from typing import get_args

import msgspec
import pytest

from twinclass_signaling.desk import helping, matching, people, question_log, queue, safety, timers
from twinclass_signaling.desk.commands import DeskCommand, Fact
from twinclass_signaling.desk.events import DeskEvent
from twinclass_signaling.desk.permissions import may_command
from twinclass_signaling.desk.plan import Limits
from twinclass_signaling.desk.questions import STATES, diagram
from twinclass_signaling.desk.view_types import DeskView
from twinclass_signaling.roles import Role

REPOSITORY = Path(__file__).resolve().parents[2]
DOCUMENT = (REPOSITORY / "signaling" / "DESK.md").read_text("utf-8")
MODULES = REPOSITORY / "signaling" / "twinclass_signaling" / "desk"


def chapter(title: str) -> str:
    return DOCUMENT.split(f"\n{title}\n")[1].split("\n## ")[0]


def tag(kind: type[msgspec.Struct]) -> str:
    return str(kind.__struct_config__.tag)


def row(text: str, name: str) -> str:
    (found,) = [line for line in text.splitlines() if line.startswith(f"| `{name}` |")]
    return found


def test_the_diagram_is_the_table() -> None:
    (drawn,) = re.findall(r"```mermaid\n(.*?)\n```", DOCUMENT, re.S)
    assert drawn == diagram()
    for state in STATES:
        assert state in drawn


@pytest.mark.parametrize(
    ("title", "kinds"),
    [
        ("## Commands", get_args(DeskCommand)),
        ("## Events", get_args(DeskEvent)),
        ("## Who sees what", get_args(DeskView)),
    ],
)
def test_everything_has_a_row_with_its_fields_and_nothing_else(
    title: str, kinds: tuple[type[msgspec.Struct], ...]
) -> None:
    text = chapter(title).split("### Facts")[0]
    for kind in kinds:
        told = row(text, tag(kind))
        for field in msgspec.structs.fields(kind):
            assert f"`{field.encode_name}`" in told, (tag(kind), field.encode_name)
    assert set(re.findall(r"^\| `([a-z_]+)` \|", text, re.M)) == {tag(kind) for kind in kinds}


def test_every_fact_has_a_row() -> None:
    text = DOCUMENT.split("### Facts of the host")[1].split("\n## ")[0]
    for kind in get_args(Fact):
        told = row(text, kind.__name__)
        for field in msgspec.structs.fields(kind):
            assert f"`{field.encode_name}`" in told, (kind.__name__, field.encode_name)


@pytest.mark.parametrize("kind", get_args(DeskCommand), ids=tag)
def test_who_may_give_a_command_is_told(kind: type[msgspec.Struct]) -> None:
    told = row(chapter("## Commands"), tag(kind)).split("|")[2]
    may = {role.value.replace("_", " ") for role in Role if tag(kind) in may_command(role)}
    assert {name.strip() for name in told.split(",")} == may


def test_the_times_are_those_of_the_code() -> None:
    limits = Limits()
    told = chapter("## Time")
    for words, seconds in (
        ("bank | 3 s", question_log.BANK_S),
        ("offer | 20 s", matching.OFFER_S),
        ("a round | 60 s", matching.ROUND_S),
        ("ladder | 5 min", queue.LADDER_S),
        ("begun | 3 min", helping.START_S),
        ("written claim | 15 min", helping.WRITE_S),
        ("pupil's line lost | 60 s", people.GRACE_S),
        ("one_to_one | 10 min", limits.one_to_one_s),
        ("30 at most", limits.hard_stop_s),
        ("one_to_many | 30 min", limits.one_to_many_s),
        ("live help | 60 min", limits.pupil_evening_s),
        ("help key | 30 s", safety.MODERATOR_S),
        ("evening | 15 min", timers.WRAP_UP_S),
    ):
        number = int(re.findall(r"\d+", words)[-1])
        assert words in told
        assert seconds in {number, number * 60}, words


def test_every_module_is_in_the_list() -> None:
    text = chapter("## How it works")
    for path in MODULES.glob("*.py"):
        name = path.stem
        is_listed = f"`{name}`" in text or (name.endswith("_views") and "`*_views`" in text)
        others = {"__init__", "events", "session_events", "commands", "core"}
        assert is_listed or name in others, name
