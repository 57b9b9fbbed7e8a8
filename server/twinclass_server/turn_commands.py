"""``twinclass turn-config``: what coturn must be started with."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from urllib.parse import urlsplit

from twinclass_config import OperatorProblem, Settings
from twinclass_server.adapters import lan
from twinclass_server.adapters.data_folder import DataFolder
from twinclass_server.chosen_settings import add_settings, chosen
from twinclass_server.turn_configuration import RelayPlan, configuration

#: Of a ``turns:`` URI without one (RFC 7065 section 3.1 has 5349; schools let 443 pass).
_PORT = 443


class NoRelay(OperatorProblem):
    """The settings do not say enough to write a relay's configuration."""

    code = "no_relay"


def add_to(
    # argparse has no public name for what add_subparsers returns.
    commands: argparse._SubParsersAction[argparse.ArgumentParser],  # pyright: ignore[reportPrivateUsage]
) -> None:
    """Adds the command."""
    write = commands.add_parser("turn-config", help="write the configuration of the relay (coturn)")
    add_settings(write)
    write.add_argument("--output", type=Path, help="a file, made readable by its owner only")
    write.set_defaults(run=_write)


def _write(options: argparse.Namespace) -> int:
    settings = chosen(options)
    text = configuration(relay_plan(settings, DataFolder(options.data)))
    if options.output is None:
        sys.stdout.write(text)
        return 0
    descriptor = os.open(options.output, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        os.fchmod(descriptor, 0o600)
        file.write(text)
    return 0


def relay_plan(settings: Settings, folder: DataFolder) -> RelayPlan:
    """Returns what the settings say of the relay.

    Raises:
        NoRelay: an address or the certificate is missing.
    """
    turn, media = settings.turn, settings.media
    if not turn.urls:
        raise NoRelay("turn.urls is not set: pages would not know of the relay.")
    if not turn.tls_cert or not turn.tls_key:
        raise NoRelay("turn.tls_cert and turn.tls_key are not set: the relay speaks TLS only.")
    announced = [entry.rpartition(":")[0] for entry in media.announce]
    hosts = announced or [host for host in media.bind if host not in ("::", "0.0.0.0")]  # noqa: S104
    if not hosts:
        hosts = lan.lan_addresses()
    if not hosts:
        raise NoRelay("media.announce is not set: the relay would reach nobody.")
    port = urlsplit(turn.urls[0].replace(":", "://", 1)).port or _PORT
    return RelayPlan(
        host=turn.listen,
        port=port,
        relay_host=turn.relay_host or hosts[0].strip("[]"),
        media=tuple(hosts),
        realm=turn.realm,
        certificate=turn.tls_cert,
        key=turn.tls_key,
        secret=turn.secret or folder.turn_secret(),
        min_port=turn.min_port,
        max_port=turn.max_port,
    )
