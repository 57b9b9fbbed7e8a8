"""Who asks for what the evening desk keeps: shared by all of its routes."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Collection
from typing import Annotated, Protocol

from msgspec import Meta
from starlette.requests import Request

from twinclass_server.desk.content.media import Author
from twinclass_server.http.desk_http import Keys, bearer
from twinclass_signaling.desk.plan import Desk
from twinclass_signaling.errors import Conflict, Forbidden, LimitExceeded
from twinclass_signaling.rate import Allowance, TokenBucket
from twinclass_signaling.roles import Role
from twinclass_signaling.tokens import Claims, DeskClaims

#: With line feeds; longer than may be sent, so that people are told so and programs get no more.
Words = Annotated[str, Meta(max_length=10_000, pattern=r"^[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f]*\Z")]
#: A reason, a note: one line.
Short = Annotated[str, Meta(max_length=120, pattern=r"^[^\x00-\x1f\x7f]*\Z")]

#: What a child does in an hour of homework, several times over; a script is stopped.
ALLOWANCES: dict[str, Allowance] = {
    "photo": Allowance(20 / 3600, 20),
    "voice": Allowance(20 / 3600, 20),
    "content": Allowance(30 / 3600, 30),
    "rating": Allowance(30 / 3600, 30),
    # One look at the bank a second, and a burst while typing.
    "search": Allowance(1, 30),
    # A list of thirty questions, twice.
    "origin": Allowance(1, 60),
    # A question a minute of a lesson.
    "carry": Allowance(60 / 3600, 60),
}
#: Pupils of a city's desk in an evening; who was quiet longest is forgotten first.
_MAX_BUCKETS = 50_000


class DeskPort(Protocol):
    """What the host knows and these routes ask. Calls do not block."""

    def evening(self, desk: str) -> str:
        """Returns the evening that is on, or was last: ``2026-11-25``."""
        ...

    def plan(self, desk: str) -> Desk | None:
        """Returns a desk, None: there is none of this name."""
        ...

    def may_see(self, desk: str, claims: DeskClaims, question: int) -> bool:
        """Tells what ``visibility.may_see_question`` does of a question of this evening."""
        ...

    def contents_of(self, desk: str, question: int) -> Collection[str]:
        """Returns the references of a question of this evening: its content and its answers."""
        ...

    def origin_of(self, desk: str, claims: DeskClaims, question: int) -> str | None:
        """Returns where a question of this evening comes from, for whoever may know; else None."""
        ...

    def rates(self, desk: str, claims: DeskClaims, question: int) -> str | None:
        """Returns the tutor whose help with a question this pupil may rate; None: nobody's."""
        ...

    def name(self, desk: str, person: str) -> str:
        """Returns how somebody who was here tonight is called by her link; empty: not known."""
        ...

    def officer(self, desk: str) -> str:
        """Returns whom guardians may turn to: the safeguarding officer as the desk names her."""
        ...

    def recording_url(self, desk: str, evening: str, session: int, until: float) -> str | None:
        """Returns a link to what was recorded of a session, good until then (Unix seconds); None:
        nothing was, or it is deleted."""
        ...


class DeskDoor:
    """Tells who asks, and how often she has."""

    def __init__(self, keys: Keys, port: DeskPort, clock: Callable[[], float] = time.time) -> None:
        self._keys = keys
        self._port = port
        self._buckets: OrderedDict[tuple[str, str], TokenBucket] = OrderedDict()
        self.clock = clock

    def who(self, request: Request, *roles: Role) -> DeskClaims:
        """Returns who asks; without ``roles``: anybody with a link of the desk.

        Raises:
            TokenError: not with a link of the desk that is good now.
            Forbidden: another role.
        """
        claims = self._keys().verify_desk(bearer(request), self.clock())
        if roles and claims.role not in roles:
            raise Forbidden("forbidden", "您的角色不能这样做。", "Your role does not allow this.")
        return claims

    def author(self, claims: DeskClaims) -> Author:
        """Returns who sends something, as it is stored."""
        return Author(claims.sub, claims.role, claims.desk, self._port.evening(claims.desk))

    def take(self, kind: str, claims: DeskClaims | Claims) -> None:
        """Counts what somebody does.

        Raises:
            LimitExceeded: ``rate_limited``, with the seconds to wait.
        """
        key, now = (kind, claims.sub), self.clock()
        bucket = self._buckets.get(key)
        if bucket is None:
            bucket = self._buckets[key] = TokenBucket(ALLOWANCES[kind], now)
            if len(self._buckets) > _MAX_BUCKETS:
                self._buckets.popitem(last=False)
        self._buckets.move_to_end(key)
        wait_s = bucket.take(now)
        if wait_s > 0:
            minutes = int(wait_s // 60) + 1
            raise LimitExceeded(
                "rate_limited",
                f"发送得太多了，请过 {minutes} 分钟再试。",
                f"That was too often; try again in {minutes} min.",
                retry_after_s=wait_s,
            )


def number_of(text: str) -> int:
    """Returns a number of a path or query.

    Raises:
        Conflict: ``question_unknown``: it is none.
    """
    if not (text.isascii() and text.isdigit() and len(text) <= 10):
        raise Conflict("question_unknown", "没有这个问题。", "There is no such question.")
    return int(text)
