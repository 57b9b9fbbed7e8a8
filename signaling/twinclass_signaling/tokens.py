"""Join tokens: JWT (RFC 7519) signed with HS256, several keys known by ``kid``, the newest signs.

A token is reusable until it expires, because it is a link on paper and in chat groups. The
algorithm is fixed here and never read from the token (RFC 8725 section 3.1).
"""

from __future__ import annotations

import base64
import hmac
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal, TypeVar

import jwt
import msgspec
from msgspec import Meta, Struct

from twinclass_signaling.errors import SignalingError
from twinclass_signaling.ids import LessonId, ParticipantId, RoomId
from twinclass_signaling.lesson.state import ID_PATTERN
from twinclass_signaling.roles import DESK_ROLES, LESSON_ROLES, Role

ALGORITHM = "HS256"
AUDIENCE = "twinclass"
#: Staff links open the desk, never a lesson; join tokens never the desk.
STAFF_AUDIENCE = "twinclass-staff"
#: Links of the evening desk open that and no lesson.
DESK_AUDIENCE = "twinclass-desk"
#: Opens one entry of the library, to look at: given out by the desk with what it links to.
CHAPTER_AUDIENCE = "twinclass-chapter"
#: Clocks of school servers differ by some seconds; a minute is generous.
CLOCK_SKEW_S = 60.0
#: Decoded tokens that are remembered, 1 KiB each: those of a large school on one morning. A page
#: asks with the same one again and again, and decoding is a tenth of what a small answer costs.
MAX_REMEMBERED = 8192

_jws = jwt.PyJWS()

TokenCode = Literal["token_expired", "token_invalid", "token_revoked", "token_wrong_lesson"]
Id = Annotated[str, Meta(pattern=ID_PATTERN)]
Name = Annotated[str, Meta(max_length=64)]


class TokenError(SignalingError):
    """The token does not let its bearer in; ``code`` is one of ``TokenCode``."""


class Claims(Struct, frozen=True, omit_defaults=True):
    """What a token says. For the role ``room`` the subject is the room's id."""

    sub: Id
    role: Role
    lesson: Id
    exp: float
    iat: float
    aud: str = AUDIENCE
    room: Id | None = None
    name: Name = ""
    school: Name = ""
    #: The link it was given out with, which can be revoked; None: it ends by time alone.
    lnk: Id | None = None

    @property
    def participant(self) -> ParticipantId:
        """Returns the seat this token is for."""
        return ParticipantId(self.sub)

    @property
    def room_id(self) -> RoomId | None:
        """Returns the room of the bearer, if any."""
        return None if self.room is None else RoomId(self.room)


class StaffClaims(Struct, frozen=True, omit_defaults=True):
    """What a staff link says: ``operator`` sees all lessons, ``lead`` her own; ``librarian`` the
    library and nothing else."""

    sub: Id
    role: Role
    exp: float
    iat: float
    aud: str = STAFF_AUDIENCE
    name: Name = ""


class DeskClaims(Struct, frozen=True, omit_defaults=True):
    """What a link of the evening desk says. ``name``: of a pupil her given name only; ``grade``,
    ``class_name`` and ``school`` are a pupil's, ``children`` a guardian's."""

    sub: Id
    role: Role
    desk: Id
    exp: float
    iat: float
    aud: str = DESK_AUDIENCE
    name: Name = ""
    grade: Annotated[int, Meta(ge=1, le=12)] | None = None
    class_name: Name = ""
    school: Name = ""
    children: Annotated[tuple[Id, ...], Meta(max_length=16)] = ()
    #: The link it was given out with, which can be revoked; None: it ends by time alone.
    lnk: Id | None = None
    #: The moment of a lesson it was given out in (``desk.origins``): she may ask about that one.
    origin: Id | None = None


class ChapterClaims(Struct, frozen=True, omit_defaults=True):
    """What a link to one entry of the library says; it is to look at, and ends by time alone."""

    sub: Id
    role: Role
    #: Recordings' ids: a lesson's and a second.
    entry: Annotated[str, Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,79}$")]
    exp: float
    iat: float
    aud: str = CHAPTER_AUDIENCE


STAFF_ROLES = frozenset({Role.OPERATOR, Role.LEAD, Role.LIBRARIAN})
_C = TypeVar("_C", Claims, StaffClaims, DeskClaims, ChapterClaims)


@dataclass(frozen=True, slots=True)
class SigningKey:
    """One secret of at least 32 bytes (RFC 7518 section 3.2), never in a repr."""

    kid: str
    secret: bytes = field(repr=False)


class TokenKeys:
    """Keys, oldest first: the last one signs, all of them verify."""

    def __init__(
        self,
        keys: Sequence[SigningKey],
        is_revoked: Callable[[str], bool] = lambda _: False,
        remembered: OrderedDict[tuple[str, str], Any] | None = None,
    ) -> None:
        if not keys:
            raise ValueError("at least one key is needed")
        self._signing = keys[-1]
        self._by_kid = {key.kid: key for key in keys}
        self._is_revoked = is_revoked
        #: (audience, token) -> claims, whoever was used last at the end. Only signatures are taken
        #: for granted: times and withdrawn links are looked at each time.
        self._remembered = OrderedDict() if remembered is None else remembered

    def refusing(self, is_revoked: Callable[[str], bool]) -> TokenKeys:
        """Returns the same keys, which refuse tokens of links that were revoked."""
        return TokenKeys(list(self._by_kid.values()), is_revoked, self._remembered)

    def issue(self, claims: Claims | StaffClaims | DeskClaims | ChapterClaims) -> str:
        """Returns the signed token."""
        content: dict[str, object] = msgspec.to_builtins(claims)
        content |= {"aud": claims.aud, "iat": int(claims.iat), "exp": int(claims.exp)}
        # As UTF-8 and not as jwt.encode would (six characters for each of 汉字): the token is in
        # a link, and the link in a QR code.
        return _jws.encode(
            msgspec.json.encode(content),
            self._signing.secret,
            algorithm=ALGORITHM,
            headers={"kid": self._signing.kid, "typ": "JWT"},
        )

    def seal(self, purpose: str, content: bytes) -> str:
        """Returns ``content`` with a signature, for a path: base64url, two dots (RFC 4648 5).

        A seal for one purpose is none for another.
        """
        kid = self._signing.kid
        mac = _mac(self._signing, purpose, content)
        return f"{_base64(content)}.{_base64(kid.encode())}.{_base64(mac)}"

    def unseal(self, purpose: str, sealed: str) -> bytes:
        """Returns what was sealed.

        Raises:
            TokenError: it was not sealed by these keys for this purpose.
        """
        try:
            content, kid, mac = (_unbase64(part) for part in sealed.split("."))
            key = self._by_kid[kid.decode()]
        except (ValueError, KeyError) as error:
            raise _invalid() from error
        if not hmac.compare_digest(mac, _mac(key, purpose, content)):
            raise _invalid()
        return content

    def verify(self, token: str, now: float, lesson: LessonId | None = None) -> Claims:
        """Returns the claims of a token that is good now (and for ``lesson``).

        Raises:
            TokenError: it is not, with the code that says why.
        """
        claims = self._decode(token, Claims, AUDIENCE)
        _check_times(claims, now)
        if claims.role not in LESSON_ROLES:
            raise _invalid()
        self._check_link(claims.lnk)
        if lesson is not None and claims.lesson != lesson:
            raise TokenError(
                "token_wrong_lesson",
                "这个链接是另一节课的。",
                "This link belongs to another lesson.",
            )
        return claims

    def verify_staff(self, token: str, now: float) -> StaffClaims:
        """Returns the claims of a staff link that is good now.

        Raises:
            TokenError: it is not, with the code that says why.
        """
        claims = self._decode(token, StaffClaims, STAFF_AUDIENCE)
        _check_times(claims, now)
        if claims.role not in STAFF_ROLES:
            raise _invalid()
        return claims

    def verify_desk(self, token: str, now: float) -> DeskClaims:
        """Returns the claims of a link of the desk that is good now.

        Raises:
            TokenError: it is not, with the code that says why.
        """
        claims = self._decode(token, DeskClaims, DESK_AUDIENCE)
        _check_times(claims, now)
        if claims.role not in DESK_ROLES or (claims.role is Role.PUPIL) != (
            claims.grade is not None
        ):
            raise _invalid()
        self._check_link(claims.lnk)
        return claims

    def verify_chapter(self, token: str, now: float) -> ChapterClaims:
        """Returns the claims of a link to an entry of the library that is good now.

        Raises:
            TokenError: it is not, with the code that says why.
        """
        claims = self._decode(token, ChapterClaims, CHAPTER_AUDIENCE)
        _check_times(claims, now)
        return claims

    def _check_link(self, link: str | None) -> None:
        if link is not None and self._is_revoked(link):
            raise TokenError(
                "token_revoked",
                "这个链接已停用，请向老师要新的链接。",
                "This link was withdrawn; ask the teacher for a new one.",
            )

    def _decode(self, token: str, kind: type[_C], audience: str) -> _C:
        known: _C | None = self._remembered.get((audience, token))
        if known is not None:
            self._remembered.move_to_end((audience, token))
            return known
        claims = self._verified(token, kind, audience)
        self._remembered[audience, token] = claims
        if len(self._remembered) > MAX_REMEMBERED:
            self._remembered.popitem(last=False)
        return claims

    def _verified(self, token: str, kind: type[_C], audience: str) -> _C:
        try:
            header: Mapping[str, object] = jwt.get_unverified_header(token)
            key = self._by_kid[str(header.get("kid"))]
            payload: Mapping[str, object] = jwt.decode(
                token,
                key.secret,
                algorithms=[ALGORITHM],
                audience=audience,
                # Times are checked against the caller's clock.
                options={
                    "require": ["exp", "iat", "aud", "sub"],
                    "verify_exp": False,
                    "verify_iat": False,
                    "verify_nbf": False,
                },
            )
            return msgspec.convert(payload, kind)
        # RecursionError: a header of deeply nested JSON; it is attacker's input.
        except (jwt.PyJWTError, KeyError, msgspec.ValidationError, RecursionError) as error:
            raise _invalid() from error


def _mac(key: SigningKey, purpose: str, content: bytes) -> bytes:
    return hmac.digest(key.secret, f"seal\n{purpose}\n".encode() + content, "sha256")


def _base64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _unbase64(text: str) -> bytes:
    return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)


def _check_times(claims: Claims | StaffClaims | DeskClaims | ChapterClaims, now: float) -> None:
    if claims.iat > now + CLOCK_SKEW_S:
        raise _invalid()
    if claims.exp <= now:
        raise TokenError(
            "token_expired",
            "链接已过期，请向老师要新的链接。",
            "This link has expired; ask the teacher for a new one.",
        )


def _invalid() -> TokenError:
    return TokenError(
        "token_invalid",
        "链接无效，请重新打开完整的链接。",
        "This link is not valid; open the complete link again.",
    )
