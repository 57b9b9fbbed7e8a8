"""Files and environment into one frozen ``Settings``."""

from twinclass_config.loader import ConfigError, load
from twinclass_config.problem import OperatorProblem
from twinclass_config.sections import (
    DatabaseSettings,
    DemoSettings,
    HttpSettings,
    LibrarySettings,
    LogSettings,
    RecordingSettings,
    RedisSettings,
    Settings,
)

__all__ = [
    "ConfigError",
    "DatabaseSettings",
    "DemoSettings",
    "HttpSettings",
    "LibrarySettings",
    "LogSettings",
    "OperatorProblem",
    "RecordingSettings",
    "RedisSettings",
    "Settings",
    "load",
]
