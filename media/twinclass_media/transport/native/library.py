"""Finds the compiled send loop, and checks that it is of the source beside it."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

from cffi import FFI

from twinclass_media.transport.native.compiling import DIGEST, LIBRARY, SOURCE

log = logging.getLogger(__name__)


_BEGIN, _END = "/* library.py reads from here: begin. */", "/* library.py reads to here: end. */"


def _declarations() -> str:
    """Returns the structs and functions of the source: they are written down once."""
    return SOURCE.read_text().split(_BEGIN)[1].split(_END)[0]


ffi: Any = FFI()
ffi.cdef(_declarations())


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
