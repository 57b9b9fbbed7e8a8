"""After an update: processes of before end when nothing is going on, and new ones take their place.

Workers and recorder speak to each other, so they are renewed together: in the first moment in which
none of them has anything to do, which is the first night at the latest.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Protocol

LOOK_S = 5.0


class Renewable(Protocol):
    """A process that outlives servers."""

    @property
    def is_outdated(self) -> bool:
        """Tells whether it was started by a server before us and runs other code than ours."""
        ...

    @property
    def is_idle(self) -> bool:
        """Tells whether it has nothing to do, nor is about to."""
        ...

    def renew(self) -> None:
        """Ends it; a new one is started at once."""
        ...


def renew(processes: Sequence[Renewable]) -> None:
    """Renews those that are outdated, if all are idle."""
    outdated = [one for one in processes if one.is_outdated]
    if outdated and all(one.is_idle for one in processes):
        for one in outdated:
            one.renew()


async def keep_renewed(processes: Sequence[Renewable]) -> None:
    """Looks for ever."""
    while True:
        renew(processes)
        await asyncio.sleep(LOOK_S)
