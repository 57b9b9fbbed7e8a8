import struct

from hypothesis import given
from hypothesis import strategies as st

from twinclass_media.rtp.transport_cc import ArrivalLog, pack_status_chunks


def unpack(fci: bytes) -> tuple[int, list[float | None]]:
    """Reads feedback as a sender does: arrival seconds per packet, None = lost."""
    base, count, word = struct.unpack_from("!HHI", fci)
    at = (word >> 8) * 0.064
    position = 8
    symbols: list[int] = []
    while len(symbols) < count:
        (chunk,) = struct.unpack_from("!H", fci, position)
        position += 2
        if chunk & 0x8000:
            assert chunk & 0x4000
            symbols += [chunk >> (12 - 2 * i) & 3 for i in range(7)]
        else:
            symbols += [chunk >> 13] * (chunk & 0x1FFF)
    times: list[float | None] = []
    for symbol in symbols[:count]:
        if symbol == 0:
            times.append(None)
            continue
        if symbol == 1:
            delta = fci[position]
            position += 1
        else:
            (delta,) = struct.unpack_from("!h", fci, position)
            position += 2
        at += delta * 0.00025
        times.append(at)
    return base, times


def test_reports_arrivals_and_gaps() -> None:
    log = ArrivalLog(100.0)
    log.add(65534, 101.0)
    log.add(65535, 101.01)
    log.add(1, 101.2)
    fci = log.take_feedback()
    assert fci is not None
    base, times = unpack(fci)
    assert base == 65534
    assert times[2] is None
    assert [round(t, 3) for t in times if t is not None] == [1.0, 1.01, 1.2]
    assert log.take_feedback() is None


def test_goes_on_where_the_last_feedback_ended() -> None:
    log = ArrivalLog(0.0)
    log.add(10, 1.0)
    log.take_feedback()
    log.add(13, 1.1)
    fci = log.take_feedback()
    assert fci is not None
    assert unpack(fci) == (11, [None, None, unpack(fci)[1][2]])


@given(st.lists(st.tuples(st.integers(0, 65535), st.floats(0, 30)), max_size=700))
def test_any_arrivals_give_readable_feedback(arrivals: list[tuple[int, float]]) -> None:
    log = ArrivalLog(0.0)
    for number, at in arrivals:
        log.add(number, at)
    fci = log.take_feedback()
    if arrivals:
        assert fci is not None
        assert len(unpack(fci)[1]) <= 500


@given(st.lists(st.integers(0, 2), max_size=300))
def test_chunks_hold_every_symbol(symbols: list[int]) -> None:
    packed = pack_status_chunks(symbols)
    assert len(packed) <= 2 * len(symbols)
