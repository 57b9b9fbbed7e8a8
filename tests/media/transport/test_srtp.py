import os
import struct

import pytest

from twinclass_media.errors import LimitExceeded, RemoteProtocolError
from twinclass_media.transport.dtls import SrtpKeys
from twinclass_media.transport.srtp import FFI, MAX_RECEIVE_STREAMS, SRTP_PROTECT, SrtpPair


def pairs(profile: str = "SRTP_AEAD_AES_128_GCM") -> tuple[SrtpPair, SrtpPair]:
    size = 30 if profile == "SRTP_AES128_CM_SHA1_80" else 44 if "256" in profile else 28
    a, b = os.urandom(size), os.urandom(size)
    return SrtpPair(SrtpKeys(profile, a, b)), SrtpPair(SrtpKeys(profile, b, a))


def rtp(ssrc: int, sequence: int) -> bytes:
    return struct.pack("!BBHII", 0x80, 96, sequence, 0, ssrc) + b"payload"


@pytest.mark.parametrize(
    "profile", ["SRTP_AES128_CM_SHA1_80", "SRTP_AEAD_AES_128_GCM", "SRTP_AEAD_AES_256_GCM"]
)
def test_protecting_in_place_gives_what_the_library_reads(profile: str) -> None:
    """Guards the private binding that the send loop stands on."""
    ours, theirs = pairs(profile)
    packet = rtp(7, 1)
    arena = bytearray(packet + b"\0" * ours.tag)
    length = FFI.new("int *", len(packet))
    assert SRTP_PROTECT(ours.handle, FFI.from_buffer(arena), length) == 0
    assert length[0] == len(packet) + ours.tag
    assert theirs.unprotect(bytes(arena), 7) == packet


def test_a_packet_is_taken_once() -> None:
    ours, theirs = pairs()
    data = ours.protect(rtp(7, 1))
    theirs.unprotect(data, 7)
    with pytest.raises(RemoteProtocolError):
        theirs.unprotect(data, 7)
    with pytest.raises(RemoteProtocolError):
        theirs.unprotect(data[:-1] + b"\0", 7)


def test_ssrcs_are_bounded_before_anything_is_decrypted() -> None:
    ours, theirs = pairs()
    for ssrc in range(MAX_RECEIVE_STREAMS):
        theirs.unprotect(ours.protect(rtp(ssrc + 1, 1)), ssrc + 1)
    with pytest.raises(LimitExceeded):
        theirs.unprotect(ours.protect(rtp(999, 1)), 999)
    theirs.forget(1)
    theirs.unprotect(ours.protect(rtp(1000, 1)), 1000)
