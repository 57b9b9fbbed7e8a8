"""Passwords for the relay (TURN), each for one session and a few minutes (core).

The relay is a coturn with ``use-auth-secret``: it shares one secret with us and nothing else. A
user name begins with the second until which it is good, the password is its HMAC; so the relay
knows whom we sent without asking, and a password that leaks is worth minutes. An allocation that
stands outlives its password: a lesson is longer than that.

Spec: RFC 8489 section 9.2 (long-term credentials), draft-uberti-behave-turn-rest-00 section 2.2,
RFC 7065 (turns: URIs).
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from dataclasses import dataclass, field

from twinclass_signaling.ids import SessionId
from twinclass_signaling.messages import RelayServer, RelayServers

#: What a page is told while there is no relay.
NO_RELAY = RelayServers((), 0)
_NAME_BYTES = 12


@dataclass(frozen=True, slots=True)
class Turn:
    """Where the relay is, and the secret it shares with us.

    Attributes:
        urls: as pages are given them; none: there is no relay.
        ttl_s: how long a password is good for.
    """

    urls: tuple[str, ...] = ()
    secret: str = field(default="", repr=False)
    ttl_s: int = 300

    def servers(self, session: SessionId, now_unix: float) -> RelayServers:
        """Returns what a session's page needs, with a new password."""
        if not self.urls:
            return NO_RELAY
        username = f"{int(now_unix) + self.ttl_s}:{_alias(self.secret, session)}"
        password = credential(self.secret, username)
        return RelayServers((RelayServer(self.urls, username, password),), self.ttl_s)


def credential(secret: str, username: str) -> str:
    """Returns the password of a user name: base64 of HMAC-SHA1, as coturn works it out."""
    return base64.b64encode(hmac.digest(secret.encode(), username.encode(), "sha1")).decode()


def _alias(secret: str, session: SessionId) -> str:
    """A session's name at the relay, whose quota is by name; its logs learn no ids of ours."""
    made = hmac.digest(secret.encode(), f"session {session}".encode(), hashlib.sha256)
    return base64.urlsafe_b64encode(made[:_NAME_BYTES]).decode()
