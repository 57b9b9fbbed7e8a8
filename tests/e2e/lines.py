"""When a page's media stood still, seen from inside it."""

from __future__ import annotations

import asyncio
from typing import Any

from playwright.async_api import Page

from e2e.conftest import frames, wait_until

#: Samples every 50 ms: finer than anything that is asserted or told.
_WATCH = """() => {
    if (window.__line) return;
    const line = window.__line = {marks: [], packets: -1, frames: -1};
    const sum = (all, what) => all.reduce((n, s) => n + (s[what] || 0), 0);
    const look = async () => {
        const all = (await window.__twinclass.stats()).downlink
            .filter(s => s.type === 'inbound-rtp');
        const packets = sum(all, 'packetsReceived'), frames = sum(all, 'framesDecoded');
        const at = Date.now();
        // A connection made anew counts from nothing.
        if (packets !== line.packets || frames !== line.frames)
            line.marks.push([at, packets !== line.packets, frames !== line.frames]);
        line.packets = packets; line.frames = frames;
        setTimeout(look, 50);
    };
    look();
}"""
_GAP = """([since, index]) => {
    const at = window.__line.marks.filter(m => m[index]).map(m => m[0]);
    let longest = 0, until = 0;
    for (let i = 1; i < at.length; i++)
        if (at[i] >= since && at[i] - at[i - 1] > longest) {
            longest = at[i] - at[i - 1]; until = at[i];
        }
    return [longest, until];
}"""


async def watch_line(page: Page) -> None:
    """Begins to note when packets and frames come."""
    await page.evaluate(_WATCH)


async def longest_gap(
    page: Page, since_unix: float, *, frames: bool = False
) -> tuple[float, float]:
    """The longest time without packets (or frames) that ended after ``since_unix``: its length in
    seconds, and when it ended, seconds since the epoch."""
    found: list[float] = await page.evaluate(_GAP, [since_unix * 1000, 2 if frames else 1])
    return found[0] / 1000, found[1] / 1000


async def path_of(page: Page, direction: str = "downlink") -> dict[str, Any] | None:
    """The path a connection uses: both ends, protocol and kind."""
    path: dict[str, Any] | None = await page.evaluate(
        """async direction => {
            const all = (await window.__twinclass.stats())[direction];
            const by = id => all.find(entry => entry.id === id);
            const transport = all.find(entry => entry.type === 'transport');
            const pair = transport && by(transport.selectedCandidatePairId);
            if (!pair) return null;
            const remote = by(pair.remoteCandidateId), local = by(pair.localCandidateId);
            return {
                server: remote.address, port: remote.port, own: local.address,
                protocol: local.protocol, kind: local.candidateType,
                relay: local.relayProtocol || '',
            };
        }""",
        direction,
    )
    return path


async def wait_moving(page: Page, what: str, seconds: float = 30) -> None:
    """Until pictures come."""

    async def moves() -> bool:
        # A room on the wall sends five frames a second.
        first = await frames(page)
        await asyncio.sleep(1.0)
        return (await frames(page)) - first >= 3

    await wait_until(moves, seconds, what)
