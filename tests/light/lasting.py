"""A light client that does not give up: it makes lost connections anew, as a page does.

It also notes when each kind of media came last and how long the longest pause was.
"""

from __future__ import annotations

import asyncio
import time
from typing import Any

from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidMessage

from light.client import LightClient

RETRY_S = 0.2


class LastingClient(LightClient):
    """Obeys ``media_lost``, resumes its session, remembers pauses.

    Attributes:
        losses: the ``media_lost`` messages with their times.
        resumed: per reconnect, whether the media connections were still good.
        pauses: (use, kind) -> the longest pause between packets since ``watch``.
        latest: (use, kind) -> when the last packet came.
        gaps: events out of order, and at the lead also events that did not follow the last.
    """

    async def join(self) -> None:
        self.losses: list[tuple[float, dict[str, Any]]] = []
        self.resumed: list[bool] = []
        self.pauses: dict[tuple[str, str], float] = {}
        self.latest: dict[tuple[str, str], float] = {}
        self.last_seq = self.gaps = 0
        self._mending: set[asyncio.Task[None]] = set()
        self._leaving = False
        await super().join()

    def watch(self) -> None:
        """Begins to measure pauses here."""
        self.pauses = dict.fromkeys(self.latest, 0.0)

    def back_after(self, since: float, *kinds: tuple[str, str]) -> float | None:
        """Seconds from ``since`` until all kinds came again; None when they have not yet."""
        found = [self.returned.get(kind, 0.0) for kind in kinds]
        return max(found) - since if all(at > since for at in found) else None

    @property
    def returned(self) -> dict[tuple[str, str], float]:
        """First packets on the present downlink."""
        times: dict[tuple[str, str], float] = {}
        if self.downlink is not None:
            for slot in self.slots:
                ssrc = self._first_ssrc_of_mid.get(slot["mid"], 0)
                stream = self.downlink.streams.get(ssrc)
                if stream is not None and stream.packets:
                    times[slot["use"], slot["kind"]] = stream.first_at
        return times

    async def leave(self) -> None:
        self._leaving = True
        for task in self._mending:
            task.cancel()
        await asyncio.gather(*self._mending, return_exceptions=True)
        await super().leave()

    # ---- losses

    async def _receive(self) -> dict[str, Any]:
        while True:
            try:
                message = await super()._receive()
            except ConnectionClosed:
                if self._leaving or not self.welcome:
                    raise
                await self._resume()
                continue
            if message["type"] == "welcome":
                self.last_seq = message["lesson"]["seq"]
            elif message["type"] == "event":
                # Who does not teach is not told of every step; nobody is told of one twice.
                is_lead = self.welcome["role"] == "lead"
                is_next = message["seq"] == self.last_seq + 1
                self.gaps += not (is_next if is_lead else message["seq"] > self.last_seq)
                self.last_seq = message["seq"]
            elif message["type"] == "media_lost":
                self.losses.append((time.monotonic(), message))
                self._mend(message["uplink"], message["downlink"])
            return message

    async def _resume(self) -> None:
        """Comes back with the session's secret, as often as it takes."""
        while True:
            try:
                self._socket = await connect(
                    self._url, subprotocols=["twinclass.v1"], max_size=2**20  # type: ignore[list-item]
                )  # fmt: skip
                resume = {"session": self.welcome["session"], "secret": self.welcome["secret"]}
                await self.send(
                    {
                        "type": "authenticate",
                        "token": self._token,
                        "client": {"video_codecs": ["H264", "VP8"], "user_agent": "light"},
                        "resume": resume,
                        "last_seq": self.last_seq,
                    }
                )
                answer = await super()._receive()
            except (OSError, ConnectionClosed, InvalidHandshake, InvalidMessage):
                await asyncio.sleep(RETRY_S)
                continue
            if answer["type"] == "welcome":
                break
            await asyncio.sleep(RETRY_S)
        self.welcome, self.last_seq = answer, answer["lesson"]["seq"]
        self.resumed.append(answer["resumed"])
        if not answer["resumed"]:
            self._mend(uplink=self._publishes, downlink=False)

    def _mend(self, uplink: bool, downlink: bool) -> None:
        task = asyncio.create_task(self._make_anew(uplink, downlink))
        self._mending.add(task)
        task.add_done_callback(self._mending.discard)

    async def _make_anew(self, uplink: bool, downlink: bool) -> None:
        if downlink:
            await self.send({"type": "restart_downlink", "fresh": True})
        if uplink:
            senders, self._tasks[1:] = self._tasks[1:], []
            for task in senders:
                task.cancel()
            await asyncio.gather(*senders, return_exceptions=True)
            if self.uplink is not None:
                self.uplink.close()
            await self._publish()

    def _first_packets(self, ssrc: int, packet: bytes, now: float) -> None:
        super()._first_packets(ssrc, packet, now)
        for slot in self.slots:
            if self._first_ssrc_of_mid.get(slot["mid"]) == ssrc:
                kind = (slot["use"], slot["kind"])
                before = self.latest.get(kind)
                if before is not None:
                    self.pauses[kind] = max(self.pauses.get(kind, 0.0), now - before)
                self.latest[kind] = now
                return
