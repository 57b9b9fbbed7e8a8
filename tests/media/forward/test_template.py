from hypothesis import given
from hypothesis import strategies as st

from twinclass_media.forward.ring import Entry
from twinclass_media.forward.shape import Shape, abs_send_time
from twinclass_media.forward.template import (
    MAX_PADDED_BYTES,
    MAX_PADDING,
    MAX_RUN_BYTES,
    MAX_SEGMENTS,
    build_template,
    plan_runs,
)
from twinclass_media.rtp.packet import RtpPacket


def entry(sequence: int, size: int, marker: int = 0) -> Entry:
    return Entry(sequence, 9000, marker, bytes((sequence & 0xFF,)) * size, "VP8", 0.0)


@given(st.lists(st.integers(13, 1400), min_size=1, max_size=150))
def test_runs_cover_every_packet_and_keep_to_what_the_kernel_takes(sizes: list[int]) -> None:
    runs = plan_runs(sizes)
    assert [i for first, end, _ in runs for i in range(first, end)] == list(range(len(sizes)))
    for first, end, segment in runs:
        assert end - first <= MAX_SEGMENTS
        assert (end - first) * segment <= MAX_RUN_BYTES + segment
        for size in sizes[first : end - 1]:
            assert 0 <= segment - size <= MAX_PADDING
            assert size == segment or segment <= MAX_PADDED_BYTES
        assert sizes[end - 1] <= segment


def test_a_frame_whose_parts_differ_by_a_byte_is_one_run() -> None:
    assert plan_runs([1040, 1041, 1040, 1041, 700]) == [(0, 5, 1041)]


@given(
    st.lists(st.integers(1, 1200), min_size=1, max_size=20),
    st.booleans(),
    st.sampled_from([10, 16]),
    st.binary(max_size=16),
)
def test_every_packet_of_a_template_is_a_legal_rtp_packet_with_its_payload(
    sizes: list[int], timed: bool, tag: int, mid: bytes
) -> None:
    entries = [entry(n, size, n == len(sizes) - 1) for n, size in enumerate(sizes)]
    shape = Shape(
        tag,
        abs_send_time=2 if timed else 0,
        transport_cc=3 if timed else 0,
        mid_id=4 if mid else 0,
        mid=mid,
    )
    template = build_template(entries, shape, abs_send_time(1.5))
    assert template.octets == sum(sizes)
    for line, wanted in zip(template.packets, entries, strict=True):
        data = bytearray(template.data[line.offset : line.offset + line.size])
        data[0] = line.first_byte
        packet = RtpPacket(bytes(data))
        assert packet.payload == wanted.payload
        assert packet.payload_start == line.payload_at - line.offset
        if timed:
            assert packet.extension(2) == abs_send_time(1.5).to_bytes(3, "big")
            assert packet.extensions[3][0] == template.number_at
        assert packet.extension(4) == (mid or None)
    for start, end, segment in template.runs:
        inside = [p for p in template.packets if start <= p.offset < end]
        if segment:
            assert all(p.size + tag == segment for p in inside[:-1])
            assert all((p.offset - start) % segment == 0 for p in inside)
