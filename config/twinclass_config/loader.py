"""Files and environment into one frozen ``Settings``; nothing else reads the environment.

A key is ``TWINCLASS_SECTION__KEY`` in the environment and ``key`` under ``[section]`` in a TOML
file; the environment wins. Unknown keys are errors: a misspelt key would be silently without
effect otherwise. Lists are separated by commas in the environment.
"""

from __future__ import annotations

import dataclasses
import tomllib
import zoneinfo
from collections.abc import Mapping
from pathlib import Path
from typing import Any, get_type_hints

import msgspec

from twinclass_config.problem import OperatorProblem
from twinclass_config.sections import LibrarySettings, Settings, TurnSettings

PREFIX = "TWINCLASS_"
#: A password of the relay is used within seconds; one that leaks is worth no more than this.
_MOST_TURN_TTL_S = 300
_WEIGHTS = [f.name for f in dataclasses.fields(LibrarySettings) if f.name.startswith("weight_")]


class ConfigError(OperatorProblem):
    """Settings that cannot be used; the text names each key and what is wrong with it."""

    code = "config_invalid"


def load(
    environment: Mapping[str, str],
    file: Path | None = None,
    overrides: Mapping[str, Mapping[str, object]] | None = None,
) -> Settings:
    """Returns the settings.

    Args:
        environment: usually ``os.environ``; only keys with ``PREFIX`` are looked at.
        file: a TOML file, or None.
        overrides: section -> key -> value of command line flags; they win over all.

    Raises:
        ConfigError: an unknown key, a value of the wrong kind, or an unreadable file.
    """
    sections = {item.name: get_type_hints(Settings)[item.name] for item in _fields(Settings)}
    values: dict[str, dict[str, object]] = {name: {} for name in sections}
    problems: list[str] = []
    for where, section, key, value in (
        *_from_file(file),
        *_from_environment(environment),
        *_from_overrides(overrides or {}),
    ):
        kind = sections.get(section)
        if kind is None or key not in {item.name for item in _fields(kind)}:
            problems.append(f"{where}: unknown key")
            continue
        try:
            values[section][key] = _convert(value, get_type_hints(kind)[key])
        except msgspec.ValidationError as error:
            problems.append(f"{where}: {error}")
    if problems:
        raise ConfigError("\n".join(problems))
    settings = Settings(**{name: kind(**values[name]) for name, kind in sections.items()})
    _check(settings)
    return settings


def _fields(kind: type[Any]) -> tuple[dataclasses.Field[Any], ...]:
    return dataclasses.fields(kind)


def _from_file(file: Path | None) -> list[tuple[str, str, str, object]]:
    if file is None:
        return []
    try:
        document = tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigError(f"{file}: {error}") from error
    found: list[tuple[str, str, str, object]] = []
    for section, entries in document.items():
        if not isinstance(entries, dict):
            raise ConfigError(f"{file}: {section} stands outside a [section]")
        found.extend((f"{file}: [{section}] {key}", section, key, entries[key]) for key in entries)
    return found


def _from_environment(environment: Mapping[str, str]) -> list[tuple[str, str, str, object]]:
    found: list[tuple[str, str, str, object]] = []
    for name in sorted(environment):
        if name.startswith(PREFIX):
            section, _, key = name.removeprefix(PREFIX).lower().partition("__")
            found.append((name, section, key, environment[name]))
    return found


def _from_overrides(
    overrides: Mapping[str, Mapping[str, object]],
) -> list[tuple[str, str, str, object]]:
    return [
        (f"--{key.replace('_', '-')}", section, key, value)
        for section, entries in overrides.items()
        for key, value in entries.items()
    ]


def _convert(value: object, kind: type[Any]) -> object:
    if kind == tuple[str, ...] and isinstance(value, str):
        value = [part.strip() for part in value.split(",") if part.strip()]
    if kind is bool and isinstance(value, str):
        value = {"yes": "true", "on": "true", "no": "false", "off": "false"}.get(
            value.lower(), value.lower()
        )
    return msgspec.convert(value, kind, strict=False)


def _check(settings: Settings) -> None:
    problems: list[str] = []
    for name, port in (
        ("http.port", settings.http.port),
        ("http.admin_port", settings.http.admin_port),
        ("media.port", settings.media.port),
    ):
        if not 0 < port < 65536:
            problems.append(f"{name}: {port} is no port")
    if settings.media.workers < 1:
        problems.append("media.workers: at least 1")
    if bool(settings.http.tls_cert) != bool(settings.http.tls_key):
        problems.append("http.tls_cert and http.tls_key: both or none")
    if settings.log.level not in {"debug", "info", "warning", "error"}:
        problems.append("log.level: debug, info, warning or error")
    if settings.log.format not in {"json", "text"}:
        problems.append("log.format: json or text")
    if settings.library.time_zone not in zoneinfo.available_timezones():
        problems.append(f"library.time_zone: {settings.library.time_zone} is no IANA time zone")
    weights = [getattr(settings.library, name) for name in _WEIGHTS]
    if min(weights) < 0 or sum(weights) <= 0:
        problems.append("library.weight_…: none below 0, and not all of them 0")
    problems += _turn_problems(settings.turn)
    for announced in settings.media.announce:
        host, _, port_text = announced.rpartition(":")
        if not host or not port_text.isdigit():
            problems.append(f"media.announce: {announced} is not host:port")
    if problems:
        raise ConfigError("\n".join(problems))


def _turn_problems(turn: TurnSettings) -> list[str]:
    problems: list[str] = []
    for url in turn.urls:
        if not url.startswith(("turn:", "turns:")):
            problems.append(f"turn.urls: {url} begins with neither turns: nor turn:")
    if not 30 <= turn.ttl_s <= _MOST_TURN_TTL_S:
        problems.append(f"turn.ttl_s: from 30 to {_MOST_TURN_TTL_S}")
    if not 1024 <= turn.min_port < turn.max_port < 65536:
        problems.append("turn.min_port and turn.max_port: from 1024 to 65535, in this order")
    if bool(turn.tls_cert) != bool(turn.tls_key):
        problems.append("turn.tls_cert and turn.tls_key: both or none")
    return problems
