"""What of a lesson's media goes to the recorder, without processes."""

from __future__ import annotations

from server.test_media_plane_lesson import LEAD, OPEN, ROOM, Lesson
from twinclass_media.worker import messages as m
from twinclass_recordings.recorder.messages import Record
from twinclass_signaling.ids import ParticipantId, SessionId
from twinclass_signaling.ports import RecordingWish
from twinclass_signaling.roles import Source

SOCKET = "/run/recorder.pipe"


class RecorderForTests:
    """Remembers what it was told."""

    def __init__(self) -> None:
        self.told: list[Record] = []

    @property
    def pipe_socket(self) -> str:
        return SOCKET

    def record(self, wish: Record) -> None:
        if not self.told or self.told[-1] != wish:
            self.told.append(wish)

    def tracks(self) -> set[tuple[str, str]]:
        return {(track.participant, track.source) for track in self.told[-1].tracks}


def wish(*sources: tuple[ParticipantId, Source], paused: bool = False) -> RecordingWish:
    return RecordingWish("demo-1", 1000.0, sources, paused)


BOTH: tuple[tuple[ParticipantId, Source], ...] = ((LEAD, "camera"), (LEAD, "microphone"))


def pipes(lesson: Lesson) -> dict[str, str]:
    return {spec.producer: spec.socket for spec in lesson.worker.specs(m.PipeSpec)}


def test_what_is_published_and_wanted_is_piped_to_the_recorder() -> None:
    lesson, recorder = Lesson(), RecorderForTests()
    lesson.media.recording.want(recorder, wish(*BOTH))
    assert recorder.told == [], "nobody sends: no file of nothing is begun"
    lesson.publish(lesson.session("s", LEAD))
    lesson.media.publishing.set_grants(LEAD, OPEN)
    lesson.media.recording.update()
    assert recorder.tracks() == set(BOTH)
    assert set(pipes(lesson).values()) == {SOCKET}
    assert {track.source_producer for track in recorder.told[-1].tracks} == set(pipes(lesson))
    camera = next(track for track in recorder.told[-1].tracks if track.source == "camera")
    assert camera.layers == 3


def test_who_is_not_wanted_any_more_is_not_sent_any_more() -> None:
    lesson, recorder = Lesson(), RecorderForTests()
    for name, who in (("s", LEAD), ("r", ROOM)):
        lesson.publish(lesson.session(name, who))
        lesson.media.publishing.set_grants(who, OPEN)
    lesson.media.recording.want(recorder, wish(*BOTH, (ROOM, "camera")))
    assert len(pipes(lesson)) == 3
    lesson.media.recording.want(recorder, wish(*BOTH))
    assert recorder.tracks() == set(BOTH)
    assert len(pipes(lesson)) == 2
    lesson.media.recording.want(recorder, wish(paused=True))
    assert pipes(lesson) == {}
    assert recorder.told[-1].paused
    assert recorder.told[-1].tracks == ()


def test_a_new_connection_of_the_same_source_is_recorded_on() -> None:
    lesson, recorder = Lesson(), RecorderForTests()
    session = lesson.session("s", LEAD)
    lesson.publish(session)
    lesson.media.publishing.set_grants(LEAD, OPEN)
    lesson.media.recording.want(recorder, wish(*BOTH))
    lesson.media.remove(SessionId("s"))
    lesson.media.recording.update()
    assert pipes(lesson) == {}
    assert recorder.told[-1].tracks == ()
    lesson.publish(lesson.session("t", LEAD))
    lesson.media.publishing.set_grants(LEAD, OPEN)
    lesson.media.recording.update()
    assert recorder.tracks() == set(BOTH)
    assert len(pipes(lesson)) == 2


def test_a_worker_that_comes_back_gets_its_pipes_again() -> None:
    lesson, recorder = Lesson(), RecorderForTests()
    lesson.publish(lesson.session("s", LEAD))
    lesson.media.publishing.set_grants(LEAD, OPEN)
    lesson.media.recording.want(recorder, wish(*BOTH))
    before = pipes(lesson)
    for producer in list(before):
        lesson.worker.remove("pipe", f"{producer}@recorder")
    assert pipes(lesson) == {}
    lesson.media.worker_attached(0)
    assert pipes(lesson) == before


def test_a_page_that_publishes_anew_in_its_session_is_recorded_on() -> None:
    """Its producers are made anew under the names that they had, and take their pipes along."""
    lesson, recorder = Lesson(), RecorderForTests()
    session = lesson.session("s", LEAD)
    lesson.publish(session)
    lesson.media.publishing.set_grants(LEAD, OPEN)
    lesson.media.recording.want(recorder, wish(*BOTH))
    before = pipes(lesson)
    lesson.publish(session)
    lesson.media.recording.update()
    assert recorder.tracks() == set(BOTH)
    assert pipes(lesson) == before
    commands = lesson.worker.outbox.take()
    lesson.media.recording.update()
    assert commands
    assert lesson.worker.outbox.take() == [], "what is so already is not said again"
