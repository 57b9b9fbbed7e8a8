"""The evening desk as a pupil with a phone and a tutor at her desk use it."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime
from typing import Any

import pytest
from msgspec.structs import replace
from playwright.async_api import Page, expect

from e2e.conftest import Browsers, Server
from e2e.pages.test_accessibility import barriers
from e2e.test_recording import close
from recordings.test_clips import lesson
from twinclass_recordings import manifest as m
from twinclass_recordings.library.shelf import Change, Recorded, Shelf
from twinclass_recordings.package import Package
from twinclass_server.roster.database import Database

pytestmark = [pytest.mark.browser, pytest.mark.timeout(360)]


def desk_links(server: Server) -> dict[str, str]:
    """The demo desk's links by whose they are."""
    portal: dict[str, Any] = json.loads(server.get("/api/portal"))
    return {link["participant"]: link["url"] for link in portal["evening"]}


async def ask(phone: Page, text: str) -> None:
    await phone.get_by_test_id("subject-maths").check(force=True)
    await phone.get_by_test_id("type").click()
    await phone.get_by_test_id("text").fill(text)
    await phone.get_by_test_id("send").click()


async def on_duty(server: Server, browsers: Browsers, who: str) -> Page:
    tutor = await browsers.page(desk_links(server)[who], size=(1280, 800))
    await tutor.get_by_test_id("duty-start").click()
    await expect(tutor.get_by_test_id("duty")).to_have_attribute("data-standing", "free")
    return tutor


async def test_a_question_by_phone_is_answered_in_writing(
    server: Server, browsers: Browsers
) -> None:
    tutor = await on_duty(server, browsers, "demo-tutor")
    phone = await browsers.page(desk_links(server)["demo-pupil-1"], size=(360, 640))
    await ask(phone, "请问这个证明的最后一步 $a^2+b^2$ 从哪里来？")
    offer = tutor.get_by_test_id("offer")
    await expect(offer).to_contain_text("小明", timeout=40_000)
    await expect(phone.get_by_test_id("waiting")).to_be_visible()
    assert not await barriers(phone, "desk-phone")
    await tutor.get_by_test_id("accept").click()
    await tutor.get_by_test_id("write").click()
    await tutor.get_by_test_id("answer-text").fill("由勾股定理：$a^2+b^2=c^2$。")
    assert not await barriers(tutor, "desk-tutor")
    await tutor.get_by_test_id("send-answer").click()
    answer = phone.get_by_test_id("answer")
    await expect(answer).to_contain_text("由勾股定理", timeout=40_000)
    await expect(answer.locator(".katex").first).to_be_visible()
    await phone.get_by_test_id("resolve").click()
    await expect(phone.get_by_test_id("rate")).to_be_visible()


async def test_a_question_is_explained_by_voice_on_a_board(
    server: Server, browsers: Browsers
) -> None:
    tutor = await on_duty(server, browsers, "demo-tutor")
    phone = await browsers.page(desk_links(server)["demo-pupil-2"], size=(360, 640))
    await ask(phone, "这道几何题的辅助线应该怎么画？")
    await tutor.get_by_test_id("accept").click(timeout=40_000)
    await tutor.get_by_test_id("start-live").click()
    for page in (tutor, phone):
        await expect(page.get_by_test_id("help-session")).to_be_visible(timeout=40_000)
        await expect(page.get_by_test_id("recorded")).to_be_visible()
    board = tutor.get_by_test_id("board").locator("canvas").first
    box = await board.bounding_box()
    assert box is not None
    await tutor.mouse.move(box["x"] + 60, box["y"] + 60)
    await tutor.mouse.down()
    await tutor.mouse.move(box["x"] + 220, box["y"] + 160, steps=8)
    await tutor.mouse.up()
    assert not await barriers(phone, "desk-phone")
    await tutor.get_by_test_id("end-session").click()
    await tutor.get_by_role("alertdialog").get_by_role("button").last.click()
    await expect(phone.get_by_test_id("rate")).to_be_visible(timeout=40_000)


async def test_a_call_for_help_brings_a_moderator(server: Server, browsers: Browsers) -> None:
    links = desk_links(server)
    tutor = await on_duty(server, browsers, "demo-tutor")
    moderator = await browsers.page(links["demo-moderator"], size=(1280, 800))
    phone = await browsers.page(links["demo-pupil-3"], size=(360, 640))
    await ask(phone, "请老师讲一讲这道题")
    await tutor.get_by_test_id("accept").click(timeout=40_000)
    await tutor.get_by_test_id("start-live").click()
    await expect(phone.get_by_test_id("help-session")).to_be_visible(timeout=40_000)
    await phone.get_by_test_id("help-key").first.click()
    await phone.get_by_test_id("help-call").click()
    await expect(phone.get_by_role("status").first).to_contain_text("值班老师", timeout=40_000)
    await moderator.get_by_test_id("case-enter").click(timeout=40_000)
    await expect(moderator.get_by_test_id("help-session")).to_be_visible(timeout=40_000)
    # She learns of it when somebody is there, and from nothing else.
    await expect(tutor.get_by_test_id("help-session")).to_be_visible()


async def test_a_question_left_open_in_a_lesson_is_asked_in_the_evening_by_one_tap(
    server: Server, browsers: Browsers
) -> None:
    phone = await browsers.page(server.links()["home_learner"][0], size=(360, 640))
    await phone.get_by_test_id("join").click(timeout=40_000)
    # While the lesson goes on it is a quiet entry, which opens beside the lesson.
    await phone.get_by_test_id("reach").click(timeout=40_000)
    beside = phone.get_by_test_id("carry")
    await expect(beside).to_be_visible()
    await expect(beside).to_have_attribute("target", "_blank")
    assert not await barriers(phone, "learner-carry")
    await asyncio.to_thread(close, server)
    await expect(phone.get_by_test_id("full-page")).to_be_visible(timeout=40_000)
    assert not await barriers(phone, "learner-over")
    await phone.get_by_test_id("carry").click()
    chip = phone.get_by_test_id("origin")
    await expect(chip).to_contain_text("来自 有理数的乘法", timeout=40_000)
    await expect(phone.get_by_test_id("subject-maths")).to_be_checked()
    await phone.reload()
    await expect(chip).to_contain_text("来自 有理数的乘法", timeout=40_000)
    tutor = await phone.context.new_page()
    await tutor.goto(desk_links(server)["demo-tutor"])
    await tutor.get_by_test_id("duty-start").click()
    await expect(tutor.get_by_test_id("duty")).to_contain_text("全天")
    await ask(phone, "同号相乘为什么得正？")
    offer = tutor.get_by_test_id("offer")
    await expect(offer.get_by_test_id("origin")).to_contain_text(
        "来自 有理数的乘法", timeout=40_000
    )
    own = phone.get_by_test_id("waiting").locator("xpath=..").get_by_test_id("origin")
    await expect(own).to_contain_text("来自 有理数的乘法")
    assert not await barriers(phone, "desk-phone")
    assert not await barriers(tutor, "desk-tutor")


async def recorded(server: Server) -> str:
    """Puts a recording of the demo lesson into the library, open to teachers of the city."""
    root = server.data / "recordings"
    made, manifest = await lesson(root)
    name = "demo-100"
    made.folder.rename(root / name)
    Package.of(root, name).manifest.write_bytes(m.encode(replace(manifest, lesson=name)))
    shelf = Shelf(Database("", server.data).session)
    taught = datetime(2026, 11, 2, tzinfo=UTC)
    shelf.take(
        Recorded(name, "demo", "有理数的乘法", "", taught, manifest.duration_s, 1, "l", "示例老师")
    )
    shelf.change(name, Change(visibility="city"))
    return name


async def test_a_part_of_a_recording_is_asked_about_and_watched_by_the_tutor(
    server: Server, browsers: Browsers
) -> None:
    name = await recorded(server)
    token = server.links()["home_learner"][0].partition("token=")[2]
    pupil = await browsers.page(f"{server.base}/library/lesson/{name}?t=7#token={token}")
    await pupil.get_by_test_id("carry").wait_for(timeout=40_000)
    assert await pupil.evaluate("() => __player.time()") == 7
    assert not await barriers(pupil, "library-carry")
    await pupil.get_by_test_id("carry").click()
    await expect(pupil.get_by_test_id("origin")).to_contain_text("新课 0:07", timeout=40_000)
    tutor = await pupil.context.new_page()
    await tutor.goto(desk_links(server)["demo-tutor"])
    await tutor.get_by_test_id("duty-start").click()
    await ask(pupil, "这一步为什么变号，移过去不是一样的吗？")
    chip = tutor.get_by_test_id("offer").get_by_test_id("origin").get_by_role("link")
    await expect(chip).to_contain_text("有理数的乘法 · 新课 0:07", timeout=40_000)
    async with tutor.context.expect_page() as opened:
        await chip.click()
    watched = await opened.value
    await watched.get_by_test_id("player").wait_for(timeout=40_000)
    assert await watched.evaluate("() => __player.time()") == 7
    # There is nothing else for her behind this link.
    await expect(watched.get_by_test_id("back")).to_have_count(0)
    assert not await barriers(watched, "library-chapter")
