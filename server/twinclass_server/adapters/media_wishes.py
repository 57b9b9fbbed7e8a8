"""What a publisher is asked to send: pure arithmetic over grants, layers and codecs."""

from __future__ import annotations

from collections.abc import Collection

from twinclass_signaling.messages import EncodingWish, PublishWishes
from twinclass_signaling.ports import Grant
from twinclass_signaling.sdp.uplink import UplinkTrack

#: Camera layers of a 1280x720 source, lowest first. The top one is below a page's own 2.5
#: Mbit/s: with sound and headers it stays on a line of 2 Mbit/s, also when that is thought to carry
#: 85 % of it (at 1.7 it was left again and again). With q and h it makes 2.15 Mbit/s upwards.
CAMERA_BPS: dict[int, tuple[int, ...]] = {
    1: (1_500_000,),
    2: (150_000, 600_000),
    3: (150_000, 500_000, 1_500_000),
    4: (100_000, 250_000, 600_000, 1_500_000),
}
#: Text must be sharp, movement may be coarse.
SCREEN_BPS = 1_200_000
SCREEN_FPS = 15
#: An off-stage room is a small picture on the wall (design contract).
WALL_BPS = 60_000
WALL_FPS = 5


def wishes(
    track: UplinkTrack, grant: Grant | None, stopped: Collection[int], codec: str
) -> PublishWishes:
    """How the publisher should send a track.

    Args:
        track: the published track.
        grant: what it may do; None = not granted.
        stopped: layers nobody has wanted for a while. The lowest is never stopped: it keeps
            the source alive and is there when somebody comes.
        codec: the lesson's video codec.
    """
    is_open = grant is not None and grant.open
    full = grant is not None and grant.full
    count = len(track.encodings)
    asked: list[EncodingWish] = []
    for layer, encoding in enumerate(track.encodings):
        active = is_open and (layer == 0 or (full and layer not in stopped))
        if track.kind == "audio":
            asked.append(EncodingWish(encoding.rid, active))
        elif not full:
            asked.append(EncodingWish(encoding.rid, active, WALL_BPS, WALL_FPS))
        elif track.source == "camera":
            asked.append(EncodingWish(encoding.rid, active, CAMERA_BPS[count][layer]))
        else:
            # Slides with layers: the top one is for reading, each below has a third of it.
            cap = SCREEN_BPS // 3 ** (count - 1 - layer)
            asked.append(EncodingWish(encoding.rid, active, cap, SCREEN_FPS))
    return PublishWishes(track.source, is_open, chosen_codec(track, codec), tuple(asked))


def chosen_codec(track: UplinkTrack, codec: str) -> str:
    """The lesson's codec where the publisher has it, else its own best."""
    names = [c.name for c in track.codecs]
    return codec if codec in names else names[0]
