"""A PEM certificate and its key as files: whom it names, until when, whether they fit."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.x509.oid import NameOID

#: A chain of four certificates is under 10 KiB.
_MAX_BYTES = 1024 * 1024


class CertificateUnreadable(Exception):
    """The file is not there, not ours to read, or holds no certificate or key."""


@dataclass(frozen=True, slots=True)
class CertificateFacts:
    """The first certificate of a file. ``names``: DNS names and addresses it is good for."""

    begins: datetime
    ends: datetime
    names: tuple[str, ...]
    public_key: bytes

    def is_for(self, host: str) -> bool:
        """Tells whether a browser takes it for ``host`` (RFC 9525 section 6.3: one label)."""
        host = host.lower().strip("[]")
        for name in self.names:
            if name == host or (name.startswith("*.") and host.partition(".")[2] == name[2:]):
                return True
        return False


def read_certificate(path: Path) -> CertificateFacts:
    """Returns what a certificate file says; blocks.

    Raises:
        CertificateUnreadable: with the reason.
    """
    try:
        data = _read(path)
        certificate = x509.load_pem_x509_certificate(data)
        names: list[str] = []
        try:
            found = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
            names += [name.lower() for name in found.value.get_values_for_type(x509.DNSName)]
            names += [str(ip) for ip in found.value.get_values_for_type(x509.IPAddress)]
        except x509.ExtensionNotFound:
            common = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
            names += [str(one.value).lower() for one in common]
        key = _public_bytes(certificate.public_key())
    except (OSError, ValueError) as error:
        raise CertificateUnreadable(f"{path}: {error}") from error
    return CertificateFacts(
        certificate.not_valid_before_utc.astimezone(UTC),
        certificate.not_valid_after_utc.astimezone(UTC),
        tuple(names),
        key,
    )


def public_key_of(path: Path) -> bytes:
    """Returns the public half of a private key file, to compare; blocks.

    Raises:
        CertificateUnreadable: with the reason; a key with a passphrase is of no use to a server.
    """
    try:
        key = serialization.load_pem_private_key(_read(path), None)
        return _public_bytes(key.public_key())
    except (OSError, ValueError, TypeError) as error:
        raise CertificateUnreadable(f"{path}: {error}") from error


def _read(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(_MAX_BYTES)


def _public_bytes(key: object) -> bytes:
    # Every kind of key of the library has it; its union type names more than servers use.
    made: bytes = key.public_bytes(  # type: ignore[attr-defined]
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return made
