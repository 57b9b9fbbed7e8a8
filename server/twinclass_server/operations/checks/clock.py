"""Clocks: tokens, certificates and recordings are wrong when they are."""

from __future__ import annotations

import ctypes
import os
import sys
from datetime import datetime
from email.utils import parsedate_to_datetime

from twinclass_server.operations.checks.finding import Finding, ok, warning

#: adjtimex(2): the clock is not synchronised.
_TIME_ERROR = 5
#: struct timex has 208 bytes on 64-bit Linux.
_TIMEX_BYTES = 512
#: The Date header has whole seconds, and its way takes some.
_NEAR_S = 3.0
_SYNC = (
    "打开时间同步：timedatectl set-ntp true。",
    "Turn time synchronisation on: timedatectl set-ntp true.",
)


def check_synchronised() -> Finding | None:
    """Returns whether the kernel's clock is kept by NTP; None where that cannot be asked."""
    if sys.platform != "linux":
        return None
    try:
        # All zero: modes = 0 reads and changes nothing.
        state = ctypes.CDLL(None, use_errno=True).adjtimex(
            ctypes.create_string_buffer(_TIMEX_BYTES)
        )
    except (OSError, AttributeError):
        return None
    if state < 0:
        return warning(
            "clock",
            (
                f"问不到时钟状态：{os.strerror(ctypes.get_errno())}",
                f"The clock's state cannot be read: {os.strerror(ctypes.get_errno())}",
            ),
            _SYNC,
        )
    if state == _TIME_ERROR:
        return warning("clock", ("时钟没有与网络同步", "The clock is not synchronised"), _SYNC)
    return ok("clock", "时钟已同步", "The clock is synchronised")


def check_date(header: str, now: datetime, host: str) -> Finding:
    """Returns how far the clock of the server that sent a Date header is from ours."""
    try:
        ahead = (parsedate_to_datetime(header) - now).total_seconds()
    except (ValueError, TypeError):
        return warning(
            "clock_difference",
            (f"{host} 没有说时间", f"{host} tells no time"),
            ("这不像我们的服务器；检查地址和代理。", "Not our server? Check address and proxy."),
        )
    if abs(ahead) <= _NEAR_S:
        return ok("clock_difference", f"与 {host} 的时钟一致", f"Same clock as {host}")
    zh, en = ("快", "ahead of") if ahead > 0 else ("慢", "behind")
    n = abs(round(ahead))
    return warning(
        "clock_difference",
        (f"{host} 的时钟比这里{zh} {n} 秒", f"{host} is {n} s {en} this machine's clock"),
        _SYNC,
    )
