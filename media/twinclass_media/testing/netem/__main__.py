"""``python -m twinclass_media.testing.netem``: a network between real browsers and a server.

    python -m twinclass_media.testing.netem --profile weak --seed 1 \
        --listen-udp 127.0.0.1:18310 --listen-tcp 127.0.0.1:18310 --to 127.0.0.1:18302
    TWINCLASS_MEDIA__ANNOUNCE=127.0.0.1:18310 ./run --media-port 18302

A worker's candidates name what ``media.announce`` says, so browsers and peers send to the relay
and never learn the worker's own port. Worker i announces the port i above and listens i above:
with several workers start a relay for each. Pages and signalling go past the relay.

Ready when the first line is on stdout, a JSON object with the addresses. SIGUSR1 gives every
client another address (a NAT rebinding), SIGTERM and SIGINT end it. Control lines: see
``control``; when stdin ends, the relay goes on without.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import selectors
import signal
import sys
from collections.abc import Callable
from dataclasses import dataclass

import msgspec

from twinclass_media.testing.netem.addresses import Address, AddressError, parse_address
from twinclass_media.testing.netem.control import MAX_LINE_BYTES, answer, too_long
from twinclass_media.testing.netem.profile import (
    Profile,
    ProfileError,
    load_profile,
    profile_names,
)
from twinclass_media.testing.netem.relay import Relay

STDIN, STDOUT = 0, 1


@dataclass(frozen=True, slots=True)
class Options:
    """The command line."""

    profile: Profile
    seed: int
    udp: Address | None
    tcp: Address | None
    target: Address


def parse_arguments(arguments: list[str]) -> Options:
    """Returns the options.

    Raises:
        AddressError, ProfileError: what is given cannot be used.
    """
    parser = argparse.ArgumentParser(prog="python -m twinclass_media.testing.netem")
    parser.add_argument(
        "--profile", required=True, help=f"{', '.join(profile_names())}, or a file.toml"
    )
    parser.add_argument("--seed", type=int, default=1, help="of all that is left to chance (1)")
    parser.add_argument("--listen-udp", metavar="IP:PORT")
    parser.add_argument("--listen-tcp", metavar="IP:PORT")
    parser.add_argument("--to", required=True, metavar="IP:PORT", help="a worker's media port")
    parser.add_argument(
        "--allow-any-address", action="store_true", help="listen and forward beyond loopback"
    )
    a = parser.parse_args(arguments)
    if not a.listen_udp and not a.listen_tcp:
        parser.error("--listen-udp, --listen-tcp or both")
    return Options(
        load_profile(a.profile),
        a.seed,
        parse_address(a.listen_udp, a.allow_any_address) if a.listen_udp else None,
        parse_address(a.listen_tcp, a.allow_any_address) if a.listen_tcp else None,
        parse_address(a.to, a.allow_any_address),
    )


def _write(line: bytes) -> None:
    """Writes an answer. Whoever asks must read: a full pipe holds the network up."""
    try:
        while line:
            line = line[os.write(STDOUT, line) :]
    except BrokenPipeError:
        pass


class ControlLines:
    """Stdin, line by line."""

    def __init__(self, loop: asyncio.AbstractEventLoop, relay: Relay) -> None:
        self._loop, self._relay = loop, relay
        self._rest = b""
        loop.add_reader(STDIN, self._readable)

    def close(self) -> None:
        """Reads no more."""
        self._loop.remove_reader(STDIN)

    def _readable(self) -> None:
        try:
            data = os.read(STDIN, MAX_LINE_BYTES)
        except OSError:
            data = b""
        if not data:
            self.close()
            return
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            _write(answer(self._relay, line))
        if len(self._rest) > MAX_LINE_BYTES:
            self._rest = b""
            _write(too_long())


async def _run(options: Options) -> None:
    loop = asyncio.get_running_loop()
    stopped = asyncio.Event()
    relay = Relay(loop, options.profile, options.seed, options.target, options.udp, options.tcp)
    handlers: dict[signal.Signals, Callable[[], None]] = {
        signal.SIGTERM: stopped.set,
        signal.SIGINT: stopped.set,
        signal.SIGUSR1: relay.rebind,
    }
    for number, handler in handlers.items():
        loop.add_signal_handler(number, handler)
    lines = ControlLines(loop, relay)
    ready = {
        "udp": str(relay.udp.address) if relay.udp else None,
        "tcp": str(relay.tcp.address) if relay.tcp else None,
        "to": str(options.target),
    }
    _write(msgspec.json.encode(ready) + b"\n")
    try:
        await stopped.wait()
    finally:
        lines.close()
        relay.close()


def _loop() -> asyncio.AbstractEventLoop:
    # asyncio rounds epoll's timeouts up to whole milliseconds; select knows microseconds.
    return asyncio.SelectorEventLoop(selectors.SelectSelector())


def main() -> int:
    """Runs until told to stop. 2: a wrong profile or address, or a port that is taken."""
    try:
        options = parse_arguments(sys.argv[1:])
        with asyncio.Runner(loop_factory=_loop) as runner:
            runner.run(_run(options))
    except (AddressError, ProfileError, OSError) as error:
        print(f"{error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
