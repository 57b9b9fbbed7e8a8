"""Pages of the evening desk as pictures in ``screenshots/``, and without barriers.

Every state is caused: by people of other roles on real WebSockets, or by the browser's own hand.
"""

from __future__ import annotations

import asyncio
import io
import os
import signal
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw
from playwright.async_api import Page, expect

from e2e.conftest import Browsers, Server
from e2e.pages.test_accessibility import barriers
from e2e.pages.test_page_pictures import keep
from e2e.test_desk import desk_links
from hosting.desk_page import DeskPage, close_desk_pages, desk_token
from twinclass_server.adapters.data_folder import DataFolder
from twinclass_signaling.desk import commands as c
from twinclass_signaling.desk.plan import QuestionId, SessionNumber
from twinclass_signaling.desk.view_types import PupilView, TutorView
from twinclass_signaling.roles import Role

pytestmark = [pytest.mark.browser, pytest.mark.full, pytest.mark.timeout(600)]

PHONE, DESK = (360, 740), (1280, 800)
Q, S = QuestionId, SessionNumber
LONG = "一个水池有两个进水管，单开甲管 $6$ 小时注满，单开乙管 $8$ 小时注满，两管同开要多久？"


class Pictures:
    """Keeps pictures of states and what axe found in them. ``width``: of the page's device."""

    def __init__(self) -> None:
        self.found: list[str] = []

    async def take(self, page: Page, name: str) -> None:
        await asyncio.sleep(0.4)
        await keep(
            page,
            f"desk-{name}",
            full_page=page.viewport_size == {"width": PHONE[0], "height": PHONE[1]},
        )
        self.found += await barriers(page, name)

    async def both(self, page: Page, name: str) -> None:
        """The same state on a phone and on a large screen."""
        await self.take(page, name)
        before = page.viewport_size
        await page.set_viewport_size({"width": DESK[0], "height": DESK[1]})
        await self.take(page, f"{name}-wide")
        assert before is not None
        await page.set_viewport_size(before)


async def other(server: Server, role: Role, person: str, **more: object) -> DeskPage:
    keys = DataFolder(server.data).read_keys()
    page, _ = await DeskPage.enter(server.port, desk_token(keys, role, person, **more))
    return page


async def tutor_on_duty(server: Server, person: str = "demo-tutor") -> DeskPage:
    tutor = await other(server, Role.TUTOR, person, name="答疑老师（演示）")
    await tutor.do(c.StartDuty())
    return tutor


async def offered(tutor: DeskPage) -> QuestionId:
    view = await tutor.see(TutorView, lambda view: view.offer is not None)
    assert view.offer is not None
    return view.offer.question


def sheet() -> bytes:
    """A page of a notebook."""
    paper = np.full((1200, 900, 3), (250, 248, 240), np.uint8)
    paper[60::48] = (205, 215, 230)
    image = Image.fromarray(paper)
    pen = ImageDraw.Draw(image)
    pen.polygon([(180, 760), (640, 760), (180, 360)], outline=(30, 40, 90), width=6)
    pen.rectangle((180, 720, 220, 760), outline=(30, 40, 90), width=4)
    for n, line in enumerate(("a = 3", "b = 4", "c = ?")):
        pen.text((260, 120 + 60 * n), line, fill=(30, 40, 90), font_size=44)
    sent = io.BytesIO()
    image.save(sent, "JPEG", quality=85)
    return sent.getvalue()


async def write(page: Page, text: str, subject: str = "maths") -> None:
    await page.get_by_test_id(f"subject-{subject}").check(force=True)
    if await page.get_by_test_id("type").is_visible():
        await page.get_by_test_id("type").click()
    await page.get_by_test_id("text").fill(text)


async def test_a_pupil_s_evening(server: Server, browsers: Browsers, tmp_path: Path) -> None:
    seen = Pictures()
    links = desk_links(server)
    photo = tmp_path / "sheet.jpg"
    photo.write_bytes(sheet())
    keys = DataFolder(server.data).read_keys()
    child = desk_token(keys, Role.PUPIL, "pupil-without-consent", grade=7, name="小乐")
    phone = await browsers.page(f"{server.base}/desk#token={child}", size=PHONE)
    await phone.get_by_test_id("consent").wait_for()
    await seen.both(phone, "pupil-consent")
    await phone.goto("about:blank")
    await phone.goto(links["demo-pupil-1"])
    await phone.get_by_test_id("ask").wait_for()
    await seen.both(phone, "pupil-ask")
    await write(phone, "加我微信 abc12345 讲给我听")
    await phone.get_by_test_id("send").click()
    await expect(phone.get_by_role("alert").first).to_be_visible()
    await seen.take(phone, "pupil-blocked")
    # The bank knows it.
    await write(phone, "解方程 $3x+5=20$ 的时候，移项为什么要变号？")
    await phone.get_by_test_id("send").click()
    await phone.get_by_test_id("bank-match").wait_for()
    await seen.both(phone, "pupil-bank")
    await phone.get_by_test_id("bank-refuse").click()
    await phone.get_by_test_id("waiting").wait_for()
    await seen.both(phone, "pupil-nobody-on-duty")
    await phone.get_by_test_id("withdraw").click()
    dialog = phone.get_by_role("alertdialog")
    if await dialog.count():
        await dialog.get_by_role("button").last.click()
    await phone.get_by_test_id("tab-tonight").click()
    await phone.get_by_test_id("tonight").wait_for()
    await seen.take(phone, "pupil-tonight")
    await phone.get_by_test_id("tab-bank").click()
    await phone.get_by_test_id("bank").wait_for()
    await seen.both(phone, "pupil-bank-page")
    await phone.get_by_test_id("bank-search").fill("火星上的水")
    await phone.get_by_test_id("bank-empty").wait_for()
    await seen.take(phone, "pupil-bank-empty")
    await phone.get_by_test_id("tab-ask").click()
    # A photo, a tutor who takes it, a written answer.
    tutor = await tutor_on_duty(server)
    if await phone.get_by_test_id("ask-again").count():
        await phone.get_by_test_id("ask-again").click()
    await phone.get_by_test_id("album-file").set_input_files(photo)
    await write(phone, "斜边上的高怎么求？照片里是我画的图")
    await seen.take(phone, "pupil-photo")
    await phone.get_by_test_id("send").click()
    number = await offered(tutor)
    await phone.get_by_test_id("waiting").wait_for()
    await seen.both(phone, "pupil-offered")
    await tutor.do(c.AcceptOffer(number))
    await expect(phone.get_by_test_id("waiting")).to_contain_text("答疑老师")
    await seen.take(phone, "pupil-claimed")
    answer = await tutor.store(
        "面积不变：$\\frac{1}{2}ab=\\frac{1}{2}ch$，所以 $h=\\frac{ab}{c}=2.4$。"
    )
    await tutor.do(c.AnswerQuestion(number, answer))
    await phone.get_by_test_id("answer").wait_for()
    await seen.both(phone, "pupil-answer")
    await phone.get_by_test_id("resolve").click()
    await phone.get_by_test_id("rate").wait_for()
    await seen.both(phone, "pupil-rate")
    for what in ("understood", "patient", "again"):
        await phone.get_by_test_id(f"{what}-2").check(force=True)
    await phone.get_by_test_id("rate-send").click()
    # Live help, help key, the moderator's coming.
    await phone.get_by_test_id("ask").or_(phone.get_by_test_id("ask-again")).first.wait_for()
    if await phone.get_by_test_id("ask-again").count():
        await phone.get_by_test_id("ask-again").click()
    await write(phone, LONG)
    await phone.get_by_test_id("send").click()
    number = await offered(tutor)
    await tutor.do(c.AcceptOffer(number))
    await tutor.do(c.StartSession(number))
    await phone.get_by_test_id("help-session").wait_for()
    await seen.both(phone, "pupil-live")
    await phone.get_by_test_id("help-key").first.click()
    await phone.get_by_test_id("help-call").wait_for()
    await seen.take(phone, "pupil-help")
    await phone.get_by_test_id("help-call").click()
    await asyncio.sleep(1)
    await seen.take(phone, "pupil-help-coming")
    moderator = await other(server, Role.MODERATOR, "demo-moderator", name="值守老师（演示）")
    await moderator.do(c.EnterSession(S(1)))
    await asyncio.sleep(1)
    await seen.take(phone, "pupil-moderator-here")
    await tutor.do(c.EndSession(S(1)))
    # Others: a shared question to follow, an open room to join.
    second = await other(server, Role.PUPIL, "demo-pupil-2", name="小红", grade=7)
    await tutor.do(c.PauseDuty(on=True))
    await second.ask(shared=True)
    await phone.get_by_test_id("shared").wait_for()
    await seen.both(phone, "pupil-others")
    # The line is lost.
    assert server.process is not None
    os.kill(server.process.pid, signal.SIGSTOP)
    try:
        await phone.evaluate("window.dispatchEvent(new Event('online'))")
        await expect(phone.get_by_role("status").first).to_be_visible()
        await asyncio.sleep(8)
        await seen.take(phone, "pupil-line-lost")
    finally:
        os.kill(server.process.pid, signal.SIGCONT)
    await close_desk_pages()
    assert seen.found == []
    assert browsers.problems == []


async def test_a_pupil_who_waits_long_and_a_closed_desk(
    server: Server, browsers: Browsers, tmp_path: Path
) -> None:
    """The ladder is shown after five minutes in the queue; the desk's clock is moved for it."""
    seen = Pictures()
    server.stop()
    skew = Path(__file__).parents[2] / "faults/skewed_clock"
    tutors = [f"demo-tutor{suffix}" for suffix in ("", "-2")]
    server.start()
    await server.wait_ready()
    tutor = await tutor_on_duty(server, tutors[0])
    first = await other(server, Role.PUPIL, "pupil-2", name="小红")
    await first.ask()
    number = await offered(tutor)
    await tutor.do(c.AcceptOffer(number))
    await tutor.do(c.StartSession(number))
    links = desk_links(server)
    phone = await browsers.page(links["demo-pupil-1"], size=PHONE)
    await write(phone, LONG)
    await phone.get_by_test_id("send").click()
    await phone.get_by_test_id("waiting").wait_for()
    await seen.both(phone, "pupil-waiting")
    server.stop()
    server.environment = {"PYTHONPATH": str(skew), "TEST_CLOCK_OFFSET_S": "301"}
    server.start()
    await server.wait_ready()
    again = await other(server, Role.TUTOR, tutors[0], name="答疑老师（演示）")
    await again.see(TutorView, lambda _: True)
    await phone.get_by_test_id("ladder").wait_for(timeout=90_000)
    await seen.both(phone, "pupil-ladder")
    await close_desk_pages()
    assert seen.found == []


async def test_a_tutor_s_evening(server: Server, browsers: Browsers, tmp_path: Path) -> None:
    seen = Pictures()
    links = desk_links(server)
    desk = await browsers.page(links["demo-tutor"], size=DESK)
    await desk.get_by_test_id("duty-start").wait_for()
    await seen.take(desk, "tutor-off-duty")
    await desk.get_by_test_id("duty-start").click()
    await desk.get_by_test_id("idle").wait_for()
    await seen.take(desk, "tutor-free")
    pupil = await other(server, Role.PUPIL, "pupil-1", name="小明")
    uploaded = await pupil.http(
        "POST", "photos", content=sheet(), headers={"Content-Type": "image/jpeg"}
    )
    content = await pupil.store("照片里的斜边上的高怎么求？$h=?$", (uploaded.json()["photo"],))
    await pupil.do(c.AskQuestion("maths", content, "photo"))
    await desk.get_by_test_id("offer").wait_for()
    await desk.get_by_test_id("content").first.wait_for()
    await seen.take(desk, "tutor-offer")
    await desk.get_by_test_id("accept").click()
    await desk.get_by_test_id("held").wait_for()
    await seen.take(desk, "tutor-held")
    await desk.get_by_test_id("write").click()
    await desk.get_by_test_id("answer-text").fill("面积不变：$\\frac{1}{2}ab=\\frac{1}{2}ch$。")
    await seen.take(desk, "tutor-writing")
    await desk.get_by_test_id("draw").click()
    sheet_box = await desk.get_by_test_id("draw-sheet").bounding_box()
    assert sheet_box is not None
    await desk.mouse.move(sheet_box["x"] + 120, sheet_box["y"] + 120)
    await desk.mouse.down()
    for n in range(30):
        place = (sheet_box["x"] + 120 + 5 * n, sheet_box["y"] + 120 + 4 * n)
        await desk.mouse.move(*place)
    await desk.mouse.up()
    await expect(desk.get_by_test_id("draw-sheet")).to_have_attribute("data-strokes", "1")
    await seen.take(desk, "tutor-drawing")
    await desk.get_by_test_id("draw-done").click()
    await expect(desk.locator(".shots img")).to_have_count(1)
    await desk.get_by_test_id("send-answer").click()
    await desk.get_by_test_id("idle").wait_for()
    others = [await other(server, Role.PUPIL, f"pupil-{n}", name=f"小{n}") for n in range(2, 6)]
    for one in others:
        await one.ask()
    await desk.get_by_test_id("accept").click()
    await desk.get_by_test_id("start-live").click()
    await desk.get_by_test_id("help-session").wait_for()
    board = desk.get_by_test_id("board").locator("canvas").first
    box = await board.bounding_box()
    assert box is not None
    await desk.mouse.move(box["x"] + 160, box["y"] + 160)
    await desk.mouse.down()
    for n in range(40):
        await desk.mouse.move(box["x"] + 160 + 6 * n, box["y"] + 160 + 80 * np.sin(n / 4))
    await desk.mouse.up()
    await seen.take(desk, "tutor-live")
    await desk.get_by_test_id("end-session").click()
    await desk.get_by_role("alertdialog").wait_for()
    await seen.take(desk, "tutor-end")
    await desk.get_by_role("alertdialog").get_by_role("button").last.click()
    await desk.get_by_test_id("offer").wait_for()
    await desk.get_by_test_id("pass").click()
    await asyncio.sleep(1)
    await seen.take(desk, "tutor-queue")
    await desk.get_by_test_id("tally").scroll_into_view_if_needed()
    await seen.take(desk, "tutor-tally")
    await close_desk_pages()
    assert seen.found == []
    assert browsers.problems == []


async def test_staff_and_guardians(server: Server, browsers: Browsers, tmp_path: Path) -> None:
    seen = Pictures()
    links = desk_links(server)
    staff = await browsers.page(links["demo-moderator"], size=DESK)
    await staff.get_by_test_id("queues").wait_for()
    await seen.take(staff, "moderator-quiet")
    tutor = await tutor_on_duty(server)
    pupil = await other(server, Role.PUPIL, "demo-pupil-1", name="小明", grade=7)
    await pupil.ask()
    number = await offered(tutor)
    await tutor.do(c.AcceptOffer(number))
    await tutor.do(c.StartSession(number))
    await pupil.see(PupilView, lambda view: view.session is not None)
    blocked = {"text": "加我微信 abc12345", "photos": [], "voice": None}
    await tutor.http("POST", "contents", json=blocked)
    for n in range(2, 7):
        one = await other(server, Role.PUPIL, f"pupil-{n}", name=f"小{n}")
        await one.ask(shared=n % 2 == 0)
    await pupil.do(c.ReportSafety(S(1)))
    await staff.get_by_test_id("case-enter").wait_for()
    await seen.take(staff, "moderator-case")
    await staff.get_by_test_id("case-enter").click()
    await staff.get_by_test_id("help-session").wait_for()
    await seen.take(staff, "moderator-in-session")
    await tutor.do(c.EndSession(S(1)))
    await staff.get_by_test_id("queues").wait_for()
    tabs = staff.locator('[data-testid^="mod-"]')
    for index in range(await tabs.count()):
        await tabs.nth(index).click()
        await seen.take(staff, f"moderator-tab-{index}")
    for who, name, size in (
        ("demo-planner", "planner", DESK),
        ("demo-guardian", "guardian", PHONE),
        ("demo-officer", "officer", DESK),
    ):
        await staff.goto("about:blank")
        await staff.set_viewport_size({"width": size[0], "height": size[1]})
        await staff.goto(links[who])
        await staff.locator("h1, h2").first.wait_for()
        await asyncio.sleep(0.7)
        await seen.take(staff, name)
        if name == "planner":
            await staff.get_by_test_id("add-duty").click()
            await staff.get_by_test_id("duty-save").wait_for()
            await seen.take(staff, "planner-form")
            await staff.keyboard.press("Escape")
            await staff.get_by_test_id("day").select_option("date")
            await staff.get_by_test_id("date").fill("2027-01-04")
            await staff.get_by_test_id("roster-empty").wait_for()
            await seen.take(staff, "planner-date")
    for path, name in (("/desk", "no-token"), ("/desk#token=not.a.token", "bad-link")):
        await staff.goto("about:blank")
        await staff.goto(server.base + path)
        await staff.locator("h1").first.wait_for()
        await seen.take(staff, name)
    await close_desk_pages()
    assert seen.found == []
