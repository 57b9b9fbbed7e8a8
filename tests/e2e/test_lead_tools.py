"""The lead's tools in real pages: slides, pen, hands, quiz, sound check, handing over, by keys."""

from __future__ import annotations

import asyncio
from functools import partial
from pathlib import Path

import pytest
from playwright.async_api import Page, expect

from e2e.conftest import Browsers, Server, wait_until
from e2e.papers import poor_pdf, scanned_pdf, slides_pdf
from e2e.staff import assistants, people

pytestmark = [pytest.mark.browser, pytest.mark.timeout(360)]


async def lead_and_room(server: Server, browsers: Browsers) -> tuple[Page, Page]:
    links = server.links()
    lead = await browsers.page(links["lead"][0], size=(1440, 900))
    room = await browsers.page(links["room"][0], size=(1280, 720))
    for page in (lead, room):
        await page.get_by_test_id("join").click(timeout=40_000)
    await expect(lead.get_by_test_id("wall-tile-room-1")).to_have_attribute(
        "data-state", "never", timeout=40_000
    )
    return lead, room


async def bring(lead: Page, file: Path) -> None:
    await lead.keyboard.press("l")
    await lead.get_by_test_id("slides-file").set_input_files(file)


async def strokes(page: Page) -> int:
    found: int = await page.evaluate("window.__twinclass.strokes")
    return found


async def inked(page: Page) -> int:
    """Pixels of the ink's canvas that are not empty."""
    found: int = await page.evaluate(
        """() => {
            const canvas = document.querySelector('[data-testid="slides"] canvas.ink');
            const all = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
            return all.data.filter((value, index) => index % 4 === 3 && value > 0).length;
        }"""
    )
    return found


async def written(page: Page) -> float:
    """Share of dark pixels of the page of slides."""
    share: float = await page.evaluate(
        """() => {
            const canvas = document.querySelector('[data-testid="slides"] canvas');
            const all = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
            let dark = 0;
            for (let at = 0; at < all.data.length; at += 4) dark += all.data[at] < 120;
            return dark / (all.data.length / 4);
        }"""
    )
    return share


async def has_strokes(page: Page, count: int) -> bool:
    return await strokes(page) == count


async def is_inked(page: Page) -> bool:
    return await inked(page) > 200


async def is_clean(page: Page) -> bool:
    return await inked(page) == 0


async def test_slides_turn_and_ink_shows_where_the_class_looks(
    server: Server, browsers: Browsers, tmp_path: Path
) -> None:
    lead, room = await lead_and_room(server, browsers)
    await bring(lead, await slides_pdf(tmp_path))
    for page in (lead, room):
        await expect(page.get_by_test_id("slides")).to_have_attribute(
            "data-page", "1", timeout=40_000
        )
    await lead.keyboard.press("Escape")
    await lead.keyboard.press("ArrowRight")
    await expect(room.get_by_test_id("slides")).to_have_attribute("data-page", "2")
    await expect(lead.get_by_test_id("page-number")).to_contain_text("2 / 4")
    assert await written(room) > 0.002

    await lead.keyboard.press("b")
    box = await lead.get_by_test_id("slides").locator("canvas.ink").bounding_box()
    assert box is not None
    await lead.mouse.move(box["x"] + box["width"] * 0.2, box["y"] + box["height"] * 0.8)
    await lead.mouse.down()
    for step in range(1, 20):
        await lead.mouse.move(
            box["x"] + box["width"] * (0.2 + step * 0.02), box["y"] + box["height"] * 0.8
        )
    await wait_until(partial(has_strokes, room, 1), 5, "a stroke that is still being drawn")
    await lead.mouse.up()
    await wait_until(partial(is_inked, room), 5, "ink in the room")

    # Another page has no ink; coming back it is there again; wiped it is gone.
    await lead.keyboard.press("ArrowRight")
    await expect(room.get_by_test_id("slides")).to_have_attribute("data-page", "3")
    await wait_until(partial(is_clean, room), 5, "a clean page")
    await lead.keyboard.press("ArrowLeft")
    await wait_until(partial(is_inked, room), 5, "the ink of page 2")
    await room.reload()
    await expect(room.get_by_test_id("slides")).to_have_attribute("data-page", "2", timeout=40_000)
    await wait_until(partial(is_inked, room), 5, "the ink after a reload")
    await lead.get_by_test_id("wipe").click()
    await wait_until(partial(is_clean, room), 5, "a wiped page")


async def is_scan(page: Page) -> bool:
    # Thick characters: several times what the page before has.
    return await written(page) > 0.04


async def test_a_document_without_its_fonts_shows_its_chinese(
    server: Server, browsers: Browsers, tmp_path: Path
) -> None:
    lead, room = await lead_and_room(server, browsers)
    await bring(lead, poor_pdf(tmp_path))
    await expect(room.get_by_test_id("slides")).to_have_attribute("data-page", "1", timeout=40_000)
    # Four characters of 96 points on 640 x 360: without character maps the page stays white.
    assert await written(room) > 0.01
    # A scan is unpacked by WebAssembly, which the page's policy must let run.
    await lead.get_by_test_id("slides-file").set_input_files(scanned_pdf(tmp_path))
    await wait_until(partial(is_scan, room), 20, "the scanned page")
    (tmp_path / "words.pdf").write_text("no PDF at all")
    await lead.get_by_test_id("slides-file").set_input_files(tmp_path / "words.pdf")
    await expect(lead.get_by_test_id("slides-panel").get_by_role("alert")).to_contain_text("PDF")


async def test_hands_stand_in_their_order_and_fair_turns_go_by_one_key(
    server: Server, browsers: Browsers
) -> None:
    lead, room = await lead_and_room(server, browsers)
    links = server.links()
    async with people(server, [*assistants(server, [1, 2]), links["home_learner"][0]]) as staff:
        first, _, home = staff
        await home.command("hand_raise")
        await first.command("hand_raise", count=7)
        rows = lead.get_by_test_id("hands").get_by_role("listitem")
        await expect(rows).to_have_count(2)
        await expect(rows.nth(0)).to_have_attribute("data-testid", "hand-demo-home-1")
        await expect(rows.nth(1)).to_contain_text("×7")
        await expect(lead.get_by_test_id("hands-of-room-1")).to_be_visible()
        await expect(lead.get_by_test_id("call-next")).to_contain_text("七(1)班")

        await lead.keyboard.press("n")
        await room.get_by_test_id("on-stage").wait_for(timeout=40_000)
        # Who is called has put the hand down.
        await expect(rows).to_have_count(1)
        await expect(lead.get_by_test_id("stage-room-1")).to_be_visible()
        await lead.keyboard.press("m")
        await expect(lead.get_by_test_id("stage-room-1")).to_contain_text("已静音")
        await lead.keyboard.press("o")
        await expect(room.get_by_test_id("on-stage")).to_be_hidden()
        await lead.get_by_test_id("lower-all").click()
        await expect(rows).to_have_count(0)


async def test_signals_and_notes_reach_the_lead_and_never_a_class(
    server: Server, browsers: Browsers
) -> None:
    lead, room = await lead_and_room(server, browsers)
    said: list[str] = []
    room.on("websocket", lambda ws: ws.on("framereceived", lambda text: said.append(str(text))))
    await room.reload()
    await expect(room.locator(".room")).to_be_visible(timeout=40_000)
    async with people(server, assistants(server, [1, 2])) as (one, two):
        for helper in (one, two):
            await helper.command("pulse_send", kind="slower")
        await one.command("note_send", text="后排听不清")
        rail = lead.get_by_test_id("pulse-slower")
        await expect(rail).to_contain_text("2/")
        note = lead.get_by_test_id("notes").locator(".note")
        await expect(note).to_contain_text("后排听不清")
        await rail.get_by_role("button").click()
        await expect(rail).to_be_hidden()
        await note.get_by_role("button").click()
        await lead.keyboard.press("w")
        await lead.keyboard.type("下一题请二班")
        await lead.keyboard.press("Enter")
        await expect(note).to_have_count(2)
        assert "后排听不清" not in "".join(said)
        assert "slower" not in "".join(said)


async def test_a_question_goes_out_and_comes_back_as_bars(
    server: Server, browsers: Browsers
) -> None:
    lead, room = await lead_and_room(server, browsers)
    links = server.links()
    async with people(server, [*assistants(server, [1]), links["home_learner"][0]]) as staff:
        helper, home = staff
        await helper.command("roll_call")
        await lead.keyboard.press("q")
        await lead.get_by_test_id("quiz-text").fill("<b>(−3)</b> × (−4) = ？")
        await lead.get_by_test_id("option-text-0").fill("12")
        await lead.get_by_test_id("right-0").click()
        await lead.get_by_test_id("quiz-send").click()
        card = room.get_by_test_id("quiz-card")
        # Plain text, as it was typed.
        await expect(card).to_contain_text("<b>(−3)</b>", timeout=40_000)
        await expect(lead.get_by_test_id("quiz-missing")).to_contain_text("七(1)班")
        await helper.command("quiz_tally", quiz=1, counts=[8, 3, 1, 0])
        await home.command("quiz_answer", quiz=1, choices=[0])
        await expect(lead.get_by_test_id("bar-room-1")).to_contain_text("8")
        await expect(
            lead.get_by_test_id("quiz-panel").get_by_test_id("quiz-result")
        ).to_contain_text("69%")
        await expect(card).not_to_contain_text("%")
        await lead.get_by_test_id("quiz-close").click()
        await lead.get_by_test_id("quiz-release").click()
        await expect(room.get_by_test_id("quiz-result")).to_contain_text("69%")


async def test_time_and_group_work_run_on_the_big_screen(
    server: Server, browsers: Browsers
) -> None:
    lead, room = await lead_and_room(server, browsers)
    await lead.keyboard.press("t")
    await lead.get_by_test_id("timer-30").click()
    await expect(room.get_by_test_id("countdown")).to_contain_text("0:", timeout=40_000)
    await lead.get_by_test_id("timer-cancel").click()
    await expect(room.get_by_test_id("countdown")).to_be_hidden()
    await lead.keyboard.press("Escape")
    await lead.keyboard.press("g")
    await lead.get_by_test_id("group-task").fill("每组两题")
    await lead.get_by_test_id("group-start").click()
    await expect(room.get_by_test_id("group-work")).to_contain_text("每组两题", timeout=40_000)
    await lead.get_by_test_id("wall-tile-room-1").click()
    await expect(lead.get_by_test_id("listen-room-1")).to_have_attribute("aria-pressed", "true")
    await lead.get_by_test_id("group-end").click()
    await expect(room.get_by_test_id("group-work")).to_be_hidden()


async def test_a_co_lead_takes_over_what_is_offered(server: Server, browsers: Browsers) -> None:
    lead, room = await lead_and_room(server, browsers)
    second = await browsers.page(server.links()["co_lead"][0], size=(1440, 900))
    await second.get_by_test_id("join").click(timeout=40_000)
    await expect(second.get_by_test_id("wall-tile-room-1")).to_be_visible(timeout=40_000)
    await lead.keyboard.press("h")
    await lead.get_by_test_id("offer-demo-co-lead").click()
    await second.get_by_test_id("take-over").click()
    await expect(lead.get_by_test_id("teaching")).to_have_attribute("data-state", "others")
    await second.get_by_test_id("hand-back").click()
    await expect(lead.get_by_test_id("teaching")).to_be_hidden()
    # The lead's tab is gone: the co-lead is asked within 5 s, the class is told to wait.
    await lead.close()
    await expect(second.get_by_test_id("teaching")).to_have_attribute(
        "data-state", "needed", timeout=40_000
    )
    await second.get_by_test_id("take-over").click()
    await expect(second.get_by_test_id("teaching")).to_have_attribute("data-state", "mine")
    await asyncio.sleep(0.3)
    await expect(room.get_by_test_id("moment")).to_be_hidden()
