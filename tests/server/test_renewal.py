"""When processes of before an update are replaced."""

from __future__ import annotations

from dataclasses import dataclass

from twinclass_server.adapters.renewal import renew


@dataclass
class Process:
    """What ``renew`` sees of one."""

    is_outdated: bool = False
    is_idle: bool = True
    renewed: int = 0

    def renew(self) -> None:
        self.renewed += 1


def test_only_those_of_before_are_replaced() -> None:
    older, newer = Process(is_outdated=True), Process()
    renew([older, newer])
    assert (older.renewed, newer.renewed) == (1, 0)


def test_nobody_is_while_one_of_them_has_something_to_do() -> None:
    older, newer = Process(is_outdated=True), Process(is_idle=False)
    renew([older, newer])
    assert older.renewed == 0
