"""Signed links to a recording's media: whoever has one may fetch that recording until it expires.

It stands in the path, so that players and CDNs need nothing else, and what a playlist names
relatively carries it too. Core.
"""

from __future__ import annotations

import msgspec
from msgspec import Struct

from twinclass_signaling.tokens import TokenError, TokenKeys

PURPOSE = "library-media"
#: A link to one exported file.
EXPORT_PURPOSE = "library-export"
#: A school day: a page left open in the morning still plays in the afternoon.
TTL_S = 12 * 3600.0
#: Ends on a full quarter of an hour, so that who comes soon after gets the same link and the
#: same cache.
_STEP_S = 900.0


class Ticket(Struct, frozen=True, array_like=True):
    """What a link is for. ``expires``: Unix seconds."""

    recording: str
    expires: int


def issue(keys: TokenKeys, recording: str, now: float, purpose: str = PURPOSE) -> tuple[str, float]:
    """Returns (ticket, when it expires)."""
    expires = (now + TTL_S) // _STEP_S * _STEP_S
    return keys.seal(purpose, msgspec.json.encode(Ticket(recording, int(expires)))), expires


def issue_until(keys: TokenKeys, recording: str, until: float) -> str:
    """Returns a ticket that ends at a Unix second: for what only few may see, for a while."""
    return keys.seal(PURPOSE, msgspec.json.encode(Ticket(recording, int(until))))


def check(keys: TokenKeys, sealed: str, recording: str, now: float, purpose: str = PURPOSE) -> None:
    """Makes sure that a ticket is good for a recording.

    Raises:
        TokenError: forged, for another one, or expired.
    """
    try:
        ticket = msgspec.json.decode(keys.unseal(purpose, sealed), type=Ticket)
    except msgspec.MsgspecError as error:
        raise _invalid() from error
    if ticket.recording != recording:
        raise _invalid()
    if ticket.expires <= now:
        raise TokenError(
            "token_expired",
            "播放链接已过期，请刷新页面。",
            "This link has expired; reload.",
        )


def _invalid() -> TokenError:
    return TokenError("token_invalid", "播放链接无效，请刷新。", "This link is not valid; reload.")
