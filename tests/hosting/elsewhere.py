"""A device elsewhere in a network: a namespace behind routers of its own. Needs root.

Each *line* is a pair of namespaces' worth of cable: device – router – this machine. A router that
stops forwarding drops everything without a word, as a dead provider does: no interface of the
device goes down and no error comes back.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest


def _ip(*arguments: str, check: bool = True) -> None:
    if shutil.which("ip") is None:
        pytest.fail("ip is missing: apt-get install iproute2")
    done = subprocess.run(["ip", *arguments], capture_output=True, text=True, check=False)
    if check and done.returncode != 0:
        pytest.fail(f"ip {' '.join(arguments)}: {done.stderr.strip()}")


@dataclass(frozen=True)
class Line:
    """One way from the device to this machine. ``server``: our address at its end."""

    router: str
    server: str
    device: str

    def cut(self, *, dead: bool = True) -> None:
        """Lets nothing through, or all again."""
        value = "0" if dead else "1"
        path = "/proc/sys/net/ipv4/ip_forward"
        subprocess.run(
            ["ip", "netns", "exec", self.router, "sh", "-c", f"echo {value} > {path}"], check=True
        )


@dataclass
class Device:
    """A namespace and a browser in it."""

    name: str
    chromium: Path
    lines: list[Line] = field(default_factory=list[Line])
    #: Our and its address of version 6, on the first line's last leg: without a router.
    server_v6: str = ""
    device_v6: str = ""


@contextmanager
def device(folder: Path, chromium: str, lines: int) -> Iterator[Device]:
    """Makes it, with so many lines; and one cable with IPv6 only when there are none."""
    if os.geteuid() != 0:
        pytest.fail("this test makes network namespaces and needs root: sudo ./test")
    number = os.getpid() % 60000
    name = f"tcd{number}"
    script = folder / "chromium-elsewhere"
    script.write_text(f'#!/bin/sh\nexec ip netns exec {name} {chromium} "$@"\n')
    script.chmod(0o755)
    found = Device(name, script)
    made = [name]
    ends: list[str] = []
    try:
        _ip("netns", "add", name)
        _ip("-n", name, "link", "set", "lo", "up")
        for index in range(lines):
            found.lines.append(_line(name, number, index, made, ends))
        if not lines:
            _cable_v6(found, number, ends)
        yield found
    finally:
        for end in ends:
            _ip("link", "delete", end, check=False)
        for one in made:
            _ip("netns", "delete", one, check=False)


def _line(name: str, number: int, index: int, made: list[str], ends: list[str]) -> Line:
    router = f"tcr{number}x{index}"
    # Networks of its own for each run and line: 10.232–10.247.
    net = f"10.{232 + number % 16}.{number // 16 % 64 * 4 + index}"
    ours, near, far, theirs = f"{net}.1", f"{net}.2", f"{net}.5", f"{net}.6"
    here, inner = f"tca{number}x{index}", f"tcb{number}x{index}"
    outer, own = f"tcc{number}x{index}", f"net{index}"
    _ip("netns", "add", router)
    made.append(router)
    _ip("link", "add", here, "type", "veth", "peer", "name", inner, "netns", router)
    ends.append(here)
    _ip("-n", router, "link", "add", outer, "type", "veth", "peer", "name", own, "netns", name)
    _ip("address", "add", f"{ours}/30", "dev", here)
    _ip("link", "set", here, "up")
    _ip("-n", router, "address", "add", f"{near}/30", "dev", inner)
    _ip("-n", router, "address", "add", f"{far}/30", "dev", outer)
    _ip("-n", name, "address", "add", f"{theirs}/30", "dev", own)
    for space, link in ((router, inner), (router, outer), (name, own)):
        _ip("-n", space, "link", "set", link, "up")
    _ip("route", "add", f"{net}.4/30", "via", near)
    # What comes from an address of this line goes out by it, as on systems of a strong host model.
    table = str(100 + index)
    _ip("-n", name, "rule", "add", "from", theirs, "table", table)
    _ip("-n", name, "route", "add", "default", "via", far, "dev", own, "table", table)
    _ip("-n", name, "route", "add", "default", "via", far, "dev", own, "metric", table)
    _ip("-n", name, "route", "add", f"{ours}/32", "via", far, "dev", own)
    _ip("-n", router, "route", "add", "default", "via", ours)
    line = Line(router, ours, theirs)
    line.cut(dead=False)
    return line


def _cable_v6(found: Device, number: int, ends: list[str]) -> None:
    here = f"tca{number}v6"
    net = f"fd5c:{number:x}::"
    found.server_v6, found.device_v6 = f"{net}1", f"{net}2"
    _ip("link", "add", here, "type", "veth", "peer", "name", "net6", "netns", found.name)
    ends.append(here)
    _ip("-6", "address", "add", f"{net}1/64", "dev", here, "nodad")
    _ip("link", "set", here, "up")
    _ip("-n", found.name, "-6", "address", "add", f"{net}2/64", "dev", "net6", "nodad")
    _ip("-n", found.name, "link", "set", "net6", "up")
