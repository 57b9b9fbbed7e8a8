"""JSON Schema of the client protocols, for the TypeScript types and for PROTOCOL.md.

``python -m twinclass_signaling.schema`` prints the lesson's, with ``desk`` behind it the desk's.
"""

from __future__ import annotations

import json
import sys
from typing import Any

import msgspec

from twinclass_signaling import messages as lesson
from twinclass_signaling.desk import messages as desk

_PROTOCOLS = {
    "lesson": (lesson.SUBPROTOCOL, lesson.ClientMessage, lesson.ServerMessage),
    "desk": (desk.SUBPROTOCOL, desk.ClientMessage, desk.ServerMessage),
}


def protocol_schema(protocol: str = "lesson") -> dict[str, Any]:
    """Returns one JSON Schema (2020-12) document with all messages of both directions."""
    title, of_client, of_server = _PROTOCOLS[protocol]
    (client, server), definitions = msgspec.json.schema_components(
        [of_client, of_server], ref_template="#/$defs/{name}"
    )
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": title,
        "anyOf": [{"$ref": "#/$defs/ClientMessage"}, {"$ref": "#/$defs/ServerMessage"}],
        "$defs": {**definitions, "ClientMessage": client, "ServerMessage": server},
    }


def main() -> None:
    """Prints the schema."""
    found = protocol_schema(*sys.argv[1:2])
    sys.stdout.write(json.dumps(found, ensure_ascii=False, indent=2) + "\n")


if __name__ == "__main__":
    main()
