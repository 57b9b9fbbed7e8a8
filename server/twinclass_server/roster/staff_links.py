"""Links of staff: they open "My lessons", a librarian's the library."""

from __future__ import annotations

import time

from twinclass_signaling.roles import Role
from twinclass_signaling.tokens import StaffClaims, TokenKeys


def staff_path(keys: TokenKeys, role: str, subject: str, name: str, ttl_s: float) -> str:
    """Returns the path of a link; the token is in its fragment."""
    now = float(int(time.time()))
    claims = StaffClaims(sub=subject, role=Role(role), exp=now + ttl_s, iat=now, name=name)
    page = "library" if claims.role is Role.LIBRARIAN else "lessons"
    return f"/{page}#token={keys.issue(claims)}"
