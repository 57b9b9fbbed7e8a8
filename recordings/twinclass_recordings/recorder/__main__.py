"""Starts a recorder: ``python -m twinclass_recordings.recorder --run-dir DIR --root DIR``."""

from __future__ import annotations

import argparse
import asyncio
import logging
import signal
import sys
from pathlib import Path

from twinclass_recordings.recorder.process import Recorder


def main() -> int:
    """Runs until told to end."""
    parser = argparse.ArgumentParser(prog="twinclass_recordings.recorder")
    parser.add_argument("--run-dir", type=Path, required=True, help="where its sockets are")
    parser.add_argument("--root", type=Path, required=True, help="where recordings are")
    options = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")

    async def run() -> None:
        recorder = Recorder(options.run_dir, options.root)
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, recorder.stop)
        await recorder.run()

    asyncio.run(run())
    return 0


if __name__ == "__main__":
    sys.exit(main())
