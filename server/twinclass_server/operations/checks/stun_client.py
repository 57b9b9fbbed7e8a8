"""A connectivity check as a browser sends it, over UDP, and whether an answer comes.

Spec: RFC 8489 sections 5, 14.5 and 14.7; RFC 8445 section 7.1.
"""

from __future__ import annotations

import hmac
import secrets
import socket
import struct
import time
import zlib
from dataclasses import dataclass

from twinclass_media.transport.stun import (
    BINDING_REQUEST,
    BINDING_SUCCESS,
    FINGERPRINT,
    FINGERPRINT_XOR,
    HEADER_BYTES,
    MAGIC_COOKIE,
    MAX_BYTES,
    MESSAGE_INTEGRITY,
    USERNAME,
)

#: RFC 8489 section 6.2.1: the first is repeated after half a second.
_AGAIN_S = (0.5, 1.0, 1.0)


@dataclass(frozen=True, slots=True)
class Answer:
    """A round trip, and the way it came from our side."""

    round_trip_ms: float
    local: str


def request(ufrag: str, pwd: str) -> tuple[bytes, bytes]:
    """Returns a binding request and its transaction id; it is longer than its answer."""
    transaction = secrets.token_bytes(12)
    username = f"{ufrag}:doctor".encode()
    padding = b"\0" * (-len(username) % 4)
    attribute = struct.pack("!HH", USERNAME, len(username)) + username + padding

    def header(length: int) -> bytes:
        return struct.pack("!HH", BINDING_REQUEST, length) + MAGIC_COOKIE + transaction

    covered = header(len(attribute) + 24) + attribute
    integrity = hmac.digest(pwd.encode(), covered, "sha1")
    message = header(len(attribute) + 32) + attribute
    message += struct.pack("!HH", MESSAGE_INTEGRITY, 20) + integrity
    checksum = zlib.crc32(message) ^ FINGERPRINT_XOR
    return message + struct.pack("!HHI", FINGERPRINT, 4, checksum), transaction


def ask(host: str, port: int, ufrag: str, pwd: str, source: str = "") -> Answer | None:
    """Returns the round trip; None when nothing comes in 2.5 s. ``source``: address to send from.

    Raises:
        OSError: it cannot even be sent.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as sock:
        if source:
            sock.bind((source, 0))
        sock.connect((host, port))
        message, transaction = request(ufrag, pwd)
        for wait_s in _AGAIN_S:
            sent = time.perf_counter()
            sock.send(message)
            deadline = sent + wait_s
            while (left := deadline - time.perf_counter()) > 0:
                sock.settimeout(left)
                try:
                    data = sock.recv(MAX_BYTES)
                except TimeoutError:
                    break
                except ConnectionRefusedError:
                    return None  # Nobody has the port.
                if _is_answer(data, transaction):
                    return Answer((time.perf_counter() - sent) * 1000, sock.getsockname()[0])
    return None


def _is_answer(data: bytes, transaction: bytes) -> bool:
    return (
        len(data) >= HEADER_BYTES
        and data[:2] == BINDING_SUCCESS.to_bytes(2, "big")
        and data[4:20] == MAGIC_COOKIE + transaction
    )
