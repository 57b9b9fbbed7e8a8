"""SRTP sessions of one peer, over libsrtp as pylibsrtp ships it.

The send loop protects in place in an arena and what arrives is read in one buffer, so the
library's functions and the session's pointer are taken from pylibsrtp's private binding (1.0.0,
pinned; a test guards it). That is worth 1 µs per packet. What is rare goes through pylibsrtp's
public methods.
"""

from __future__ import annotations

from typing import Any

import pylibsrtp
from pylibsrtp import Policy, Session
from pylibsrtp._binding import ffi, lib

from twinclass_media.errors import LimitExceeded, RemoteProtocolError
from twinclass_media.transport.dtls import SrtpKeys

#: The binding's untyped C objects; nothing outside the send loop touches them.
FFI: Any = ffi
SRTP_PROTECT: Any = lib.srtp_protect
#: The same as a C function pointer, for the compiled loop.
SRTP_PROTECT_POINTER: Any = ffi.addressof(lib, "srtp_protect")

_PROFILES = {
    "SRTP_AES128_CM_SHA1_80": (Policy.SRTP_PROFILE_AES128_CM_SHA1_80, 10),
    "SRTP_AEAD_AES_128_GCM": (Policy.SRTP_PROFILE_AEAD_AES_128_GCM, 16),
    "SRTP_AEAD_AES_256_GCM": (Policy.SRTP_PROFILE_AEAD_AES_256_GCM, 16),
}
#: A packet mended by uplink RTX may go out this many numbers late: one second of a camera.
#: libsrtp shifts the whole window for every packet, so it is no larger than that.
WINDOW = 256
#: RTP streams one peer may send: 4 tracks x 3 layers x 2 (RTX), and as many again for
#: encoders that restart. libsrtp searches streams one by one and keeps 1 KiB for each.
MAX_RECEIVE_STREAMS = 48

#: Longer than any datagram that the ingress lets through.
RECEIVE_BYTES = 2048
#: One packet at a time is decrypted, in here.
_buffer = bytearray(RECEIVE_BYTES)
_view = memoryview(_buffer)
_pinned: Any = ffi.from_buffer(_buffer)
_length: Any = ffi.new("int *")


class SrtpPair:
    """Keys of both directions.

    Attributes:
        tag: bytes that ``protect`` adds to an RTP packet.
        handle: libsrtp's pointer for ``SRTP_PROTECT``.
        session: the same as a number, for the compiled loop.
    """

    __slots__ = ("_receive", "_receiving", "_send", "_streams", "handle", "session", "tag")

    def __init__(self, keys: SrtpKeys) -> None:
        profile, self.tag = _PROFILES[keys.profile]
        self._receive = Session(_policy(keys.receive, profile, Policy.SSRC_ANY_INBOUND))
        self._send = Session(_policy(keys.send, profile, Policy.SSRC_ANY_OUTBOUND))
        self._receiving: Any = self._receive._srtp[0]
        self.handle: Any = self._send._srtp[0]
        self.session = int(ffi.cast("uintptr_t", self.handle))
        self._streams: set[int] = set()

    def unprotect(self, packet: bytes, ssrc: int) -> bytes:
        """Returns the decrypted packet.

        Raises:
            LimitExceeded: one more SSRC than a peer may use; nothing was decrypted.
            RemoteProtocolError: not authentic, or replayed.
        """
        if ssrc not in self._streams and len(self._streams) >= MAX_RECEIVE_STREAMS:
            raise LimitExceeded("too many SSRCs")
        data = _unprotect(lib.srtp_unprotect, self._receiving, packet)
        self._streams.add(ssrc)
        return data

    def forget(self, ssrc: int) -> None:
        """Frees the state of a received SSRC that is no longer in use."""
        if ssrc in self._streams:
            self._streams.discard(ssrc)
            self._receive.remove_stream(ssrc)

    def unprotect_rtcp(self, packet: bytes) -> bytes:
        """Returns the decrypted compound packet.

        Raises:
            RemoteProtocolError: not authentic, or replayed.
        """
        return _unprotect(lib.srtp_unprotect_rtcp, self._receiving, packet)

    def protect(self, packet: bytes) -> bytes:
        """Returns one protected RTP packet (retransmissions; bursts go another way).

        Raises:
            RemoteProtocolError: this SSRC and index was protected before.
        """
        try:
            data: bytes = self._send.protect(packet)
        except (pylibsrtp.Error, ValueError) as error:
            raise RemoteProtocolError(str(error)) from error
        return data

    def protect_rtcp(self, packet: bytes) -> bytes:
        """Returns the protected compound packet."""
        data: bytes = self._send.protect_rtcp(packet)
        return data


def _unprotect(function: Any, session: Any, packet: bytes) -> bytes:  # noqa: ANN401
    size = len(packet)
    if size > RECEIVE_BYTES:
        raise RemoteProtocolError("packet is too long")
    _buffer[:size] = packet
    _length[0] = size
    status = function(session, _pinned, _length)
    if status:
        raise RemoteProtocolError(f"libsrtp status {status}")
    return bytes(_view[: _length[0]])


def _policy(key: bytes, profile: int, ssrc_type: int) -> Policy:
    policy = Policy(key=key, ssrc_type=ssrc_type, srtp_profile=profile)
    policy.window_size = WINDOW
    return policy
