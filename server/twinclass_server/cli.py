"""The command ``twinclass``.

Only the module of the command that is given is loaded: all of them together take seconds, and a
token is wanted at once.
"""

from __future__ import annotations

import argparse
import dataclasses
import importlib
import sys
from collections.abc import Sequence

from twinclass_config import OperatorProblem
from twinclass_server.chosen_settings import add_settings, chosen

#: Modules with an ``add_to``, by their commands, in the order of the help.
_MODULES: dict[str, tuple[str, ...]] = {
    "serve_command": ("serve",),
    "token_commands": ("token", "rotate-key"),
    "lesson_commands": ("lesson",),
    "roster_commands": ("roster",),
    "library_commands": ("retention",),
    "bank_commands": ("bank",),
    "doctor_commands": ("doctor",),
    "turn_commands": ("turn-config",),
    "backup_commands": ("backup", "restore"),
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs a command and returns its exit status."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    options = _parser(given[0] if given else "").parse_args(given)
    try:
        return int(options.run(options))
    except OperatorProblem as error:
        print(f"twinclass: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130


def _parser(command: str) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="twinclass", description="Twinclass 双师课堂")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    check = commands.add_parser("check-config", help="read the settings and say what is wrong")
    add_settings(check)
    check.set_defaults(run=_check_config)
    known = [*commands.choices, *(name for names in _MODULES.values() for name in names)]
    for module, names in _MODULES.items():
        if command in names or command not in known:
            importlib.import_module(f"twinclass_server.{module}").add_to(commands)
    return parser


def _check_config(options: argparse.Namespace) -> int:
    settings = chosen(options)
    for section in dataclasses.fields(settings):
        values = getattr(settings, section.name)
        for item in dataclasses.fields(values):
            if item.repr:
                print(f"{section.name}.{item.name} = {getattr(values, item.name)!r}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
