"""The library on a city's busiest morning: 600 requests a second against 14,000 lessons.

    .venv/bin/python benchmarks/library.py [--rate 600] [--seconds 60]

Fills a database with 14,000 lessons, 7,866 packages and 4,543 homework samples, starts the server
as an operator would, and asks it for a minute, whether it answers or not (open loop; a time counts
from when a request was due): searches of 600 teachers by words, chips and places in the list,
opened lessons, manifests, playlists, and ranges of segments. Prints the times, errors, and the
processor time and memory of server and generator. Beside it runs the plainest application that the
same web server can serve, asked in the same way; the last line is our processor time for a request
divided by its.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import shutil
import statistics
import sys
import tempfile
import time
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

import httpx
import library_content
import psutil

from hosting.process import ServerProcess, server_process
from light.ports import free_port
from recordings.test_clips import lesson
from twinclass_recordings import manifest as m
from twinclass_server.roster.database import Database
from twinclass_server.school import staff_path
from twinclass_signaling.roles import Role

RNG = library_content.RNG
#: Lessons that have real files; all others are rows.
WITH_MEDIA = 40
CONNECTIONS = 96
TEACHERS = 600
RANGE_BYTES = 64 * 1024


@dataclass
class Asked:
    times: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    errors: Counter[str] = field(default_factory=Counter)
    bytes: int = 0


class Connection:
    """One kept-alive HTTP/1.1 connection."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def ask(self, path: str, headers: str) -> tuple[int, int]:
        """Returns (status, bytes of the body)."""
        if self._streams is None:
            self._streams = await asyncio.open_connection("127.0.0.1", self._port)
        reader, writer = self._streams
        writer.write(f"GET {path} HTTP/1.1\r\nHost: x\r\n{headers}\r\n".encode())
        head = (await reader.readuntil(b"\r\n\r\n")).lower()
        status = int(head[9:12])
        length = int(head.partition(b"content-length:")[2].partition(b"\r\n")[0] or 0)
        await reader.readexactly(length)
        return status, length

    def close(self) -> None:
        if self._streams is not None:
            self._streams[1].close()


async def load(port: int, requests: list[tuple[str, str, str]], rate: float) -> Asked:
    """Sends each when it is due; a connection that is busy takes the next one after."""
    asked = Asked()
    due: asyncio.Queue[tuple[float, tuple[str, str, str]] | None] = asyncio.Queue()

    async def work() -> None:
        connection = Connection(port)
        while (one := await due.get()) is not None:
            at, (kind, path, headers) = one
            try:
                async with asyncio.timeout(30):
                    status, size = await connection.ask(path, headers)
            except (OSError, TimeoutError, asyncio.IncompleteReadError, ValueError) as error:
                asked.errors[f"{kind} {type(error).__name__}"] += 1
                connection = Connection(port)
                continue
            if status not in (200, 206):
                asked.errors[f"{kind} {status}"] += 1
            asked.bytes += size
            asked.times[kind].append(time.perf_counter() - at)
        connection.close()

    workers = [asyncio.create_task(work()) for _ in range(CONNECTIONS)]
    started = time.perf_counter()
    for number, request in enumerate(requests):
        at = started + number / rate
        wait = at - time.perf_counter()
        if wait > 0:
            await asyncio.sleep(wait)
        due.put_nowait((at, request))
    for _ in workers:
        due.put_nowait(None)
    await asyncio.gather(*workers)
    return asked


def question() -> str:
    """What a teacher types or presses, as a query."""
    parts: list[str] = []
    draw = RNG.random()
    if draw < 0.45:
        text = RNG.choice(library_content.TOPICS)
        parts.append(f"q={quote(text[: RNG.randint(1, len(text))])}")
    elif draw < 0.6:
        parts.append(f"q={quote(' '.join(RNG.sample(library_content.TOPICS, 2)))}")
    if RNG.random() < 0.6:
        parts.append(f"subject={quote(RNG.choice(library_content.SUBJECTS))}")
    if RNG.random() < 0.4:
        parts.append(f"grade={quote(RNG.choice(library_content.GRADES))}")
    if RNG.random() < 0.2:
        parts.append(f"order={RNG.choice(('new', 'plays'))}")
    if RNG.random() < 0.2:
        parts.append(f"page={RNG.randint(1, 5)}")
    return "&".join(parts)


async def media_of(client: httpx.AsyncClient, token: str) -> list[tuple[str, m.Manifest]]:
    found: list[tuple[str, m.Manifest]] = []
    for number in range(1, WITH_MEDIA + 1):
        headers = {"Authorization": f"Bearer {token}"}
        answer = await client.get(f"/api/library/lessons/lesson-{number}", headers=headers)
        base = answer.json()["media"]["base"]
        found.append((base, m.decode((await client.get(base + "manifest.json")).content)))
    return found


def plan(
    count: int, teachers: list[str], operator: str, media: list[tuple[str, m.Manifest]]
) -> list[tuple[str, str, str]]:
    made: list[tuple[str, str, str]] = []
    for _ in range(count):
        draw = RNG.random()
        who = f"Authorization: Bearer {RNG.choice(teachers)}\r\n"
        base, manifest = RNG.choice(media)
        run = RNG.choice([run for track in manifest.tracks for run in track.runs])
        if draw < 0.45:
            made.append(("search", f"/api/library/lessons?{question()}", who))
        elif draw < 0.55:
            who = f"Authorization: Bearer {operator}\r\n"
            made.append(("open", f"/api/library/lessons/lesson-{RNG.randint(1, WITH_MEDIA)}", who))
        elif draw < 0.6:
            made.append(("manifest", f"{base}{RNG.choice(('manifest.json', run.playlist))}", ""))
        else:
            part = RNG.choice(run.parts)
            first = RNG.randint(0, max(0, part.bytes - RANGE_BYTES))
            last = min(part.bytes, first + RANGE_BYTES) - 1
            made.append(("segment", base + part.path, f"Range: bytes={first}-{last}\r\n"))
    return made


def tree(pid: int) -> tuple[float, int]:
    """Returns (processor seconds, bytes of memory at most) of a process and its children."""
    cpu, memory = 0.0, 0
    parent = psutil.Process(pid)
    for one in (parent, *parent.children(recursive=True)):
        times = one.cpu_times()
        cpu += times.user + times.system
        status = Path(f"/proc/{one.pid}/status").read_text("utf-8")
        memory += int(status.partition("VmHWM:")[2].split()[0]) * 1024
    return cpu, memory


async def prepare(data: Path) -> None:
    began = time.perf_counter()
    database = Database("", data)
    database.migrate()
    library_content.fill(database)
    database.close()
    package, manifest = await lesson(data / "recordings")
    package.manifest.write_bytes(m.encode(manifest))
    for number in range(2, WITH_MEDIA + 1):
        shutil.copytree(package.folder, data / "recordings" / f"lesson-{number}")
    print(f"filled in {time.perf_counter() - began:.0f} s")


async def beside(rate: float, seconds: float) -> float:
    """Returns processor seconds a request of the plainest application."""
    port = free_port(1)
    program = (
        "import uvicorn\n"
        "from starlette.applications import Starlette\n"
        "from starlette.responses import JSONResponse\n"
        "from starlette.routing import Route\n"
        "async def answer(request): return JSONResponse({'items': ['x' * 40] * 24})\n"
        f"uvicorn.run(Starlette(routes=[Route('/', answer)]), port={port}, log_level='error')\n"
    )
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", program)
    try:
        async with httpx.AsyncClient(trust_env=False) as client:
            for _ in range(100):
                try:
                    await client.get(f"http://127.0.0.1:{port}/")
                    break
                except httpx.TransportError:
                    await asyncio.sleep(0.1)
        before = tree(process.pid)[0]
        count = int(rate * seconds)
        await load(port, [("plain", "/", "")] * count, rate)
        return (tree(process.pid)[0] - before) / count
    finally:
        process.terminate()
        await process.wait()


async def run(rate: float, seconds: float) -> None:
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder) / "data"
        data.mkdir()
        await prepare(data)
        async with server_process(data, free_port(10)) as server:
            await measure(server, rate, seconds)


async def measure(server: ServerProcess, rate: float, seconds: float) -> None:
    def token(role: Role, sub: str) -> str:
        return staff_path(server.keys, role, sub, "", 3600).partition("token=")[2]

    operator = token(Role.OPERATOR, "operator")
    teachers = [token(Role.LEAD, f"lead-{n}") for n in range(TEACHERS)]
    base_url = f"http://127.0.0.1:{server.port}"
    async with httpx.AsyncClient(trust_env=False, base_url=base_url) as client:
        began = time.perf_counter()
        while True:
            headers = {"Authorization": f"Bearer {operator}"}
            answer = await client.get("/api/library/lessons", headers=headers)
            if answer.status_code == 200:
                break
            await asyncio.sleep(0.1)
        print(f"searchable after {time.perf_counter() - began:.1f} s: {answer.json()['total']}")
        media = await media_of(client, operator)
    requests = plan(int(rate * seconds), teachers, operator, media)
    pid = server.process.pid
    before, own = tree(pid)[0], os.times()
    started = time.perf_counter()
    asked = await load(server.port, requests, rate)
    took = time.perf_counter() - started
    after, memory = tree(pid)
    mine = os.times()
    count = sum(len(times) for times in asked.times.values())
    print(f"{count} answers in {took:.1f} s ({count / took:.0f}/s), errors: {dict(asked.errors)}")
    print(f"{'':10} {'count':>7} {'p50':>7} {'p95':>7} {'p99':>7} {'max':>7}  ms")
    for kind, times in sorted(asked.times.items()):
        cut = statistics.quantiles(times, n=100)
        figures = (statistics.median(times), cut[94], cut[98], max(times))
        line = " ".join(f"{figure * 1000:7.1f}" for figure in figures)
        print(f"{kind:10} {len(times):7} {line}")
    generator = mine.user + mine.system - own.user - own.system
    print(
        f"processor: server {(after - before) / took * 100:.0f} % of a core, "
        f"generator {generator / took * 100:.0f} %; memory of the server's processes at most "
        f"{memory / 2**20:.0f} MiB; {asked.bytes / took / 2**20:.0f} MiB/s sent"
    )
    ours, plain = (after - before) / count, await beside(rate, min(10.0, seconds))
    print(
        f"processor a request: {ours * 1e6:.0f} us, the plainest application {plain * 1e6:.0f} us, "
        f"ratio {ours / plain:.2f}"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rate", type=float, default=600.0)
    parser.add_argument("--seconds", type=float, default=60.0)
    options = parser.parse_args()
    asyncio.run(run(options.rate, options.seconds))


if __name__ == "__main__":
    main()
