"""JSON Schema of the client protocol, for the TypeScript types and for PROTOCOL.md.

``python -m twinclass_signaling.schema`` prints it.
"""

from __future__ import annotations

import json
import sys
from typing import Any

import msgspec

from twinclass_signaling.messages import SUBPROTOCOL, ClientMessage, ServerMessage


def protocol_schema() -> dict[str, Any]:
    """Returns one JSON Schema (2020-12) document with all messages of both directions."""
    (client, server), definitions = msgspec.json.schema_components(
        [ClientMessage, ServerMessage], ref_template="#/$defs/{name}"
    )
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": SUBPROTOCOL,
        "anyOf": [{"$ref": "#/$defs/ClientMessage"}, {"$ref": "#/$defs/ServerMessage"}],
        "$defs": {**definitions, "ClientMessage": client, "ServerMessage": server},
    }


def main() -> None:
    """Prints the schema."""
    sys.stdout.write(json.dumps(protocol_schema(), ensure_ascii=False, indent=2) + "\n")


if __name__ == "__main__":
    main()
