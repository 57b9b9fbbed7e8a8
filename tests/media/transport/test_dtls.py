import contextlib
import datetime

import pytest
from OpenSSL import SSL

from twinclass_media.errors import FingerprintMismatch, RemoteProtocolError
from twinclass_media.transport.certificate import Certificate, generate_certificate
from twinclass_media.transport.dtls import (
    EXPORTER_LABEL,
    DtlsContext,
    DtlsPhase,
    DtlsServer,
    split_flight,
)

NOW = datetime.datetime.now(datetime.UTC)
OURS = generate_certificate(NOW)
THEIRS = generate_certificate(NOW)
CONTEXT = DtlsContext(OURS)


class Client:
    """pyOpenSSL's own DTLS client over memory."""

    def __init__(
        self, certificate: Certificate = THEIRS, profiles: bytes = b"SRTP_AEAD_AES_128_GCM"
    ) -> None:
        context = SSL.Context(SSL.DTLS_CLIENT_METHOD)
        context.set_verify(SSL.VERIFY_PEER, lambda *_: True)
        context.use_certificate(certificate.certificate)
        context.use_privatekey(certificate.key)
        if profiles:
            context.set_tlsext_use_srtp(profiles)
        self.ssl = SSL.Connection(context, None)
        self.ssl.set_connect_state()
        self.ssl.set_ciphertext_mtu(1200)

    def advance(self, datagrams: list[bytes]) -> list[bytes]:
        for datagram in datagrams:
            self.ssl.bio_write(datagram)
        with contextlib.suppress(SSL.WantReadError):
            self.ssl.do_handshake()
        data = b""
        while True:
            try:
                data += self.ssl.bio_read(65536)
            except SSL.WantReadError:
                return split_flight(data)


def shake(server: DtlsServer, client: Client) -> list[bytes]:
    """Runs to the end; returns the server's last flight."""
    flight: list[bytes] = []
    for _ in range(8):
        flight = [x for d in client.advance(flight) for x in server.handle_datagram(d, 0.0)]
        if server.phase is DtlsPhase.CONNECTED:
            client.advance(flight)
            return flight
    raise AssertionError("no end")


def test_both_ends_export_the_same_keys_and_the_ssl_object_is_released() -> None:
    server, client = DtlsServer(CONTEXT, [("SHA-256", THEIRS.fingerprint.lower())], 0.0), Client()
    shake(server, client)
    assert server.keys is not None
    material = client.ssl.export_keying_material(EXPORTER_LABEL, 56)
    assert server.keys.receive == material[:16] + material[32:44]
    assert server.keys.send == material[16:32] + material[44:]
    assert server.deadline is None
    assert server._ssl is None


def test_another_certificate_than_the_signalled_one_is_refused() -> None:
    server = DtlsServer(CONTEXT, [("sha-256", OURS.fingerprint)], 0.0)
    with pytest.raises(FingerprintMismatch):
        shake(server, Client())
    assert server.phase is DtlsPhase.FAILED
    assert server.keys is None


def test_a_client_without_srtp_is_refused() -> None:
    server = DtlsServer(CONTEXT, [("sha-256", THEIRS.fingerprint)], 0.0)
    with pytest.raises(RemoteProtocolError):
        shake(server, Client(profiles=b""))
    assert server.phase is DtlsPhase.FAILED


def test_a_lost_last_flight_is_sent_again_until_it_is_confirmed() -> None:
    server, client = DtlsServer(CONTEXT, [("sha-256", THEIRS.fingerprint)], 0.0), Client()
    flight = shake(server, client)
    repeat = bytes((22, 254, 253)) + b"\0" * 20
    assert server.handle_datagram(repeat, 1.0) == flight
    server.confirm()
    assert server.handle_datagram(repeat, 1.0) == []


def test_a_silent_client_is_given_up() -> None:
    server, client = DtlsServer(CONTEXT, [("sha-256", THEIRS.fingerprint)], 100.0), Client()
    for datagram in client.advance([]):
        server.handle_datagram(datagram, 100.0)
    assert server.deadline is not None
    resent = server.handle_timeout(server.deadline + 1.5)
    assert server.phase is DtlsPhase.CONNECTING
    assert all(len(d) <= 1200 for d in resent)
    with pytest.raises(RemoteProtocolError, match="timed out"):
        server.handle_timeout(116.0)
    assert server.phase is DtlsPhase.FAILED


def test_garbage_does_not_end_a_handshake() -> None:
    server, client = DtlsServer(CONTEXT, [("sha-256", THEIRS.fingerprint)], 0.0), Client()
    first = client.advance([])
    server.handle_datagram(bytes((22, 254, 253)) + b"\xff" * 40, 0.0)
    flight = [x for d in first for x in server.handle_datagram(d, 0.0)]
    for _ in range(6):
        flight = [x for d in client.advance(flight) for x in server.handle_datagram(d, 0.0)]
        if server.phase is DtlsPhase.CONNECTED:
            break
    assert server.phase is DtlsPhase.CONNECTED
