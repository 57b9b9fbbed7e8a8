"""An assistant's tablet becomes the console of a class by the code on the class's screen."""

from __future__ import annotations

import json
import re
import urllib.request
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from e2e.conftest import Browsers, Server
from e2e.pages.test_my_lessons import desk_link, picture
from e2e.pages.test_portal import BORDER, modules
from e2e.qr import read

pytestmark = [pytest.mark.browser, pytest.mark.timeout(360)]


def ask(server: Server, token: str, method: str, path: str, body: object = None) -> dict[str, Any]:
    request = urllib.request.Request(
        server.base + path,
        None if body is None else json.dumps(body).encode(),
        {"Authorization": f"Bearer {token}", "Content-Type": "application/json"},
        method=method,
    )
    with urllib.request.urlopen(request, timeout=10) as reply:
        found: dict[str, Any] = json.loads(reply.read())
        return found


def open_lesson(server: Server) -> dict[str, Any]:
    """A lesson of all classes of the sample, opened; its sheet."""
    token = desk_link(server).partition("token=")[2]
    schools = ask(server, token, "GET", "/api/school")["schools"]
    starts = datetime.now(UTC) + timedelta(hours=1)
    wish = {
        "title": "有理数的乘法",
        "starts_at": starts.isoformat(),
        "classes": [one["id"] for school in schools for one in school["classes"]],
    }
    lesson = ask(server, token, "POST", "/api/lessons", wish)["id"]
    ask(server, token, "POST", f"/api/lessons/{lesson}/open")
    return ask(server, token, "GET", f"/api/lessons/{lesson}")


@pytest.mark.parametrize("locale", ["zh-CN", "en-US"])
async def test_a_tablet_becomes_the_console_of_the_class_whose_code_is_typed(
    server: Server, browsers: Browsers, locale: str
) -> None:
    found: list[str] = []
    sheet = open_lesson(server)
    url = next(one["url"] for one in sheet["links"] if one["role"] == "room")
    # As in a school: under a name that a tablet can find too.
    base = f"http://school.test:{server.port}"
    flags = (
        "--host-resolver-rules=MAP school.test 127.0.0.1",
        f"--unsafely-treat-insecure-origin-as-secure={base}",
    )
    url = url.replace(server.base, base)
    room = await browsers.page(url, size=(1280, 720), locale=locale, arguments=flags)
    await room.locator("button.primary").last.click()
    shown = room.get_by_test_id("pairing-code")
    await shown.wait_for()
    code = re.sub(r"\D", "", await shown.get_attribute("data-code") or "")
    assert len(code) == 6
    way = room.get_by_test_id("pair-qr")
    assert await way.get_attribute("data-address") == f"{base}/pair"
    size = int((await way.locator("svg").get_attribute("viewBox") or "").split()[2]) - 2 * BORDER
    path = await way.locator("path").get_attribute("d") or ""
    assert read(modules(path, size)) == f"{base}/pair"
    await picture(room, f"{locale[:2]}-pair-room", found)

    # A second tab of the same browser: each has a session of its own.
    tablet = await room.context.new_page()
    await tablet.set_viewport_size({"width": 820, "height": 1180})
    await tablet.goto(base)
    await tablet.get_by_test_id("pair-link").click()
    field = tablet.locator("[name=code]")
    await field.wait_for()
    await picture(tablet, f"{locale[:2]}-pair", found)
    await tablet.keyboard.type("12a")
    await tablet.get_by_role("button").last.click()
    await tablet.get_by_role("alert").filter(has_text=re.compile("六位|six")).wait_for()
    wrong = f"{(int(code) + 1) % 1_000_000:06}"
    await field.fill(wrong)
    await tablet.get_by_role("alert").filter(has_text=re.compile("过期|over")).wait_for()
    assert await field.input_value() == ""
    await picture(tablet, f"{locale[:2]}-pair-wrong", found)
    await tablet.set_viewport_size({"width": 360, "height": 640})
    await picture(tablet, f"{locale[:2]}-pair-phone", found)
    await tablet.set_viewport_size({"width": 820, "height": 1180})
    await tablet.keyboard.type(f"{code[:3]} {code[3:]}")
    await tablet.wait_for_url(re.compile("/assistant"))
    name = sheet["rooms"][0]["name"]
    await tablet.get_by_text(name).first.wait_for()
    await picture(tablet, f"{locale[:2]}-pair-console", found)
    assert not found, "\n".join(found)
