"""The relay (coturn) as ``twinclass turn-config`` has it started, with a certificate of its own."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization

from twinclass_server.adapters.lan import ensure_certificate

_PATIENCE_S = 20.0


@dataclass(frozen=True)
class Certificate:
    """Files, and the hash by which Chromium is told to take it."""

    certificate: Path
    key: Path

    @classmethod
    def made(cls, folder: Path, *hosts: str) -> Certificate:
        return cls(*ensure_certificate(folder, hosts))

    @property
    def spki(self) -> str:
        """Of its public key: base64 of SHA-256."""
        read = x509.load_pem_x509_certificate(self.certificate.read_bytes())
        key = read.public_key().public_bytes(
            serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        return base64.b64encode(hashlib.sha256(key).digest()).decode()


@asynccontextmanager
async def coturn(folder: Path, configuration: Path, host: str, port: int) -> AsyncIterator[Path]:
    """Runs it; yields its log."""
    program = shutil.which("turnserver")
    if program is None:
        pytest.fail("turnserver is missing: apt-get install coturn")
    log = folder / "coturn.log"
    with log.open("wb") as out:
        process = await asyncio.create_subprocess_exec(
            *(program, "-c", str(configuration)),
            *("--pidfile", str(folder / "coturn.pid"), "--userdb", str(folder / "coturn.db")),
            stdout=out,
            stderr=out,
        )
    try:
        async with asyncio.timeout(_PATIENCE_S):
            while True:
                assert process.returncode is None, log.read_text(errors="replace")
                try:
                    _, writer = await asyncio.open_connection(host, port)
                except OSError:
                    await asyncio.sleep(0.05)
                    continue
                writer.close()
                break
        yield log
    finally:
        if process.returncode is None:
            process.terminate()
        async with asyncio.timeout(_PATIENCE_S):
            await process.wait()
