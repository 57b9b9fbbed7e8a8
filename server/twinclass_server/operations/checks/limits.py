"""What the kernel grants: open files, socket buffers."""

from __future__ import annotations

import re
import resource
from pathlib import Path

from twinclass_media.transport.udp import BUFFER_BYTES
from twinclass_server.operations.checks.finding import Finding, ok, problem, warning

#: Redis, workers, database, files being uploaded and served, besides one for each WebSocket.
_BESIDES = 256


def check_open_files(max_connections: int, pid: int | None) -> Finding:
    """Returns whether a process may open what it needs; of the server when ``pid`` runs."""
    limit = None if pid is None else _limit_of(pid)
    whose_zh, whose_en = "服务器", "The server"
    if limit is None:
        limit = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
        whose_zh, whose_en = "这里启动的程序", "What is started from here"
    needed = max_connections + _BESIDES
    zh = f"{whose_zh}最多打开 {limit} 个文件，需要 {needed}"
    en = f"{whose_en} may open {limit} files; {needed} are needed"
    if limit == resource.RLIM_INFINITY or limit >= needed:
        return ok("open_files", zh, en)
    return problem(
        "open_files",
        (zh, en),
        (
            "systemd 单元里写 LimitNOFILE=65536；终端里先运行 ulimit -n 65536。",
            "LimitNOFILE=65536 in the systemd unit; ulimit -n 65536 in a terminal.",
        ),
    )


def _limit_of(pid: int) -> int | None:
    try:
        text = Path(f"/proc/{pid}/limits").read_text()
    except OSError:
        return None
    found = re.search(r"^Max open files\s+(\d+|unlimited)", text, re.M)
    if found is None:
        return None
    return resource.RLIM_INFINITY if found[1] == "unlimited" else int(found[1])


def check_socket_buffers(root: Path = Path("/proc/sys/net/core")) -> list[Finding]:
    """Returns whether UDP may have the buffers a worker asks for."""
    found: list[Finding] = []
    for name in ("rmem_max", "wmem_max"):
        try:
            limit = int((root / name).read_text())
        except (OSError, ValueError):
            continue
        mib = limit / 2**20
        if limit >= BUFFER_BYTES:
            found.append(ok(name, f"net.core.{name} 够大", f"net.core.{name} is large enough"))
            continue
        found.append(
            warning(
                name,
                (
                    f"net.core.{name} 只有 {mib:.1f} MiB，需要 4 MiB",
                    f"net.core.{name} is {mib:.1f} MiB; 4 MiB are asked for",
                ),
                (
                    f"sysctl -w net.core.{name}={BUFFER_BYTES}，并写进 /etc/sysctl.d。",
                    f"sysctl -w net.core.{name}={BUFFER_BYTES}, and into /etc/sysctl.d.",
                ),
            )
        )
    return found
