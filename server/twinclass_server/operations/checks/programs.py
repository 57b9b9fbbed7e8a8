"""The programs under ours: Python, OpenSSL, the compiled send loop."""

from __future__ import annotations

import platform
import ssl
import sys

from twinclass_media.transport.native import library
from twinclass_server.operations.checks.finding import Finding, ok, problem, warning

OLDEST_PYTHON = (3, 11)
#: Older ones get no repairs any more.
OLDEST_OPENSSL = (3, 0)


def check_python() -> Finding:
    """Returns whether this Python will do."""
    version = platform.python_version()
    if sys.version_info[:2] < OLDEST_PYTHON:
        todo = ("需要 Python 3.11 或更新的版本。", "Python 3.11 or newer is needed.")
        return problem("python", (f"Python {version} 太旧", f"Python {version} is too old"), todo)
    return ok("python", f"Python {version}", f"Python {version}")


def check_openssl() -> Finding:
    """Returns whether the TLS library is one that is looked after."""
    version = ssl.OPENSSL_VERSION
    if ssl.OPENSSL_VERSION_INFO[:2] < OLDEST_OPENSSL:
        todo = ("升级系统。", "Update the system.")
        return warning("openssl", (f"{version} 已不再维护", f"{version} is out of care"), todo)
    return ok("openssl", version, version)


def check_send_loop(native: str) -> Finding:
    """Returns whether packets are sent by the compiled loop."""
    if native == "off":
        return warning(
            "send_loop",
            ("设置里关掉了编译的发送循环", "The compiled send loop is off by a setting"),
            ("去掉 TWINCLASS_MEDIA__NATIVE=off。", "Leave media.native out."),
        )
    if library.load() is None:
        return warning(
            "send_loop",
            (
                "没有编译的发送循环，多用三分之一 CPU",
                "No compiled send loop: packets cost half as much again",
            ),
            (
                "装 gcc，然后 python -m twinclass_media.transport.native.build。",
                "Install gcc, then python -m twinclass_media.transport.native.build.",
            ),
        )
    return ok("send_loop", "编译的发送循环可用", "The compiled send loop is there")
