"""Names of what is stored: they tell nothing and cannot be guessed."""

from __future__ import annotations

import base64
import hashlib
import secrets
from typing import Literal

Prefix = Literal["c", "p", "v", "b", "e"]


def new_id(prefix: Prefix) -> str:
    """Returns ``c-`` and 16 characters of base32 (80 bits): it matches ``plan.ID_PATTERN``."""
    return f"{prefix}-{base64.b32encode(secrets.token_bytes(10)).decode().lower()}"


def pseudonym(kind: str, *parts: str) -> str:
    """Returns a name under which the same person is counted once, and that says nothing."""
    text = "\n".join(parts).encode()
    return hashlib.blake2s(text, digest_size=16, person=kind.encode()).hexdigest()
