"""Files and environment into one frozen ``Settings``."""

from twinclass_config.loader import ConfigError, load
from twinclass_config.sections import (
    DemoSettings,
    HttpSettings,
    LogSettings,
    RedisSettings,
    Settings,
)

__all__ = [
    "ConfigError",
    "DemoSettings",
    "HttpSettings",
    "LogSettings",
    "RedisSettings",
    "Settings",
    "load",
]
