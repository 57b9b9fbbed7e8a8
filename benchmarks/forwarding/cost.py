"""CPU and memory of processes and all their children, as /proc has them."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Sequence
from dataclasses import dataclass

import psutil


@dataclass(frozen=True)
class Use:
    """So far; CPU in seconds. The split of user and system is sampled by the kernel's tick, the
    sum is exact but for 10 ms."""

    at: float
    user_s: float
    system_s: float
    rss_bytes: int

    def cpu_s_since(self, before: Use) -> float:
        """User and system."""
        return self.user_s + self.system_s - before.user_s - before.system_s

    def cores_since(self, before: Use) -> float:
        """Cores that were busy on average."""
        return self.cpu_s_since(before) / (self.at - before.at)


def of_trees(pids: Sequence[int]) -> Use:
    """What processes and their children use."""
    user_s = system_s = 0.0
    rss_bytes = 0
    roots = [psutil.Process(pid) for pid in pids]
    for process in (one for root in roots for one in (root, *root.children(recursive=True))):
        with contextlib.suppress(psutil.NoSuchProcess):  # A child that has just ended.
            times = process.cpu_times()
            user_s += times.user
            system_s += times.system
            rss_bytes += process.memory_info().rss
    return Use(time.monotonic(), user_s, system_s, rss_bytes)


def of_us() -> Use:
    """What the load generator uses: publishers, viewers and watchers, without the system."""
    process = psutil.Process(os.getpid())
    times = process.cpu_times()
    return Use(time.monotonic(), times.user, times.system, process.memory_info().rss)
