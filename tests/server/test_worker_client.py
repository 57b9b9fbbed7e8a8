"""The control connection: against a tiny worker that speaks the messages."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest

from twinclass_media.settings import MediaSettings
from twinclass_media.worker import messages as m
from twinclass_media.worker.frames import FrameReader, decode_command, encode
from twinclass_server.adapters.worker_client import ControlRefused, WorkerClient, frame
from twinclass_server.adapters.worker_process import (
    MAX_SOCKET_DIR_CHARS,
    WorkerProcess,
    command_line,
    socket_directory,
)
from twinclass_server.adapters.worker_supervisor import next_epoch
from twinclass_signaling.errors import Unavailable

ATTACHED = m.Attached(
    0, 4242, 1, m.Fingerprint("sha-256", "AB"), (m.Candidate("udp", "127.0.0.1", 1),), "pipe"
)


class TinyWorker:
    """Answers ``Attach`` by epoch and ``Dump`` with nothing; keeps the rest."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.commands: list[m.Command] = []
        self.silent = False
        self.writer: asyncio.StreamWriter | None = None

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.writer = writer
        frames = FrameReader()
        while data := await reader.read(65536):
            for body in frames.feed(data):
                self.answer(decode_command(body), writer)
        writer.close()

    def answer(self, command: m.Command, writer: asyncio.StreamWriter) -> None:
        self.commands.append(command)
        if self.silent:
            return
        match command:
            case m.Attach(epoch=epoch):
                writer.write(encode(ATTACHED if epoch >= 5 else m.Refused(5)))
            case m.Dump(request=request):
                writer.write(encode(m.Dumped(request, (), ())))
            case m.Apply(request=request):
                writer.write(encode(m.Applied(request)))
            case _:
                pass


@pytest.fixture
async def worker(tmp_path: Path) -> AsyncIterator[TinyWorker]:
    worker = TinyWorker(tmp_path / "w.sock")
    server = await asyncio.start_unix_server(worker.serve, str(worker.path))
    yield worker
    server.close()
    if worker.writer is not None:
        worker.writer.close()


async def test_requests_are_matched_and_notifications_handed_on(worker: TinyWorker) -> None:
    client = await WorkerClient.connect(worker.path, epoch=5, control="test")
    assert client.attached == ATTACHED
    heard: list[m.Notification] = []
    running = asyncio.ensure_future(client.run(heard.append))
    applied = client.apply((m.RouterSpec(m.RouterId("r")),))
    dumped = await client.dump()
    assert dumped.specs == ()
    assert (await applied).problems == ()
    assert worker.writer is not None
    worker.writer.write(encode(m.Qualities(())))
    while not heard:
        await asyncio.sleep(0.01)
    assert heard == [m.Qualities(())]
    client.close()
    await running


async def test_a_lower_epoch_is_refused(worker: TinyWorker) -> None:
    with pytest.raises(ControlRefused) as caught:
        await WorkerClient.connect(worker.path, epoch=4, control="test")
    assert caught.value.epoch == 5


async def test_what_waits_fails_when_the_connection_ends(worker: TinyWorker) -> None:
    client = await WorkerClient.connect(worker.path, epoch=5, control="test")
    running = asyncio.ensure_future(client.run(lambda _: None))
    worker.silent = True
    applied = client.apply(())
    asking = asyncio.ensure_future(client.dump())
    await asyncio.sleep(0.02)
    assert worker.writer is not None
    worker.writer.close()
    await running
    for waiting in (applied, asking, client.apply(())):
        with pytest.raises(Unavailable):
            await waiting
    assert client.is_lost


@pytest.mark.parametrize("junk", [b"\xff\xff\xff\xff", frame(b"junk"), frame(b"")])
async def test_a_worker_that_speaks_nonsense_is_left(worker: TinyWorker, junk: bytes) -> None:
    client = await WorkerClient.connect(worker.path, epoch=5, control="test")
    assert worker.writer is not None
    worker.writer.write(junk)
    async with asyncio.timeout(5):
        await client.run(lambda _: None)
    assert client.is_lost


async def test_nobody_there_is_an_os_error(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="No such file"):
        await WorkerClient.connect(tmp_path / "w.sock", epoch=1, control="test")


def test_frames_are_length_and_message() -> None:
    body = msgspec.msgpack.encode(m.Shutdown())
    assert list(FrameReader().feed(frame(body))) == [body]


def test_epochs_only_count_up(tmp_path: Path) -> None:
    path = tmp_path / "run" / "epoch"
    assert [next_epoch(path) for _ in range(3)] == [1, 2, 3]
    path.write_text("damaged")
    assert next_epoch(path) == 1


def test_a_long_path_gets_a_short_folder_for_its_sockets(tmp_path: Path) -> None:
    assert socket_directory(tmp_path) == tmp_path
    long = tmp_path / ("x" * MAX_SOCKET_DIR_CHARS)
    short = socket_directory(long)
    assert short == socket_directory(long)
    assert len(str(short)) < MAX_SOCKET_DIR_CHARS
    assert short.stat().st_mode & 0o777 == 0o700
    short.rmdir()


def test_the_command_line_carries_the_settings(tmp_path: Path) -> None:
    settings = MediaSettings(bind=("127.0.0.1",), port=7900, announce=("h:9",), tcp=False)
    line = command_line(settings, 2, tmp_path)
    assert line[1:5] == ["-m", "twinclass_media.worker", "--index", "2"]
    assert "--no-tcp" in line
    assert line[line.index("--announce") + 1] == "h:9"
    assert line[line.index("--port") + 1] == "7900"


async def test_a_process_tells_its_last_words_and_can_be_killed(tmp_path: Path) -> None:
    log = tmp_path / "log"
    short = WorkerProcess.start(["/bin/sh", "-c", "echo one; echo two >&2; exit 3"], log)
    assert await short.wait(5)
    assert short.last_words() == "two"
    long = WorkerProcess.start(["/bin/sleep", "60"], log)
    assert not await long.wait(0.05)
    long.kill()
    assert await long.wait(5)
    long.kill()
