"""How good a client's line is, in three words.

A session has up to two transports; the worse one is shown. ``good``: nobody notices anything.
``fair``: FEC and retransmission hide it. ``poor``: one sees and hears it. The bounds: Opus
in-band FEC conceals up to about 3 % well, retransmission of video up to about 10 %; ITU-T G.114
calls 150 ms one way unnoticed and 400 ms the limit.
"""

from __future__ import annotations

from collections.abc import Sequence

from twinclass_media.worker.messages import LinkQuality
from twinclass_signaling.messages import Quality

GOOD_LOSS, FAIR_LOSS = 0.03, 0.10
GOOD_RTT_MS, FAIR_RTT_MS = 300.0, 800.0


def quality(links: Sequence[LinkQuality]) -> Quality:
    """The message for a session from its connected transports (at least one)."""
    loss = max(max(link.send_loss, link.receive_loss) for link in links)
    rtt_ms = max(link.rtt_ms for link in links)
    if loss <= GOOD_LOSS and rtt_ms <= GOOD_RTT_MS:
        return Quality("good", round(rtt_ms, 1), round(loss, 4))
    if loss <= FAIR_LOSS and rtt_ms <= FAIR_RTT_MS:
        return Quality("fair", round(rtt_ms, 1), round(loss, 4))
    return Quality("poor", round(rtt_ms, 1), round(loss, 4))
