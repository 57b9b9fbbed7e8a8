"""Where servers and peers meet: on loopback, or over a pair of interfaces that does not segment.

Loopback takes a GSO burst whole and the receiving socket cuts it. A network card that cannot
segment UDP gets single packets: the kernel cuts bursts before they reach its queue. ``veth`` does
so (``gso_max_segs 1``), with peers behind it in a network namespace of their own. It needs root.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import subprocess
from collections.abc import Callable, Generator
from contextlib import AbstractContextManager
from dataclasses import dataclass

NAME = "tcbench"
SERVERS, PEERS = "10.77.208.1", "10.77.208.2"
#: linux/sched.h
CLONE_NEWNET = 0x40000000


@dataclass(frozen=True)
class Network:
    """``host``: where servers listen. ``peers()``: what is opened inside is on the peers' side."""

    host: str
    peers: Callable[[], AbstractContextManager[None]]


LOOPBACK = Network("127.0.0.1", contextlib.nullcontext)


@contextlib.contextmanager
def veth() -> Generator[Network]:
    """A pair of interfaces, for as long as the context lasts.

    Raises:
        subprocess.CalledProcessError: they cannot be made; ``ip`` has said why.
    """
    _ip("netns", "add", NAME)
    try:
        _ip("link", "add", NAME, "type", "veth", "peer", "name", f"{NAME}x", "netns", NAME)
        try:
            _ip("addr", "add", f"{SERVERS}/30", "dev", NAME)
            _ip("link", "set", NAME, "gso_max_segs", "1", "up")
            _ip("-n", NAME, "addr", "add", f"{PEERS}/30", "dev", f"{NAME}x")
            _ip("-n", NAME, "link", "set", f"{NAME}x", "up")
            yield Network(SERVERS, _inside)
        finally:
            _ip("link", "del", NAME)
    finally:
        _ip("netns", "del", NAME)


@contextlib.contextmanager
def _inside() -> Generator[None]:
    """This thread is in the namespace; processes that it starts would be, too."""
    home = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
    there = os.open(f"/run/netns/{NAME}", os.O_RDONLY)
    try:
        _enter(there)
        try:
            yield
        finally:
            _enter(home)
    finally:
        os.close(there)
        os.close(home)


def _enter(descriptor: int) -> None:
    # os.setns is there from Python 3.12 on.
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.setns(descriptor, CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), "setns")


def _ip(*arguments: str) -> None:
    subprocess.run(["ip", *arguments], check=True)
