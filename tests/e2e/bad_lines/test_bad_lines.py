"""A room of real Chromium behind bad lines: what it sees and hears (the matrix's rows, bounded)."""

from __future__ import annotations

from pathlib import Path

import pytest

from conftest import FigureTable
from e2e.bad_lines import devices
from e2e.bad_lines.measure import Watched, watch
from e2e.bad_lines.rooms import join, rooms
from e2e.conftest import Browsers
from e2e.pages.test_page_pictures import keep

pytestmark = [pytest.mark.browser, pytest.mark.alone, pytest.mark.full, pytest.mark.timeout(600)]

WHAT = "bad lines, Chromium"
DOWN_S, UP_S = 25.0, 50.0


async def see(
    folder: Path, browsers: Browsers, profile: str, seconds: float, picture: str = ""
) -> Watched:
    """One room for so long behind a line; ``picture``: under which name it is kept at the end."""
    found = Watched("twinclass", profile)
    async with rooms(folder, browsers, devices.flags(folder), 6) as (relay, (room,)):
        await relay.ask(profile=profile)
        await join(room)
        await watch(room, found, seconds)
        found.relay = (await relay.ask(stats=True))["stats"]
        if picture:
            await keep(room, picture)
    return found


async def test_a_line_that_falls_and_rises_again(
    tmp_path: Path, browsers: Browsers, figures: FigureTable
) -> None:
    found = await see(tmp_path, browsers, "step", 90.0)
    seconds = found.relay["links"]["down"]["by_second"]
    begun = seconds[0]["at_s"]
    queues = [
        one["p95_ms"] for one in seconds if DOWN_S + 3 <= one["at_s"] - begun < UP_S
    ]  # fmt: skip
    _, longest = found.frozen(DOWN_S, UP_S)
    middle = found.when_height(lambda height: height >= 360, UP_S + 0.5)
    top = found.when_height(lambda height: height >= 720, UP_S + 0.5)
    assert middle is not None
    assert top is not None
    figures.add(WHAT, "step: longest freeze while it is narrow, s", f"{longest:.1f}")
    figures.add(WHAT, "step: queue before it from 3 s after the fall, p95 of each second, most, ms",
                f"{max(queues):.0f}", "200")  # fmt: skip
    figures.add(WHAT, "step: middle / top layer after the rise, s", f"{middle:.1f} / {top:.1f}",
                "10 / 20")  # fmt: skip
    figures.add(WHAT, "step: sound made up", f"{found.concealed:.2%}")
    assert longest < 3
    assert middle < 10
    assert top < 20
    assert found.concealed < 0.03


async def test_sound_survives_fifteen_percent_loss(
    tmp_path: Path, browsers: Browsers, figures: FigureTable
) -> None:
    found = await see(tmp_path, browsers, "loss-15", 40.0)
    frozen, longest = found.frozen()
    figures.add(WHAT, "loss 15 %: sound made up", f"{found.concealed:.2%}", "3 %")
    figures.add(
        WHAT, "loss 15 %: frozen (longest), s", f"{frozen:.1f} ({longest:.1f})", "1 at once"
    )
    figures.add(WHAT, "loss 15 %: lines of the picture, mean", f"{found.mean_height:.0f}")
    assert found.concealed < 0.03
    assert found.mean_height > 360
    assert longest < 2


async def test_a_line_of_100_kbit_s_carries_sound_and_single_pictures(
    tmp_path: Path, browsers: Browsers, figures: FigureTable
) -> None:
    found = await see(tmp_path, browsers, "rate-100k", 60.0, "room-narrow")
    pictures = found.samples[-1].frames
    figures.add(WHAT, "100 kbit/s: sound made up", f"{found.concealed:.2%}")
    figures.add(WHAT, "100 kbit/s: single pictures in a minute", f"{pictures}")
    assert found.concealed < 0.03
    assert pictures >= 3
