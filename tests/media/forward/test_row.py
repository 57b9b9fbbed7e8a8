from hypothesis import given
from hypothesis import strategies as st

from twinclass_media.forward.layer import Layer
from twinclass_media.forward.ring import Entry
from twinclass_media.forward.row import MAX_CUTS, Row
from twinclass_media.rtp.payload import parse_vp8_descriptor


def make_row(first: int = 65530) -> Row:
    return Row(None, 1, 2, 90000, {"VP8": (96, 97)}, first, 5000)


def entry(layer: Layer, sequence: int, timestamp: int, picture: int | None = None) -> Entry:
    vp8 = None
    if picture is not None:
        vp8 = parse_vp8_descriptor(
            bytes((0x90, 0xC0)) + (0x8000 | picture).to_bytes(2, "big") + b"\x07"
        )
    found = Entry(sequence, timestamp, 1, b"x", "VP8", 0.0, vp8=vp8)
    layer.ring.add(found)
    return found


def send(row: Row, *entries: Entry) -> list[tuple[int, int]]:
    """What the send loop does: numbers out, and the newest packet remembered."""
    out = []
    for e in entries:
        out.append(
            (
                (e.sequence + row.sequence_offset) & 0xFFFF,
                (e.timestamp + row.timestamp_offset) & 0xFFFFFFFF,
            )
        )
        row.went_out(1, len(e.payload), 1.0, e)
    return out


@given(st.lists(st.tuples(st.integers(70000, 2**20), st.integers(1, 30)), min_size=1, max_size=12))
def test_numbers_go_on_without_a_gap_over_any_cuts(parts: list[tuple[int, int]]) -> None:
    row = make_row()
    out: list[int] = []
    for start, count in parts:
        layer = Layer(0, "", True, 90000)
        entries = [entry(layer, start + i, i * 3000) for i in range(count)]
        row.cut(layer, entries[0], row.next_timestamp(2.0))
        out += [number for number, _ in send(row, *entries)]
    assert out == [(65531 + i) & 0xFFFF for i in range(len(out))]


def test_gaps_of_the_source_stay_gaps() -> None:
    row, layer = make_row(100), Layer(0, "", True, 90000)
    first, later = entry(layer, 70000, 0), entry(layer, 70003, 3000)
    row.cut(layer, first, 0)
    assert [n for n, _ in send(row, first, later)] == [101, 104]


def test_what_was_sent_is_found_under_the_cut_it_went_out_with() -> None:
    row = make_row(10)
    one, two = Layer(0, "", True, 90000), Layer(1, "", True, 90000)
    a = [entry(one, 70000 + i, 0) for i in range(3)]
    row.cut(one, a[0], 111)
    send(row, *a)
    b = [entry(two, 90000 + i, 500) for i in range(3)]
    row.cut(two, b[0], 9999)
    send(row, *b)
    found = row.find_sent(12)
    assert found is not None
    assert (found[0], found[1].layer) == (a[1], one)
    found = row.find_sent(15)
    assert found is not None
    assert (found[0], found[1].timestamp_offset) == (b[1], 9999 - 500)
    assert row.find_sent(17) is None
    assert row.find_sent(9) is None


def test_cuts_are_bounded() -> None:
    row = make_row()
    for n in range(50):
        layer = Layer(0, "", True, 90000)
        first = entry(layer, 70000, 0)
        row.cut(layer, first, n)
        send(row, first)
    assert len(row._cuts) == MAX_CUTS


def test_picture_ids_go_on_when_the_source_changes() -> None:
    row = make_row()
    one, two = Layer(0, "", True, 90000), Layer(1, "", True, 90000)
    first = entry(one, 70000, 0, picture=500)
    row.cut(one, first, 0)
    send(row, first)
    other = entry(two, 80000, 0, picture=9)
    row.cut(two, other, 3000)
    assert 9 + row.picture_id_delta == 501
    assert (7 + row.tl0_delta) & 0xFF == 8
