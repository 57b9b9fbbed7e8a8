"""Structured logs on standard error, with nothing in them that must not be there.

Tokens, session descriptions, ICE passwords and resume secrets are cut out of whatever text
reaches the log, as a last line of defence: code does not log them in the first place.
"""

from __future__ import annotations

import json
import logging
import re
import sys
from datetime import UTC, datetime

from twinclass_config import LogSettings

_SECRETS = re.compile(
    r"eyJ[\w-]{8,}\.[\w-]+\.[\w-]*"  # a JWT
    r"|a=(?:ice-pwd|ice-ufrag|fingerprint|candidate):[^\s\\]+(?: [^\s\\]+)*"
    r"|v=0(?:\\r\\n|\r\n|\\n|\n).*"  # a session description, to its end
    r"|(?<=\"secret\":\")[^\"]+"
    r"|(?<=\"name\":\")[^\"]+"
    r"|(?<=token=)[^\s&\"']+"
    r"|(?<=Bearer )[^\s\"']+",
    re.DOTALL,
)
_CUT = "[redacted]"


def redact(text: str) -> str:
    """Returns the text without tokens, descriptions, ICE credentials, secrets and names."""
    return _SECRETS.sub(_CUT, text)


class JsonFormatter(logging.Formatter):
    """One JSON object a line."""

    def format(self, record: logging.LogRecord) -> str:
        """Returns the line."""
        entry: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "text": redact(record.getMessage()),
        }
        if record.exc_info:
            entry["trace"] = redact(self.formatException(record.exc_info))
        return json.dumps(entry, ensure_ascii=False)


class TextFormatter(logging.Formatter):
    """For people at a terminal."""

    def format(self, record: logging.LogRecord) -> str:
        """Returns the line."""
        return redact(super().format(record))


def configure_logging(settings: LogSettings) -> None:
    """Sends all logs of this process to standard error."""
    handler = logging.StreamHandler(sys.stderr)
    if settings.format == "json":
        handler.setFormatter(JsonFormatter())
    else:
        handler.setFormatter(TextFormatter("%(asctime)s %(levelname)-7s %(name)s  %(message)s"))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(settings.level.upper())
    # Their lines per request and connection carry addresses and say nothing we do not count.
    for name in ("uvicorn.access", "uvicorn.error", "websockets"):
        logging.getLogger(name).setLevel(logging.WARNING)
