"""``twinclass retention``: what the server does every hour, by hand, also while it runs."""

from __future__ import annotations

import argparse
import os
import sys
from datetime import UTC, datetime
from pathlib import Path

from twinclass_config import load
from twinclass_recordings.library import retention
from twinclass_recordings.library.shelf import Shelf
from twinclass_server.adapters.data_folder import DataFolder
from twinclass_server.roster.database import Database, DatabaseUnusable
from twinclass_signaling.errors import SignalingError


def add_to(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Adds the command."""
    parser = commands.add_parser("retention", help="delete recordings whose time is over")
    parser.add_argument("--data", type=Path, default=Path("data"))
    parser.add_argument("--config", type=Path)
    parser.add_argument("--dry-run", action="store_true", help="only say which")
    parser.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> int:
    settings = load(os.environ, options.config)
    folder = DataFolder(options.data)
    database = Database(settings.database.url, folder.path)
    root = Path(settings.recording.folder) if settings.recording.folder else folder.recordings
    try:
        database.migrate()
        today = datetime.now(UTC).date()
        gone = retention.run(
            Shelf(database.session), root, folder.proofs, today, dry_run=options.dry_run
        )
    except (DatabaseUnusable, SignalingError) as error:
        print(f"twinclass: {error}", file=sys.stderr)
        return 1
    finally:
        database.close()
    for recording in gone:
        print(recording)
    return 0
