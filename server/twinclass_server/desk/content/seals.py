"""Signed links to photos and voices: whoever has one may fetch that file until it expires.

It stands in the path, so that ``<img>`` and ``<audio>`` need nothing else. It carries the hash, so
that giving a file out asks no database; a file that was deleted is gone for it, too. Core.
"""

from __future__ import annotations

from typing import Literal

import msgspec
from msgspec import Struct

from twinclass_server.desk.content.media import Stored
from twinclass_signaling.tokens import TokenError, TokenKeys

PURPOSE = "desk-media"
#: A page that stays open through an evening's longest wait and help.
TTL_S = 2 * 3600.0
#: Ends on a full quarter of an hour, so that the same picture has the same link for a while.
_STEP_S = 900.0
_THUMB = ".thumb"

MediaType = Literal["image/jpeg", "audio/mp4"]


class Seal(Struct, frozen=True, array_like=True):
    """What a link is for. ``expires``: Unix seconds."""

    name: str
    sha256: str
    media_type: MediaType
    expires: int


def url(keys: TokenKeys, stored: Stored, now: float) -> str:
    """Returns the link of a photo or voice."""
    kind: MediaType = "image/jpeg" if stored.kind == "photo" else "audio/mp4"
    return _url(keys, stored.id, stored.sha256, kind, now)


def thumb_url(keys: TokenKeys, identifier: str, thumb_sha256: str, now: float) -> str:
    """Returns the link of a photo's small picture."""
    return _url(keys, identifier + _THUMB, thumb_sha256, "image/jpeg", now)


def _url(keys: TokenKeys, name: str, sha256: str, kind: MediaType, now: float) -> str:
    expires = int((now + TTL_S) // _STEP_S * _STEP_S)
    sealed = keys.seal(PURPOSE, msgspec.json.encode(Seal(name, sha256, kind, expires)))
    return f"/api/desk/media/{sealed}/{name}"


def opened(keys: TokenKeys, sealed: str, name: str, now: float) -> Seal:
    """Returns what a link is for.

    Raises:
        TokenError: forged, for another file, or expired.
    """
    try:
        seal = msgspec.json.decode(keys.unseal(PURPOSE, sealed), type=Seal)
    except msgspec.MsgspecError as error:
        raise _invalid() from error
    if seal.name != name:
        raise _invalid()
    if seal.expires <= now:
        raise TokenError(
            "token_expired", "图片链接已过期，请刷新页面。", "This link has expired; reload."
        )
    return seal


def _invalid() -> TokenError:
    return TokenError("token_invalid", "图片链接无效，请刷新。", "This link is not valid; reload.")
