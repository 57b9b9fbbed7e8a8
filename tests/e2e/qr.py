"""Reads a QR code back, module by module: no damage, byte mode, error level L (ISO/IEC 18004)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import zip_longest

from segno import consts

MASKS: tuple[Callable[[int, int], bool], ...] = (
    lambda r, c: (r + c) % 2 == 0,
    lambda r, _: r % 2 == 0,
    lambda _, c: c % 3 == 0,
    lambda r, c: (r + c) % 3 == 0,
    lambda r, c: (r // 2 + c // 3) % 2 == 0,
    lambda r, c: r * c % 2 + r * c % 3 == 0,
    lambda r, c: (r * c % 2 + r * c % 3) % 2 == 0,
    lambda r, c: ((r + c) % 2 + r * c % 3) % 2 == 0,
)


def _is_function(row: int, column: int, version: int) -> bool:
    """Finder, timing, alignment, format and version modules carry no data."""
    size = 17 + 4 * version
    if (row < 9 and (column < 9 or column >= size - 8)) or (row >= size - 8 and column < 9):
        return True
    if 6 in (row, column):
        return True
    near, far = sorted((row, column))
    if version >= 7 and near < 6 and far >= size - 11:
        return True
    centres = consts.ALIGNMENT_POS[version - 2] if version > 1 else ()
    corners = {(6, 6), (6, size - 7), (size - 7, 6)}
    return any(
        abs(row - r) <= 2 and abs(column - c) <= 2
        for r in centres
        for c in centres
        if (r, c) not in corners
    )


def _walk(size: int) -> Iterator[tuple[int, int]]:
    """All modules in the order of the data: pairs of columns, up and down, from the right."""
    up = True
    for right in [c for c in range(size - 1, 0, -2) if c > 6] + [5, 3, 1]:
        for row in range(size - 1, -1, -1) if up else range(size):
            yield row, right
            yield row, right - 1
        up = not up


def _has_no_error(block: list[int], checks: int) -> bool:
    """Whether all syndromes of a Reed-Solomon block over GF(256) are zero."""
    powers = [1]
    for _ in range(254):
        following = powers[-1] << 1
        powers.append(following ^ 0x11D if following > 255 else following)
    for root in range(checks):
        value = 0
        for word in block:
            product = powers[(powers.index(value) + root) % 255] if value else 0
            value = product ^ word
        if value:
            return False
    return True


def read(modules: list[list[bool]]) -> str:
    """The text of a code. ``modules``: dark = True, without the border."""
    size = len(modules)
    version = (size - 17) // 4
    # Format bits 14..10 in row 8: error level and mask, each XORed with 10101.
    bits = "".join("1" if dark else "0" for dark in modules[8][:5])
    level, mask = (int(bits, 2) ^ 0b10101) >> 3, (int(bits, 2) ^ 0b10101) & 7
    assert level == 0b01, "error level L"
    data = "".join(
        "1" if modules[r][c] ^ MASKS[mask](r, c) else "0"
        for r, c in _walk(size)
        if not _is_function(r, c, version)
    )
    words = [int(data[at : at + 8], 2) for at in range(0, len(data) - 7, 8)]
    shapes = [
        (info.num_total, info.num_data)
        for info in consts.ECC[version][consts.ERROR_LEVEL_L]
        for _ in range(info.num_blocks)
    ]
    blocks: list[list[int]] = [[] for _ in shapes]
    stream = iter(words)
    for lengths in (
        [count for _, count in shapes],
        [total - count for total, count in shapes],
    ):
        for n in range(max(lengths)):
            for block, length in zip_longest(blocks, lengths):
                if n < length:
                    block.append(next(stream))
    for block, (total, count) in zip(blocks, shapes, strict=True):
        assert _has_no_error(block, total - count)
    joined = b"".join(bytes(b[:count]) for b, (_, count) in zip(blocks, shapes, strict=True))
    number = int.from_bytes(joined, "big")
    total_bits = len(joined) * 8
    assert number >> (total_bits - 4) == 0b0100, "byte mode"
    width = 8 if version < 10 else 16
    length = (number >> (total_bits - 4 - width)) & ((1 << width) - 1)
    text = number >> (total_bits - 4 - width - 8 * length)
    return (text & ((1 << 8 * length) - 1)).to_bytes(length, "big").decode()
