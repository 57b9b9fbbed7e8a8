"""Finds the compiled send loop, and checks that it is of the source beside it."""

from __future__ import annotations

import hashlib
import logging
from pathlib import Path
from typing import Any

from cffi import FFI

log = logging.getLogger(__name__)

SOURCE = Path(__file__).with_name("burst.c")
LIBRARY = Path(__file__).with_name("libburst.so")
DIGEST = hashlib.sha256(SOURCE.read_bytes()).hexdigest()[:16]

ffi: Any = FFI()
ffi.cdef(
    """
    struct result { int32_t status; int32_t rows; int32_t run; int32_t position;
                    int32_t error; int32_t protect_failed; int32_t unsent; };
    const char *twinclass_burst_digest(void);
    void twinclass_burst_send(void *protect, void *arena, uint32_t arena_bytes, const void *data,
        uint32_t data_bytes, const void *packets, int count, uint32_t tag, uint32_t number_at,
        const void *runs, int run_count, const void *rows, int row_count, int64_t deadline_ns,
        struct result *result);
    """
)


def load(path: Path = LIBRARY) -> Any | None:  # noqa: ANN401 - cffi has no types
    """Returns the library, or None when it was not built, or from another source."""
    if not path.exists():
        return None
    try:
        library = ffi.dlopen(str(path))
        digest = ffi.string(library.twinclass_burst_digest()).decode()
    except (OSError, AttributeError) as error:
        log.warning("native send loop: %s cannot be loaded: %s", path.name, error)
        return None
    if digest != DIGEST:
        log.info("native send loop: %s is of another version; not used", path.name)
        return None
    return library
