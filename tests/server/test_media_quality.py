"""What a client is told of its line when it is too narrow for all of its pictures."""

from __future__ import annotations

import pytest

from twinclass_media.worker.messages import ConsumerId, LinkQuality, TransportId
from twinclass_server.adapters.media_quality import quality
from twinclass_signaling.ids import ParticipantId
from twinclass_signaling.messages import SlotKind
from twinclass_signaling.ports import Subscription

USES: dict[str, SlotKind] = {"0": "lead", "1": "screen", "2": "stage", "3": "wall"}
PICTURES = {
    ConsumerId(f"s/down1:{mid}"): Subscription(use, 0, "camera", ParticipantId("somebody"))
    for mid, use in USES.items()
}


def link(smaller: str = "", stopped: str = "") -> LinkQuality:
    def names(mids: str) -> tuple[ConsumerId, ...]:
        return tuple(ConsumerId(f"s/down1:{mid}") for mid in mids)

    return LinkQuality(
        *(TransportId("s/down1"), 20.0, 1, 1, 0.0, 0.0),
        smaller=names(smaller),
        stopped=names(stopped),
    )


@pytest.mark.parametrize(
    ("smaller", "stopped", "held"),
    [
        ("", "", "none"),
        ("0", "", "smaller"),
        ("0", "3", "smaller"),
        ("", "023", "slides"),
        ("1", "023", "slides"),
        ("", "0123", "sound"),
        ("9", "8", "none"),
    ],
)
def test_what_is_held_back_has_a_name(smaller: str, stopped: str, held: str) -> None:
    own = quality([link(smaller, stopped)], PICTURES)
    assert own.held == held
    assert own.stopped == tuple(mid for mid in stopped if mid in USES)
    assert own.level == "good", "a narrow line is not a bad one"
