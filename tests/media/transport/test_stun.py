"""Our STUN beside aioice's: what one writes the other reads, and both refuse the same."""

from __future__ import annotations

import pytest
from aioice import stun as aiostun
from hypothesis import given
from hypothesis import strategies as st

from twinclass_media.errors import MalformedPacket
from twinclass_media.transport.stun import MAX_ATTRIBUTES, is_stun, parse_binding_request

ufrag = st.text("abcdefghijklmnopqrstuvwxyz0123456789+/", min_size=4, max_size=40)


def request(username: str, password: str, *, nominates: bool = False, signed: bool = True) -> bytes:
    message = aiostun.Message(aiostun.Method.BINDING, aiostun.Class.REQUEST)
    message.attributes["USERNAME"] = username
    message.attributes["PRIORITY"] = 1853693695
    message.attributes["ICE-CONTROLLING"] = 7
    if nominates:
        message.attributes["USE-CANDIDATE"] = None
    if signed:
        message.add_message_integrity(password.encode())
    return bytes(message)


@given(ufrag, ufrag, ufrag, st.booleans())
def test_a_check_of_another_library_is_read(
    local: str, remote: str, password: str, nominates: bool
) -> None:
    data = request(f"{local}:{remote}", password, nominates=nominates)
    assert is_stun(data)
    found = parse_binding_request(data)
    assert (found.local_ufrag, found.remote_ufrag) == (local, remote)
    assert found.use_candidate is nominates
    assert found.verify(password)
    assert not found.verify(password + "x")


@given(
    st.one_of(
        st.tuples(st.ip_addresses(v=4).map(str), st.integers(1, 65535)),
        st.tuples(st.ip_addresses(v=6).map(str), st.integers(1, 65535)),
    )
)
def test_an_answer_is_read_by_another_library(source: tuple[str, int]) -> None:
    found = parse_binding_request(request("here:there", "secret"))
    answer = aiostun.parse_message(found.response(source, "secret"))
    assert answer.check_message_integrity(b"secret")
    assert answer.message_class == aiostun.Class.RESPONSE
    assert answer.transaction_id == found.transaction_id
    assert answer.attributes["XOR-MAPPED-ADDRESS"] == source


@given(st.data())
def test_a_changed_check_is_refused_or_not_authentic(data: st.DataObject) -> None:
    good = bytearray(request("here:there", "secret", nominates=True))
    at = data.draw(st.integers(0, len(good) - 9))  # the fingerprint behind it protects nothing
    good[at] ^= 1 << data.draw(st.integers(0, 7))
    try:
        found = parse_binding_request(bytes(good))
    except MalformedPacket:
        return
    assert not is_stun(bytes(good)) or not found.verify("secret") or found.local_ufrag != "here"


def test_an_unsigned_check_is_not_authentic() -> None:
    assert not parse_binding_request(request("here:there", "", signed=False)).verify("")


def test_what_stands_behind_the_integrity_counts_for_nothing() -> None:
    message = aiostun.Message(aiostun.Method.BINDING, aiostun.Class.REQUEST)
    message.attributes["USERNAME"] = "here:there"
    message.add_message_integrity(b"secret")
    signed = bytes(message)[:-8]  # without the fingerprint
    forged = signed + b"\x00\x25\x00\x00"
    forged = forged[:2] + (len(forged) - 20).to_bytes(2, "big") + forged[4:]
    found = parse_binding_request(forged)
    assert found.verify("secret")
    assert not found.use_candidate


@pytest.mark.parametrize(
    "body",
    [
        b"\x00",
        b"\x00\x06\x00\x09here:",
        b"\x00\x06\x00\x05here:",
        b"\x00\x06\x00\x04here",
        b"\x00\x06\x00\x08\xff\xfe:there",
        b"\x80\x28\x00\x04\x00\x00\x00\x00",
        b"\x80\x22\x00\x00" * (MAX_ATTRIBUTES + 1),
        b"\x00\x08\x00\x04abcd",
    ],
)
def test_a_broken_check_is_refused(body: bytes) -> None:
    data = b"\x00\x01" + len(body).to_bytes(2, "big") + b"\x21\x12\xa4\x42" + b"t" * 12 + body
    with pytest.raises(MalformedPacket):
        parse_binding_request(data)
