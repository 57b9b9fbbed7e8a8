"""DTLS server handshake as a sans-I/O core over pyOpenSSL memory BIOs.

Bytes in, flights out, a deadline, and at the end the SRTP profile and keys. The SSL object is
released when the handshake is over: it holds tens of KiB and nothing of it is needed again,
for DTLS carries no application data here and renegotiation is refused by not existing.

What stays is the last flight: when it is lost the client repeats its own last flight and must
get ours again (RFC 6347 section 4.2.4). It is kept until the first authenticated SRTP packet
shows that the client has it.

A ``close_notify`` after the handshake cannot be read without the SSL object; the shell takes an
alert record only as a hint to check consent sooner.

Spec: RFC 6347 (DTLS 1.2), RFC 5764 (DTLS-SRTP), RFC 8842 (roles).
"""

from __future__ import annotations

import enum
import hmac
from collections.abc import Sequence
from dataclasses import dataclass

from cryptography.hazmat.primitives import hashes
from OpenSSL import SSL

from twinclass_media.errors import FingerprintMismatch, MalformedPacket, RemoteProtocolError
from twinclass_media.transport.certificate import Certificate, fingerprint

#: RFC 5764 section 4.2.
EXPORTER_LABEL = b"EXTRACTOR-dtls_srtp"
#: Fits any path with the smallest IPv6 MTU (1280) less IPv6 and UDP headers, rounded down.
MTU = 1200
#: RFC 6347 section 4.1: type, version, epoch, sequence number, length.
RECORD_HEADER_BYTES = 13
CONTENT_ALERT = 21
CONTENT_HANDSHAKE = 22
#: A browser's whole handshake is under 8 KiB; a peer that sends more is not shaking hands.
MAX_HANDSHAKE_BYTES = 64 * 1024
#: GCM-128 first: four times cheaper than AES-CM with HMAC-SHA1, and half the key of GCM-256.
SRTP_PROFILES = (b"SRTP_AEAD_AES_128_GCM", b"SRTP_AEAD_AES_256_GCM", b"SRTP_AES128_CM_SHA1_80")

_HASHES: dict[str, type[hashes.HashAlgorithm]] = {
    "sha-256": hashes.SHA256,
    "sha-384": hashes.SHA384,
    "sha-512": hashes.SHA512,
}


class DtlsPhase(enum.Enum):
    """Where the handshake is."""

    NEW = "new"
    CONNECTING = "connecting"
    CONNECTED = "connected"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class SrtpKeys:
    """Exported keying material: master key and salt of each direction, joined, and profile."""

    profile: str
    receive: bytes
    send: bytes


_KEY_LENGTHS = {
    "SRTP_AES128_CM_SHA1_80": (16, 14),
    "SRTP_AEAD_AES_128_GCM": (16, 12),
    "SRTP_AEAD_AES_256_GCM": (32, 12),
}


def _take_any(
    _connection: SSL.Connection, _certificate: object, _error: int, _depth: int, _ok: int
) -> bool:
    """Any certificate will do: its fingerprint is compared after the handshake."""
    return True


class DtlsContext:
    """What all handshakes of a worker share: certificate, ciphers, profiles."""

    def __init__(self, certificate: Certificate) -> None:
        context = SSL.Context(SSL.DTLS_SERVER_METHOD)
        context.set_verify(SSL.VERIFY_PEER | SSL.VERIFY_FAIL_IF_NO_PEER_CERT, _take_any)
        context.use_certificate(certificate.certificate)
        context.use_privatekey(certificate.key)
        context.set_cipher_list(
            b"ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-ECDSA-CHACHA20-POLY1305:"
            b"ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-ECDSA-AES128-SHA:ECDHE-ECDSA-AES256-SHA"
        )
        context.set_tlsext_use_srtp(b":".join(SRTP_PROFILES))
        context.set_options(SSL.OP_NO_RENEGOTIATION | SSL.OP_NO_TICKET | SSL.OP_NO_COMPRESSION)
        context.set_session_cache_mode(SSL.SESS_CACHE_OFF)
        self.ssl = context


def split_flight(data: bytes, mtu: int = MTU) -> list[bytes]:
    """Cuts a run of DTLS records into datagrams of at most ``mtu`` bytes, records whole.

    A memory BIO forgets where one datagram ended.
    """
    datagrams: list[bytes] = []
    start = end = 0
    while end + RECORD_HEADER_BYTES <= len(data):
        length = RECORD_HEADER_BYTES + int.from_bytes(data[end + 11 : end + 13], "big")
        if end > start and end + length - start > mtu:
            datagrams.append(data[start:end])
            start = end
        end += length
    if end > start:
        datagrams.append(data[start:end])
    return datagrams


class DtlsServer:
    """One handshake. Feed datagrams, send what is returned, call ``handle_timeout`` when due.

    Attributes:
        phase: where it is; CONNECTED and FAILED are final.
        keys: set when CONNECTED.
    """

    def __init__(
        self,
        context: DtlsContext,
        fingerprints: Sequence[tuple[str, str]],
        now: float,
        timeout_s: float = 15.0,
    ) -> None:
        """``fingerprints``: (algorithm, value) pairs of which one must match. ``timeout_s``:
        half of Chromium's patience; OpenSSL itself would retransmit for ever."""
        self.phase = DtlsPhase.NEW
        self.keys: SrtpKeys | None = None
        self._fingerprints = [(a.lower(), v.upper()) for a, v in fingerprints]
        self._give_up_at = now + timeout_s
        self._received = 0
        self._last_flight: list[bytes] = []
        self._retransmit_at: float | None = None
        ssl = SSL.Connection(context.ssl, None)
        ssl.set_accept_state()
        ssl.set_ciphertext_mtu(MTU)
        self._ssl: SSL.Connection | None = ssl

    @property
    def deadline(self) -> float | None:
        """When ``handle_timeout`` must be called; None when there is nothing to wait for."""
        if self._ssl is None:
            return None
        if self._retransmit_at is None:
            return self._give_up_at
        return min(self._give_up_at, self._retransmit_at)

    def handle_datagram(self, data: bytes, now: float) -> list[bytes]:
        """Takes one DTLS datagram (first byte 20..63) and returns the datagrams to send.

        Raises:
            RemoteProtocolError: the handshake failed; ``phase`` is FAILED.
        """
        if self.phase is DtlsPhase.FAILED:
            return []
        if self._ssl is None:
            # The client repeats its flight: ours was lost (RFC 6347 section 4.2.4).
            return self._last_flight if data[:1] == bytes((CONTENT_HANDSHAKE,)) else []
        if len(data) < RECORD_HEADER_BYTES:
            raise MalformedPacket("short DTLS record")
        self._received += len(data)
        if self._received > MAX_HANDSHAKE_BYTES:
            self._fail()
            raise RemoteProtocolError("handshake too long")
        self.phase = DtlsPhase.CONNECTING
        self._ssl.bio_write(data)
        return self._advance(now)

    def handle_timeout(self, now: float) -> list[bytes]:
        """Retransmits what is due, or gives up.

        Raises:
            RemoteProtocolError: gave up; ``phase`` is FAILED.
        """
        if self._ssl is None:
            return []
        if now >= self._give_up_at:
            self._fail()
            raise RemoteProtocolError("handshake timed out")
        if self._retransmit_at is not None and now >= self._retransmit_at:
            self._ssl.DTLSv1_handle_timeout()
            flight = self._flush()
            self._set_timer(now)
            return flight
        return []

    def confirm(self) -> None:
        """The client has our last flight: nothing has to be kept any longer."""
        self._last_flight = []

    def _advance(self, now: float) -> list[bytes]:
        assert self._ssl is not None
        try:
            self._ssl.do_handshake()
        except SSL.WantReadError:
            flight = self._flush()
            self._set_timer(now)
            return flight
        except SSL.Error as error:
            self._fail()
            raise RemoteProtocolError(f"handshake failed: {error}") from error
        flight = self._flush()
        try:
            self._verify_peer()
        except FingerprintMismatch:
            self._fail()
            raise
        self.keys = self._export_keys()
        self.phase = DtlsPhase.CONNECTED
        self._last_flight = flight
        self._ssl = None
        self._retransmit_at = None
        return flight

    def _flush(self) -> list[bytes]:
        assert self._ssl is not None
        parts: list[bytes] = []
        while True:
            try:
                parts.append(self._ssl.bio_read(65536))
            except SSL.WantReadError:
                return split_flight(b"".join(parts))

    def _set_timer(self, now: float) -> None:
        assert self._ssl is not None
        timeout = self._ssl.DTLSv1_get_timeout()
        self._retransmit_at = None if timeout is None else now + timeout

    def _verify_peer(self) -> None:
        assert self._ssl is not None
        certificate = self._ssl.get_peer_certificate(as_cryptography=True)
        if certificate is not None:
            for algorithm, value in self._fingerprints:
                known = _HASHES.get(algorithm)
                if known and hmac.compare_digest(fingerprint(certificate, known()), value):
                    return
        raise FingerprintMismatch("no signalled fingerprint matches")

    def _export_keys(self) -> SrtpKeys:
        assert self._ssl is not None
        profile = self._ssl.get_selected_srtp_profile().decode()
        if profile not in _KEY_LENGTHS:
            self._fail()
            raise RemoteProtocolError("no common SRTP profile")
        key, salt = _KEY_LENGTHS[profile]
        material = self._ssl.export_keying_material(EXPORTER_LABEL, 2 * (key + salt))
        # RFC 5764 section 4.2: client key, server key, client salt, server salt.
        client = material[:key] + material[2 * key : 2 * key + salt]
        server = material[key : 2 * key] + material[2 * key + salt :]
        return SrtpKeys(profile, receive=client, send=server)

    def _fail(self) -> None:
        self.phase = DtlsPhase.FAILED
        self._ssl = None
        self._retransmit_at = None
        self._last_flight = []
