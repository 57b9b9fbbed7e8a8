"""Like questions and guardians' words as pages show them."""

from __future__ import annotations

import asyncio
import json
import urllib.request

import pytest
from playwright.async_api import Page, expect

from e2e.conftest import Browsers, Server
from e2e.pages.test_accessibility import barriers
from e2e.test_desk import ask, desk_links, on_duty

pytestmark = [pytest.mark.browser, pytest.mark.timeout(360)]


def say(server: Server, purpose: str, *, given: bool) -> None:
    """What the demo's guardian agrees to for the first child, or does not any more."""
    token = desk_links(server)["demo-guardian"].partition("#token=")[2]
    body = {"child": "demo-pupil-1", "purpose": purpose, "given": given}
    request = urllib.request.Request(
        f"{server.base}/api/desk/consents",
        json.dumps(body).encode(),
        {"Authorization": f"Bearer {token}", "Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=5) as answer:
        assert answer.status == 200


async def share(phone: Page) -> None:
    await phone.locator(".options summary").click()
    await phone.locator(".check input").check()


async def to_the_queue(phone: Page) -> None:
    """Sends what the bank may know on to the tutors."""
    waiting = phone.locator('[data-testid="waiting"][data-state="queued"]')
    refuse = phone.get_by_test_id("bank-refuse")
    await expect(waiting.or_(refuse).first).to_be_visible()
    if await refuse.count():
        await refuse.first.click()
    await expect(waiting).to_be_visible()


async def test_like_questions_are_joined_or_merged(server: Server, browsers: Browsers) -> None:
    links = desk_links(server)
    moderator = await browsers.page(links["demo-moderator"], size=(1280, 800))
    phones = [await browsers.page(links[f"demo-pupil-{n}"], size=(360, 640)) for n in (1, 2, 3)]
    await share(phones[0])
    await ask(phones[0], "已知一次函数y=2x+3的图象，求它与x轴的交点")
    await to_the_queue(phones[0])
    await ask(phones[1], "一次函数y=2x+3的图象和x轴交点怎么求")
    await to_the_queue(phones[1])
    alike = phones[1].get_by_test_id("alike")
    await expect(alike).to_contain_text("已知一次函数")
    assert not await barriers(phones[1], "desk-alike-phone")
    await ask(phones[2], "一次函数y=2x+3的图象，与x轴的交点")
    await to_the_queue(phones[2])
    pairs = moderator.get_by_test_id("alike").locator("li")
    await expect(pairs.first).to_contain_text("已知一次函数")
    await expect(pairs.first).to_contain_text("小明")
    assert not await barriers(moderator, "desk-alike-moderator")
    await alike.get_by_role("button").first.click()
    await expect(alike).to_have_count(0)
    await expect(phones[0].get_by_test_id("waiting")).to_contain_text("1 位同学")
    await moderator.get_by_test_id("pair-1-3").get_by_role("button").first.click()
    await expect(phones[0].get_by_test_id("waiting")).to_contain_text("2 位同学")
    await expect(moderator.get_by_test_id("alike")).to_have_count(0)
    tutor = await on_duty_asked(server, browsers)
    await expect(tutor.get_by_test_id("offer")).to_contain_text("3 人在问这道题")


async def on_duty_asked(server: Server, browsers: Browsers) -> Page:
    tutor = await browsers.page(desk_links(server)["demo-tutor"], size=(1280, 800))
    await tutor.get_by_test_id("duty-start").click()
    return tutor


async def test_a_guardian_s_word_is_on_her_child_s_page_at_once(
    server: Server, browsers: Browsers
) -> None:
    tutor = await on_duty(server, browsers, "demo-tutor")
    phone = await browsers.page(desk_links(server)["demo-pupil-1"], size=(360, 640))
    await expect(phone.get_by_test_id("camera")).to_be_visible()
    await asyncio.to_thread(say, server, "photo", given=False)
    await expect(phone.get_by_test_id("photo-refused")).to_be_visible()
    await expect(phone.get_by_test_id("camera")).to_have_count(0)
    assert not await barriers(phone, "desk-no-photo")
    await phone.get_by_test_id("subject-maths").check(force=True)
    await phone.get_by_test_id("text").fill("请问辅助线为什么这样画")
    await phone.get_by_test_id("send").click()
    await tutor.get_by_test_id("accept").click()
    await tutor.get_by_test_id("start-live").click()
    await expect(phone.get_by_test_id("help-session")).to_be_visible()
    await asyncio.to_thread(say, server, "recording", given=False)
    await expect(phone.get_by_test_id("not-recorded")).to_contain_text("录音录像")
    await expect(phone.get_by_test_id("help-session")).to_have_count(0)
    await expect(tutor.get_by_test_id("offer")).to_contain_text("想看文字回答")
    await phone.get_by_test_id("withdraw").click()
    await phone.get_by_role("alertdialog").get_by_role("button").last.click()
    await expect(phone.get_by_test_id("no-live")).to_contain_text("录音录像")
    await asyncio.to_thread(say, server, "desk", given=False)
    await expect(phone.get_by_test_id("consent")).to_be_visible()
