"""How punctual the relay of the network model is, and what a packet costs.

    .venv/bin/python benchmarks/netem.py [--rate 2000] [--seconds 10] [--delay-ms 20]

A sender in this process sends evenly spaced datagrams through a relay whose profile has a
delay and nothing else. A packet carries when it was sent; when it arrived is the kernel's
timestamp at the receiving socket, so that only the relay's own lateness is measured, with the
kernel's two passages on loopback. CPU is the relay's process, user and system.
"""

from __future__ import annotations

import argparse
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import msgspec
import psutil

#: Linux (asm-generic/socket.h): seconds and nanoseconds of CLOCK_REALTIME with each datagram.
SO_TIMESTAMPNS = 35
SIZE_BYTES = 1000


def receiving_socket() -> socket.socket:
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.bind(("127.0.0.1", 0))
    sock.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
    sock.settimeout(1.0)
    return sock


def receive(sock: socket.socket, delay_s: float, late_s: list[float]) -> None:
    """Appends each packet's lateness until none comes for a second."""
    while True:
        try:
            data, ancillary, _, _ = sock.recvmsg(2048, 64)
        except TimeoutError:
            return
        seconds, nanoseconds = struct.unpack("qq", ancillary[0][2])
        (sent_s,) = struct.unpack_from("d", data)
        late_s.append(seconds + nanoseconds / 1e9 - sent_s - delay_s)


def send(address: tuple[str, int], rate: int, seconds: float) -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        rest = bytes(SIZE_BYTES - 8)
        begin = time.monotonic()
        for number in range(int(rate * seconds)):
            ahead = begin + number / rate - time.monotonic()
            if ahead > 0:
                time.sleep(ahead)
            sock.sendto(struct.pack("d", time.time()) + rest, address)
        return int(rate * seconds)


def measure(rate: int, seconds: float, delay_ms: float, folder: Path) -> None:
    profile = folder / "delay.toml"
    profile.write_text(
        f'summary = "delay"\nsource = "benchmark"\n[both]\ndelay_ms = {delay_ms}\n', "utf-8"
    )
    sink = receiving_socket()
    relay = subprocess.Popen(
        [
            *(sys.executable, "-m", "twinclass_media.testing.netem", "--profile", str(profile)),
            *("--listen-udp", "127.0.0.1:0", "--to", f"127.0.0.1:{sink.getsockname()[1]}"),
        ],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
    )
    try:
        assert relay.stdout is not None
        port = int(msgspec.json.decode(relay.stdout.readline())["udp"].rpartition(":")[2])
        late_s: list[float] = []
        receiver = threading.Thread(target=receive, args=(sink, delay_ms / 1000, late_s))
        receiver.start()
        before = psutil.Process(relay.pid).cpu_times()
        sent = send(("127.0.0.1", port), rate, seconds)
        receiver.join()
        after = psutil.Process(relay.pid).cpu_times()
    finally:
        relay.terminate()
        relay.wait()
    late_ms = sorted(1000 * value for value in late_s)
    within = sum(-1 <= value <= 1 for value in late_ms) / len(late_ms)
    cpu_s = after.user + after.system - before.user - before.system
    print(f"{rate} packets/s of {SIZE_BYTES} bytes for {seconds:g} s, delay {delay_ms:g} ms")
    print(f"arrived          {len(late_ms)} of {sent}")
    for share, name in ((0.0, "min"), (0.5, "p50"), (0.99, "p99"), (0.999, "p99.9"), (1.0, "max")):
        print(f"late {name:12}{late_ms[int(share * (len(late_ms) - 1))]:.3f} ms")
    print(f"within 1 ms      {100 * within:.2f} %")
    print(f"CPU              {1e6 * cpu_s / sent:.1f} us a packet")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--rate", type=int, default=2000, help="packets a second")
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--delay-ms", type=float, default=20.0)
    a = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        measure(a.rate, a.seconds, a.delay_ms, Path(folder))


if __name__ == "__main__":
    main()
