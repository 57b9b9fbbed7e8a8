"""Errors of signalling.

SignalingError
  RemoteProtocolError    the client broke the protocol: close, count
    SdpError             a session description that is malformed or asks for too much
  UserError              show to the person
    Forbidden            the role may not do this
    Conflict             not possible in the lesson's present state
  LimitExceeded          too much or too often
  Unavailable            a part we need is away: retry
  InvalidState           our own mistake
"""

from __future__ import annotations


class SignalingError(Exception):
    """Root. ``code`` is stable, lowercase, for programs; texts are for people."""

    def __init__(self, code: str, zh: str, en: str, *, retry_after_s: float = 0.0) -> None:
        super().__init__(code)
        self.code = code
        self.zh = zh
        self.en = en
        self.retry_after_s = retry_after_s

    def __str__(self) -> str:
        return f"{self.code}: {self.en}"


class RemoteProtocolError(SignalingError):
    """The client broke the protocol."""


class SdpError(RemoteProtocolError):
    """A session description that is malformed or asks for what we do not do."""


class UserError(SignalingError):
    """The person asked for something that cannot be."""


class Forbidden(UserError):
    """The role may not do this."""


class Conflict(UserError):
    """Not possible in the lesson's present state."""


class LimitExceeded(SignalingError):
    """Too much or too often."""


class Unavailable(SignalingError):
    """A part we need is away; the same may work later."""


class InvalidState(SignalingError):
    """Our own mistake; logged with a traceback."""
