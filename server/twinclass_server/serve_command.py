"""``twinclass serve``: runs the server."""

from __future__ import annotations

import argparse
import asyncio
import gc
import time

from twinclass_server.adapters import lan
from twinclass_server.adapters.data_folder import DataFolder
from twinclass_server.adapters.media_plane import WorkerMediaPlane
from twinclass_server.adapters.worker_process import socket_directory
from twinclass_server.announce import base_urls, greeting
from twinclass_server.app import Server, ServerParts, install_signals
from twinclass_server.chosen_settings import add_settings, chosen, for_lan
from twinclass_server.demo import demo_links
from twinclass_server.logging import configure_logging
from twinclass_server.school import DESK_TTL_S, staff_path
from twinclass_signaling.roles import Role

#: Allocations before a collection, and collections before one of the next generation: cycles are
#: rare here, and a request makes some thousand objects.
_GC = (20_000, 20, 50)


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

    async def started() -> None:
        # What is here now stays. A city's library and desk are a million objects, which the
        # collector would go through again and again while requests wait.
        gc.collect()
        gc.freeze()
        gc.set_threshold(*_GC)
        links = []
        if settings.demo.enabled:
            links = demo_links(settings.demo, folder.read_keys(), time.time())
        bases = base_urls(settings, addresses)
        desk = staff_path(folder.read_keys(), Role.OPERATOR, "operator", "", DESK_TTL_S)
        print(
            greeting(settings, bases, links, desk if links else None, is_lan=options.lan),
            flush=True,
        )

    async def run() -> None:
        server = Server(
            ServerParts(settings, folder, WorkerMediaPlane, socket_directory(folder.run))
        )
        install_signals(server, keep_workers=options.keep_workers)
        await server.run(started)

    try:
        asyncio.run(run())
    except asyncio.CancelledError:
        return 1  # Forced by a second signal.
    return 0
