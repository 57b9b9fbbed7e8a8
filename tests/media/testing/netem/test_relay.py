"""The relay as a process, between real sockets."""

from __future__ import annotations

import asyncio
import contextlib
import os
import resource
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

from hosting.relay import RelayProcess

COMMAND = (sys.executable, "-m", "twinclass_media.testing.netem")
CLEAR = "[both]\ndelay_ms = 1\n"
LOOP = asyncio.get_running_loop


def profile(folder: Path, text: str = CLEAR, name: str = "p") -> str:
    file = folder / f"{name}.toml"
    rest = text if text.startswith("shared") else f"\n{text}"
    file.write_text(f'summary = "s"\nsource = "t"\n{rest}', "utf-8")
    return str(file)


def datagram_socket() -> socket.socket:
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.bind(("127.0.0.1", 0))
    sock.setblocking(False)
    return sock


@pytest.fixture
def far() -> Iterator[socket.socket]:
    """The server's UDP socket."""
    with datagram_socket() as sock:
        yield sock


@pytest.fixture
def near() -> Iterator[socket.socket]:
    """A client's."""
    with datagram_socket() as sock:
        yield sock


@contextlib.asynccontextmanager
async def udp_relay(
    folder: Path, far: socket.socket, text: str = CLEAR, *arguments: str
) -> AsyncIterator[RelayProcess]:
    target = f"127.0.0.1:{far.getsockname()[1]}"
    async with RelayProcess.started(
        *("--profile", profile(folder, text), "--listen-udp", "127.0.0.1:0", "--to", target),
        *arguments,
    ) as relay:
        yield relay


async def receive(sock: socket.socket) -> tuple[bytes, tuple[str, int]]:
    async with asyncio.timeout(20):
        return await LOOP().sock_recvfrom(sock, 65_535)


async def links(relay: RelayProcess) -> dict[str, Any]:
    found: dict[str, Any] = (await relay.ask(stats=True))["stats"]["links"]
    return found


async def wait_sent(relay: RelayProcess, way: str, count: int) -> dict[str, Any]:
    """Statistics of a way once ``count`` packets have come in."""
    async with asyncio.timeout(20):
        while (found := (await links(relay))[way])["sent"] < count:
            await asyncio.sleep(0.01)
        return dict(found)


async def test_datagrams_go_both_ways_and_each_client_has_an_address(
    tmp_path: Path, far: socket.socket, near: socket.socket
) -> None:
    async with udp_relay(tmp_path, far) as relay:
        with datagram_socket() as other:
            seen = []
            for client, word in ((near, b"one"), (other, b"two")):
                client.sendto(word, ("127.0.0.1", relay.udp_port))
                data, address = await receive(far)
                assert data == word
                seen.append(address)
            assert len({*seen, near.getsockname(), other.getsockname()}) == 4
            for address, word in zip(reversed(seen), (b"for two", b"for one"), strict=True):
                far.sendto(word, address)
            assert (await receive(near))[0] == b"for one"
            assert await receive(other) == (b"for two", ("127.0.0.1", relay.udp_port))
        assert (await relay.ask(stats=True))["stats"]["udp_clients"] == 2
        assert await relay.end() == 0


async def test_order_and_bytes_are_kept_and_every_datagram_is_accounted_for(
    tmp_path: Path, far: socket.socket, near: socket.socket
) -> None:
    text = "[both]\ndelay_ms = 5\njitter_ms = 4\nloss = 0.2\n"
    async with udp_relay(tmp_path, far, text, "--seed", "3") as relay:
        numbers: list[int] = []
        # By fifties: a kernel's default buffer takes some 270 of them.
        for first in range(0, 500, 50):
            for number in range(first, first + 50):
                near.sendto(number.to_bytes(2, "big") * 100, ("127.0.0.1", relay.udp_port))
            up = await wait_sent(relay, "up", first + 50)
            lost = up["dropped"]["loss"]
            while len(numbers) < first + 50 - lost:
                data, _ = await receive(far)
                assert len(data) == 200
                numbers.append(int.from_bytes(data[:2], "big"))
        assert lost / 500 == pytest.approx(0.2, abs=0.08)
        assert numbers == sorted(set(numbers))
        up = (await links(relay))["up"]
        assert (up["delivered"], up["in_flight"]) == (500 - lost, 0)
        assert up["sent_bytes"] == 500 * (200 + 28)


async def test_a_rebinding_changes_the_address_the_server_sees(
    tmp_path: Path, far: socket.socket, near: socket.socket
) -> None:
    async with udp_relay(tmp_path, far) as relay:
        to = ("127.0.0.1", relay.udp_port)
        near.sendto(b"a", to)
        _, old = await receive(far)
        relay.rebind()
        address = old
        while address == old:
            near.sendto(b"b", to)
            _, address = await receive(far)
        far.sendto(b"to the old address", old)
        far.sendto(b"to the new one", address)
        assert (await receive(near))[0] == b"to the new one"


async def test_a_blackhole_and_another_profile_by_the_control_line(
    tmp_path: Path, far: socket.socket, near: socket.socket
) -> None:
    async with udp_relay(tmp_path, far) as relay:
        to = ("127.0.0.1", relay.udp_port)
        assert await relay.ask(blackhole=True) == {"ok": True}
        near.sendto(b"lost", to)
        assert (await wait_sent(relay, "up", 1))["dropped"]["blackhole"] == 1
        await relay.ask(blackhole=False)
        near.sendto(b"comes", to)
        assert (await receive(far))[0] == b"comes"
        deaf = profile(tmp_path, "[both]\nloss = 1.0\n", "deaf")
        assert await relay.ask(profile=deaf) == {"ok": True}
        near.sendto(b"lost", to)
        assert (await wait_sent(relay, "up", 3))["dropped"]["loss"] == 1


async def test_a_wrong_control_line_is_answered_and_changes_nothing(
    tmp_path: Path, far: socket.socket, near: socket.socket
) -> None:
    async with udp_relay(tmp_path, far) as relay:
        for line in (b"", b"[]", b"{}", b'{"blackhole": 1}', b'{"stats":true,"profile":"weak"}'):
            assert (await relay.ask_line(line))["error"] == "bad_command", line
        wrong = await relay.ask(profile="nowhere")
        assert wrong["error"] == "bad_profile"
        assert "nowhere" in wrong["text"]
        assert (await relay.ask_line(b"x" * 20_000))["error"] == "bad_command"
        near.sendto(b"a", ("127.0.0.1", relay.udp_port))
        assert (await receive(far))[0] == b"a"


async def test_it_goes_on_when_stdin_ends(
    tmp_path: Path, far: socket.socket, near: socket.socket
) -> None:
    async with udp_relay(tmp_path, far) as relay:
        assert relay.process.stdin is not None
        relay.process.stdin.close()
        await relay.process.stdin.wait_closed()
        near.sendto(b"a", ("127.0.0.1", relay.udp_port))
        assert (await receive(far))[0] == b"a"


@pytest.mark.parametrize("is_shared", [True, False])
async def test_clients_of_a_school_share_its_line(
    tmp_path: Path, far: socket.socket, near: socket.socket, is_shared: bool
) -> None:
    # A packet of 1,028 bytes takes minutes of this line, and there is room for one.
    text = f"shared = {str(is_shared).lower()}\n[both]\nrate_bps = 1000\nqueue_bytes = 1500\n"
    async with udp_relay(tmp_path, far, text) as relay:
        with datagram_socket() as other:
            for client in (near, other):
                client.sendto(bytes(1000), ("127.0.0.1", relay.udp_port))
            up = await wait_sent(relay, "up", 2)
        assert up["dropped"]["queue"] == int(is_shared)
        assert up["queue_now_ms"] > 5000


async def test_there_are_256_clients_at_most(tmp_path: Path, far: socket.socket) -> None:
    async with udp_relay(tmp_path, far) as relay:
        with contextlib.ExitStack() as stack:
            for _ in range(257):
                client = stack.enter_context(datagram_socket())
                client.sendto(b"a", ("127.0.0.1", relay.udp_port))
            await wait_sent(relay, "up", 256)
            async with asyncio.timeout(20):
                while True:
                    stats = (await relay.ask(stats=True))["stats"]
                    if stats["drops"].get("clients"):
                        break
                    await asyncio.sleep(0.01)
        assert (stats["udp_clients"], stats["drops"]["clients"]) == (256, 1)


async def test_without_sockets_newcomers_are_counted_and_the_rest_goes_on(
    tmp_path: Path, far: socket.socket, near: socket.socket
) -> None:
    async with udp_relay(tmp_path, far) as relay:
        near.sendto(b"a", ("127.0.0.1", relay.udp_port))
        assert (await receive(far))[0] == b"a"
        open_files = len(os.listdir(f"/proc/{relay.process.pid}/fd"))
        resource.prlimit(relay.process.pid, resource.RLIMIT_NOFILE, (open_files, open_files))
        with datagram_socket() as other:
            other.sendto(b"b", ("127.0.0.1", relay.udp_port))
            near.sendto(b"c", ("127.0.0.1", relay.udp_port))
            assert (await receive(far))[0] == b"c"
        stats = (await relay.ask(stats=True))["stats"]
        assert (stats["udp_clients"], stats["drops"]) == (1, {"clients": 1})


class TcpServer:
    """Sends back what comes, upper case, and ends when its client does."""

    def __init__(self) -> None:
        self.peers: list[tuple[str, int]] = []

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[int]:
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        async with server:
            yield server.sockets[0].getsockname()[1]

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.peers.append(writer.get_extra_info("peername"))
        with contextlib.suppress(ConnectionError):
            while data := await reader.read(65_536):
                writer.write(data.upper())
                await writer.drain()
        writer.close()


@contextlib.asynccontextmanager
async def tcp_relay(folder: Path, port: int, text: str = CLEAR) -> AsyncIterator[RelayProcess]:
    async with RelayProcess.started(
        *("--profile", profile(folder, text), "--to", f"127.0.0.1:{port}"),
        *("--listen-udp", "127.0.0.1:0", "--listen-tcp", "127.0.0.1:0"),
    ) as relay:
        assert relay.udp == relay.tcp, "one number for both, as a worker has"
        yield relay


@pytest.mark.parametrize(
    "text",
    [
        CLEAR,
        "[both]\ndelay_ms = 2\njitter_ms = 2\nloss = 0.15\nduplication = 0.1\n"
        "reordering = { share = 0.2, late_ms = 10 }\n",
        "[both]\ndelay_ms = 2\nrate_bps = 20_000_000\nqueue_bytes = 10_000\n"
        "policer = { rate_bps = 1_000_000, burst_bytes = 2000 }\n",
    ],
)
async def test_every_byte_of_tcp_arrives_once_and_in_order(tmp_path: Path, text: str) -> None:
    sent = bytes(97 + n % 23 for n in range(400_001))
    async with TcpServer().running() as port, tcp_relay(tmp_path, port, text) as relay:
        reader, writer = await asyncio.open_connection("127.0.0.1", relay.tcp_port)

        async def send() -> None:
            writer.write(sent)
            await writer.drain()
            writer.write_eof()

        async with asyncio.timeout(60), asyncio.TaskGroup() as group:
            group.create_task(send(), name="send")
            came = group.create_task(reader.read(-1), name="read")
        assert came.result() == sent.upper()
        writer.close()
        stats = (await relay.ask(stats=True))["stats"]
        for way in ("up", "down"):
            counted = stats["links"][way]
            assert counted["sent"] == counted["delivered"]
            assert (counted["stalled"] > 0) == ("loss" in text)
        assert stats["tcp_connections"] == 0


async def test_tcp_passes_where_udp_is_blocked(tmp_path: Path, near: socket.socket) -> None:
    text = "shared = false\nudp_blocked = true\n[both]\n"
    async with TcpServer().running() as port, tcp_relay(tmp_path, port, text) as relay:
        near.sendto(b"a", ("127.0.0.1", relay.udp_port))
        reader, writer = await asyncio.open_connection("127.0.0.1", relay.tcp_port)
        writer.write(b"passes")
        assert await reader.readexactly(6) == b"PASSES"
        writer.close()
        stats = (await relay.ask(stats=True))["stats"]
        assert stats["udp_clients"] == 0
        assert stats["drops"] == {"udp_blocked": 1}


async def test_tcp_waits_for_the_end_of_a_blackhole(tmp_path: Path) -> None:
    async with TcpServer().running() as port, tcp_relay(tmp_path, port) as relay:
        reader, writer = await asyncio.open_connection("127.0.0.1", relay.tcp_port)
        writer.write(b"before")
        assert await reader.readexactly(6) == b"BEFORE"
        await relay.ask(blackhole=True)
        writer.write(b"within")
        up = await wait_sent(relay, "up", 2)
        assert (up["delivered"], up["in_flight"]) == (1, 1)
        await relay.ask(blackhole=False)
        assert await reader.readexactly(6) == b"WITHIN"
        writer.close()


async def test_a_rebinding_ends_tcp_connections(tmp_path: Path) -> None:
    async with TcpServer().running() as port, tcp_relay(tmp_path, port) as relay:
        reader, writer = await asyncio.open_connection("127.0.0.1", relay.tcp_port)
        writer.write(b"a")
        assert await reader.readexactly(1) == b"A"
        relay.rebind()
        async with asyncio.timeout(20):
            with contextlib.suppress(ConnectionResetError):
                assert await reader.read() == b""
        writer.close()


async def test_a_server_that_does_not_read_holds_its_client_up_and_gets_all(tmp_path: Path) -> None:
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65_536)
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        listener.setblocking(False)
        port = listener.getsockname()[1]
        async with tcp_relay(tmp_path, port) as relay:
            with socket.create_connection(("127.0.0.1", relay.tcp_port)) as client:
                client.setblocking(False)
                block = bytes(number % 251 for number in range(65_521))
                taken, idle = bytearray(), 0
                while idle < 40:
                    try:
                        taken += block[: client.send(block)]
                        idle = 0
                    except BlockingIOError:
                        idle += 1
                        await asyncio.sleep(0.01)
                    # What kernels take for one connection, three times, and 16 KiB of ours.
                    assert len(taken) < 16 * 1024 * 1024, "the relay takes without end"
                client.shutdown(socket.SHUT_WR)
                far, _ = await LOOP().sock_accept(listener)
                came = bytearray()
                with far:
                    far.setblocking(False)
                    async with asyncio.timeout(20):
                        while data := await LOOP().sock_recv(far, 65_536):
                            came += data
                assert came == taken


async def test_a_refusal_of_the_server_is_passed_on(tmp_path: Path) -> None:
    with socket.socket() as unheard:
        unheard.bind(("127.0.0.1", 0))
        async with tcp_relay(tmp_path, unheard.getsockname()[1]) as relay:
            reader, writer = await asyncio.open_connection("127.0.0.1", relay.tcp_port)
            async with asyncio.timeout(20):
                with contextlib.suppress(ConnectionResetError):
                    assert await reader.read() == b""
            writer.close()


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--profile", "nowhere", "--listen-udp", "127.0.0.1:0"), "no profile nowhere"),
        (("--profile", "city", "--listen-udp", "0.0.0.0:0"), "not loopback"),
        (("--profile", "city", "--listen-udp", "localhost:0"), "not IP:port"),
        (("--profile", "city", "--listen-tcp", "127.0.0.1:70000"), "not IP:port"),
        (("--profile", "city"), "--listen-udp"),
    ],
)
def test_a_wrong_command_line_is_told(arguments: tuple[str, ...], told: str) -> None:
    done = subprocess.run(
        [*COMMAND, *arguments, "--to", "127.0.0.1:9"], capture_output=True, text=True, timeout=30
    )
    assert done.returncode == 2
    assert told in done.stderr
    assert "Traceback" not in done.stderr


def test_a_port_that_is_taken_is_told(far: socket.socket) -> None:
    taken = f"127.0.0.1:{far.getsockname()[1]}"
    done = subprocess.run(
        [*COMMAND, "--profile", "city", "--listen-udp", taken, "--to", "127.0.0.1:9"],
        capture_output=True,
        text=True,
        timeout=30,
    )
    assert done.returncode == 2
    assert "in use" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_cleanly(number: signal.Signals, near: socket.socket) -> None:
    process = subprocess.Popen(
        [*COMMAND, "--profile", "rtt-300", "--listen-udp", "[::1]:0", "--to", "[::1]:9"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdout is not None
    assert b'"udp":"[::1]:' in process.stdout.readline()
    os.kill(process.pid, number)
    _, told = process.communicate(timeout=30)
    assert (process.returncode, told) == (0, b"")
