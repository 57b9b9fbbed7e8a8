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
from twinclass_signaling.messages import (
    ClientCommand,
    ClientMessage,
    ServerMessage,
)
from twinclass_signaling.rate import ALLOWANCES

REPOSITORY = Path(__file__).resolve().parents[2]
DOCUMENT = (REPOSITORY / "signaling" / "PROTOCOL.md").read_text("utf-8")
EXAMPLES = [json.loads(block) for block in re.findall(r"```json\n(.*?)\n```", DOCUMENT, re.S)]


def tag(kind: type[msgspec.Struct]) -> str:
    return str(kind.__struct_config__.tag)


def row(name: str) -> str:
    """The table row of a message, command or event."""
    rows = [line for line in DOCUMENT.splitlines() if line.startswith(f"| `{name}` |")]
    assert rows, f"{name} has no table row in PROTOCOL.md"
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
