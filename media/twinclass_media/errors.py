"""Errors of the media plane.

MediaError
  RemoteProtocolError   the peer sent what it may not: count, drop
    MalformedPacket     bytes that are no RTP, RTCP, STUN or payload descriptor
    FingerprintMismatch the certificate is not the one that was signalled
  SpecError             a desired state that cannot be: told to the control plane
  LimitExceeded         a bound with a reason was reached
"""

from __future__ import annotations


class MediaError(Exception):
    """Root. ``code`` is stable and lowercase."""

    code = "media_error"


class RemoteProtocolError(MediaError):
    """The peer sent what it may not."""

    code = "remote_protocol_error"


class MalformedPacket(RemoteProtocolError):
    """Bytes that do not parse."""

    code = "malformed_packet"


class FingerprintMismatch(RemoteProtocolError):
    """The DTLS certificate is not the one that was signalled (RFC 8122 section 6.2)."""

    code = "fingerprint_mismatch"


class SpecError(MediaError):
    """A desired state that cannot be."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.code = code


class LimitExceeded(MediaError):
    """A bound was reached."""

    code = "limit_exceeded"
