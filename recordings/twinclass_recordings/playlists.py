"""HLS media playlists over files that are there anyway (RFC 8216). Core.

A segment is a range of bytes of a part, so nothing is copied or cut; any server that knows Range
can carry it. Between parts the decoder's description changes: a discontinuity and another map.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import UTC, datetime

from twinclass_recordings.manifest import Part, Run

#: A run that nothing was added to for this long is over: the recorder waits half as long for what
#: is late before it ends a file.
OVER_S = 5.0


def is_over(run: Run, lesson_s: float) -> bool:
    """Tells of a lesson that goes on whether a run of it is whole."""
    return run.start_s + run.duration_s < lesson_s - OVER_S


def can_be_listed(run: Run, lesson_s: float) -> bool:
    """Tells whether a run has a segment that will not grow; players refuse a list of none."""
    return is_over(run, lesson_s) or sum(len(part.segments) for part in run.parts) > 1


def playlist(parts: Sequence[Part], start_s: float, origin_unix: float, *, is_live: bool) -> str:
    """Returns the playlist of one run. URIs are relative to the folder of playlists.

    ``is_live``: the run grows, so its last segment is left out. What was listed once must never
    change (RFC 8216 6.2.1): a player that has fetched the beginning of a segment does not ask for
    the rest, and would wait at that hole for ever.
    """
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
        is_growing = is_live and number == len(parts) - 1
        for segment in part.segments[:-1] if is_growing else part.segments:
            lines.append(f"#EXTINF:{segment.duration_s:.4f},")
            lines.append(f"#EXT-X-BYTERANGE:{segment.length}@{segment.offset}")
            lines.append(uri)
            at += segment.duration_s
    if not is_live:
        lines.append("#EXT-X-ENDLIST")
    return "\n".join(lines) + "\n"
