"""``python -m twinclass_media.worker``: one media worker process."""

from __future__ import annotations

import argparse
import asyncio
import logging
import sys
from pathlib import Path

from twinclass_media.settings import MediaSettings
from twinclass_media.transport.native.compiling import LIBRARY
from twinclass_media.worker.process import Worker, WorkerOptions


def parse_arguments(arguments: list[str]) -> tuple[WorkerOptions, str]:
    """Returns the options and the log level."""
    parser = argparse.ArgumentParser(prog="twinclass-media-worker")
    parser.add_argument("--index", type=int, default=0)
    parser.add_argument("--run-dir", type=Path, required=True)
    parser.add_argument("--bind", action="append", default=[])
    parser.add_argument("--port", type=int, default=7900, help="port of worker 0")
    parser.add_argument("--announce", action="append", default=[])
    parser.add_argument("--no-tcp", action="store_true")
    parser.add_argument("--max-transports", type=int, default=2000)
    parser.add_argument("--native", choices=("auto", "off"), default="auto")
    parser.add_argument("--echo", choices=("auto", "off"), default="auto")
    parser.add_argument("--native-library", type=Path, default=LIBRARY, help="for tests")
    parser.add_argument("--drain-s", type=float, default=600.0)
    parser.add_argument("--log-level", default="INFO")
    a = parser.parse_args(arguments)
    settings = MediaSettings(
        bind=tuple(a.bind) or MediaSettings().bind,
        port=a.port,
        announce=tuple(a.announce),
        tcp=not a.no_tcp,
        max_transports=a.max_transports,
        drain_s=a.drain_s,
        native=a.native,
        echo=a.echo,
    )
    return WorkerOptions(a.index, a.run_dir, settings, a.native_library), a.log_level


async def _run(options: WorkerOptions) -> None:
    await Worker(options).run()


def main() -> int:
    """Runs until told to stop. 2: a port is taken or an address is not ours."""
    options, level = parse_arguments(sys.argv[1:])
    logging.basicConfig(level=level, format="%(levelname)s %(name)s: %(message)s")
    try:
        asyncio.run(_run(options))
    except OSError as error:
        logging.getLogger(__name__).error("cannot listen on port %d: %s", options.port, error)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
