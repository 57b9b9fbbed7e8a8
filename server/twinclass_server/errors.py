"""The one table that says what an error is to a client: message, HTTP status, close code."""

from __future__ import annotations

from twinclass_signaling import messages
from twinclass_signaling.errors import (
    Conflict,
    Forbidden,
    InvalidState,
    LimitExceeded,
    RemoteProtocolError,
    SignalingError,
    Unavailable,
)
from twinclass_signaling.tokens import TokenError

#: WebSocket close codes (RFC 6455 section 7.4; 4000-4999 are ours, last digits as in HTTP).
CLOSE_NORMAL = 1000
CLOSE_POLICY = 1008
CLOSE_TOO_BIG = 1009
CLOSE_RESTART = 1012
CLOSE_TRY_LATER = 1013
CLOSE_SUPERSEDED = 4000
CLOSE_UNAUTHORIZED = 4401
CLOSE_FORBIDDEN = 4403
CLOSE_UNKNOWN = 4404
CLOSE_CONFLICT = 4409
CLOSE_GONE = 4410

_TABLE: tuple[tuple[type[SignalingError], int, int], ...] = (
    (TokenError, 401, CLOSE_UNAUTHORIZED),
    (RemoteProtocolError, 400, CLOSE_POLICY),
    (Forbidden, 403, CLOSE_FORBIDDEN),
    (Conflict, 409, CLOSE_CONFLICT),
    (LimitExceeded, 429, CLOSE_TRY_LATER),
    (Unavailable, 503, CLOSE_TRY_LATER),
    (InvalidState, 500, CLOSE_TRY_LATER),
)
_BY_CODE = {
    "lesson_unknown": (404, CLOSE_UNKNOWN),
    "lesson_closed": (410, CLOSE_GONE),
    "lesson_moved": (503, CLOSE_RESTART),
}


def http_status(error: SignalingError) -> int:
    """Returns the HTTP status of an error."""
    return _lookup(error)[0]


def close_code(error: SignalingError) -> int:
    """Returns the WebSocket close code of a fatal error."""
    return _lookup(error)[1]


def _lookup(error: SignalingError) -> tuple[int, int]:
    if error.code in _BY_CODE:
        return _BY_CODE[error.code]
    for kind, status, code in _TABLE:
        if isinstance(error, kind):
            return status, code
    return 500, CLOSE_TRY_LATER


def to_message(
    error: SignalingError, *, command: int | None = None, fatal: bool = False
) -> messages.Error:
    """Returns what the client is told."""
    return messages.Error(
        error.code,
        messages.Text(error.zh, error.en),
        id=command,
        retry_after_s=error.retry_after_s,
        fatal=fatal,
    )
