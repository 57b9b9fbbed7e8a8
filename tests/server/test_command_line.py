"""The command ``twinclass``, and what it prints."""

from __future__ import annotations

import json
import logging
import stat
import time
from pathlib import Path

import pytest

from hosting.page import Page, close_pages, token
from hosting.process import server_process, twinclass
from light.ports import free_port
from twinclass_server.adapters.data_folder import DataFolder, KeyFile
from twinclass_server.cli import main
from twinclass_server.logging import JsonFormatter, redact
from twinclass_signaling.messages import Goodbye
from twinclass_signaling.roles import Role

PORTS = free_port(22)


def test_a_token_is_printed_alone_and_needs_no_server(tmp_path: Path) -> None:
    data = str(tmp_path / "data")
    done = twinclass(
        *("token", "--lesson", "demo", "--role", "room", "--room", "room-7"),
        *("--name", "示例班", "--ttl", "30m", "--data", data),
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    claims = DataFolder(Path(data)).read_keys().verify(done.stdout.strip(), time.time())
    assert (claims.sub, claims.room, claims.name) == ("room-7", "room-7", "示例班")
    assert claims.exp - claims.iat == 1800
    keys = Path(data) / "token-keys.json"
    assert stat.S_IMODE(keys.stat().st_mode) == 0o600


@pytest.mark.parametrize(
    "arguments",
    [
        ["token", "--lesson", "demo", "--role", "room"],
        ["token", "--lesson", "a/b", "--role", "lead"],
        ["token", "--lesson", "demo", "--role", "king"],
        ["token", "--lesson", "demo", "--role", "lead", "--ttl", "soon"],
        ["token", "--lesson", "demo", "--role", "lead", "--name", "x" * 65],
        [],
    ],
)
def test_what_cannot_be_meant_is_refused(
    arguments: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    if arguments:
        arguments += ["--data", str(tmp_path / "data")]
    assert exit_status(arguments) == 2
    assert capsys.readouterr().out == ""


def exit_status(arguments: list[str]) -> object:
    """argparse exits by itself, our own refusals return."""
    try:
        return main(arguments)
    except SystemExit as error:
        return error.code


def test_a_rotated_key_signs_and_the_old_one_still_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = DataFolder(tmp_path / "data")
    live = KeyFile(folder)
    old = token(live.current(), Role.LEAD, "lead")
    folder.rotate_keys()
    new = token(folder.read_keys(), Role.LEAD, "lead")
    later = time.monotonic() + 2
    monkeypatch.setattr(time, "monotonic", lambda: later)
    for given in (old, new):
        assert live.current().verify(given, time.time()).sub == "lead"
    for _ in range(3):
        folder.rotate_keys()
    with pytest.raises(Exception, match="token_invalid"):
        folder.read_keys().verify(old, time.time())


def test_check_config_names_every_problem(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["check-config", "--data", str(tmp_path / "data")]
    assert main(arguments) == 0
    assert "http.port = 8080" in capsys.readouterr().out
    monkeypatch.setenv("TWINCLASS_HTTP__PROT", "1")
    assert main(arguments) == 2
    assert "TWINCLASS_HTTP__PROT: unknown key" in capsys.readouterr().err


async def test_lessons_are_created_listed_and_closed(tmp_path: Path) -> None:
    async with server_process(tmp_path / "data", PORTS) as server:
        admin = ("--admin", server.admin_url)
        done = twinclass(
            *("lesson", "create", "geometry", "--title", "示例课", "--minutes", "30"),
            *("--room", "room-1:七(1)班:示例一中", "--homes", "3", *admin),
        )
        assert done.returncode == 0, done.stderr
        again = twinclass("lesson", "create", "geometry", "--title", "x", *admin)
        assert again.returncode == 1
        assert "lesson_exists" in again.stderr
        page, welcome = await Page.enter(
            server.port, token(server.keys, Role.LEAD, "lead", "geometry")
        )
        assert welcome.lesson.planned_minutes == 30
        assert welcome.lesson.counts.homes_expected == 3
        listed = json.loads(twinclass("lesson", "list", *admin).stdout)["lessons"]
        assert [(entry["id"], entry["phase"]) for entry in listed] == [("geometry", "pre_class")]
        assert twinclass("lesson", "close", "geometry", *admin).returncode == 0
        assert (await page.wait_for(Goodbye)).reason == "lesson_closed"
        gone = twinclass("lesson", "close", "nowhere", *admin)
        assert "lesson_unknown" in gone.stderr
        await close_pages()
    assert "no server answers" in twinclass("lesson", "list", *admin).stderr


async def test_a_busy_port_is_named_with_its_flag(tmp_path: Path) -> None:
    async with server_process(tmp_path / "data", PORTS + 4) as server:
        free = ["serve", "--data", str(tmp_path / "other")]
        for flag, port in (
            ("--port", server.port),
            ("--admin-port", server.port + 1),
            ("--media-port", server.port + 2),
        ):
            ports = {
                "--port": PORTS + 8,
                "--admin-port": PORTS + 9,
                "--media-port": PORTS + 10,
                flag: port,
            }
            flat = [part for name, value in ports.items() for part in (name, str(value))]
            done = twinclass(*free, *flat)
            assert done.returncode == 2
            assert f"{port}" in done.stderr
            assert f"{flag} PORT" in done.stderr


async def test_the_log_of_a_lesson_holds_no_token_and_no_name(tmp_path: Path) -> None:
    async with server_process(
        tmp_path / "data", PORTS + 12, {"TWINCLASS_LOG__LEVEL": "debug"}
    ) as server:
        await server.create_lesson()
        key = token(server.keys, Role.HOME_LEARNER, "home-1", name="示例学生小名")
        page, welcome = await Page.enter(server.port, key)
        await page.drop()
        await close_pages()
    text = server.log_text()
    assert key not in text
    assert welcome.secret not in text
    assert "示例学生小名" not in text
    assert all({"time", "level", "logger", "text"} <= set(line) for line in server.log_lines())


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("token eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJ4In0.c2ln seen", "token [redacted] seen"),
        ("a=ice-pwd:abcdef0123456789", "[redacted]"),
        ("offer v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\n", "offer [redacted]"),
        ('{"name":"示例"}', '{"name":"[redacted]"}'),
        ("Authorization: Bearer abc.def", "Authorization: Bearer [redacted]"),
        ("nothing to hide", "nothing to hide"),
    ],
)
def test_secrets_are_cut_out_of_whatever_is_logged(text: str, kept: str) -> None:
    assert redact(text) == kept
    record = logging.LogRecord("x", logging.INFO, "", 1, "%s", (text,), None)
    assert json.loads(JsonFormatter().format(record))["text"] == kept
