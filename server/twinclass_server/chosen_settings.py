"""The settings a command works with: file, environment, flags, and what ``--lan`` adds."""

from __future__ import annotations

import argparse
import dataclasses
import os
from pathlib import Path

from twinclass_config import Settings, load
from twinclass_server.adapters import lan
from twinclass_server.adapters.data_folder import DataFolder


def add_settings(parser: argparse.ArgumentParser) -> None:
    """Adds the flags of commands that read the settings."""
    add_data(parser)
    parser.add_argument("--config", type=Path, help="TOML file; the environment wins over it")


def add_data(parser: argparse.ArgumentParser) -> None:
    """Adds the flag of commands that work in the data folder."""
    parser.add_argument("--data", type=Path, default=Path("data"), help="data folder (./data)")


def recordings_root(settings: Settings, folder: DataFolder) -> Path:
    """Returns where recordings are."""
    return Path(settings.recording.folder or folder.recordings)


def chosen(options: argparse.Namespace) -> Settings:
    """Returns the settings: flags win over the environment, that over the file.

    Raises:
        ConfigError: something is wrong with them.
    """
    flags = {
        "http": {"host": "host", "port": "port", "admin_port": "admin_port"},
        "media": {"port": "media_port", "workers": "workers"},
    }
    overrides: dict[str, dict[str, object]] = {}
    for section, keys in flags.items():
        for key, flag in keys.items():
            value = getattr(options, flag, None)
            if value is not None:
                overrides.setdefault(section, {})[key] = value
    if getattr(options, "demo", False):
        overrides.setdefault("demo", {})["enabled"] = True
    return load(os.environ, options.config, overrides)


def for_lan(settings: Settings, folder: DataFolder, addresses: list[str]) -> Settings:
    """Opens a school's server to its network; what was set by hand stays."""
    http, media = settings.http, settings.media
    wildcard = lan.wildcard_address()
    if http.host == "127.0.0.1":
        http = dataclasses.replace(http, host=wildcard)
    if not http.tls_cert:
        certificate, key = lan.ensure_certificate(folder.tls, addresses)
        http = dataclasses.replace(http, tls_cert=str(certificate), tls_key=str(key))
    if media.bind == type(media)().bind:
        media = dataclasses.replace(media, bind=(wildcard,))
    if not media.announce:
        announced = tuple(f"{address}:{media.port}" for address in addresses)
        if wildcard == "::":
            announced += tuple(f"[{host}]:{media.port}" for host in lan.lan_ipv6_addresses())
        media = dataclasses.replace(media, announce=announced)
    return dataclasses.replace(settings, http=http, media=media)
