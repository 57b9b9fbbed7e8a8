"""Which pipes a lesson wants, without processes: two workers that remember what should be."""

from __future__ import annotations

import pytest

from server.test_media_plane_lesson import LEAD, OPEN, ROOM, Lesson
from twinclass_media.worker import messages as m
from twinclass_server.adapters.media_session import Session
from twinclass_signaling.messages import MediaLost, SubscribeOffer
from twinclass_signaling.ports import Subscription
from twinclass_signaling.sdp.parser import parse

WANTED = [Subscription("lead", 0, "microphone", LEAD), Subscription("lead", 0, "camera", LEAD)]
NOBODY = [Subscription("lead", 0, "microphone", None), Subscription("lead", 0, "camera", None)]


@pytest.fixture
def lesson() -> Lesson:
    """Everything that is received goes where fewer transports are."""
    return Lesson(spread_load=0.0)


def view(lesson: Lesson, name: str) -> Session:
    """A session whose offer is answered."""
    session = lesson.session(name, ROOM)
    lesson.media.viewing.set_subscriptions(session, WANTED)
    answer(lesson, session)
    return session


def answer(lesson: Lesson, session: Session) -> None:
    offer = lesson.host.of(session.id, SubscribeOffer)[-1]
    answered = parse(offer.sdp)
    for section in answered.media:
        section.setup, section.direction = "active", "recvonly"
        section.ice_ufrag, section.ice_pwd = "their", "p" * 24
    lesson.media.viewing.answered(session, offer.n, answered)


def lead(lesson: Lesson) -> Session:
    session = lesson.session("s", LEAD)
    lesson.publish(session)
    lesson.media.publishing.set_grants(LEAD, OPEN)
    return session


def fill(lesson: Lesson) -> None:
    """Makes the home the busier worker for good."""
    for name in ("x", "y", "z"):
        lesson.publish(lesson.session(name, ROOM))


def pipes(lesson: Lesson) -> tuple[set[str], set[str]]:
    """What leaves the home and what arrives at the other worker."""
    near = {spec.id for spec in lesson.worker.specs(m.PipeSpec)}
    return near, {spec.id for spec in lesson.other.specs(m.PipedProducerSpec)}


def fed_with(lesson: Lesson) -> set[str]:
    return {spec.producer for spec in lesson.other.specs(m.ConsumerSpec)}


BOTH = {"s:0@1", "s:1@1"}


def test_viewers_stay_at_home_until_it_is_busy() -> None:
    lesson = Lesson(spread_load=0.35)
    lead(lesson)
    view(lesson, "a")
    lesson.worker.load = 0.3
    view(lesson, "b")
    assert not lesson.other.specs(m.TransportSpec)
    lesson.worker.load = 0.4
    view(lesson, "c")
    assert len(lesson.other.specs(m.TransportSpec)) == 1
    assert pipes(lesson) == (BOTH, BOTH)


def test_a_track_is_piped_once_for_all_viewers_of_a_worker(lesson: Lesson) -> None:
    fill(lesson)
    lead(lesson)
    view(lesson, "a")
    assert pipes(lesson) == (BOTH, BOTH)
    assert fed_with(lesson) == BOTH
    (camera,) = [s for s in lesson.other.specs(m.PipedProducerSpec) if s.kind == "video"]
    assert [e.rid for e in camera.encodings] == ["q", "h", "f"]
    assert (camera.socket, camera.source_producer) == ("pipe-0", "s:1")
    assert {s.socket for s in lesson.worker.specs(m.PipeSpec)} == {"pipe-1"}
    lesson.worker.outbox.take()
    view(lesson, "b")
    assert len(lesson.other.specs(m.TransportSpec)) == 2
    assert lesson.worker.outbox.take() == []


def test_a_pipe_goes_with_the_last_who_needs_it(lesson: Lesson) -> None:
    fill(lesson)
    lead(lesson)
    one, two = view(lesson, "a"), view(lesson, "b")
    lesson.media.viewing.set_subscriptions(one, NOBODY)
    assert pipes(lesson) == (BOTH, BOTH)
    lesson.media.viewing.set_subscriptions(two, [WANTED[0], NOBODY[1]])
    assert pipes(lesson) == ({"s:0@1"}, {"s:0@1"})
    lesson.media.remove(two.id)
    assert pipes(lesson) == (set(), set())


def test_a_viewer_may_come_before_what_it_views(lesson: Lesson) -> None:
    filler = lesson.session("filler", ROOM)
    lesson.publish(filler)
    view(lesson, "a")
    assert pipes(lesson) == (set(), set())
    lead(lesson)
    assert pipes(lesson) == (BOTH, BOTH)
    assert fed_with(lesson) == BOTH


def test_a_closed_source_is_closed_at_the_far_end_too(lesson: Lesson) -> None:
    lead(lesson)
    view(lesson, "a")
    lesson.media.publishing.set_grants(LEAD, ())
    assert all(s.paused for s in lesson.other.specs(m.PipedProducerSpec))
    lesson.media.publishing.set_grants(LEAD, OPEN)
    assert not any(s.paused for s in lesson.other.specs(m.PipedProducerSpec))


def test_a_publisher_that_comes_anew_is_piped_anew(lesson: Lesson) -> None:
    session = lead(lesson)
    view(lesson, "a")
    lesson.publish(session)
    assert pipes(lesson) == (BOTH, BOTH)
    lesson.media.publishing.drop(session)
    assert pipes(lesson) == (set(), set())
    assert fed_with(lesson) == {""}
    lesson.publish(session)
    assert pipes(lesson) == (BOTH, BOTH)
    assert fed_with(lesson) == BOTH


def test_a_dead_home_costs_viewers_elsewhere_no_transport(lesson: Lesson) -> None:
    session = lead(lesson)
    view(lesson, "a")
    lost = lesson.worker.outbox.drop_transports()
    lesson.media.transports_lost(lost)
    assert lesson.host.of("s", MediaLost) == [MediaLost(uplink=True, downlink=False)]
    assert not lesson.host.of("a", MediaLost)
    assert pipes(lesson) == (set(), set())
    lesson.media.worker_attached(0)
    lesson.publish(session)
    assert pipes(lesson) == (BOTH, BOTH)
    assert fed_with(lesson) == BOTH


def test_a_dead_far_worker_costs_only_its_viewers(lesson: Lesson) -> None:
    lead(lesson)
    viewer = view(lesson, "a")
    lost = lesson.other.outbox.drop_transports()
    lesson.other.attached = None
    lesson.media.transports_lost(lost)
    assert not lesson.host.of("s", MediaLost)
    assert lesson.host.of("a", MediaLost) == [MediaLost(uplink=False, downlink=True)]
    assert pipes(lesson) == (set(), set())
    # It does not wait for the dead one.
    lesson.media.viewing.restart_downlink(viewer, fresh=True)
    answer(lesson, viewer)
    assert [s.id for s in lesson.worker.specs(m.TransportSpec)] == ["s/up1", "a/down2"]


def test_a_pipe_waits_for_a_worker_that_is_away(lesson: Lesson) -> None:
    lead(lesson)
    attached, lesson.other.attached = lesson.other.attached, None
    lesson.worker.attached, home = None, lesson.worker.attached
    lesson.media.pipes.feed(lesson.other, m.TransportId("t"), "0", m.ProducerId("s:0"))
    assert pipes(lesson) == (set(), set())
    lesson.other.attached = attached
    lesson.media.worker_attached(1)
    assert pipes(lesson) == (set(), set())
    lesson.worker.attached = home
    lesson.media.worker_attached(0)
    assert pipes(lesson) == ({"s:0@1"}, {"s:0@1"})


def test_closing_a_lesson_leaves_nothing_on_any_worker(lesson: Lesson) -> None:
    lead(lesson)
    view(lesson, "a")
    lesson.media.close()
    assert lesson.worker.specs(m.RouterSpec) == []
    assert lesson.other.specs(m.RouterSpec) == []
    assert pipes(lesson) == (set(), set())
