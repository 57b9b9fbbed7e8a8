"""STUN binding requests as an ICE-lite agent needs them, over aioice's messages.

Spec: RFC 8489, RFC 8445 sections 2.5 (lite) and 7.3.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

from aioice import stun

from twinclass_media.errors import MalformedPacket

HEADER_BYTES = 20
MAGIC_COOKIE = b"\x21\x12\xa4\x42"
#: A browser's check is under 150 bytes; nothing legal comes near this.
MAX_BYTES = 548


@dataclass(frozen=True, slots=True)
class BindingRequest:
    """An unverified request: who it names, and whether it nominates."""

    local_ufrag: str
    remote_ufrag: str
    use_candidate: bool
    message: stun.Message

    def verify(self, password: str) -> bool:
        """True when MESSAGE-INTEGRITY is right for our password."""
        return self.message.check_message_integrity(password.encode())

    def response(self, source: tuple[str, int], password: str) -> bytes:
        """Returns the success response, telling the peer the address it came from."""
        reply = stun.Message(
            message_method=stun.Method.BINDING,
            message_class=stun.Class.RESPONSE,
            transaction_id=self.message.transaction_id,
        )
        reply.attributes["XOR-MAPPED-ADDRESS"] = source
        reply.add_message_integrity(password.encode())
        return bytes(reply)


def is_stun(data: bytes) -> bool:
    """True for what may be STUN: first byte 0..3 and the magic cookie (RFC 7983 section 7)."""
    return len(data) >= HEADER_BYTES and data[0] < 4 and data[4:8] == MAGIC_COOKIE


def parse_binding_request(data: bytes) -> BindingRequest:
    """Reads a binding request.

    Raises:
        MalformedPacket: it is something else, or broken.
    """
    if len(data) > MAX_BYTES:
        raise MalformedPacket("STUN message is too long")
    try:
        message = stun.parse_message(data)
    except (ValueError, IndexError, KeyError, struct.error, UnicodeDecodeError) as error:
        raise MalformedPacket(f"STUN: {error}") from error
    if message.message_method != stun.Method.BINDING or message.message_class != stun.Class.REQUEST:
        raise MalformedPacket("not a binding request")
    username = message.attributes.get("USERNAME")
    if not isinstance(username, str) or username.count(":") != 1:
        raise MalformedPacket("no ICE username")
    local, remote = username.split(":")
    return BindingRequest(
        local_ufrag=local,
        remote_ufrag=remote,
        use_candidate="USE-CANDIDATE" in message.attributes,
        message=message,
    )
