"""The machine's addresses in the school's network, and a certificate for them.

Browsers give a camera only to a secure context. A school server has no public name, so the
certificate is made here and the browser warns once; a real one is set by
``TWINCLASS_HTTP__TLS_CERT`` and ``__TLS_KEY``.
"""

from __future__ import annotations

import fcntl
import ipaddress
import os
import socket
import struct
import sys
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

#: Browsers refuse server certificates that are valid for longer than 825 days.
_VALID_DAYS = 800
_RENEW_DAYS = 30
_SIOCGIFADDR = 0x8915
_IF_INET6 = Path("/proc/net/if_inet6")
#: Flags of uapi/linux/if_addr.h: temporary, duplicate, deprecated, tentative.
_NOT_FOR_LONG = 0x01 | 0x08 | 0x20 | 0x40
#: Each is another candidate that every page tries.
MAX_IPV6 = 4


def lan_addresses() -> list[str]:
    """Returns the IPv4 addresses by which others in the network reach this machine, the one of
    the default route first."""
    found: dict[str, None] = {}
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            # Connecting a datagram socket sends nothing; 192.0.2.1 is documentation (RFC 5737).
            probe.connect(("192.0.2.1", 9))
            found[probe.getsockname()[0]] = None
        except OSError:
            pass
        if sys.platform == "linux":
            for _, name in socket.if_nameindex():
                request = struct.pack("256s", name.encode()[:15])
                try:
                    answer = fcntl.ioctl(probe.fileno(), _SIOCGIFADDR, request)
                except OSError:
                    continue  # An interface without IPv4.
                found[socket.inet_ntoa(answer[20:24])] = None
    return [text for text in found if not ipaddress.ip_address(text).is_loopback]


def lan_ipv6_addresses() -> list[str]:
    """Returns at most ``MAX_IPV6`` addresses of version 6 by which others reach this machine; none
    that are temporary by design (RFC 8981): a page keeps what it was told for a lesson."""
    found: list[ipaddress.IPv6Address] = []
    if sys.platform == "linux":
        for line in _read(_IF_INET6):
            packed, _, _, scope, flags, _ = line.split()
            if int(scope, 16) == 0 and not int(flags, 16) & _NOT_FOR_LONG:
                found.append(ipaddress.IPv6Address(bytes.fromhex(packed)))
    return [str(address) for address in sorted(found)[:MAX_IPV6]]


def _read(path: Path) -> list[str]:
    try:
        return path.read_text("ascii").splitlines()
    except OSError:
        return []


def wildcard_address() -> str:
    """Returns the address that means all interfaces, with IPv6 where the machine has it."""
    try:
        with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as probe:
            probe.bind(("::", 0))
    except OSError:
        return "0.0.0.0"  # noqa: S104 - asked for by --lan
    return "::"


def ensure_certificate(
    folder: Path, addresses: Sequence[str], now: datetime | None = None
) -> tuple[Path, Path]:
    """Returns certificate and key files that are good for the addresses, making them if needed."""
    now = now or datetime.now(UTC)
    certificate_path, key_path = folder / "certificate.pem", folder / "key.pem"
    names = {"localhost", socket.gethostname()}
    wanted = {"127.0.0.1", "::1", *addresses}
    if key_path.exists() and _is_good(certificate_path, wanted, now):
        return certificate_path, key_path
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Twinclass")])
    alternatives: list[x509.GeneralName] = [x509.DNSName(name) for name in sorted(names)]
    alternatives += [x509.IPAddress(ipaddress.ip_address(text)) for text in sorted(wanted)]
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=_VALID_DAYS))
        .add_extension(x509.SubjectAlternativeName(alternatives), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .sign(key, hashes.SHA256())
    )
    secret = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    descriptor = os.open(key_path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(secret)
    certificate_path.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    return certificate_path, key_path


def _is_good(path: Path, wanted: set[str], now: datetime) -> bool:
    try:
        certificate = x509.load_pem_x509_certificate(path.read_bytes())
        extension = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    except (OSError, ValueError, x509.ExtensionNotFound):
        return False
    named = {str(address) for address in extension.value.get_values_for_type(x509.IPAddress)}
    left = certificate.not_valid_after_utc - now
    return wanted <= named and left > timedelta(days=_RENEW_DAYS)
