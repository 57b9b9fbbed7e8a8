"""Janus VideoRoom (Debian's package) as the benchmarks run it.

Janus does not use loopback addresses, so it gets a pair of interfaces of its own (veth, needs root)
whose address leaves this machine by no way; packets to it take the kernel's local path as those on
loopback do.
"""

from __future__ import annotations

import contextlib
import subprocess
from collections.abc import Generator
from pathlib import Path

LINK, ADDRESS = "tcjanus", "10.77.207.1"
LIBRARIES = Path("/usr/lib/x86_64-linux-gnu/janus")


@contextlib.contextmanager
def link() -> Generator[None]:
    """The pair of interfaces."""
    subprocess.run(
        ["ip", "link", "add", LINK, "type", "veth", "peer", "name", f"{LINK}x"], check=True
    )
    try:
        subprocess.run(["ip", "addr", "add", f"{ADDRESS}/30", "dev", LINK], check=True)
        for name in (LINK, f"{LINK}x"):
            subprocess.run(["ip", "link", "set", name, "up"], check=True)
        yield
    finally:
        subprocess.run(["ip", "link", "del", LINK], check=True)


def configure(folder: Path, port: int, general: str) -> None:
    """Janus as installed on our port, with what is not needed left out. ``general``: settings of
    its own on top."""
    folder.mkdir()
    folder.joinpath("janus.jcfg").write_text(
        f"""
general: {{ configs_folder = "{folder}" plugins_folder = "{LIBRARIES}/plugins"
  transports_folder = "{LIBRARIES}/transports" events_folder = "{folder}"
  loggers_folder = "{folder}" {general} }}
media: {{ ipv6 = false rtp_port_range = "20000-29999" }}
nat: {{ ice_lite = true ice_enforce_list = "{LINK}" }}
plugins: {{ disable = "{_but("plugins", "libjanus_videoroom.so")}" }}
transports: {{ disable = "{_but("transports", "libjanus_websockets.so")}" }}
"""
    )
    folder.joinpath("janus.transport.websockets.jcfg").write_text(
        f'general: {{ json = "compact" ws = true ws_port = {port} ws_ip = "127.0.0.1" }}\n'
    )
    folder.joinpath("janus.plugin.videoroom.jcfg").write_text("general: { }\n")


def _but(kind: str, name: str) -> str:
    """What is installed of a kind, but one."""
    return ",".join(x.name for x in (LIBRARIES / kind).glob("*.so") if x.name != name)
