"""Settings for all tests.

``TWINCLASS_FUZZ=long .venv/bin/pytest tests/fuzz tests/signaling`` fuzzes for about an hour.
"""

import os

from hypothesis import HealthCheck, settings

settings.register_profile("short", max_examples=60, deadline=None)
settings.register_profile(
    "long", max_examples=200_000, deadline=None, suppress_health_check=list(HealthCheck)
)
settings.load_profile(os.environ.get("TWINCLASS_FUZZ", "short"))
