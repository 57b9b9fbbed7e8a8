"""PROTOCOL.md says what the code says: messages, fields, events, errors, close codes."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import msgspec
import pytest

from twinclass_server import errors
from twinclass_signaling.lesson.events import LessonEvent
from twinclass_signaling.lesson.visibility import STAFF_ONLY
from twinclass_signaling.messages import (
    ClientCommand,
    ClientMessage,
    ServerMessage,
)
from twinclass_signaling.rate import ALLOWANCES, COMMAND_ALLOWANCES
from twinclass_signaling.tool_views import ToolView

REPOSITORY = Path(__file__).resolve().parents[2]
DOCUMENT = (REPOSITORY / "signaling" / "PROTOCOL.md").read_text("utf-8")
LOG = (REPOSITORY / "signaling" / "EVENTS.md").read_text("utf-8")
EXAMPLES = [json.loads(block) for block in re.findall(r"```json\n(.*?)\n```", DOCUMENT, re.S)]


def tag(kind: type[msgspec.Struct]) -> str:
    return str(kind.__struct_config__.tag)


EVENTS = {tag(kind) for kind in get_args(LessonEvent)}


def row(name: str) -> str:
    """The table row of a message or command; of an event in EVENTS.md."""
    text = LOG if name in EVENTS else DOCUMENT
    rows = [line for line in text.splitlines() if line.startswith(f"| `{name}` |")]
    assert rows, f"{name} has no table row"
    return "\n".join(rows)


ALL: list[type[msgspec.Struct]] = [
    *get_args(ClientMessage),
    *get_args(ServerMessage),
    *get_args(ClientCommand),
    *get_args(LessonEvent),
]


@pytest.mark.parametrize("kind", ALL, ids=lambda kind: kind.__name__)
def test_every_message_command_and_event_has_a_row_with_its_fields(
    kind: type[msgspec.Struct],
) -> None:
    described = row(tag(kind))
    for field in msgspec.structs.fields(kind):
        assert f"`{field.encode_name}`" in described, f"{tag(kind)}: {field.encode_name}"


@pytest.mark.parametrize("kind", [*get_args(ClientMessage), *get_args(ServerMessage)])
def test_every_message_has_a_section_and_an_example(kind: type[msgspec.Struct]) -> None:
    assert f"\n### {tag(kind)}\n" in DOCUMENT
    assert any(example["type"] == tag(kind) for example in EXAMPLES)


@pytest.mark.parametrize("kind", get_args(ClientCommand))
def test_every_command_has_an_example(kind: type[msgspec.Struct]) -> None:
    assert any(
        example["type"] == "command" and example["command"]["type"] == tag(kind)
        for example in EXAMPLES
    )


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: str(example["type"]))
def test_every_example_is_a_message(example: dict[str, Any]) -> None:
    clients = {tag(kind) for kind in get_args(ClientMessage)}
    if example["type"] in clients:
        msgspec.convert(example, ClientMessage, strict=True)
        return
    message = msgspec.convert(example, ServerMessage, strict=True)
    # The server leaves out nothing, so neither may the example, and it invents nothing.
    assert json.loads(msgspec.json.encode(message)) == example


def test_every_rate_is_told() -> None:
    for name, allowance in ALLOWANCES.items():
        assert f"| {allowance.burst:g}, {allowance.per_s:g}/s |" in row(name), name


def test_every_rate_of_a_command_is_told() -> None:
    for name, allowance in COMMAND_ALLOWANCES.items():
        assert f"| `{name}` | {allowance.burst:g}, {allowance.per_s:g}/s |" in DOCUMENT, name


@pytest.mark.parametrize("kind", get_args(ToolView), ids=lambda kind: kind.__name__)
def test_every_view_of_a_tool_has_a_row_with_its_fields(kind: type[msgspec.Struct]) -> None:
    described = row(tag(kind))
    for field in msgspec.structs.fields(kind):
        assert f"`{field.encode_name}`" in described, f"{tag(kind)}: {field.encode_name}"


def test_every_event_is_in_the_log_s_page_and_no_other() -> None:
    table = LOG.split("| `event.type` |")[1].split("\n## ")[0]
    assert set(re.findall(r"^\| `([a-z_]+)` \|", table, re.M)) == EVENTS


def test_what_is_for_staff_only_says_so() -> None:
    for name in STAFF_ONLY:
        told = row(name).split("|")[3]
        assert "staff" in told or "assistants" in told, name
        assert "all" not in told.split(), name


def test_every_error_code_is_told() -> None:
    codes = set(codes_of_the_code())
    assert len(codes) > 50, "the search below finds nothing any more"
    untold = {code for code in codes if f"`{code}`" not in DOCUMENT}
    assert not untold


def test_every_told_error_code_exists() -> None:
    chapter = DOCUMENT.split("\n## Errors\n")[1].split("\n### Close codes\n")[0]
    tables, _, prose = chapter.partition("### A mistake of the server")
    told = set(re.findall(r"^\| `([a-z_]+)` \|", tables, re.M))
    told |= set(re.findall(r"`([a-z_]+)`", prose))
    assert told - set(codes_of_the_code()) == set()


def test_every_close_code_is_told() -> None:
    chapter = DOCUMENT.split("\n### Close codes\n")[1].split("\n## ")[0]
    for name in dir(errors):
        if name.startswith("CLOSE_"):
            assert str(getattr(errors, name)) in chapter, name


def codes_of_the_code() -> Iterator[str]:
    """Error codes that can reach a client: of signalling errors, and of HTTP answers."""
    trees = [
        ast.parse(path.read_text("utf-8"))
        for folder in ("signaling/twinclass_signaling", "server/twinclass_server")
        for path in (REPOSITORY / folder).rglob("*.py")
    ]
    kinds = {"SignalingError"}
    while True:
        more = {
            node.name
            for tree in trees
            for node in ast.walk(tree)
            if isinstance(node, ast.ClassDef)
            and any(isinstance(base, ast.Name) and base.id in kinds for base in node.bases)
        }
        if more <= kinds:
            break
        kinds |= more
    for tree in trees:
        for node in tree.body:
            # Tables of what is wrong with a file: code -> what people are told.
            if isinstance(node, ast.Assign) and isinstance(node.value, ast.Dict):
                [name] = [ast.unparse(target) for target in node.targets]
                if name.endswith("_REFUSALS"):
                    yield from constant([key for key in node.value.keys if key is not None])
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                if node.func.id in kinds:
                    yield from constant(node.args[:1])
                elif node.func.id == "_HttpError":
                    yield from constant(node.args[1:2])
            elif isinstance(node, ast.ClassDef) and node.name in kinds - {"SignalingError"}:
                for call in ast.walk(node):
                    if isinstance(call, ast.Call) and ast.unparse(call.func) == "super().__init__":
                        yield from constant(call.args[:1])
            elif isinstance(node, ast.Dict):
                for key, value in zip(node.keys, node.values, strict=True):
                    if isinstance(key, ast.Constant) and key.value == "code":
                        yield from constant([value])


def constant(nodes: list[ast.expr]) -> Iterator[str]:
    for node in nodes:
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value
