"""A class at work: the assistant's console, a home, a home group, with a lead who asks."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from typing import TypeVar

import pytest
from playwright.async_api import Page as BrowserPage
from playwright.async_api import expect

from e2e.conftest import Browsers, Server, wait_until
from e2e.pages.test_page_pictures import keep
from hosting.page import Page, close_pages
from twinclass_signaling.messages import Ack, Error, LessonView, ServerMessage, Tool
from twinclass_signaling.tool_commands import (
    AnswerPulse,
    CloseQuiz,
    OpenQuiz,
    ReleaseQuiz,
    SendNote,
    SetPolicy,
    StartCountdown,
    StartGroupWork,
)
from twinclass_signaling.tool_views import (
    AttendanceView,
    BackchannelView,
    HandsView,
    QuizzesView,
    ToolView,
)

pytestmark = [pytest.mark.browser, pytest.mark.timeout(360)]
V = TypeVar("V")


class Lead:
    """The lead as a client without media: what she is shown, and what she asks for."""

    def __init__(self, page: Page, lesson: LessonView) -> None:
        self.page = page
        self._views: dict[type, ToolView] = {}
        tools = lesson.tools
        for name in tools.__struct_fields__:
            view: ToolView = getattr(tools, name)
            self._views[type(view)] = view

    @classmethod
    async def enter(cls, server: Server) -> Lead:
        page, welcome = await Page.enter(server.port, server.links()["lead"][0].split("#token=")[1])
        return cls(page, welcome.lesson)

    def note(self, message: ServerMessage) -> None:
        if isinstance(message, Tool):
            self._views[type(message.view)] = message.view

    async def view(self, kind: type[V], is_right: Callable[[V], bool]) -> V:
        """Waits until a view is as wanted."""
        async with asyncio.timeout(5):
            while True:
                found = self._views.get(kind)
                if isinstance(found, kind) and is_right(found):
                    return found
                self.note(await self.page.receive())

    async def ask(self, command: object) -> None:
        answer = await self.page.command(command)  # type: ignore[arg-type]
        for message in self.page.seen:
            self.note(message)
        self.page.seen.clear()
        assert isinstance(answer, Ack), answer


async def console(server: Server, browsers: Browsers) -> BrowserPage:
    page = await browsers.page(server.links()["assistant"][0], size=(1024, 768))
    await expect(page.get_by_test_id("class-seats")).to_be_visible(timeout=40_000)
    return page


async def home(server: Server, browsers: Browsers, role: str, size: tuple[int, int]) -> BrowserPage:
    page = await browsers.page(server.links()[role][0], size=size)
    await page.get_by_test_id("join").click(timeout=40_000)
    await expect(page.get_by_test_id("class-chip")).to_be_visible(timeout=40_000)
    return page


async def test_an_assistant_runs_her_class_with_one_hand(
    server: Server, browsers: Browsers
) -> None:
    lead = await Lead.enter(server)
    page = await console(server, browsers)
    await keep(page, "console-start")

    # Roll call by exception: one absent, one late.
    seats = page.get_by_test_id("class-seats").locator("li button")
    pupils = await seats.count()
    assert pupils >= 10
    await seats.nth(2).click()
    await seats.nth(4).click(click_count=2, delay=60)
    await expect(page.get_by_test_id("roll-state")).to_contain_text("没有提交")
    await page.get_by_test_id("roll-save").click()
    view = await lead.view(AttendanceView, lambda v: any(c.absent for c in v.classes))
    ours = next(one for one in view.classes if one.room == "room-1")
    assert (ours.in_room, ours.absent, ours.late) == (pupils - 1, 1, 1)

    # Three taps, one hand of three.
    for _ in range(3):
        await page.get_by_test_id("hand-more").click()
    hands = await lead.view(HandsView, lambda v: bool(len(v.hands) == 1))
    assert (hands.hands[0].participant, hands.hands[0].count) == ("room-1", 3)

    # A signal, a note, and the lead's tap back.
    await page.get_by_test_id("pulse-slower").click()
    channel = await lead.view(BackchannelView, lambda v: bool(v.sums))
    assert (channel.sums[0].kind, channel.sums[0].rooms) == ("slower", ("room-1",))
    await lead.ask(AnswerPulse("slower"))
    await expect(page.get_by_test_id("pulse-slower")).to_contain_text("主讲已看到")
    await page.get_by_test_id("note-text").fill("后排看不清板书")
    await page.get_by_test_id("note-send").click()
    channel = await lead.view(BackchannelView, lambda v: bool(v.notes))
    assert channel.notes[-1].text == "后排看不清板书"
    await lead.ask(SendNote("收到，字写大一点"))
    await expect(page.get_by_test_id("notes")).to_contain_text("收到，字写大一点")

    # Cards are lifted, she types four numbers.
    await lead.ask(OpenQuiz("single", "(-3) × (-4) = ?", ("12", "-12", "7", "-7"), (0,)))
    await expect(page.get_by_test_id("tally")).to_contain_text("(-3) × (-4) = ?")
    present = pupils - 1
    await page.get_by_test_id("tally-0").fill(str(present + 3))
    await expect(page.get_by_test_id("tally-send")).to_be_disabled()
    for index, count in enumerate((present - 6, 3, 2, 1)):
        await page.get_by_test_id(f"tally-{index}").fill(str(count))
    await expect(page.get_by_test_id("tally")).to_contain_text("与到课人数相符")
    await keep(page, "console-full")
    await page.get_by_test_id("tally-send").click()
    quiz = await lead.view(
        QuizzesView,
        lambda v: v.current is not None and any(b.source == "tally" for b in v.current.bars),
    )
    assert quiz.current is not None
    bar = next(one for one in quiz.current.bars if one.room == "room-1")
    assert (bar.counts, bar.warning) == ((present - 6, 3, 2, 1), False)
    await expect(page.get_by_test_id("tally-send")).to_contain_text("已提交")

    await lead.ask(StartCountdown(90, "订正"))
    await expect(page.get_by_test_id("countdown")).to_contain_text("订正")
    await lead.ask(StartGroupWork(300, "两人一组，编一道题"))
    await expect(page.get_by_test_id("group-work")).to_contain_text("两人一组")
    await keep(page, "console-group-work")
    await close_pages()


def _counts_of_homes(view: QuizzesView) -> tuple[int, ...] | None:
    if view.current is None:
        return None
    return next((one.counts for one in view.current.bars if one.room is None), None)


async def test_a_child_at_home_belongs_to_her_class(server: Server, browsers: Browsers) -> None:
    lead = await Lead.enter(server)
    page = await console(server, browsers)
    phone = await home(server, browsers, "home_learner", (360, 640))
    await expect(phone.get_by_test_id("class-chip")).to_contain_text("辅讲老师")

    await phone.get_by_test_id("hand").click()
    hands = await lead.view(HandsView, lambda v: bool(len(v.hands) == 1))
    assert hands.hands[0].participant == "demo-home-1"
    await expect(page.get_by_test_id("class-homes")).to_contain_text("举手")
    await keep(phone, "home-phone-hand")
    await phone.get_by_test_id("hand").click()
    await lead.view(HandsView, lambda v: bool(not v.hands))

    # Her own teacher, and nobody else, is told.
    await phone.get_by_test_id("reach").click()
    await phone.get_by_test_id("help-cannot_hear").click()
    await expect(page.get_by_test_id("class-homes")).to_contain_text("听不清")
    await page.get_by_test_id("help-answer-demo-home-1").click()
    await page.get_by_placeholder("最多 40 字，可以不写").fill("把音量调大，再试试")
    await page.get_by_test_id("class-homes").get_by_role("button", name="发送").click()
    await expect(phone.get_by_test_id("help-state")).to_contain_text("把音量调大")
    assert not (await lead.view(BackchannelView, lambda v: True)).notes

    await lead.ask(OpenQuiz("single", "下列哪个数最小？", ("-5", "0", "3", "-1"), (0,), None, 60))
    await expect(phone.get_by_test_id("quiz-answer")).to_contain_text("下列哪个数最小")
    await phone.get_by_test_id("option-1").click()
    await phone.get_by_test_id("option-0").click()
    await expect(phone.get_by_test_id("quiz-answer")).to_contain_text("已交")
    await keep(phone, "home-phone-quiz")
    # One child, one answer, however often she changes it.
    quiz = await lead.view(QuizzesView, lambda v: _counts_of_homes(v) == (1, 0, 0, 0))
    assert quiz.current is not None
    assert quiz.current.answered == 1
    await lead.ask(CloseQuiz())
    await lead.ask(ReleaseQuiz(quiz.current.id))
    await expect(phone.get_by_test_id("quiz-answer")).to_contain_text("答对了")
    await keep(phone, "home-phone-result")

    # She arrives at school in mid-lesson: one record, two parts.
    await page.get_by_test_id("arrived-demo-home-1").click()
    await expect(phone.get_by_test_id("full-page")).to_contain_text("你到教室了", timeout=40_000)
    await keep(phone, "home-phone-arrived")
    await wait_until(partial(_is_in_class, page, "演示学生一"), 5, "she is in the room's list")
    await close_pages()


async def _is_in_class(page: BrowserPage, name: str) -> bool:
    return name in await page.get_by_test_id("class-seats").inner_text()


async def test_children_at_one_screen_have_hands_and_answers_of_their_own(
    server: Server, browsers: Browsers
) -> None:
    lead = await Lead.enter(server)
    screen = await home(server, browsers, "home_group", (1280, 800))
    for child in (1, 3, 5):
        await screen.get_by_test_id(f"child-demo-child-{child}").click()
        await expect(screen.get_by_test_id(f"child-demo-child-{child}")).to_contain_text("放下手")
    hands = await lead.view(HandsView, lambda v: bool(v.hands and v.hands[0].count == 3))
    assert hands.hands[0].children == ("demo-child-1", "demo-child-3", "demo-child-5")
    await keep(screen, "home-group-hands")
    await lead.ask(OpenQuiz("judge", "两个负数的积是正数。", (), (0,)))
    for child, option in ((1, 0), (2, 0), (3, 1), (4, 0), (5, 0)):
        await screen.get_by_test_id(f"answer-for-demo-child-{child}").click()
        await screen.get_by_test_id(f"option-{option}").click()
        await expect(screen.get_by_test_id(f"answer-for-demo-child-{child}")).to_contain_text(
            "已答"
        )
    quiz = await lead.view(QuizzesView, lambda v: bool(v.current and v.current.answered == 5))
    assert quiz.current is not None
    assert next(one for one in quiz.current.bars if one.room is None).counts == (4, 1)
    await keep(screen, "home-group-quiz")
    await close_pages()


async def test_markup_in_a_note_is_plain_text(server: Server, browsers: Browsers) -> None:
    lead = await Lead.enter(server)
    page = await console(server, browsers)
    await lead.ask(SendNote("<img src=x onerror=alert(1)>"))
    await expect(page.get_by_test_id("notes")).to_contain_text("<img src=x onerror=alert(1)>")
    assert await page.locator("[data-testid=notes] img").count() == 0
    refused = await lead.page.command(SendNote("字" * 41))
    assert isinstance(refused, Error)
    assert "40" in refused.text.zh
    await close_pages()


async def test_public_chat_is_off_until_the_lead_allows_it(
    server: Server, browsers: Browsers
) -> None:
    lead = await Lead.enter(server)
    page = await console(server, browsers)
    phone = await home(server, browsers, "home_learner", (360, 640))
    await expect(phone.get_by_test_id("chat")).to_have_count(0)
    await lead.ask(SetPolicy(public_chat=True))
    await phone.get_by_test_id("chat-text").fill("老师好 <b>1</b>")
    await phone.get_by_test_id("chat-send").click()
    await expect(page.get_by_test_id("chat")).to_contain_text("老师好 <b>1</b>")
    assert await page.locator("[data-testid=chat] b").count() == 0
    await lead.ask(SetPolicy(public_chat=False))
    await expect(phone.get_by_test_id("chat")).to_have_count(0)
    await close_pages()
