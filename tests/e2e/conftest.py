"""A real server (as ./run starts it) and real browsers with fake devices."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
import subprocess
import sys
import urllib.request
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import IO, Any, TypeVar

import pytest
from playwright.async_api import BrowserContext, Page, Playwright, async_playwright, expect

from hosting.patience import PATIENCE
from light.ports import free_port

T = TypeVar("T")

TWINCLASS = str(Path(sys.executable).with_name("twinclass"))
CHROMIUM = "/usr/bin/chromium"
#: What keeps the browser from calling home, and what makes it run as root without a display.
QUIET = [
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--use-fake-device-for-media-stream=fps=30",
]
READY_S = 90.0
expect.set_options(timeout=40_000)


def require(path: str, package: str) -> str:
    """A missing tool is a red test that names the package."""
    if not Path(path).exists() and shutil.which(path) is None:
        pytest.fail(f"{path} is missing: apt-get install {package}")
    return path


@dataclass
class Server:
    """One ``twinclass serve`` with the demo lesson, in a data folder of its own."""

    data: Path
    arguments: tuple[str, ...] = ()
    environment: dict[str, str] = field(default_factory=dict)
    port: int = field(default_factory=free_port)
    #: Worker i takes the one i above.
    media_port: int = field(default_factory=partial(free_port, 8))
    admin_port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None

    @property
    def base(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        with (self.data.parent / f"{self.data.name}.log").open("ab") as log:
            self._spawn(log)

    def _spawn(self, log: IO[bytes]) -> None:
        self.process = subprocess.Popen(
            [
                *(TWINCLASS, "serve", "--demo"),
                *("--data", str(self.data), "--port", str(self.port)),
                *("--media-port", str(self.media_port), "--admin-port", str(self.admin_port)),
                *self.arguments,
            ],
            stdout=log,
            stderr=log,
            # Every fake microphone beeps the same: to whoever listens, an echo of the others'.
            env={**os.environ, "TWINCLASS_MEDIA__ECHO": "off", **self.environment},
        )

    async def wait_ready(self) -> None:
        for _ in range(int(READY_S / 0.1)):
            assert self.process is not None
            if self.process.poll() is not None:
                pytest.fail(f"the server ended: {self.log()[-2000:]}")
            try:
                await asyncio.to_thread(self.get, "/readyz")
                return
            except OSError:
                await asyncio.sleep(0.1)
        pytest.fail(f"the server is not ready: {self.log()[-2000:]}")

    def log(self) -> str:
        return (self.data.parent / f"{self.data.name}.log").read_text(errors="replace")

    def get(self, path: str) -> bytes:
        with urllib.request.urlopen(self.base + path, timeout=5) as reply:
            body: bytes = reply.read()
            return body

    def metrics(self) -> str:
        url = f"http://127.0.0.1:{self.admin_port}/metrics"
        with urllib.request.urlopen(url, timeout=5) as reply:
            return str(reply.read().decode())

    def links(self) -> dict[str, list[str]]:
        """Role -> links of the demo."""
        found: dict[str, list[str]] = {}
        for link in json.loads(self.get("/api/portal"))["links"]:
            found.setdefault(link["role"], []).append(link["url"])
        return found

    def create_lesson(self, identifier: str, plan: str) -> None:
        """A lesson that nobody has opened yet, made as an operator would. ``plan``: JSON."""
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.admin_port}/lessons",
            json.dumps({"id": identifier, "plan": json.loads(plan)}).encode(),
            {"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=10) as reply:
            assert reply.status == 201

    def token(self, role: str, participant: str, *extra: str, lesson: str = "demo") -> str:
        """A token made by the command line, as an operator would."""
        done = subprocess.run(
            [
                *(TWINCLASS, "token", "--lesson", lesson),
                *("--role", role, "--data", str(self.data), *extra),
                *(("--room", participant) if role == "room" else ()),
            ],
            capture_output=True,
            check=True,
            text=True,
        )
        return done.stdout.strip()

    def stop(self, number: int = signal.SIGTERM) -> None:
        if self.process is None:
            return
        if self.process.poll() is None:
            self.process.send_signal(number)
            try:
                self.process.wait(15)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self.process = None


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[Server]:
    server = Server(tmp_path / "data")
    server.start()
    await server.wait_ready()
    yield server
    server.stop()


@pytest.fixture
async def listening_server(tmp_path: Path) -> AsyncIterator[Server]:
    """As it is started by operators: with an ear for echo."""
    server = Server(tmp_path / "data", environment={"TWINCLASS_MEDIA__ECHO": "auto"})
    server.start()
    await server.wait_ready()
    yield server
    server.stop()


class Browsers:
    """Opens pages as different people: one browser context, with its own devices, each."""

    def __init__(self, playwright: Playwright, folder: Path) -> None:
        self._playwright = playwright
        self._folder = folder
        self._contexts: list[BrowserContext] = []
        self.problems: list[str] = []

    async def page(
        self,
        url: str,
        *,
        size: tuple[int, int] = (1280, 720),
        arguments: tuple[str, ...] = (),
        grant: bool = True,
        locale: str = "zh-CN",
        fake_ui: bool = True,
        executable: Path | str = CHROMIUM,
    ) -> Page:
        profile = self._folder / f"profile-{len(self._contexts)}"
        viewport = {"width": size[0], "height": size[1]}
        flags = [*QUIET, *arguments]
        if fake_ui:
            flags.append("--use-fake-ui-for-media-stream")
        context = await self._playwright.chromium.launch_persistent_context(
            profile,
            executable_path=require(str(executable), "chromium"),
            headless=True,
            args=flags,
            ignore_default_args=["--headless", "--mute-audio"],
            permissions=["camera", "microphone"] if grant else [],
            viewport=viewport,  # type: ignore[arg-type]
            locale=locale,
        )
        self._contexts.append(context)
        page = context.pages[0] if context.pages else await context.new_page()
        page.on("pageerror", lambda error: self.problems.append(str(error)))
        await page.goto(url)
        return page

    async def aclose(self) -> None:
        for context in self._contexts:
            await context.close()


@pytest.fixture
async def browsers(tmp_path: Path) -> AsyncIterator[Browsers]:
    async with async_playwright() as playwright:
        browsers = Browsers(playwright, tmp_path)
        try:
            yield browsers
        finally:
            await browsers.aclose()
        assert not browsers.problems


async def statistics(page: Page) -> dict[str, list[dict[str, Any]]]:
    """getStats of both connections, RTP streams only."""
    result: dict[str, list[dict[str, Any]]] = await page.evaluate(
        """async () => {
            const all = await window.__twinclass.stats();
            const rtp = list => (list || []).filter(
                s => s.type === 'inbound-rtp' || s.type === 'outbound-rtp');
            return {uplink: rtp(all.uplink), downlink: rtp(all.downlink)};
        }"""
    )
    return result


async def frames(page: Page, mid: str | None = None) -> int:
    """Frames decoded on all, or on one, m-line of the downlink."""
    streams = (await statistics(page))["downlink"]
    return sum(
        s.get("framesDecoded") or 0
        for s in streams
        if s["kind"] == "video" and (mid is None or s.get("mid") == mid)
    )


async def wait_until(
    check: Callable[[], Awaitable[T]], seconds: float = 15.0, what: str = "condition"
) -> T:
    """Polls an async predicate; returns its first true value. ``seconds``: what is usual."""
    deadline = asyncio.get_running_loop().time() + seconds * PATIENCE
    while True:
        value = await check()
        if value:
            return value
        if asyncio.get_running_loop().time() > deadline:
            pytest.fail(f"not within {seconds * PATIENCE:.0f} s: {what}")
        await asyncio.sleep(0.1)
