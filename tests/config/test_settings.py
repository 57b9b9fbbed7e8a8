"""Settings: files, environment, flags, and everything that is wrong with them."""

from __future__ import annotations

from pathlib import Path

import pytest

from twinclass_config import ConfigError, Settings, load


def test_without_anything_the_defaults_hold() -> None:
    assert load({"PATH": "/bin"}) == Settings()


def test_the_environment_wins_over_the_file_and_flags_over_both(tmp_path: Path) -> None:
    file = tmp_path / "twinclass.toml"
    file.write_text("[http]\nport = 1\nadmin_port = 2\n[media]\nworkers = 3\n", "utf-8")
    found = load(
        {"TWINCLASS_HTTP__ADMIN_PORT": "20", "TWINCLASS_MEDIA__WORKERS": "4"},
        file,
        {"media": {"workers": 5}},
    )
    assert (found.http.port, found.http.admin_port, found.media.workers) == (1, 20, 5)


def test_lists_and_switches_are_read_from_text() -> None:
    found = load(
        {
            "TWINCLASS_MEDIA__ANNOUNCE": "192.0.2.7:7900, [2001:db8::1]:7900",
            "TWINCLASS_MEDIA__TCP": "off",
            "TWINCLASS_LESSON__SEAT_KEEP_S": "1.5",
        }
    )
    assert found.media.announce == ("192.0.2.7:7900", "[2001:db8::1]:7900")
    assert not found.media.tcp
    assert found.lesson.seat_keep_s == 1.5


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("TWINCLASS_HTTP__PROT", "1"),
        ("TWINCLASS_HTPT__PORT", "1"),
        ("TWINCLASS_PORT", "1"),
        ("TWINCLASS_HTTP__PORT", "many"),
        ("TWINCLASS_HTTP__PORT", "70000"),
        ("TWINCLASS_MEDIA__WORKERS", "0"),
        ("TWINCLASS_MEDIA__ANNOUNCE", "nowhere"),
        ("TWINCLASS_HTTP__TLS_CERT", "only-one.pem"),
        ("TWINCLASS_LOG__LEVEL", "loud"),
        ("TWINCLASS_LOG__FORMAT", "xml"),
        ("TWINCLASS_DEMO__ENABLED", "perhaps"),
    ],
)
def test_what_cannot_be_meant_is_an_error(name: str, value: str) -> None:
    with pytest.raises(ConfigError):
        load({name: value})


def test_every_problem_is_named_at_once() -> None:
    with pytest.raises(ConfigError) as caught:
        load({"TWINCLASS_A__B": "1", "TWINCLASS_HTTP__PORT": "x"})
    assert "TWINCLASS_A__B: unknown key" in str(caught.value)
    assert "TWINCLASS_HTTP__PORT" in str(caught.value)


@pytest.mark.parametrize("text", ["[http]\nprot = 1\n", "port = 1\n", "[http\n", "[x]\ny = 1\n"])
def test_a_file_that_cannot_be_meant_is_an_error(tmp_path: Path, text: str) -> None:
    file = tmp_path / "twinclass.toml"
    file.write_text(text, "utf-8")
    with pytest.raises(ConfigError):
        load({}, file)


def test_a_redis_password_is_in_no_repr() -> None:
    assert "hunter2" not in repr(load({"TWINCLASS_REDIS__URL": "redis://:hunter2@127.0.0.1"}))
