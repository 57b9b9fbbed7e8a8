"""The public listener besides ``/signal``: pages, the portal, encoders; and the private one."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from starlette.applications import Starlette

from hosting.page import Page, token
from hosting.running import Running, running_server
from light.ports import free_port
from twinclass_config import DemoSettings, load
from twinclass_server.announce import base_urls, greeting
from twinclass_server.demo import demo_links
from twinclass_server.http import pages
from twinclass_signaling.ids import ParticipantId
from twinclass_signaling.messages import Ack, CloseLesson, Goodbye
from twinclass_signaling.roles import Role
from twinclass_signaling.tool_commands import Remove

PORTS = free_port(10)

OFFER = "\r\n".join(
    (
        "v=0",
        "o=- 1 1 IN IP4 127.0.0.1",
        "s=-",
        "t=0 0",
        "a=group:BUNDLE 0",
        "m=video 9 UDP/TLS/RTP/SAVPF 96",
        "c=IN IP4 0.0.0.0",
        "a=mid:0",
        "a=sendonly",
        "a=ice-ufrag:abcd",
        "a=ice-pwd:abcdefghijklmnopqrstuvwx",
        "a=fingerprint:sha-256 " + ":".join(["AB"] * 32),
        "a=setup:actpass",
        "a=rtcp-mux",
        "a=rtpmap:96 VP8/90000",
        "",
    )
)


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[Running]:
    async with running_server(
        tmp_path / "data", PORTS, {"TWINCLASS_DEMO__ENABLED": "yes"}
    ) as found:
        yield found


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(trust_env=False) as found:
        yield found


async def portal(server: Running, client: httpx.AsyncClient) -> dict[str, list[str]]:
    answer = await client.get(f"{server.public_url}/api/portal")
    assert answer.status_code == 200
    found: dict[str, list[str]] = {}
    for link in answer.json()["links"]:
        assert set(link) == {"role", "participant", "name", "school", "url"}
        found.setdefault(link["role"], []).append(link["url"])
    return found


async def test_the_portals_links_let_everybody_in(
    server: Running, client: httpx.AsyncClient
) -> None:
    links = await portal(server, client)
    assert {role: len(urls) for role, urls in links.items()} == {
        "lead": 1,
        "co_lead": 1,
        "room": 3,
        "home_learner": 2,
        "home_group": 1,
        "assistant": 2,
        "observer": 1,
    }
    for urls in links.values():
        address, _, key = urls[0].partition("#token=")
        assert address.startswith(server.public_url)
        _, welcome = await Page.enter(server.port, key)
        assert welcome.lesson.id == "demo"
        assert welcome.lesson.phase == "live"


async def test_a_demo_that_was_closed_is_opened_anew(
    server: Running, client: httpx.AsyncClient
) -> None:
    links = await portal(server, client)
    key = links["lead"][0].partition("#token=")[2]
    lead, _ = await Page.enter(server.port, key)
    assert isinstance(await lead.command(CloseLesson()), Ack)
    assert (await lead.wait_for(Goodbye)).reason == "lesson_closed"
    async with asyncio.timeout(5):
        while (await client.get(f"{server.public_url}/api/portal")).status_code != 200:
            await asyncio.sleep(0.05)
    _, welcome = await Page.enter(server.port, key)
    assert (welcome.lesson.phase, welcome.lesson.seq) == ("live", 2)


async def test_an_encoder_publishes_as_the_person_of_its_token(
    server: Running, client: httpx.AsyncClient
) -> None:
    key = (await portal(server, client))["lead"][0].partition("#token=")[2]
    headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/sdp"}
    answer = await client.post(f"{server.public_url}/whip/demo", content=OFFER, headers=headers)
    assert answer.status_code == 201, answer.text
    host = server.lessons_host("demo")
    async with asyncio.timeout(5):
        while not host.state.seats[ParticipantId("demo-lead")].sources:
            await asyncio.sleep(0.02)
    assert server.media.grants[ParticipantId("demo-lead")]
    gone = await client.delete(server.public_url + answer.headers["location"], headers=headers)
    assert gone.status_code == 200
    async with asyncio.timeout(5):
        while host.state.seats[ParticipantId("demo-lead")].presence != "lost":
            await asyncio.sleep(0.02)
    watcher = {
        **headers,
        "Authorization": f"Bearer {token(server.keys, Role.OBSERVER, 'o', 'demo')}",
    }
    refused = await client.post(f"{server.public_url}/whip/demo", content=OFFER, headers=watcher)
    assert refused.status_code == 403
    seen = await client.post(f"{server.public_url}/whep/demo", content=OFFER, headers=watcher)
    assert seen.status_code == 201
    # Taken out of the lesson nobody goes on watching it.
    sees = set(server.media.sessions)
    lead, _ = await Page.enter(server.port, key)
    assert isinstance(await lead.command(Remove(ParticipantId("o"))), Ack)
    async with asyncio.timeout(5):
        while sees & set(server.media.sessions):
            await asyncio.sleep(0.02)
    over = await client.delete(server.public_url + seen.headers["location"], headers=watcher)
    assert over.status_code == 404
    await lead.close()


async def test_a_web_page_cannot_use_the_private_listener(
    server: Running, client: httpx.AsyncClient
) -> None:
    address = f"{server.admin_url}/lessons"
    body = {"id": "x", "plan": {"title": "x"}}
    from_page = await client.post(address, json=body, headers={"Origin": "http://evil.example"})
    assert from_page.status_code == 403
    form = {"Content-Type": "text/plain"}
    assert (await client.post(address, content="{}", headers=form)).status_code == 415
    for bad in ({"id": "x"}, {"id": "../x", "plan": {"title": "x"}}, [], {**body, "more": 1}):
        assert (await client.post(address, json=bad)).status_code == 400
    assert (await client.post(address, content=b"x" * 1_100_000)).status_code in {413, 415}


async def test_assets_are_kept_for_ever_and_the_page_is_asked_for_each_time(
    tmp_path: Path,
) -> None:
    (tmp_path / "assets").mkdir()
    (tmp_path / "assets" / "app-abc123.js").write_text("1")
    (tmp_path / "index.html").write_text("<!doctype html>")
    app = Starlette(routes=pages.routes(tmp_path))
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://x") as client:
        for path in pages.PAGES:
            answer = await client.get(path)
            assert answer.text == "<!doctype html>"
            assert answer.headers["cache-control"] == "no-cache"
        asset = await client.get("/assets/app-abc123.js")
        assert "immutable" in asset.headers["cache-control"]
        assert (await client.get("/assets/../index.html")).status_code in {200, 404}
        assert (await client.get("/assets/%2e%2e/index.html")).status_code == 404
        assert (await client.get("/nothing")).status_code == 404


async def test_a_client_that_is_not_built_is_said_to_be_so(tmp_path: Path) -> None:
    transport = httpx.ASGITransport(Starlette(routes=pages.routes(tmp_path / "none")))
    async with httpx.AsyncClient(transport=transport, base_url="http://x") as client:
        answer = await client.get("/lead")
    assert answer.status_code == 503
    assert "npm run build" in answer.text


async def test_the_greeting_names_links_and_in_a_school_ports_and_codes(server: Running) -> None:
    links = demo_links(DemoSettings(), server.keys, 0)
    plain = greeting(server.settings, base_urls(server.settings, []), links, is_lan=False)
    assert plain.count("/room#token=") == 3
    school = load({"TWINCLASS_HTTP__TLS_CERT": "c", "TWINCLASS_HTTP__TLS_KEY": "k"})
    bases = base_urls(school, ["192.0.2.7", "198.51.100.7"])
    text = greeting(school, bases, links, is_lan=True)
    assert "https://192.0.2.7:8080/lead#token=" in text
    assert "https://198.51.100.7:8080/" in text
    assert "TCP 8080, UDP+TCP 7900" in text
    assert "█" in text
    assert "█" not in greeting(school, bases, [], is_lan=True), "no code of an empty portal"
