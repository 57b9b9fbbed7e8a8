"""A server from its start to its end, as ``twinclass serve`` runs it."""

from __future__ import annotations

import asyncio
import gc
import time
from collections.abc import Sequence

from twinclass_config import Settings
from twinclass_server.adapters.data_folder import DataFolder
from twinclass_server.adapters.media_plane import WorkerMediaPlane
from twinclass_server.adapters.worker_process import WorkerProcess, socket_directory
from twinclass_server.announce import base_urls, greeting
from twinclass_server.app import Server, ServerParts, install_signals
from twinclass_server.demo import demo_links
from twinclass_server.school import DESK_TTL_S, staff_path
from twinclass_signaling.roles import Role

#: Allocations before a collection, and collections before one of the next generation: cycles are
#: rare here, and a request makes some thousand objects.
_GC = (20_000, 20, 50)


def serve(
    settings: Settings,
    folder: DataFolder,
    addresses: Sequence[str],
    recorder: WorkerProcess | None,
    *,
    is_lan: bool,
    keep_workers: bool,
) -> int:
    """Serves until it is stopped; returns the exit status.

    Args:
        settings: how.
        folder: its data folder.
        addresses: of this machine, where others are to reach it.
        recorder: the one that was started before the rest, if any.
        is_lan: whether others are to reach it.
        keep_workers: whether media workers outlive SIGTERM.

    Raises:
        OperatorProblem: what keeps it from starting.
    """

    async def started() -> None:
        # What is here now stays. A city's library and desk are a million objects, which the
        # collector would go through again and again while requests wait.
        gc.collect()
        gc.freeze()
        gc.set_threshold(*_GC)
        links = []
        if settings.demo.enabled:
            links = demo_links(settings.demo, folder.read_keys(), time.time())
        bases = base_urls(settings, list(addresses))
        desk = staff_path(folder.read_keys(), Role.OPERATOR, "operator", "", DESK_TTL_S)
        print(
            greeting(settings, bases, links, desk if links else None, is_lan=is_lan),
            flush=True,
        )

    async def run() -> None:
        server = Server(
            ServerParts(
                settings,
                folder,
                WorkerMediaPlane,
                socket_directory(folder.run),
                recorder=recorder,
            )
        )
        install_signals(server, keep_workers=keep_workers)
        await server.run(started)

    try:
        asyncio.run(run())
    except asyncio.CancelledError:
        return 1  # Forced by a second signal.
    return 0
