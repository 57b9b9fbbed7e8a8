"""How good a client's line is, in three words.

A session has up to two transports; the worse one is shown. ``good``: nobody notices anything.
``fair``: FEC and retransmission hide it. ``poor``: one sees and hears it. The bounds: Opus
in-band FEC conceals up to about 3 % well, retransmission of video up to about 10 %; ITU-T G.114
calls 150 ms one way unnoticed and 400 ms the limit.

And what of its pictures is held back, so that whoever sits there reads why.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

import msgspec

from twinclass_media.worker.messages import ConsumerId, LinkQuality
from twinclass_signaling.messages import Quality
from twinclass_signaling.ports import Subscription

GOOD_LOSS, FAIR_LOSS = 0.03, 0.10
GOOD_RTT_MS, FAIR_RTT_MS = 300.0, 800.0


def quality(
    links: Sequence[LinkQuality], pictures: Mapping[ConsumerId, Subscription] | None = None
) -> Quality:
    """The message for a session from its connected transports (at least one).

    ``pictures``: what it is to see, by consumer.
    """
    loss = max(max(link.send_loss, link.receive_loss) for link in links)
    rtt_ms = max(link.rtt_ms for link in links)
    level: Literal["good", "fair", "poor"] = "poor"
    if loss <= GOOD_LOSS and rtt_ms <= GOOD_RTT_MS:
        level = "good"
    elif loss <= FAIR_LOSS and rtt_ms <= FAIR_RTT_MS:
        level = "fair"
    own = Quality(level, round(rtt_ms, 1), round(loss, 4))
    return _with_held(own, links, pictures or {})


def _with_held(
    own: Quality, links: Sequence[LinkQuality], pictures: Mapping[ConsumerId, Subscription]
) -> Quality:
    stopped = {name for link in links for name in link.stopped if name in pictures}
    if not stopped:
        smaller = any(name in pictures for link in links for name in link.smaller)
        return msgspec.structs.replace(own, held="smaller") if smaller else own
    going = [one for name, one in pictures.items() if name not in stopped]
    held: Literal["smaller", "slides", "sound"] = "sound"
    if any(one.use in {"lead", "stage"} for one in going):
        held = "smaller"
    elif going:
        held = "slides"
    mids = tuple(sorted(name.rpartition(":")[2] for name in stopped))
    return msgspec.structs.replace(own, held=held, stopped=mids)
