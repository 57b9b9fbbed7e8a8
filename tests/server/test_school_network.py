"""``--lan``: addresses, a certificate for them, and HTTPS that answers."""

from __future__ import annotations

import ipaddress
import ssl
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
from cryptography import x509

from hosting.process import server_process
from light.ports import free_port
from twinclass_server.adapters import lan

PORTS = free_port(12)


def test_addresses_are_those_others_can_reach() -> None:
    for text in lan.lan_addresses():
        address = ipaddress.ip_address(text)
        assert not address.is_loopback
        assert not address.is_unspecified


def test_a_certificate_is_made_once_and_again_when_it_no_longer_fits(tmp_path: Path) -> None:
    certificate, key = lan.ensure_certificate(tmp_path, ["192.0.2.7"])
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    first = certificate.read_bytes()
    found = x509.load_pem_x509_certificate(first)
    names = found.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert ipaddress.ip_address("192.0.2.7") in names.get_values_for_type(x509.IPAddress)
    assert "localhost" in names.get_values_for_type(x509.DNSName)
    lan.ensure_certificate(tmp_path, ["192.0.2.7"])
    assert certificate.read_bytes() == first
    lan.ensure_certificate(tmp_path, ["192.0.2.8"])
    second = certificate.read_bytes()
    assert second != first
    lan.ensure_certificate(tmp_path, ["192.0.2.8"], datetime.now(UTC) + timedelta(days=790))
    assert certificate.read_bytes() != second


async def test_a_schools_server_speaks_https_with_its_own_certificate(tmp_path: Path) -> None:
    data = tmp_path / "data"
    flags = ("--lan", "--demo")
    async with server_process(data, PORTS, None, *flags, scheme="https") as server:
        context = ssl.create_default_context(cafile=str(data / "tls" / "certificate.pem"))
        async with httpx.AsyncClient(verify=context, trust_env=False) as client:
            answer = await client.get(f"https://127.0.0.1:{PORTS}/api/portal")
        links = answer.json()["links"]
        assert all(link["url"].startswith(f"https://127.0.0.1:{PORTS}/") for link in links)
        text = server.log_text()
        for address in lan.lan_addresses():
            assert f"https://{address}:{PORTS}" in text
        assert f"TCP {PORTS}, UDP+TCP {PORTS + 2}" in text
