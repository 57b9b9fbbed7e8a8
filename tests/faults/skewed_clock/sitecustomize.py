"""Sets the wall clock of a server under test: ``TEST_CLOCK_OFFSET_S`` seconds from the real one.

Python imports this by itself when its folder is on PYTHONPATH; only ``time.time`` is what the
server takes wall time from.
"""

import os
import time

_offset = float(os.environ["TEST_CLOCK_OFFSET_S"])
_real = time.time


def _time() -> float:
    return _real() + _offset


time.time = _time
