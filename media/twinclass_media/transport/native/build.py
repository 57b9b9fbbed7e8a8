"""``python -m twinclass_media.transport.native.build``: compiles the send loop where it lies.

Not needed: without it the same loop runs in Python. ``./run`` and ``./test`` call it; it says
what it did in one line. ``--sanitize`` builds with ASan and UBSan for the tests (see
CONTRIBUTING.md).
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
from pathlib import Path

from twinclass_media.transport.native.compiling import LIBRARY, compile_library
from twinclass_media.transport.native.library import load


def main(arguments: list[str]) -> int:
    """Returns 0 when the library is there or no compiler is, 1 when compiling failed."""
    parser = argparse.ArgumentParser(prog="build")
    parser.add_argument("--sanitize", action="store_true")
    parser.add_argument("--output", type=Path, default=LIBRARY)
    options = parser.parse_args(arguments)
    if not options.sanitize and options.output == LIBRARY and load() is not None:
        return 0
    compiler = shutil.which(os.environ.get("CC", "cc"))
    if compiler is None:
        print("native send loop: no C compiler, the Python one is used", file=sys.stderr)
        return 0
    try:
        compile_library(compiler, options.output, options.sanitize)
    except (subprocess.SubprocessError, OSError) as error:
        words = getattr(error, "stderr", "") or str(error)
        print(f"native send loop: not built, the Python one is used: {words}", file=sys.stderr)
        return 1
    print(f"native send loop: built {options.output.name}", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
