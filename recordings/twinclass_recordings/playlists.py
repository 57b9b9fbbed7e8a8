"""HLS media playlists over files that are there anyway (RFC 8216). Core.

A segment is a range of bytes of a part, so nothing is copied or cut; any server that knows Range
can carry it. Between parts the decoder's description changes: a discontinuity and another map.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import UTC, datetime

from twinclass_recordings.manifest import Part


def playlist(parts: Sequence[Part], start_s: float, origin_unix: float, *, is_live: bool) -> str:
    """Returns the playlist of one run. URIs are relative to the folder of playlists."""
    longest = max((s.duration_s for part in parts for s in part.segments), default=1.0)
    lines = [
        "#EXTM3U",
        "#EXT-X-VERSION:7",
        f"#EXT-X-TARGETDURATION:{max(1, math.ceil(longest))}",
        "#EXT-X-MEDIA-SEQUENCE:0",
        f"#EXT-X-PLAYLIST-TYPE:{'EVENT' if is_live else 'VOD'}",
        "#EXT-X-INDEPENDENT-SEGMENTS",
    ]
    at = origin_unix + start_s
    for number, part in enumerate(parts):
        uri = f"../{part.path}"
        if number:
            lines.append("#EXT-X-DISCONTINUITY")
        lines.append(f'#EXT-X-MAP:URI="{uri}",BYTERANGE="{part.header_bytes}@0"')
        moment = datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds")
        lines.append(f"#EXT-X-PROGRAM-DATE-TIME:{moment.replace('+00:00', 'Z')}")
        for segment in part.segments:
            lines.append(f"#EXTINF:{segment.duration_s:.4f},")
            lines.append(f"#EXT-X-BYTERANGE:{segment.length}@{segment.offset}")
            lines.append(uri)
            at += segment.duration_s
    if not is_live:
        lines.append("#EXT-X-ENDLIST")
    return "\n".join(lines) + "\n"
