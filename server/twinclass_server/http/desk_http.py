"""What the routes of the desk share: who asks, bodies with a limit, errors as JSON."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import msgspec
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response

from twinclass_server.errors import http_status
from twinclass_signaling.errors import (
    Forbidden,
    LimitExceeded,
    RemoteProtocolError,
    SignalingError,
)
from twinclass_signaling.ids import LessonId
from twinclass_signaling.roles import Role
from twinclass_signaling.tokens import Claims, StaffClaims, TokenError, TokenKeys

T = TypeVar("T")
Keys = Callable[[], TokenKeys]
Handler = Callable[[Request], Awaitable[Response]]

#: A lesson of 32 classes with 100 cues of the longest texts is about 60 KiB.
MAX_BODY = 128 * 1024
_STATUS = {
    "class_unknown": 404, "link_unknown": 404, "person_unknown": 404, "slides_unknown": 404,
    "pairing_unknown": 404, "media_unknown": 404, "export_unknown": 404, "not_recorded": 404,
    "content_unknown": 404, "flag_unknown": 404, "bank_entry_unknown": 404,
    "proposal_unknown": 404, "rating_unknown": 404, "report_unknown": 404,
    "recording_unknown": 404, "date_malformed": 400,
    "desk_none": 404, "origin_unknown": 404,
    "file_too_large": 413, "slides_too_large": 413, "body_too_large": 413,
    "photo_too_large": 413, "voice_too_large": 413,
}  # fmt: skip
#: Refusals of a file say what is wrong with what was sent, not with the lesson's state.
_UNPROCESSABLE = (
    *("slides_empty", "slides_not_pdf", "slides_encrypted", "slides_broken"),
    *("image_empty", "image_unknown", "image_broken", "image_too_many_pixels"),
    *("voice_empty", "voice_unknown", "voice_broken", "voice_too_long"),
)


def answered(inner: Handler) -> Handler:
    """Returns a handler that answers errors as JSON, and is never kept by a cache.

    That somebody goes away while a body is read is no error of ours.
    """

    async def handle(request: Request) -> Response:
        try:
            response = await inner(request)
        except SignalingError as error:
            response = refusal(error)
        except ClientDisconnect:
            response = Response(status_code=400)  # Nobody hears it.
        response.headers.setdefault("Cache-Control", "no-store")
        return response

    return handle


def refusal(error: SignalingError) -> Response:
    """Returns an error as people and programs read it."""
    status = _STATUS.get(error.code) or (
        422 if error.code in _UNPROCESSABLE else http_status(error)
    )
    headers: dict[str, str] = {}
    if status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    if error.retry_after_s > 0:
        headers["Retry-After"] = str(max(1, round(error.retry_after_s)))
    body = {"code": error.code, "text": {"zh": error.zh, "en": error.en}}
    return JSONResponse(body, status, headers)


def bearer(request: Request) -> str:
    """Returns the token of a request.

    Raises:
        TokenError: there is none.
    """
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    token = token.strip()
    if scheme.lower() != "bearer" or not token or len(token) > 4096:
        raise TokenError(
            "token_invalid", "请用完整的链接打开。", "Open the complete link; a token is needed."
        )
    return token


def staff_of(request: Request, keys: Keys) -> StaffClaims:
    """Returns who asks.

    Raises:
        TokenError: not by a staff link that is good now.
        Forbidden: a librarian's, which opens the library only.
    """
    staff = keys().verify_staff(bearer(request), time.time())
    if staff.role is Role.LIBRARIAN:
        raise Forbidden(
            "forbidden", "这个链接只能打开课程库。", "This link opens the library only."
        )
    return staff


def operator_of(request: Request, keys: Keys) -> StaffClaims:
    """Returns the operator who asks.

    Raises:
        TokenError: as ``staff_of``.
        Forbidden: a lead asks.
    """
    staff = staff_of(request, keys)
    if staff.role is not Role.OPERATOR:
        raise Forbidden(
            "forbidden", "只有管理员可以导入名单。", "Only an operator imports the roster."
        )
    return staff


def member_of(request: Request, keys: Keys, lesson: str | None = None) -> Claims:
    """Returns who asks with a join link (of this lesson).

    Raises:
        TokenError: none, or for another lesson.
    """
    wanted = None if lesson is None else LessonId(lesson)
    return keys().verify(bearer(request), time.time(), wanted)


async def read_body(request: Request, limit: int = MAX_BODY) -> bytes:
    """Returns the body, never more of it in memory than the limit.

    Raises:
        LimitExceeded: ``body_too_large``.
    """
    body = bytearray()
    async for piece in request.stream():
        body += piece
        if len(body) > limit:
            raise LimitExceeded("body_too_large", "内容太大。", "The request is too large.")
    return bytes(body)


async def read_json(request: Request, kind: type[T]) -> T:
    """Returns the body as what it must be.

    Raises:
        RemoteProtocolError: it is not.
        LimitExceeded: too large.
    """
    if request.headers.get("content-type", "").partition(";")[0].strip() != "application/json":
        raise RemoteProtocolError("json_needed", "内容应为 JSON。", "The body must be JSON.")
    try:
        return msgspec.json.decode(await read_body(request), type=kind)
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
        raise RemoteProtocolError(
            "body_malformed", "填写的内容有误，请检查。", f"The body is malformed: {error}"
        ) from error


def json_response(value: Any, status: int = 200) -> Response:  # noqa: ANN401 - whatever msgspec encodes
    """Returns a value as JSON."""
    return Response(msgspec.json.encode(value), status, media_type="application/json")
