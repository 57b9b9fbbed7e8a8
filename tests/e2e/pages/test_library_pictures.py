"""Pages of the library as pictures in ``screenshots/``: both languages, a desk and a phone.

The shelf is filled as a school year would; one lesson has drawn pictures.
"""

from __future__ import annotations

import asyncio
import io
import random
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from playwright.async_api import Page, expect

from e2e.conftest import Browsers, Server, require
from e2e.pages.test_accessibility import barriers
from e2e.pages.test_page_pictures import keep
from e2e.papers import slides_pdf
from e2e.test_recording import staff_token
from light.drawings import LOOP_S, Draw, classroom, teacher
from twinclass_recordings import manifest as m
from twinclass_recordings.library.access import Viewer
from twinclass_recordings.library.packages import NewPackage, Packages
from twinclass_recordings.library.plays import Watched, Watcher
from twinclass_recordings.library.shelf import Clip, Recorded, Shelf
from twinclass_recordings.library.usage import Plays
from twinclass_server.roster.database import Database
from twinclass_server.roster.models import Person, School, SchoolClass
from twinclass_signaling.roles import Role

pytestmark = [pytest.mark.browser, pytest.mark.full, pytest.mark.timeout(360)]

DESK, PHONE = (1440, 900), (360, 740)
LONG_S = 2400.0
TITLES = (
    ("有理数的乘法", "数学"), ("有理数的除法", "数学"), ("一元一次方程", "数学"),
    ("古诗二首：读出画面来", "语文"), ("光的折射", "物理"), ("My school day", "英语"),
    ("地图上的距离与比例尺", "地理"), ("细胞怎样分裂", "生物"), ("《背影》细读", "语文"),
    ("用字母表示数", "数学"), ("声音从哪里来", "物理"), ("水的净化", "化学"),
)  # fmt: skip
PHASES = (("导入", "Opening"), ("新课讲解", "New lesson"), ("小组讨论", "Group work"),
          ("练习", "Exercises"), ("小结", "Summing up"))  # fmt: skip
WORDS = "WEBVTT\n\n00:01.000 --> 40:00.000\n同学们，两个负数相乘，为什么得正数？\n"


def film(path: Path, scene: Draw) -> int:
    """Draws a scene as H264. Returns its size."""
    path.parent.mkdir(parents=True, exist_ok=True)
    size = (960, 540)
    pictures = b"".join(scene(n / 10, size).tobytes() for n in range(round(LOOP_S * 10)))
    subprocess.run(
        [
            *(require("ffmpeg", "ffmpeg"), "-loglevel", "error", "-y", "-f", "rawvideo"),
            *("-pix_fmt", "rgb24", "-s", "960x540", "-r", "10", "-i", "-"),
            *("-pix_fmt", "yuv420p", "-movflags", "+faststart", str(path)),
        ],
        input=pictures,
        check=True,
    )
    return path.stat().st_size


def draw_lesson(folder: Path) -> None:
    """A lesson of forty minutes, of which some seconds are on disk."""
    scenes = {"lead": teacher, "room-1": classroom("七(1)班", 1)}
    tracks: list[m.Track] = []
    for who, scene in scenes.items():
        name = f"parts/{who}-camera.mp4"
        size = film(folder / name, scene)
        start, length = (0.0, LONG_S) if who == "lead" else (0.0, 900.0)
        mime = 'video/mp4; codecs="avc1.64001f"'
        part = m.Part(name, start, length, "h264", mime, size, width=960, height=540)
        run = m.Run(f"{who}-r0", start, length, (part,))
        tracks.append(m.Track(f"{who}-camera", who, "camera", "video", (run,)))
    ends = (0.0, 300.0, 1080.0, 1560.0, 2160.0, LONG_S)
    chapters = [
        m.Chapter(ends[n], ends[n + 1], "phase", m.Text(zh, en))
        for n, (zh, en) in enumerate(PHASES)
    ]
    stage = m.Text("示例一中 七(1)班 上台", "示例一中 七(1)班 on stage")
    chapters.append(m.Chapter(0.0, 900.0, "stage", stage, "room-1"))
    chapters.sort(key=lambda one: (one.start_s, one.kind != "phase"))
    people = (
        m.Person("lead", "lead", m.Text("示例老师", "示例老师")),
        m.Person("room-1", "room", m.Text("七(1)班", "七(1)班")),
    )
    (folder / "captions").mkdir()
    (folder / "captions/zh-CN.vtt").write_text(WORDS, encoding="utf-8")
    made = m.Manifest(
        "lesson-0", TITLES[0][0], 0.0, LONG_S, "closed", tuple(tracks), chapters=tuple(chapters),
        people=people, cover="cover.jpg",
    )  # fmt: skip
    (folder / "manifest.json").write_bytes(m.encode(made))


def watched(entry: str, chance: random.Random, until: datetime) -> list[Watched]:
    """A month of a lesson: classes that saw most of it, pupils at home who looked again."""
    rows: list[Watched] = []
    kinds: tuple[Watcher, ...] = ("class", "class", "home", "staff")
    for number in range(chance.randint(4, 60)):
        kind = chance.choice(kinds)
        at = until - timedelta(days=chance.random() * 20, hours=chance.random() * 4)
        group, end = f"{kind}-{number}", chance.choice((0.3, 0.7, 0.9, 1.0)) * LONG_S
        spans = [(0.0, end)]
        if kind == "home":
            spans.append((700.0 + chance.random() * 120, 1000.0))
        school = f"示例-{number % 9}" if kind == "class" else ""
        rows += [
            Watched(f"{entry}-{number}", group, group, school, kind, at, start, stop)
            for start, stop in spans
        ]
    return rows


def enrol(database: Database, now: datetime) -> None:
    """The teacher's school has two classes."""
    with database.session() as session:
        session.add(School(id="school-1", sourced_id="1", date_last_modified=now, name="示例一中"))
        session.flush()
        for number in (1, 2):
            session.add(
                SchoolClass(
                    id=f"class-{number}", sourced_id=f"c{number}", date_last_modified=now,
                    school_id="school-1", name=f"七({number})班",
                )
            )  # fmt: skip
        session.add(
            Person(
                id="teacher", sourced_id="t", date_last_modified=now, name="示例老师",
                school_id="school-1",
            )
        )  # fmt: skip


def fill(server: Server) -> None:
    """Twelve lessons, a clip, a package and what was watched of them."""
    database = Database("", server.data)
    shelf, log = Shelf(database.session), Plays(database.session, UTC)
    chance, now = random.Random(7), datetime.now(UTC)
    for number, (title, subject) in enumerate(TITLES):
        folder = server.data / "recordings" / f"lesson-{number}"
        folder.mkdir(parents=True)
        scene = teacher if number % 2 == 0 else classroom(f"七({number})班", number)
        scene(number * 0.7, (960, 540)).save(folder / "cover.jpg")
        if number == 0:
            draw_lesson(folder)
        taught = now - timedelta(days=30 + number)
        shelf.take(
            Recorded(
                f"lesson-{number}", f"lesson-{number}", title, "", taught,
                LONG_S, 10**9, "teacher", "示例老师", ("school-1",), "示例一中", subject, "七年级",
                has_cover=True,
            )
        )  # fmt: skip
        log.tell(f"lesson-{number}", watched(f"lesson-{number}", chance, now))
        for rater in range(0 if number % 3 else 24):
            log.rate(f"lesson-{number}", f"rater-{rater}", chance.choice((4, 5, 5)))
    operator = Viewer(Role.OPERATOR, "operator")
    found = shelf.get(operator, "lesson-0")
    assert found is not None
    clip = server.data / "recordings" / "clip-0"
    clip.mkdir()
    teacher(2.0, (960, 540)).save(clip / "cover.jpg")
    shelf.add_clip(found[0], Clip("clip-0", "为什么负负得正", 184.0, 10**7, has_cover=True))
    members = ["lesson-0", "clip-0", "lesson-1", "lesson-9"]
    package = NewPackage("package-0", "有理数单元资源包", "", "示例老师", "示例一中")
    Packages(database.session).add(operator, package, members)
    enrol(database, now)
    for number in range(len(TITLES)):
        log.count(f"lesson-{number}")
    database.close()


async def at_all_sizes(page: Page, name: str, found: list[str]) -> None:
    for size, suffix in ((PHONE, "-phone"), (DESK, "")):
        await page.set_viewport_size({"width": size[0], "height": size[1]})
        await asyncio.sleep(0.5)
        found += await barriers(page, f"{name}{suffix}")
        await keep(page, f"library-{name}{suffix}", full_page=True)


async def attach(page: Page, folder: Path) -> None:
    target = io.BytesIO()
    classroom("作业", 3)(1.0, (640, 480)).save(target, "JPEG")
    files = page.get_by_test_id("attachments")
    await files.get_by_test_id("attach-file").set_input_files(
        {"name": "七(1)班作业样例.jpg", "mimeType": "image/jpeg", "buffer": target.getvalue()}
    )
    await expect(files.locator("li")).to_have_count(1, timeout=40_000)
    await files.get_by_test_id("attach-kind").select_option("paper")
    await files.get_by_test_id("attach-file").set_input_files(await slides_pdf(folder))
    await expect(files.locator("li")).to_have_count(2, timeout=40_000)


async def show_to_a_class(page: Page, server: Server, found: list[str]) -> None:
    """The lead of a lesson says whom it is shown to, and it counts for them."""
    token = await asyncio.to_thread(staff_token, server, "lead", "--sub", "teacher")
    await page.goto("about:blank")
    await page.goto(f"{server.base}/library/lesson/lesson-0#token={token}")
    shown = page.get_by_test_id("shown-to")
    await shown.wait_for(timeout=40_000)
    await at_all_sizes(page, "lesson-lead", found)
    await shown.select_option("class-2")
    await page.get_by_test_id("begin").click()
    await asyncio.sleep(1.5)
    await at_all_sizes(page, "lesson-shown", found)
    told = page.expect_request(lambda request: request.url.endswith("/plays"), timeout=40_000)
    async with told as asked:
        await page.evaluate("() => __player.pause()")
    request = await asked.value
    body = request.post_data_json
    assert body is not None
    assert body["class_id"] == "class-2"
    answer = await request.response()
    assert answer is not None
    assert answer.status == 204


async def test_pages_of_the_library(server: Server, browsers: Browsers, tmp_path: Path) -> None:
    page = await browsers.page("about:blank", size=DESK)
    token = await asyncio.to_thread(staff_token, server)
    found: list[str] = []
    await page.goto(f"{server.base}/library/usage#token={token}")
    await page.get_by_test_id("empty").wait_for(timeout=40_000)
    await at_all_sizes(page, "usage-empty", found)
    await asyncio.to_thread(fill, server)
    await page.reload()
    await page.get_by_test_id("effect-chart").locator("svg").wait_for(timeout=40_000)
    await at_all_sizes(page, "usage", found)
    await page.goto(f"{server.base}/library")
    await page.get_by_test_id("results").wait_for()
    await at_all_sizes(page, "search", found)
    await page.get_by_test_id("entry-package-0").click()
    await page.get_by_test_id("members").wait_for()
    await at_all_sizes(page, "package", found)
    await page.get_by_test_id("open-pack").click()
    await page.get_by_test_id("pack-find").fill("数")
    await page.get_by_test_id("add-lesson-2").wait_for()
    await at_all_sizes(page, "package-edit", found)

    await page.goto(f"{server.base}/library/lesson/lesson-0")
    await page.get_by_test_id("begin").click(timeout=40_000)
    await asyncio.sleep(2)
    await page.evaluate("() => { __player.pause(); }")
    await page.keyboard.press("c")
    await page.get_by_test_id("caption").wait_for()
    await attach(page, tmp_path)
    await at_all_sizes(page, "lesson", found)
    for panel in ("cut", "pack", "usage"):
        await page.get_by_test_id(f"open-{panel}").click()
        await page.get_by_test_id(f"{panel}-panel").wait_for()
        await asyncio.sleep(0.5)
        await at_all_sizes(page, f"lesson-{panel}", found)
    await page.get_by_test_id("delete").click()
    await at_all_sizes(page, "lesson-delete", found)
    await page.get_by_test_id("confirm-no").click()
    await page.goto(f"{server.base}/library/lesson/no-such-lesson")
    await page.get_by_role("alert").wait_for()
    await at_all_sizes(page, "lesson-unknown", found)
    await show_to_a_class(page, server, found)
    assert not found, "\n".join(found)
