"""Join tokens: who is let in, and what is said to who is not."""

from __future__ import annotations

import base64
import json

import jwt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from twinclass_signaling.ids import LessonId
from twinclass_signaling.roles import Role
from twinclass_signaling.tokens import Claims, SigningKey, TokenError, TokenKeys

OLD = SigningKey("2025", b"o" * 32)
NEW = SigningKey("2026", b"n" * 32)
NOW = 1_800_000_000.0
CLAIMS = Claims("home-1", Role.HOME_LEARNER, "algebra", NOW + 60, NOW, room="room-1", name="示例")
keys = TokenKeys([OLD, NEW])


def code_of(token: str, now: float = NOW, lesson: str | None = None) -> str:
    with pytest.raises(TokenError) as caught:
        keys.verify(token, now, None if lesson is None else LessonId(lesson))
    return caught.value.code


def unsigned(header: dict[str, object], payload: dict[str, object]) -> str:
    parts = [json.dumps(part).encode() for part in (header, payload)]
    return ".".join(base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in parts) + "."


PAYLOAD: dict[str, object] = {
    "sub": "x",
    "role": "lead",
    "lesson": "algebra",
    "exp": NOW + 60,
    "iat": NOW,
    "aud": "twinclass",
}


def test_a_token_is_good_until_it_expires_and_as_often_as_one_likes() -> None:
    token = keys.issue(CLAIMS)
    assert keys.verify(token, NOW, LessonId("algebra")) == CLAIMS
    assert keys.verify(token, NOW + 59) == CLAIMS
    assert code_of(token, NOW + 60) == "token_expired"


def test_the_newest_key_signs_and_older_ones_still_verify() -> None:
    assert jwt.get_unverified_header(keys.issue(CLAIMS))["kid"] == "2026"
    assert keys.verify(TokenKeys([OLD]).issue(CLAIMS), NOW) == CLAIMS
    with pytest.raises(TokenError):
        TokenKeys([NEW]).verify(TokenKeys([OLD]).issue(CLAIMS), NOW)


def test_a_token_of_another_lesson_is_told_so() -> None:
    assert code_of(keys.issue(CLAIMS), lesson="geometry") == "token_wrong_lesson"


def test_a_name_costs_its_utf8_bytes_and_no_more() -> None:
    short = len(keys.issue(CLAIMS))
    assert len(keys.issue(Claims("x", Role.LEAD, "algebra", NOW + 60, NOW, name="汉" * 30))) < (
        short + 130
    )


@pytest.mark.parametrize(
    "token",
    [
        "",
        "x",
        "a.b.c",
        "." * 4000,
        unsigned({"alg": "none", "kid": "2026"}, PAYLOAD),
        unsigned({"alg": "HS256", "kid": "2026"}, PAYLOAD),
        unsigned({"alg": "HS256"}, PAYLOAD),
        jwt.encode(PAYLOAD, b"n" * 64, algorithm="HS512", headers={"kid": "2026"}),
        jwt.encode(PAYLOAD, b"w" * 32, algorithm="HS256", headers={"kid": "2026"}),
        jwt.encode({**PAYLOAD, "aud": "other"}, NEW.secret, headers={"kid": "2026"}),
        jwt.encode({**PAYLOAD, "role": "king"}, NEW.secret, headers={"kid": "2026"}),
        jwt.encode({**PAYLOAD, "role": "operator"}, NEW.secret, headers={"kid": "2026"}),
        jwt.encode({**PAYLOAD, "sub": "../x"}, NEW.secret, headers={"kid": "2026"}),
        jwt.encode({**PAYLOAD, "iat": NOW + 3600}, NEW.secret, headers={"kid": "2026"}),
        jwt.encode({"sub": "x"}, NEW.secret, headers={"kid": "2026"}),
        jwt.encode({**PAYLOAD, "name": "x" * 65}, NEW.secret, headers={"kid": "2026"}),
    ],
)
def test_a_token_that_is_not_ours_is_invalid(token: str) -> None:
    assert code_of(token) == "token_invalid"


@given(st.text(max_size=300))
def test_any_text_is_refused_calmly(text: str) -> None:
    assert code_of(text) == "token_invalid"


def test_a_key_does_not_show_its_secret() -> None:
    assert "nnnn" not in repr(NEW)
