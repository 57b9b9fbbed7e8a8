"""``twinclass roster import``: the same import as on the page, for a scheduled job."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

import msgspec

from twinclass_config import load
from twinclass_server.adapters.data_folder import DataFolder
from twinclass_server.roster.csv_bundle import from_folder, from_upload
from twinclass_server.roster.csv_file import CsvProblem
from twinclass_server.roster.csv_import import ImportReport, import_bundle
from twinclass_server.roster.database import Database
from twinclass_signaling.errors import SignalingError


def add_to(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Adds the commands."""
    roster = commands.add_parser("roster", help="schools, classes and people")
    actions = roster.add_subparsers(required=True, metavar="ACTION")
    read = actions.add_parser("import", help="read CSV files: a zip, a folder or one file")
    read.add_argument("source", type=Path)
    read.add_argument("--data", type=Path, default=Path("data"), help="data folder (./data)")
    read.add_argument("--config", type=Path, help="TOML file; the environment wins over it")
    read.add_argument("--dry-run", action="store_true", help="say what would change")
    read.add_argument("--json", action="store_true", help="the report for programs")
    read.set_defaults(run=_import)


def _import(options: argparse.Namespace) -> int:
    settings = load(os.environ, options.config)
    source: Path = options.source
    try:
        bundle = (
            from_folder(source)
            if source.is_dir()
            else from_upload(source.name, source.read_bytes())
        )
        database = Database(settings.database.url, DataFolder(options.data).path)
        try:
            database.migrate()
            report = import_bundle(database, bundle, dry_run=options.dry_run)
        finally:
            database.close()
    except (CsvProblem, SignalingError) as error:
        print(f"twinclass: {error.zh} {error.en}", file=sys.stderr)
        return 2
    except OSError as error:
        print(f"twinclass: {error}", file=sys.stderr)
        return 2
    print(msgspec.json.encode(report).decode() if options.json else _text(report))
    return 1 if any(file.errors for file in report.files) else 0


def _text(report: ImportReport) -> str:
    lines = ["试运行，未写入 · dry run, nothing written"] if report.dry_run else []
    lines += [
        f"{file.file:<11} 读取 read {file.read}  新增 created {file.created}  "
        f"修改 changed {file.changed}  不变 unchanged {file.unchanged}  错误 errors {file.errors}"
        for file in report.files
    ]
    lines += [f"{e.file}:{e.line}: {e.zh} {e.en} [{e.code}]" for e in report.errors]
    lines.append(f"{report.seconds:.2f} s")
    return "\n".join(lines)
