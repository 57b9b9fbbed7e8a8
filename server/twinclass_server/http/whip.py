"""WHIP and WHEP: studio encoders publish and screens watch without our page.

RFC 9725 for WHIP; draft-ietf-wish-whep for WHEP, whose answer comes at once (the viewer
offers). A resource lives as long as its media: it ends by DELETE, by a new publish of the same
person, or when its transport is lost. Its name is unguessable, and the token of the POST is
asked for again on every request (RFC 9725 section 4.5).

A resource's name and token ride with its media (``_Label``), so that it outlives this process as
the media does: a server that starts again takes it up where its media is found (``restore``).

Who may enter is the lesson's business: ``LessonDoor``. What is sent and received is the media
plane's: this module joins the two and speaks HTTP.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import logging
import secrets
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Literal

import msgspec
from msgspec import Struct
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from twinclass_server.errors import http_status
from twinclass_server.http.whip_door import Door, DoorMedia, LessonDoor
from twinclass_signaling.errors import LimitExceeded, SignalingError, Unavailable
from twinclass_signaling.ids import LessonId, SessionId
from twinclass_signaling.messages import MAX_SDP_CHARS, PublishedTrack
from twinclass_signaling.sdp.parser import parse

__all__ = ["Door", "DoorMedia", "LessonDoor", "WhipService", "routes"]

logger = logging.getLogger(__name__)

Endpoint = Literal["whip", "whep"]

SDP_TYPE = "application/sdp"
FRAGMENT_TYPE = "application/trickle-ice-sdpfrag"
#: Every screen of a school behind one observer token; each costs a transport.
DEFAULT_MAX_VIEWERS = 1000
#: Redis is back within seconds after a crash, or somebody must look at it anyway.
RESTORE_S = 15.0
RETRY_S = 0.2


class _Label(Struct):
    """What is found again of a resource."""

    name: str
    protocol: Endpoint
    token_digest: bytes
    etag: str
    memo: bytes


@dataclass(slots=True)
class _Resource:
    name: str
    protocol: Endpoint
    door: Door
    token_digest: bytes
    etag: str = field(default_factory=lambda: f'"{secrets.token_hex(8)}"')

    def label(self) -> bytes:
        """What rides with the media."""
        label = _Label(self.name, self.protocol, self.token_digest, self.etag, self.door.memo)
        return msgspec.msgpack.encode(label)


class WhipService:
    """The endpoints and their resources."""

    def __init__(
        self,
        door: LessonDoor,
        media: DoorMedia,
        *,
        allow_origin: str = "*",
        max_viewers: int = DEFAULT_MAX_VIEWERS,
    ) -> None:
        self._door = door
        self._media = media
        self._allow_origin = allow_origin
        self._max_viewers = max_viewers
        self._resources: dict[str, _Resource] = {}
        #: Cleared while resources of before are looked for: nobody may miss or double them.
        self._is_restored = asyncio.Event()
        self._is_restored.set()

    async def restore(self) -> None:
        """Takes up the resources that a server before us left behind. Requests wait meanwhile."""
        self._is_restored.clear()
        try:
            async with asyncio.timeout(RESTORE_S):
                for lesson, session, label in self._media.labels():
                    # Polled: whether Redis is back can only be asked.
                    while not await self._try_restore(lesson, session, label):  # noqa: ASYNC110
                        await asyncio.sleep(RETRY_S)
        except TimeoutError:
            logger.warning("not all WHIP and WHEP sessions of before could be restored")
        finally:
            self._is_restored.set()

    async def _try_restore(self, lesson: LessonId, session: SessionId, data: bytes) -> bool:
        """False when it should be tried again."""
        try:
            label = msgspec.msgpack.decode(data, type=_Label)
            door = await self._door.restore(lesson, session, label.memo)
        except Unavailable:
            return False
        except (msgspec.MsgspecError, SignalingError) as error:
            logger.info("a WHIP or WHEP session of before is not restored: %s", error)
            self._media.remove_session(lesson, session)
            return True
        resource = _Resource(label.name, label.protocol, door, label.token_digest, label.etag)
        try:
            alive = await self._media.open_session(lesson, session, door.participant, ())
        except Unavailable:
            alive = False
        if not alive:
            self._leave(door)
            return True
        self._media.set_label(lesson, session, data)
        if label.protocol == "whep":
            self._media.set_subscriptions(lesson, session, door.wanted)
        self._keep(resource)
        return True

    def routes(self) -> list[Route]:
        """The routes of both protocols."""
        endpoint = ["POST", "OPTIONS"]
        resource = ["PATCH", "DELETE", "OPTIONS"]
        return [
            Route("/whip/{lesson_id}", self._handler(self._whip), methods=endpoint),
            Route("/whep/{lesson_id}", self._handler(self._whep), methods=endpoint),
            Route("/whip/{lesson_id}/{name}", self._handler(self._resource), methods=resource),
            Route("/whep/{lesson_id}/{name}", self._handler(self._resource), methods=resource),
        ]

    def close(self) -> None:
        """Ends all resources."""
        for name in list(self._resources):
            self._end(name)

    def withdraw(self, is_revoked: Callable[[str], bool]) -> None:
        """Ends resources that were opened with a link that is withdrawn."""
        for resource in list(self._resources.values()):
            link = resource.door.link
            if link is not None and is_revoked(link):
                self._end(resource.name)

    def _handler(
        self, inner: Callable[[Request], Awaitable[Response]]
    ) -> Callable[[Request], Awaitable[Response]]:
        """Adds what all answers share: CORS, and errors as JSON."""

        async def handle(request: Request) -> Response:
            try:
                if request.method == "OPTIONS":
                    response = Response(status_code=204, headers={"Accept-Post": SDP_TYPE})
                else:
                    await self._is_restored.wait()
                    response = await inner(request)
            except _HttpError as error:
                response = _problem(error.status, error.code, error.zh, error.en)
                response.headers.update(error.headers)
            except SignalingError as error:
                response = _problem(http_status(error), error.code, error.zh, error.en)
                if error.retry_after_s > 0:
                    response.headers["Retry-After"] = str(max(1, round(error.retry_after_s)))
                if response.status_code == 401:
                    response.headers["WWW-Authenticate"] = "Bearer"
            headers = response.headers
            headers["Access-Control-Allow-Origin"] = self._allow_origin
            headers["Access-Control-Allow-Methods"] = "POST, PATCH, DELETE, OPTIONS"
            headers["Access-Control-Allow-Headers"] = "Authorization, Content-Type, If-Match"
            headers["Access-Control-Expose-Headers"] = "Location, ETag, Accept-Patch, Link"
            headers["Access-Control-Max-Age"] = "7200"
            headers["Cache-Control"] = "no-store"
            return response

        return handle

    async def _whip(self, request: Request) -> Response:
        token, lesson, sdp = await self._read_post(request)
        tracks = _tracks(sdp)
        door = await self._door.enter(token, lesson, want_publish=True)
        resource = _Resource(secrets.token_urlsafe(18), "whip", door, _digest(token))
        try:
            for other in self._of_person(door, "whip"):
                self._end(other.name)
            await self._media.open_session(door.lesson, door.session, door.participant, ())
            self._media.set_label(door.lesson, door.session, resource.label())
            answer = await self._media.publish(door.lesson, door.session, sdp, tracks)
        except BaseException:
            self._leave(door)
            raise
        return self._created(request, resource, answer)

    async def _whep(self, request: Request) -> Response:
        token, lesson, sdp = await self._read_post(request)
        parse(sdp)
        door = await self._door.enter(token, lesson, want_publish=False)
        resource = _Resource(secrets.token_urlsafe(18), "whep", door, _digest(token))
        try:
            if len(self._of_person(door, "whep")) >= self._max_viewers:
                raise LimitExceeded(
                    "too_many_viewers", "观看数量已达上限", "too many viewers with this token"
                )
            await self._media.open_session(door.lesson, door.session, door.participant, ())
            self._media.set_label(door.lesson, door.session, resource.label())
            answer = await self._media.view(door.lesson, door.session, sdp, door.wanted)
        except BaseException:
            self._leave(door)
            raise
        return self._created(request, resource, answer)

    async def _resource(self, request: Request) -> Response:
        resource = self._resources.get(request.path_params["name"])
        if resource is None or not request.url.path.startswith(f"/{resource.protocol}/"):
            raise _HttpError(404, "not_found", "会话不存在或已结束", "no such session")
        if resource.door.lesson != request.path_params["lesson_id"]:
            raise _HttpError(404, "not_found", "会话不存在或已结束", "no such session")
        if not hmac.compare_digest(_digest(_bearer(request)), resource.token_digest):
            raise _unauthorized()
        if request.method == "DELETE":
            self._end(resource.name)
            return Response(status_code=200)
        return await self._patch(request, resource)

    async def _patch(self, request: Request, resource: _Resource) -> Response:
        _require_type(request, FRAGMENT_TYPE)
        # RFC 9725 section 4.4.3: the ETag names the ICE session, "*" asks for a new one.
        match = request.headers.get("if-match")
        if match is None:
            raise _HttpError(428, "if_match_required", "缺少 If-Match", "If-Match is required")
        if match not in {"*", '"*"', resource.etag}:
            raise _HttpError(412, "ice_session_changed", "ICE 会话已更换", "another ICE session")
        fragment = await _read_body(request)
        door = resource.door
        answer = self._media.restart_ice(door.lesson, door.session, fragment)
        if not answer:
            return Response(status_code=204, headers={"ETag": resource.etag})
        resource.etag = f'"{secrets.token_hex(8)}"'
        self._media.set_label(door.lesson, door.session, resource.label())
        return Response(
            answer, status_code=200, media_type=FRAGMENT_TYPE, headers={"ETag": resource.etag}
        )

    async def _read_post(self, request: Request) -> tuple[str, LessonId, str]:
        token = _bearer(request)
        _require_type(request, SDP_TYPE)
        sdp = await _read_body(request)
        return token, LessonId(request.path_params["lesson_id"]), sdp

    def _keep(self, resource: _Resource) -> None:
        self._resources[resource.name] = resource
        door = resource.door
        self._media.watch_session(door.lesson, door.session, lambda: self._end(resource.name))

    def _created(self, request: Request, resource: _Resource, answer: str) -> Response:
        self._keep(resource)
        headers = {
            # Relative to the host that was asked: right behind any proxy.
            "Location": f"{request.url.path.rstrip('/')}/{resource.name}",
            "ETag": resource.etag,
            "Accept-Patch": FRAGMENT_TYPE,
        }
        # The media type carries no charset: application/sdp has none (RFC 8866 section 8.1).
        return Response(answer.encode(), status_code=201, headers=headers, media_type=SDP_TYPE)

    def _of_person(self, door: Door, protocol: Endpoint) -> list[_Resource]:
        return [
            r
            for r in self._resources.values()
            if r.protocol == protocol
            and r.door.lesson == door.lesson
            and r.door.participant == door.participant
        ]

    def _end(self, name: str) -> None:
        resource = self._resources.pop(name, None)
        if resource is not None:
            self._leave(resource.door)

    def _leave(self, door: Door) -> None:
        self._media.remove_session(door.lesson, door.session)
        self._door.leave(door)


class _HttpError(Exception):
    """An answer that only HTTP has."""

    def __init__(
        self, status: int, code: str, zh: str, en: str, headers: dict[str, str] | None = None
    ) -> None:
        super().__init__(code)
        self.status, self.code, self.zh, self.en = status, code, zh, en
        self.headers = headers or {}


def _problem(status: int, code: str, zh: str, en: str) -> Response:
    return JSONResponse({"code": code, "text": {"zh": zh, "en": en}}, status_code=status)


def _tracks(sdp: str) -> Sequence[PublishedTrack]:
    """The first sending picture is the camera, the first sound the microphone."""
    sending = [m for m in parse(sdp).media if m.sends and m.mid]
    tracks: list[PublishedTrack] = []
    camera = next((m for m in sending if m.kind == "video"), None)
    if camera is not None:
        tracks.append(PublishedTrack(camera.mid, "camera"))
    microphone = next((m for m in sending if m.kind == "audio"), None)
    if microphone is not None:
        tracks.append(PublishedTrack(microphone.mid, "microphone"))
    return tracks


def _unauthorized() -> _HttpError:
    headers = {"WWW-Authenticate": "Bearer"}
    return _HttpError(401, "token_missing", "缺少或无效的令牌", "bearer token needed", headers)


def _bearer(request: Request) -> str:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    token = token.strip()
    if scheme.lower() != "bearer" or not token or len(token) > 4096:
        raise _unauthorized()
    return token


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()


def _require_type(request: Request, wanted: str) -> None:
    given = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if given != wanted:
        raise _HttpError(
            415, "wrong_content_type", f"内容类型应为 {wanted}", f"Content-Type must be {wanted}"
        )


async def _read_body(request: Request) -> str:
    """The body as text, never more of it in memory than the limit allows."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_SDP_CHARS:
            raise _HttpError(413, "too_large", "连接信息过大", "the description is too large")
    try:
        return body.decode()
    except UnicodeDecodeError as error:
        raise _HttpError(400, "sdp_malformed", "连接信息格式有误", "not UTF-8") from error


def routes(
    door: LessonDoor,
    media: DoorMedia,
    *,
    allow_origin: str = "*",
    max_viewers: int = DEFAULT_MAX_VIEWERS,
) -> list[Route]:
    """The routes of both protocols over one service."""
    return WhipService(door, media, allow_origin=allow_origin, max_viewers=max_viewers).routes()
