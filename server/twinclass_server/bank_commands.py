"""``twinclass bank``: fills the evening desk's bank and its knowledge points from tables."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from twinclass_config import OperatorProblem, load
from twinclass_server.adapters.data_folder import DataFolder
from twinclass_server.demo_desk import DEMO_DESK, demo_desk
from twinclass_server.desk.content.bank_import import Report, import_entries, import_points
from twinclass_server.desk.content.desk_content import DeskContent
from twinclass_server.desk.plans import read_desks
from twinclass_server.roster.csv_file import CsvProblem
from twinclass_server.roster.database import Database
from twinclass_signaling.desk.plan import Desk, DeskId
from twinclass_signaling.errors import SignalingError


class TableProblem(OperatorProblem):
    """A table cannot be read, or is for no desk."""


def add_to(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Adds the commands."""
    bank = commands.add_parser("bank", help="solved questions of the evening desk")
    actions = bank.add_subparsers(required=True, metavar="ACTION")
    entries = actions.add_parser(
        "import",
        help="CSV: subject, grade, question, answer, points (学科、年级、题目、解答、知识点)",
    )
    entries.add_argument("--desk", required=True, help="the desk's id")
    points = actions.add_parser("points", help="CSV: id, subject, name (编号、学科、名称)")
    for one, run in ((entries, _entries), (points, _points)):
        one.add_argument("source", type=Path)
        one.add_argument("--data", type=Path, default=Path("data"), help="data folder (./data)")
        one.add_argument("--config", type=Path, help="TOML file; the environment wins over it")
        one.set_defaults(run=run)


def _entries(options: argparse.Namespace) -> int:
    return _run(options, _desk(options))


def _points(options: argparse.Namespace) -> int:
    return _run(options, None)


def _desk(options: argparse.Namespace) -> Desk:
    desks = {DEMO_DESK: demo_desk(), **read_desks(DataFolder(options.data).path / "desks")}
    try:
        return desks[DeskId(options.desk)]
    except KeyError:
        raise TableProblem(
            f"没有答疑台 {options.desk} · no desk {options.desk}; known: {', '.join(desks)}"
        ) from None


def _run(options: argparse.Namespace, desk: Desk | None) -> int:
    settings, folder = load(os.environ, options.config), DataFolder(options.data)
    database = Database(settings.database.url, folder.path)
    try:
        data = options.source.read_bytes()
        database.migrate()
        content = DeskContent(database, folder.path / "desk-files", folder.proofs)
        if desk is None:
            report = import_points(content, data)
        else:
            report = import_entries(content, desk, data)
    except CsvProblem as error:
        raise TableProblem(f"{error.zh} {error.en}") from error
    except (OSError, SignalingError) as error:
        raise TableProblem(str(error)) from error
    finally:
        database.close()
    _print(options.source.name, report)
    return 1 if report.wrong else 0


def _print(name: str, report: Report) -> None:
    print(
        f"{name}: 新增 taken {report.created}  已有 known {report.known}  错误 wrong {report.wrong}"
    )
    for line, zh, en in report.errors:
        print(f"{name}:{line}: {zh} {en}", file=sys.stderr)
