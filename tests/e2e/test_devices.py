"""Cameras and microphones as people meet them: allowed, refused, pulled out."""

from __future__ import annotations

import asyncio
from functools import partial

import pytest
from playwright.async_api import Page

from e2e.conftest import Browsers, Server, frames, statistics, wait_until
from e2e.marks import slot

pytestmark = [pytest.mark.browser, pytest.mark.timeout(360)]

#: The last of two such flags counts. Chromium itself encodes nothing of its second fake camera.
THREE_CAMERAS = ("--use-fake-device-for-media-stream=device-count=3,fps=30",)


async def advances(page: Page, use: str) -> bool:
    found = await slot(page, use, "video")
    if found is None or found["participant"] is None:
        return False
    first = await frames(page, found["mid"])
    await asyncio.sleep(0.5)
    return await frames(page, found["mid"]) >= first + 2


async def test_devices_that_the_browser_was_allowed_before_are_sent(
    server: Server, browsers: Browsers
) -> None:
    links = server.links()
    # No flag that says yes for the person: the permission was given to this site.
    lead = await browsers.page(links["lead"][0], fake_ui=False)
    home = await browsers.page(links["home_learner"][0], size=(360, 640), fake_ui=False)
    for page in (lead, home):
        await page.get_by_test_id("join").click(timeout=40_000)
    await wait_until(partial(advances, home, "lead"), 20, "the lead is seen at home")
    await lead.get_by_test_id("call-on-demo-home-1").click()
    await wait_until(partial(advances, lead, "stage"), 20, "the learner is seen by the lead")


@pytest.mark.parametrize(
    ("locale", "title", "enter"),
    [
        ("zh-CN", "没有获准使用摄像头", "不用设备，直接进入"),
        ("en-US", "The camera is not allowed", "Enter without devices"),
    ],
)
async def test_refused_devices_are_explained_and_one_may_watch_without(
    locale: str, title: str, enter: str, server: Server, browsers: Browsers
) -> None:
    links = server.links()
    lead = await browsers.page(links["lead"][0])
    await lead.get_by_test_id("join").click(timeout=40_000)
    home = await browsers.page(
        links["home_learner"][0], size=(360, 640), grant=False, fake_ui=False, locale=locale
    )
    problem = home.get_by_test_id("problem-refused")
    await problem.get_by_text(title).wait_for(timeout=40_000)
    await home.get_by_role("button", name=enter).click()
    await wait_until(partial(advances, home, "lead"), 20, "one watches without devices")
    assert not (await statistics(home))["uplink"], "nothing is sent"
    await lead.get_by_test_id("home-row-demo-home-1").wait_for(timeout=40_000)


async def pull_out(page: Page, testid: str) -> None:
    """What the system does when a device goes: the track ends by itself."""
    await page.evaluate(
        """id => {
            const video = document.querySelector(`[data-testid="${id}"]`);
            const track = video.srcObject.getVideoTracks()[0];
            track.stop();
            track.dispatchEvent(new Event('ended'));
        }""",
        testid,
    )


async def is_camera(page: Page, label: str) -> bool:
    shown: str = await page.evaluate(
        """() => document.querySelector('[data-testid="own-camera"]')
            .srcObject.getVideoTracks()[0].label"""
    )
    return shown == label


async def test_a_camera_that_is_pulled_out_is_told_and_another_one_chosen(
    server: Server, browsers: Browsers
) -> None:
    links = server.links()
    lead = await browsers.page(links["lead"][0], arguments=THREE_CAMERAS, size=(1440, 900))
    home = await browsers.page(links["home_learner"][0], size=(360, 640))
    for page in (lead, home):
        await page.get_by_test_id("join").click(timeout=40_000)
    await wait_until(partial(advances, home, "lead"), 20, "the lead is seen at home")
    await pull_out(lead, "own-camera")
    told = lead.get_by_test_id("device-lost")
    await told.get_by_text("摄像头断开了").wait_for(timeout=40_000)
    assert "摄像头 无" in await lead.get_by_test_id("camera").inner_text()

    await lead.get_by_test_id("choose-device").click()
    choice = lead.get_by_test_id("choose-camera")
    names = await choice.locator("option").all_inner_texts()
    assert len(names) == 4, names
    await choice.select_option(index=3)
    await lead.get_by_test_id("device-dialog").get_by_role("button", name="好了").click()
    await told.wait_for(state="hidden")
    await wait_until(partial(is_camera, lead, names[3]), 5, "the chosen camera is open")
    await wait_until(partial(advances, home, "lead"), 20, "the other camera is seen at home")


async def test_a_camera_that_comes_back_is_sent_again_by_itself(
    server: Server, browsers: Browsers
) -> None:
    links = server.links()
    room = await browsers.page(links["room"][0], size=(1280, 720))
    lead = await browsers.page(links["lead"][0], size=(1440, 900))
    for page in (room, lead):
        await page.get_by_test_id("join").click(timeout=40_000)
    await wait_until(partial(advances, lead, "wall"), 20, "the room is on the wall")
    await lead.get_by_test_id("call-on-room-1").click()
    await room.get_by_test_id("self-view").wait_for(timeout=40_000)
    # Gone: what opens a camera fails as long as none is there, and says so at once.
    await room.evaluate(
        """() => {
            const video = document.querySelector('[data-testid="self-view"] video');
            const devices = navigator.mediaDevices;
            window.realOpen = devices.getUserMedia.bind(devices);
            devices.getUserMedia = () => Promise.reject(new DOMException('', 'NotFoundError'));
            const track = video.srcObject.getVideoTracks()[0];
            track.stop();
            track.dispatchEvent(new Event('ended'));
            devices.dispatchEvent(new Event('devicechange'));
        }"""
    )
    told = room.get_by_test_id("device-lost")
    await told.wait_for(timeout=40_000)
    await asyncio.sleep(0.5)
    assert await told.is_visible(), "the failed attempt does not hide what happened"
    await room.evaluate(
        """() => {
            navigator.mediaDevices.getUserMedia = window.realOpen;
            navigator.mediaDevices.dispatchEvent(new Event('devicechange'));
        }"""
    )
    await told.wait_for(state="hidden")
    await wait_until(partial(advances, lead, "wall"), 20, "the room is on the wall again")
