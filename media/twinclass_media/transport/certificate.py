"""The worker's DTLS certificate: self-signed ECDSA P-256, new at each start.

A persistent one brings nothing: after a restart no browser goes on with old keys.
"""

from __future__ import annotations

import datetime
from dataclasses import dataclass

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

#: A worker does not live longer; DTLS peers compare fingerprints, not dates.
LIFETIME = datetime.timedelta(days=365)


@dataclass(frozen=True, slots=True)
class Certificate:
    """A key with its certificate and its SHA-256 fingerprint (upper-case hex with colons)."""

    key: ec.EllipticCurvePrivateKey
    certificate: x509.Certificate
    fingerprint: str


def fingerprint(certificate: x509.Certificate, algorithm: hashes.HashAlgorithm) -> str:
    """Returns the fingerprint as upper-case hex with colons (RFC 8122 section 5)."""
    return certificate.fingerprint(algorithm).hex(":").upper()


def generate_certificate(now: datetime.datetime) -> Certificate:
    """Makes a certificate valid from a day before ``now`` (peers' clocks differ)."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "twinclass")])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + LIFETIME)
        .sign(key, hashes.SHA256())
    )
    return Certificate(key, certificate, fingerprint(certificate, hashes.SHA256()))
