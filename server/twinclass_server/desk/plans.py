"""Which desks there are: a TOML file each in the data folder, as ``plan.Desk`` without its roster.

Hours and subjects of a desk change once a term and are an operator's; who is on duty changes every
week, is a planner's, and stands in SQL.
"""

from __future__ import annotations

from pathlib import Path

import msgspec
from msgspec.structs import replace

from twinclass_config import OperatorProblem
from twinclass_signaling.desk.plan import Desk, DeskId

#: A week of hours for twelve grades is 10 KiB.
MAX_FILE_BYTES = 256 * 1024
MAX_DESKS = 100


class DeskPlanProblem(OperatorProblem):
    """A desk's file cannot be used."""


def read_desks(folder: Path) -> dict[DeskId, Desk]:
    """Returns the desks of a folder, which need not be there.

    Raises:
        DeskPlanProblem: a file is not the plan of a desk; the text says why.
    """
    found: dict[DeskId, Desk] = {}
    for path in sorted(folder.glob("*.toml"))[:MAX_DESKS]:
        try:
            if path.stat().st_size > MAX_FILE_BYTES:
                raise DeskPlanProblem(f"{path.name}: larger than {MAX_FILE_BYTES} bytes")
            desk = msgspec.toml.decode(path.read_bytes(), type=Desk)
        except (msgspec.MsgspecError, OSError, ValueError) as error:
            raise DeskPlanProblem(f"{path.name}: {error}") from error
        if desk.id != path.stem:
            raise DeskPlanProblem(f"{path.name}: its id is {desk.id}, not the file's name")
        found[desk.id] = replace(desk, roster=())
    return found
