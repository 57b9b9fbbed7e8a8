"""Photos, voices, questions and answers of the evening desk over HTTP."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Annotated, Any

from msgspec import Meta, Struct
from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import BaseRoute, Route

from twinclass_server.desk.content import seals
from twinclass_server.desk.content.contents import Contents, Said
from twinclass_server.desk.content.flags import Flags, TextBlocked
from twinclass_server.desk.content.media import MediaKind, MediaShelf
from twinclass_server.http.desk_door import DeskDoor, DeskPort, Words, number_of
from twinclass_server.http.desk_http import Handler, Keys, answered, json_response, read_json
from twinclass_signaling.desk.plan import Id
from twinclass_signaling.errors import Conflict, Forbidden, RemoteProtocolError
from twinclass_signaling.roles import Role
from twinclass_signaling.tokens import DeskClaims, TokenKeys

_TYPES: dict[MediaKind, tuple[str, ...]] = {
    "photo": ("image/",),
    # MediaRecorder of some browsers says video of a recording without pictures.
    "voice": ("audio/", "video/webm", "video/mp4", "application/ogg"),
}


class NewContent(Struct, frozen=True, forbid_unknown_fields=True):
    """Body of ``POST /api/desk/contents``."""

    text: Words = ""
    photos: Annotated[tuple[Id, ...], Meta(max_length=10)] = ()
    voice: Id | None = None


class ContentRoutes:
    """What is sent, and what is shown of it. ``may_send_media``: whether a pupil may send photos
    and voices; blocks."""

    def __init__(
        self,
        contents: Contents,
        media: MediaShelf,
        flags: Flags,
        door: DeskDoor,
        port: DeskPort,
        keys: Keys,
        may_send_media: Callable[[str], bool],
    ) -> None:
        self._may_send_media = may_send_media
        self._contents = contents
        self._media = media
        self._flags = flags
        self._door = door
        self._port = port
        self._keys = keys

    def routes(self) -> list[BaseRoute]:
        """Returns the routes; what is asked for most comes first."""
        return [
            Route("/api/desk/media/{seal}/{name}", answered(self._give), methods=["GET", "HEAD"]),
            Route("/api/desk/contents/{content}", answered(self._get), methods=["GET"]),
            Route("/api/desk/contents", screened(self._add), methods=["POST"]),
            Route("/api/desk/photos", answered(self._photo), methods=["POST"]),
            Route("/api/desk/voices", answered(self._voice), methods=["POST"]),
            Route("/api/desk/flags", answered(self._flagged), methods=["GET"]),
            Route("/api/desk/flags/{n}", answered(self._look), methods=["POST"]),
        ]

    # ---- sending

    async def _photo(self, request: Request) -> Response:
        claims = self._door.who(request, Role.PUPIL, Role.TUTOR, Role.MODERATOR)
        await self._require_consent(claims)
        _require_type(request, "photo")
        self._door.take("photo", claims)
        made = await self._media.add("photo", self._door.author(claims), request.stream())
        return json_response({"photo": made.id, "width": made.width, "height": made.height}, 201)

    async def _voice(self, request: Request) -> Response:
        claims = self._door.who(request, Role.PUPIL, Role.TUTOR)
        await self._require_consent(claims)
        _require_type(request, "voice")
        self._door.take("voice", claims)
        made = await self._media.add("voice", self._door.author(claims), request.stream())
        return json_response({"voice": made.id, "seconds": made.seconds}, 201)

    async def _require_consent(self, claims: DeskClaims) -> None:
        if claims.role is not Role.PUPIL:
            return
        if not await asyncio.to_thread(self._may_send_media, claims.sub):
            raise Forbidden(
                "consent_needed",
                "家长没有同意发送照片和语音，请写文字。",
                "Your guardian does not agree to photos and voices; write instead.",
            )

    async def _add(self, request: Request) -> Response:
        claims = self._door.who(request, Role.PUPIL, Role.TUTOR)
        wish = await read_json(request, NewContent)
        self._door.take("content", claims)
        made = await asyncio.to_thread(
            self._contents.add, self._door.author(claims), wish.text, wish.photos, wish.voice
        )
        return json_response({"content": made}, 201)

    # ---- showing

    async def _get(self, request: Request) -> Response:
        claims = self._door.who(request)
        identifier = request.path_params["content"]
        said = await asyncio.to_thread(self._contents.get, identifier)
        if said is None or said.desk != claims.desk:
            raise _unknown()
        if said.author != claims.sub:
            asked = request.query_params.get("question")
            question = 0 if asked is None else number_of(asked)
            # The question's own references only: an id that somebody came by opens nothing.
            if not self._port.may_see(
                claims.desk, claims, question
            ) or identifier not in self._port.contents_of(claims.desk, question):
                raise _unknown()
        return json_response(shown(said, self._keys(), self._door.clock()))

    async def _give(self, request: Request) -> Response:
        name = request.path_params["name"]
        seal = seals.opened(self._keys(), request.path_params["seal"], name, self._door.clock())
        path = await asyncio.to_thread(self._media.path, seal.sha256)
        if path is None:
            raise Conflict("media_unknown", "没有这个文件。", "There is no such file.")
        ending = "jpg" if seal.media_type == "image/jpeg" else "m4a"
        headers = {
            # The link expires; what a browser has of it must not outlive the evening by much.
            "Cache-Control": f"private, max-age={int(seals.TTL_S)}",
            "Content-Disposition": f'inline; filename="{name.partition(".")[0]}.{ending}"',
            "Content-Security-Policy": "default-src 'none'; sandbox",
            "X-Content-Type-Options": "nosniff",
        }
        return FileResponse(path, headers=headers, media_type=seal.media_type)

    # ---- what was blocked

    async def _flagged(self, request: Request) -> Response:
        claims = self._door.who(request, Role.MODERATOR)
        return json_response({"flags": await asyncio.to_thread(self._flags.unseen, claims.desk)})

    async def _look(self, request: Request) -> Response:
        claims = self._door.who(request, Role.MODERATOR)
        number = number_of(request.path_params["n"])
        await asyncio.to_thread(self._flags.look, claims.desk, number, claims.sub)
        return Response(status_code=204)


def screened(inner: Handler) -> Handler:
    """Returns a handler as ``answered`` does, which says where a blocked text is blocked."""

    async def handle(request: Request) -> Response:
        try:
            return await inner(request)
        except TextBlocked as error:
            found = [{"kind": one.kind, "start": one.start, "end": one.end} for one in error.found]
            text = {"zh": error.zh, "en": error.en}
            return json_response({"text": text, "found": found} | {"code": error.code}, 409)

    return answered(handle)


def shown(said: Said, keys: TokenKeys, now: float) -> dict[str, Any]:
    """Returns a question or an answer as a page shows it."""
    voice = said.voice
    return {
        "content": said.id,
        "text": said.text,
        "photos": [
            {
                "photo": one.id,
                "url": seals.url(keys, one, now),
                "thumb": seals.thumb_url(keys, one.id, one.thumb_sha256, now),
                "width": one.width,
                "height": one.height,
            }
            for one in said.photos
        ],
        "voice": None
        if voice is None
        else {"url": seals.url(keys, voice, now), "seconds": voice.seconds},
        "by": said.role,
    }


def _require_type(request: Request, kind: MediaKind) -> None:
    given = request.headers.get("content-type", "").strip().lower()
    if not given.startswith(_TYPES[kind]):
        raise RemoteProtocolError(
            "wrong_content_type",
            "请上传图片。" if kind == "photo" else "请上传录音。",
            f"Content-Type must be {_TYPES[kind][0]}*.",
        )


def _unknown() -> Conflict:
    return Conflict("content_unknown", "没有这个内容，或已到期删除。", "There is nothing here.")
