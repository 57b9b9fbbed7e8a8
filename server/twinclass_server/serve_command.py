"""``twinclass serve``: reads how, brings a recorder back that died, and loads the server."""

from __future__ import annotations

import argparse

from twinclass_server.adapters import lan, recorder_start
from twinclass_server.adapters.data_folder import DataFolder
from twinclass_server.chosen_settings import add_settings, chosen, for_lan, recordings_root
from twinclass_server.logging import configure_logging


def add_to(
    # argparse has no public name for what add_subparsers returns.
    commands: argparse._SubParsersAction[argparse.ArgumentParser],  # pyright: ignore[reportPrivateUsage]
) -> None:
    """Adds the command."""
    serve = commands.add_parser("serve", help="run the server")
    add_settings(serve)
    serve.add_argument("--host", help="address to listen on (default 127.0.0.1)")
    serve.add_argument("--port", type=int, help="pages and signalling (default 8080)")
    serve.add_argument("--media-port", type=int, help="media of worker 0, UDP and TCP (7900)")
    serve.add_argument("--admin-port", type=int, help="private listener (default 9090)")
    serve.add_argument("--workers", type=int, help="media workers (default 1)")
    serve.add_argument("--lan", action="store_true", help="for a school: all interfaces, HTTPS")
    serve.add_argument("--demo", action="store_true", help="open the demo lesson")
    serve.add_argument(
        "--keep-workers", action="store_true", help="media workers outlive SIGTERM (deploys)"
    )
    serve.set_defaults(run=_serve)


def _serve(options: argparse.Namespace) -> int:
    settings = chosen(options)
    folder = DataFolder(options.data)
    addresses: list[str] = []
    if options.lan:
        addresses = lan.lan_addresses()
        settings = for_lan(settings, folder, addresses)
    configure_logging(settings.log)
    folder.lock(f"http port {settings.http.port}, media port {settings.media.port}")
    recorder = None
    if settings.recording.enabled:
        recorder = recorder_start.start_again(folder.run, recordings_root(settings, folder))
    # Loaded after that: it takes seconds, and lessons go on.
    from twinclass_server.serving import serve  # noqa: PLC0415

    return serve(
        settings,
        folder,
        addresses,
        recorder,
        is_lan=options.lan,
        keep_workers=options.keep_workers,
    )
