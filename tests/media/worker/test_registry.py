import pytest

from twinclass_media.errors import SpecError
from twinclass_media.worker import messages as m
from twinclass_media.worker.registry import Registry

ROUTER = m.RouterSpec(m.RouterId("r"))
TRANSPORT = m.TransportSpec(m.TransportId("t"), m.RouterId("r"), 1, "u", "p")
VP8 = m.Codec("VP8", 96, 90000)


def consumer(version: int, producer: str) -> m.ConsumerSpec:
    return m.ConsumerSpec(
        m.ConsumerId("c"),
        m.TransportId("t"),
        version,
        "video",
        "0",
        1,
        (VP8,),
        2,
        m.ProducerId(producer),
    )


def test_only_newer_versions_are_news() -> None:
    registry = Registry()
    registry.put(ROUTER)
    assert registry.is_news(TRANSPORT)
    registry.put(TRANSPORT)
    assert not registry.is_news(TRANSPORT)


def test_an_orphan_is_refused() -> None:
    with pytest.raises(SpecError, match="not here"):
        Registry().is_news(TRANSPORT)


def test_a_consumer_is_found_by_the_producer_it_wants_now() -> None:
    registry = Registry()
    for spec in (ROUTER, TRANSPORT, consumer(1, "a"), consumer(2, "b")):
        registry.put(spec)
    assert registry.consumers_of("a") == []
    assert [c.id for c in registry.consumers_of("b")] == ["c"]
    registry.remove(m.ConsumerSpec, "c")
    assert registry.consumers_of("b") == []
    assert registry.children(m.TransportSpec, "t") == []
    assert [c.id for c in registry.children(m.RouterSpec, "r")] == ["t"]
