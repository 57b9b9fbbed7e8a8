"""WHIP and WHEP as HTTP: statuses, headers, limits, ends."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path

import httpx
import pytest
from starlette.applications import Starlette

from twinclass_server.http.whip import Door, WhipService
from twinclass_signaling.errors import Conflict, Forbidden, SdpError, Unavailable, UserError
from twinclass_signaling.ids import LessonId, ParticipantId, SessionId
from twinclass_signaling.messages import PublishedTrack
from twinclass_signaling.ports import Grant, Subscription
from twinclass_signaling.sdp.parser import parse, parse_fragment

FIXTURES = Path(__file__).parents[1] / "signaling" / "sdp" / "fixtures"
OBS = (FIXTURES / "obs.sdp").read_bytes()
VIEWER = (FIXTURES / "chromium_viewer.sdp").read_bytes()
SDP = {"Authorization": "Bearer good", "Content-Type": "application/sdp"}
FRAGMENT = {"Authorization": "Bearer good", "Content-Type": "application/trickle-ice-sdpfrag"}
LEAD = ParticipantId("lead")


class DoorForTests:
    """Lets the token ``good`` in, each time into a session of its own."""

    def __init__(self) -> None:
        self.entered: list[Door] = []
        self.left: list[Door] = []
        self.tries = self.away = 0
        self.is_over = False

    async def enter(self, token: str, lesson: LessonId, *, want_publish: bool) -> Door:
        if token == "silent" and want_publish:
            raise Forbidden("forbidden", "不行", "no")
        if token == "broke":
            raise Unavailable("log_unavailable", "稍后", "later", retry_after_s=2.4)
        if lesson != "demo":
            raise UserError("lesson_unknown", "没有", "none")
        session = SessionId(f"guest-{len(self.entered)}")
        wanted = () if want_publish else (Subscription("lead", 0, "camera", LEAD),)
        memo = b"" if want_publish else b"viewer"
        door = Door(session, lesson, LEAD, wanted, memo)
        self.entered.append(door)
        return door

    def leave(self, door: Door) -> None:
        self.left.append(door)

    async def restore(self, lesson: LessonId, session: SessionId, memo: bytes) -> Door:
        self.tries += 1
        if self.tries <= self.away:
            raise Unavailable("log_unavailable", "稍后", "later")
        if self.is_over:
            raise Conflict("lesson_closed", "下课", "over")
        wanted = (Subscription("lead", 0, "camera", LEAD),) if memo == b"viewer" else ()
        door = Door(session, lesson, LEAD, wanted, memo)
        self.entered.append(door)
        return door


class MediaForTests:
    """Remembers what it was asked for."""

    def __init__(self) -> None:
        self.open: list[SessionId] = []
        self.tracks: Sequence[PublishedTrack] = ()
        self.watchers: dict[SessionId, Callable[[], None]] = {}
        self.labelled: dict[SessionId, bytes] = {}
        self.wanted: dict[SessionId, Sequence[Subscription]] = {}

    async def open_session(
        self,
        lesson: LessonId,
        session: SessionId,
        who: ParticipantId,
        codecs: Sequence[str],
        *,
        needed: bool = True,
    ) -> bool:
        is_alive = session in self.labelled
        self.open.append(session)
        return is_alive

    async def publish(
        self, lesson: LessonId, session: SessionId, sdp: str, tracks: Sequence[PublishedTrack]
    ) -> str:
        if "no-such-codec" in sdp:
            raise SdpError("sdp_unsupported", "不支持", "unsupported")
        self.tracks = tracks
        return "v=0\r\nanswer"

    async def view(
        self, lesson: LessonId, session: SessionId, sdp: str, wanted: Sequence[Subscription]
    ) -> str:
        return "v=0\r\nview"

    def restart_ice(self, lesson: LessonId, session: SessionId, fragment: str) -> str:
        return "a=ice-ufrag:ours\r\n" if parse_fragment(fragment).ice_ufrag == "newufrag" else ""

    def watch_session(self, lesson: LessonId, session: SessionId, lost: Callable[[], None]) -> None:
        self.watchers[session] = lost

    def set_label(self, lesson: LessonId, session: SessionId, label: bytes) -> None:
        self.labelled[session] = label

    def labels(self) -> list[tuple[LessonId, SessionId, bytes]]:
        return [(LessonId("demo"), *item) for item in self.labelled.items()]

    def remove_session(self, lesson: LessonId, session: SessionId) -> None:
        self.labelled.pop(session, None)
        if session in self.open:
            self.open.remove(session)

    def subscribe_answered(
        self, lesson: LessonId, session: SessionId, n: int, sdp: str
    ) -> None: ...
    def subscribe_refused(self, lesson: LessonId, session: SessionId, n: int) -> None: ...
    def restart_downlink(self, lesson: LessonId, session: SessionId, fresh: bool) -> None: ...
    def set_grants(self, lesson: LessonId, who: ParticipantId, grants: Sequence[Grant]) -> None: ...
    def set_subscriptions(
        self, lesson: LessonId, session: SessionId, wanted: Sequence[Subscription]
    ) -> None:
        self.wanted[session] = wanted

    def close_lesson(self, lesson: LessonId) -> None: ...


@pytest.fixture
def door() -> DoorForTests:
    return DoorForTests()


@pytest.fixture
def media() -> MediaForTests:
    return MediaForTests()


@pytest.fixture
async def client(door: DoorForTests, media: MediaForTests) -> AsyncIterator[httpx.AsyncClient]:
    service = WhipService(door, media, max_viewers=2)
    transport = httpx.ASGITransport(app=Starlette(routes=service.routes()))
    async with httpx.AsyncClient(transport=transport, base_url="http://demo") as client:
        yield client


async def post(client: httpx.AsyncClient, path: str = "/whip/demo") -> httpx.Response:
    body = VIEWER if path.startswith("/whep") else OBS
    return await client.post(path, content=body, headers=SDP)


async def test_a_publish_is_created_and_deleted(
    client: httpx.AsyncClient, media: MediaForTests, door: DoorForTests
) -> None:
    created = await post(client)
    assert created.status_code == 201
    assert created.headers["content-type"] == "application/sdp"
    assert created.text == "v=0\r\nanswer"
    assert created.headers["etag"].startswith('"')
    location = created.headers["location"]
    assert location.startswith("/whip/demo/")
    assert {(t.mid, t.source) for t in media.tracks} == {("0", "microphone"), ("1", "camera")}
    assert (await client.delete(location, headers=SDP)).status_code == 200
    assert media.open == []
    assert door.left == door.entered
    assert (await client.delete(location, headers=SDP)).status_code == 404


async def test_a_new_publish_of_the_same_person_replaces_the_old(
    client: httpx.AsyncClient, media: MediaForTests, door: DoorForTests
) -> None:
    first = await post(client)
    await post(client)
    assert media.open == ["guest-1"]
    assert door.left == door.entered[:1]
    assert (await client.delete(first.headers["location"], headers=SDP)).status_code == 404


async def test_viewers_of_one_person_are_side_by_side_up_to_the_limit(
    client: httpx.AsyncClient, media: MediaForTests
) -> None:
    assert [(await post(client, "/whep/demo")).status_code for _ in range(3)] == [201, 201, 429]
    assert media.open == ["guest-0", "guest-1"]


REFUSED = {
    "no token": ({"Authorization": ""}, OBS, 401),
    "other scheme": ({"Authorization": "Basic Z29vZA=="}, OBS, 401),
    "not allowed": ({"Authorization": "Bearer silent"}, OBS, 403),
    "away": ({"Authorization": "Bearer broke"}, OBS, 503),
    "content type": ({"Content-Type": "application/json"}, OBS, 415),
    "malformed": ({}, b"hello", 400),
    "not text": ({}, b"\xff\xfe", 400),
    "empty": ({}, b"", 400),
    "unsupported": ({}, OBS + b"a=no-such-codec\r\n", 400),
    "too large": ({}, b"v=0\r\n" + b"a=x\r\n" * 20_000, 413),
}


@pytest.mark.parametrize(("headers", "body", "status"), REFUSED.values(), ids=REFUSED.keys())
async def test_bad_requests_get_a_clear_status_and_leave_nothing(
    client: httpx.AsyncClient,
    media: MediaForTests,
    door: DoorForTests,
    headers: dict[str, str],
    body: bytes,
    status: int,
) -> None:
    response = await client.post("/whip/demo", content=body, headers=SDP | headers)
    assert response.status_code == status
    assert set(response.json()["text"]) == {"zh", "en"}
    assert response.headers["access-control-allow-origin"] == "*"
    assert ("www-authenticate" in response.headers) == (status == 401)
    assert ("retry-after" in response.headers) == (status == 503)
    assert media.open == []
    assert door.left == door.entered


async def test_an_unknown_lesson_and_other_methods_are_refused(client: httpx.AsyncClient) -> None:
    assert (await post(client, "/whip/other")).status_code == 404
    assert (await client.get("/whip/demo")).status_code == 405
    assert (await client.patch("/whip/demo/nothing", headers=FRAGMENT)).status_code == 404


async def test_another_origin_may_ask_first(client: httpx.AsyncClient) -> None:
    preflight = await client.options("/whep/demo", headers={"Origin": "http://elsewhere"})
    assert preflight.status_code == 204
    assert "POST" in preflight.headers["access-control-allow-methods"]
    assert "Authorization" in preflight.headers["access-control-allow-headers"]
    assert "Location" in preflight.headers["access-control-expose-headers"]
    assert preflight.headers["accept-post"] == "application/sdp"


async def test_trickled_candidates_are_taken_and_restarts_answered(
    client: httpx.AsyncClient,
) -> None:
    created = await post(client)
    location, etag = created.headers["location"], created.headers["etag"]
    trickle = b"a=ice-ufrag:mOzR\r\na=ice-pwd:8hIU8lKRDVDHAp4x0vNxGp\r\n"
    restart = b"a=ice-ufrag:newufrag\r\na=ice-pwd:8hIU8lKRDVDHAp4x0vNxGp\r\n"

    async def patch(body: bytes, **headers: str) -> httpx.Response:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return await client.patch(location, content=body, headers=FRAGMENT | named)

    assert (await patch(trickle)).status_code == 428
    assert (await patch(trickle, If_Match='"other"')).status_code == 412
    assert (await patch(trickle, If_Match=etag, Content_Type="x/y")).status_code == 415
    assert (await patch(b"nonsense", If_Match=etag)).status_code == 400
    assert (await patch(trickle, If_Match=etag)).status_code == 204
    restarted = await patch(restart, If_Match="*")
    assert restarted.status_code == 200
    assert restarted.text.startswith("a=ice-ufrag:ours")
    assert restarted.headers["etag"] != etag
    assert (await patch(trickle, If_Match=etag)).status_code == 412


async def test_a_resource_belongs_to_its_token_lesson_and_protocol(
    client: httpx.AsyncClient,
) -> None:
    location = (await post(client)).headers["location"]
    stranger = {"Authorization": "Bearer other"}
    assert (await client.delete(location, headers=stranger)).status_code == 401
    assert (await client.delete(location)).status_code == 401
    elsewhere = location.replace("/whip/", "/whep/")
    assert (await client.delete(elsewhere, headers=SDP)).status_code == 404
    other = location.replace("/demo/", "/other/")
    assert (await client.delete(other, headers=SDP)).status_code == 404
    assert (await client.delete(location, headers=SDP)).status_code == 200


async def test_a_lost_transport_ends_the_resource(
    client: httpx.AsyncClient, media: MediaForTests, door: DoorForTests
) -> None:
    location = (await post(client)).headers["location"]
    media.watchers[SessionId("guest-0")]()
    assert door.left == door.entered
    assert media.open == []
    assert (await client.delete(location, headers=SDP)).status_code == 404


async def test_a_resource_outlives_the_server_as_its_media_does(
    client: httpx.AsyncClient, media: MediaForTests
) -> None:
    whip = await post(client)
    whep = await post(client, "/whep/demo")
    door = DoorForTests()
    door.away = 1
    media.open.clear()
    service = WhipService(door, media, max_viewers=1)
    transport = httpx.ASGITransport(app=Starlette(routes=service.routes()))
    async with httpx.AsyncClient(transport=transport, base_url="http://demo") as again:
        restoring = asyncio.create_task(service.restore())
        await asyncio.sleep(0)
        # A request that comes meanwhile waits for what it may be about.
        trickle = b"a=ice-ufrag:mOzR\r\na=ice-pwd:8hIU8lKRDVDHAp4x0vNxGp\r\n"
        headers = FRAGMENT | {"If-Match": whip.headers["etag"]}
        patched = await again.patch(whip.headers["location"], content=trickle, headers=headers)
        await restoring
        assert patched.status_code == 204
        assert media.open == ["guest-0", "guest-1"]
        assert [s.participant for s in media.wanted[SessionId("guest-1")]] == [LEAD]
        assert (await post(again, "/whep/demo")).status_code == 429
        stranger = {"Authorization": "Bearer other"}
        assert (await again.delete(whep.headers["location"], headers=stranger)).status_code == 401
        assert (await again.delete(whep.headers["location"], headers=SDP)).status_code == 200
        media.watchers[SessionId("guest-0")]()
        assert media.open == []
        assert len(door.left) == 3


async def test_what_cannot_be_restored_is_ended(
    client: httpx.AsyncClient, media: MediaForTests
) -> None:
    await post(client)
    media.set_label(LessonId("demo"), SessionId("strange"), b"?")
    door = DoorForTests()
    door.is_over = True
    service = WhipService(door, media)
    await service.restore()
    assert media.open == []
    assert not media.labelled


def test_the_fixture_is_what_an_encoder_sends() -> None:
    assert [m.sends for m in parse(OBS.decode()).media] == [True, True]
