"""The collector's pass over everything waits until nobody sends."""

from __future__ import annotations

import datetime
import gc
import weakref
from collections.abc import Iterator

import pytest

from light.worker import OPUS, VP8
from twinclass_media.forward.row import Row
from twinclass_media.transport.certificate import generate_certificate
from twinclass_media.transport.peer import Peer
from twinclass_media.worker import messages as m
from twinclass_media.worker.engine import Engine
from twinclass_media.worker.garbage import REST_S, WHOLE_S, YOUNG_S, Garbage


@pytest.fixture(autouse=True)
def collector() -> Iterator[None]:
    """As it was."""
    yield
    gc.unfreeze()
    gc.enable()


class Knot:
    """Refers to itself."""

    def __init__(self) -> None:
        self.me = self


def test_young_cycles_go_within_a_second() -> None:
    garbage = Garbage(0.0)
    garbage.begin()
    assert not gc.isenabled()
    gone = weakref.ref(Knot())
    garbage.tick(1, YOUNG_S / 2)
    assert gone() is not None
    garbage.tick(2, YOUNG_S)
    assert gone() is None


def test_old_cycles_go_when_nobody_sends() -> None:
    garbage = Garbage(0.0)
    garbage.begin()
    knot = Knot()
    gone = weakref.ref(knot)
    now, packets = 0.0, 0
    while now < 2 * WHOLE_S:
        now, packets = now + 1, packets + 1
        garbage.tick(packets, now)
        if now == 10:
            del knot
    assert gone() is not None
    garbage.tick(packets, now + REST_S)
    assert gone() is not None
    garbage.tick(packets, now + REST_S + 1)
    assert gone() is None


def there() -> int:
    return sum(isinstance(one, Peer | Row) for one in gc.get_objects())


def test_peers_and_rows_leave_no_cycles() -> None:
    gc.collect()
    before = there()
    certificate = generate_certificate(datetime.datetime.now(datetime.UTC))
    engine = Engine(certificate, lambda _: None, 100, 0.0, 0.0)
    router, transport = m.RouterId("r"), m.TransportId("t")
    specs: list[m.Spec] = [
        m.RouterSpec(router, 1),
        m.TransportSpec(transport, router, 1, "u", "p" * 22),
        m.ProducerSpec(
            m.ProducerId("v"), transport, 1, "video", "0", (VP8,), (m.Encoding("", 11),)
        ),
        m.ConsumerSpec(m.ConsumerId("c"), transport, 1, "video", "1", 21, (VP8,), 22),
        m.ConsumerSpec(
            m.ConsumerId("a"), transport, 1, "audio", "2", 23, (OPUS,), 0, m.ProducerId("a")
        ),
    ]
    engine.apply(m.Apply(1, tuple(specs)), 0.0)
    assert there() == before + 3
    gc.collect()
    gc.disable()
    engine.apply(m.Apply(2, (), (m.Remove("transport", transport),)), 1.0)
    engine.tick(1.0)
    assert there() == before
