"""Desired state of one worker: order, versions, reconciliation."""

from __future__ import annotations

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from twinclass_media.worker import messages as m
from twinclass_media.worker.registry import KIND_NAMES, Registry
from twinclass_server.adapters.worker_outbox import MAX_PUTS, Key, WorkerOutbox, key_of

ROUTER = m.RouterSpec(m.RouterId("r"))
VP8 = m.Codec("VP8", 96, 90000, 97)


def transport(name: str = "t", ufrag: str = "u") -> m.TransportSpec:
    return m.TransportSpec(m.TransportId(name), m.RouterId("r"), 0, ufrag, "p")


def producer(name: str = "p", on: str = "t", *, paused: bool = False) -> m.ProducerSpec:
    return m.ProducerSpec(
        m.ProducerId(name), m.TransportId(on), 0, "video", "0", (VP8,), paused=paused
    )


def consumer(name: str = "c", on: str = "t", source: str = "") -> m.ConsumerSpec:
    return m.ConsumerSpec(
        m.ConsumerId(name), m.TransportId(on), 0, "video", "0", 1, (VP8,),
        producer=m.ProducerId(source),
    )  # fmt: skip


def puts(outbox: WorkerOutbox) -> list[m.Spec]:
    return [spec for batch in outbox.take() for spec in batch.puts]


def test_puts_come_in_order_with_growing_versions() -> None:
    outbox = WorkerOutbox()
    for spec in (ROUTER, transport(), producer(), producer(paused=True)):
        assert outbox.put(spec)
    sent = puts(outbox)
    assert [key_of(s)[0] for s in sent] == ["router", "transport", "producer", "producer"]
    assert [s.version for s in sent] == [1, 2, 3, 4]
    assert outbox.take() == []


def test_what_is_wanted_already_is_not_sent_again() -> None:
    outbox = WorkerOutbox()
    outbox.put(ROUTER)
    assert not outbox.put(ROUTER)
    assert len(puts(outbox)) == 1


def test_puts_and_removes_never_share_a_command() -> None:
    outbox = WorkerOutbox()
    outbox.put(ROUTER)
    outbox.put(transport("a"))
    outbox.remove("transport", "a")
    outbox.put(transport("b"))
    batches = outbox.take()
    assert [(len(b.puts), len(b.removes)) for b in batches] == [(2, 0), (0, 1), (1, 0)]


def test_a_removed_parent_takes_its_children_along() -> None:
    outbox = WorkerOutbox()
    for spec in (ROUTER, transport(), producer(), consumer()):
        outbox.put(spec)
    assert outbox.remove("transport", "t")
    assert outbox.get("producer", "p") is None
    assert not outbox.remove("consumer", "c")
    assert not outbox.put(producer())  # its transport is gone
    assert outbox.transports == 0


def test_large_states_are_split() -> None:
    outbox = WorkerOutbox()
    outbox.put(ROUTER)
    for number in range(MAX_PUTS * 2):
        outbox.put(transport(f"t{number}"))
    assert [len(b.puts) for b in outbox.take()] == [MAX_PUTS, MAX_PUTS, 1]


def test_reconciling_sends_the_difference_only() -> None:
    outbox = WorkerOutbox()
    for spec in (ROUTER, transport(), producer()):
        outbox.put(spec)
    held = puts(outbox)
    outbox.put(producer(paused=True))
    outbox.put(consumer())
    stranger = m.RouterSpec(m.RouterId("old"), version=50)
    assert outbox.reconcile([*held, stranger]) == []
    removes, changes = outbox.take()
    assert removes.removes == [m.Remove("router", "old")]
    assert [key_of(s) for s in changes.puts] == [("producer", "p"), ("consumer", "c")]
    outbox.put(consumer(source="p"))
    assert puts(outbox)[0].version == 51


def test_a_transport_the_worker_lost_is_reported_and_forgotten() -> None:
    outbox = WorkerOutbox()
    for spec in (ROUTER, transport("a"), transport("b"), producer("p", "a")):
        outbox.put(spec)
    held = [s for s in puts(outbox) if s.id in {"r", "b"}]
    assert outbox.reconcile(held) == ["a"]
    assert outbox.get("producer", "p") is None
    assert puts(outbox) == []


def test_after_a_death_routers_stay_wanted() -> None:
    outbox = WorkerOutbox()
    for spec in (ROUTER, transport(), producer()):
        outbox.put(spec)
    assert outbox.drop_transports() == ["t"]
    assert outbox.reconcile([]) == []
    assert [key_of(s) for s in puts(outbox)] == [("router", "r")]


def test_an_adopted_state_needs_nothing() -> None:
    before = WorkerOutbox()
    for spec in (ROUTER, transport(), producer()):
        before.put(spec)
    held = puts(before)
    after = WorkerOutbox()
    after.adopt(held)
    assert after.reconcile(held) == []
    assert after.take() == []
    after.put(producer(paused=True))
    assert puts(after)[0].version == 4


class OutboxMachine(RuleBasedStateMachine):
    """A worker's registry that is fed by an outbox, with losses, holds what is wanted."""

    def __init__(self) -> None:
        super().__init__()
        self.outbox = WorkerOutbox()
        self.registry = Registry()
        self.wanted: dict[Key, m.Spec] = {}

    @rule(name=st.sampled_from("ab"), ufrag=st.sampled_from("xyz"))
    def put_transport(self, name: str, ufrag: str) -> None:
        self.outbox.put(ROUTER)
        self.outbox.put(transport(name, ufrag))

    @rule(name=st.sampled_from("pq"), on=st.sampled_from("ab"), paused=st.booleans())
    def put_producer(self, name: str, on: str, paused: bool) -> None:
        self.outbox.put(producer(on + name, on, paused=paused))

    @rule(name=st.sampled_from("ab"))
    def remove_transport(self, name: str) -> None:
        self.outbox.remove("transport", name)

    @rule()
    def flush(self) -> None:
        for batch in self.outbox.take():
            for removal in batch.removes:
                self._remove(KIND_NAMES[removal.kind], removal.id)
            for spec in batch.puts:
                if self.registry.is_news(spec):
                    self.registry.put(spec)

    def _remove(self, kind: type[m.Spec], identifier: str) -> None:
        for child in self.registry.children(kind, identifier):
            self._remove(type(child), child.id)
        self.registry.remove(kind, identifier)

    @rule()
    def lose_what_was_on_the_way(self) -> None:
        self.outbox.take()
        self.outbox.reconcile(list(self.registry))

    @rule()
    def restart_the_worker(self) -> None:
        self.registry = Registry()
        self.outbox.drop_transports()
        self.outbox.reconcile([])

    @invariant()
    def after_a_flush_both_are_the_same(self) -> None:
        self.flush()
        held = {key_of(spec): spec for spec in self.registry}
        assert all(self.outbox.get(*key) == spec for key, spec in held.items())
        for name in "ab":
            assert (("transport", name) in held) == (self.outbox.get("transport", name) is not None)


TestOutboxMachine = OutboxMachine.TestCase
TestOutboxMachine.settings = settings(max_examples=40, stateful_step_count=20, deadline=None)
