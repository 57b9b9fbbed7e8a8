"""Firefox ESR by WebDriver BiDi, its own remote protocol: no driver program is needed.

Playwright drives only a Firefox of its own making; this is the one that schools have.
"""

from __future__ import annotations

import asyncio
import json
import re
import subprocess
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from websockets.asyncio.client import ClientConnection, connect

from e2e.conftest import require

PREFERENCES: dict[str, bool | int | str] = {
    # Fake devices, granted: pictures with moving colours, a steady tone.
    "media.navigator.streams.fake": True,
    "media.navigator.permission.disabled": True,
    "permissions.default.camera": 1,
    "permissions.default.microphone": 1,
    # On this machine everything is loopback.
    "media.peerconnection.ice.loopback": True,
    "media.peerconnection.ice.obfuscate_host_addresses": False,
    "media.autoplay.default": 5,
    # No calls home.
    "app.update.enabled": False,
    "browser.safebrowsing.enabled": False,
    "datareporting.policy.dataSubmissionEnabled": False,
    "network.captive-portal-service.enabled": False,
    "network.connectivity-service.enabled": False,
    "media.gmp-manager.updateEnabled": False,
    "extensions.update.enabled": False,
    "services.settings.server": "data:,none",
}
_LISTENING = re.compile(rb"WebDriver BiDi listening on (ws://[\d.:\[\]a-z]+)")


class Firefox:
    """One browser with one page."""

    def __init__(self, profile: Path, size: tuple[int, int] = (1280, 800)) -> None:
        self._profile = profile
        self._size = size
        self._ids = 0
        self._socket: ClientConnection | None = None
        self._context = ""
        self._process: asyncio.subprocess.Process | None = None

    async def __aenter__(self) -> Self:
        self._profile.mkdir(parents=True)
        lines = [f"user_pref({json.dumps(k)}, {json.dumps(v)});" for k, v in PREFERENCES.items()]
        (self._profile / "user.js").write_text("\n".join(lines))
        self._process = await asyncio.create_subprocess_exec(
            *(require("firefox-esr", "firefox-esr"), "--headless", "--no-remote"),
            *("--remote-debugging-port", "0", "--profile", str(self._profile)),
            f"--width={self._size[0]}",
            f"--height={self._size[1]}",
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        )
        address = await asyncio.wait_for(self._wait_listening(), 60)
        self._socket = await connect(f"{address}/session", max_size=2**24)
        await self._ask("session.new", {"capabilities": {}})
        tree = await self._ask("browsingContext.getTree", {})
        self._context = tree["contexts"][0]["context"]
        return self

    async def _wait_listening(self) -> str:
        assert self._process is not None
        assert self._process.stderr is not None
        while line := await self._process.stderr.readline():
            found = _LISTENING.search(line)
            if found:
                return found.group(1).decode()
        raise RuntimeError("Firefox ended before it listened")

    async def _ask(self, method: str, parameters: dict[str, Any]) -> dict[str, Any]:
        assert self._socket is not None
        self._ids += 1
        await self._socket.send(
            json.dumps({"id": self._ids, "method": method, "params": parameters})
        )
        while True:
            message: dict[str, Any] = json.loads(await self._socket.recv())
            if message.get("id") == self._ids:
                if message["type"] != "success":
                    raise RuntimeError(f"{method}: {message.get('message')}")
                result: dict[str, Any] = message["result"]
                return result

    async def goto(self, url: str) -> None:
        """Opens a page and waits until it is loaded."""
        await self._ask(
            "browsingContext.navigate",
            {"context": self._context, "url": url, "wait": "complete"},
        )

    async def evaluate(self, body: str) -> Any:  # noqa: ANN401 - whatever the page returns
        """Runs the body of an async function as if a person had just acted; returns JSON."""
        result = await self._ask(
            "script.evaluate",
            {
                "expression": f"(async () => JSON.stringify(await (async () => {{{body}}})()))()",
                "target": {"context": self._context},
                "awaitPromise": True,
                "userActivation": True,
            },
        )
        if result["type"] != "success":
            raise RuntimeError(str(result.get("exceptionDetails", {}).get("text")))
        value = result["result"].get("value")
        return json.loads(value) if value is not None else None

    async def click(self, testid: str, seconds: float = 20.0) -> None:
        """Clicks what bears a test id, once it is there."""
        for _ in range(int(seconds / 0.2)):
            if await self.evaluate(
                f"""const e = document.querySelector('[data-testid="{testid}"]');
                if (!e || e.disabled) return false; e.click(); return true;"""
            ):
                return
            await asyncio.sleep(0.2)
        raise TimeoutError(f"{testid} is not there")

    async def statistics(self) -> dict[str, list[dict[str, Any]]]:
        """getStats of both connections, RTP streams only."""
        found: dict[str, list[dict[str, Any]]] = await self.evaluate(
            """const all = await window.__twinclass.stats();
            const rtp = list => (list || []).filter(
                s => s.type === 'inbound-rtp' || s.type === 'outbound-rtp');
            return {uplink: rtp(all.uplink), downlink: rtp(all.downlink)};"""
        )
        return found

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._socket is not None:
            await self._socket.close()
        process = self._process
        if process is not None and process.returncode is None:
            process.terminate()
            try:
                await asyncio.wait_for(process.wait(), 10)
            except TimeoutError:
                process.kill()
                await process.wait()
