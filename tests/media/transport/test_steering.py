"""The kernel's choice of socket by first bytes."""

from __future__ import annotations

import socket

import pytest

from light.ports import free_port
from twinclass_media.transport.steering import steered_sockets

MEDIA = {
    "ClientHello": b"\x16\xfe\xff" + b"\0" * 40,
    "first of DTLS": b"\x14" + b"\0" * 20,
    "RTP": b"\x80\x60" + b"\0" * 30,
    "RTP with marker": b"\x90\xe0" + b"\0" * 30,
    "last payload type": b"\xbf\xff" + b"\0" * 30,
    "below RTCP": b"\x80\xbf" + b"\0" * 30,
    "one byte of RTP": b"\x80",
    "nothing": b"",
    "not ours": b"\xff\xc8" + b"\0" * 30,
}
CONTROL = {
    "STUN": b"\x00\x01" + b"\0" * 30,
    "STUN answer": b"\x01\x01" + b"\0" * 30,
    "sender report": b"\x80\xc8" + b"\0" * 30,
    "first RTCP": b"\x81\xc0" + b"\0" * 30,
    "last RTCP": b"\xbf\xdf" + b"\0" * 30,
}


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "0.0.0.0", "::"])
def test_reports_and_checks_go_to_the_socket_that_wakes_nobody(host: str) -> None:
    port = free_port()
    media, control = steered_sockets(host, port)
    assert control is not None
    to = "::1" if host == "::1" else "127.0.0.1"
    with (
        media,
        control,
        socket.socket(socket.AF_INET6 if ":" in to else socket.AF_INET, socket.SOCK_DGRAM) as away,
    ):
        for wanted, other, kinds in ((media, control, MEDIA), (control, media, CONTROL)):
            for name, data in kinds.items():
                away.sendto(data, (to, port))
                assert wanted.recv(2048) == data, name
                with pytest.raises(BlockingIOError):
                    other.recv(2048)


def test_a_port_of_another_server_is_busy_although_it_shares_it_with_itself() -> None:
    port = free_port()
    media, control = steered_sockets("127.0.0.1", port)
    assert control is not None
    with media, control, pytest.raises(OSError, match="in use"):
        steered_sockets("127.0.0.1", port)
