"""Whatever is written on the control line has an answer of one line."""

from __future__ import annotations

import asyncio

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from twinclass_media.testing.netem import load_profile
from twinclass_media.testing.netem.addresses import Address
from twinclass_media.testing.netem.control import answer
from twinclass_media.testing.netem.relay import Relay

COMMANDS = st.one_of(
    st.binary(max_size=200),
    st.dictionaries(
        st.sampled_from(["blackhole", "profile", "stats", "other"]),
        st.one_of(st.booleans(), st.text(max_size=20), st.sampled_from(["weak", "county"])),
        max_size=2,
    ).map(msgspec.json.encode),
)


@given(st.lists(COMMANDS, max_size=10))
def test_every_line_is_answered(lines: list[bytes]) -> None:
    loop = asyncio.new_event_loop()
    relay = Relay(
        loop, load_profile("city"), 1, Address("127.0.0.1", 9), Address("127.0.0.1", 0), None
    )
    try:
        for line in lines:
            said = answer(relay, line)
            assert said.endswith(b"\n")
            assert said.count(b"\n") == 1
            found = msgspec.json.decode(said)
            assert found.get("ok") is True or {"error", "text"} == set(found)
        assert b'"stats"' in answer(relay, b'{"stats":true}')
    finally:
        relay.close()
        loop.close()
