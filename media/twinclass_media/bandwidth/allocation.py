"""Who gets what of a viewer's line: sound first, then slides, the lead, the stage, the wall.

A picture that is small beats none: everybody's lowest layer goes before anybody's higher one. A
layer is left when what is sent does not come, and taken up only when it fits with room to spare, so
that nothing swings to and fro.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

#: Priority of what is sent whatever the line is thought to carry. Others count up from it: in a
#: lesson slides, the lead, the stage, the wall.
SOUND = 0
#: Room that a higher layer must leave when it is taken up; below it, once taken, it stays.
SPARE = 1.15
#: What is there stays on a line that is thought to carry a little less, as long as no long queue
#: stands: a rate is cut to 85 % of what arrived, so what arrives fits all the same, and any swing
#: of the delay may cut it. The smallest picture stays whatever the queue, and a little longer.
KEPT, SMALLEST_KEPT = 0.85, 0.8


@dataclass(frozen=True, slots=True)
class Wish:
    """A track that somebody wants to see or hear.

    ``layers``: bit/s of each encoding, lowest first, as it arrives now; ``most``: the highest that
    the viewer has any use for; ``now``: what it gets now, -1: none.
    """

    track: str
    priority: int
    layers: tuple[float, ...]
    most: int
    now: int = -1


@dataclass(frozen=True, slots=True)
class Share:
    """What is sent. ``layers``: by track, -1: nothing. ``wanted_bps``: what the next better share
    needs, for a probe; 0: all have what they want. ``full_bps``: what all that is wanted needs."""

    layers: dict[str, int]
    spent_bps: float
    wanted_bps: float
    full_bps: float


def allocate(wishes: Sequence[Wish], target_bps: float, *, crowded: bool = False) -> Share:
    """Returns who gets which layer of a line that carries ``target_bps``.

    Sound is sent whatever the line is thought to carry: what is left of a lesson without sound is
    nothing. ``crowded``: a long queue stands, so what is sent is too much.
    """
    kept = 1.0 if crowded else KEPT
    ordered = sorted(wishes, key=lambda wish: wish.priority)
    given = {wish.track: -1 for wish in ordered}
    spent, wanted = 0.0, 0.0
    for wish in ordered:
        if wish.priority <= SOUND and wish.layers:
            given[wish.track] = 0
            spent += wish.layers[0]
    pictures = [wish for wish in ordered if wish.priority > SOUND and wish.layers]
    full = spent + sum(wish.layers[min(wish.most, len(wish.layers) - 1)] for wish in pictures)
    # Everybody's lowest layer, then the next of the first, until it has what it wants.
    steps = [(wish, 0) for wish in pictures]
    steps += [
        (wish, layer)
        for wish in pictures
        for layer in range(1, min(wish.most, len(wish.layers) - 1) + 1)
    ]
    for wish, layer in steps:
        if given[wish.track] != layer - 1:
            continue  # The one below did not fit.
        more = wish.layers[layer] - (wish.layers[layer - 1] if layer > 0 else 0.0)
        room = SPARE if wish.now < layer else SMALLEST_KEPT if layer == 0 else kept
        if spent + more <= target_bps / room:
            given[wish.track] = layer
            spent += more
        elif wanted == 0.0:
            wanted = (spent + more) * SPARE
    return Share(given, spent, wanted, full * SPARE)
