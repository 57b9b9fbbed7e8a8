"""Who hears of the media plane: lessons of theirs, evening desks of their live help."""

from __future__ import annotations

from collections.abc import Sequence

from twinclass_server.desk.desks import Desks
from twinclass_server.desk.help_media import PREFIX
from twinclass_server.signal.lessons import Lessons
from twinclass_signaling.ids import LessonId, ParticipantId, SessionId
from twinclass_signaling.ports import EchoReport, MediaListener, MediaMessage
from twinclass_signaling.roles import Source


class MediaListeners:
    """See ``ports.MediaListener``: passes everything to whose it is."""

    def __init__(self, lessons: Lessons, desks: Desks) -> None:
        self._lessons = lessons
        self._desks = desks

    def _of(self, lesson: LessonId) -> MediaListener:
        return self._desks if lesson.startswith(PREFIX) else self._lessons

    def publication_started(
        self, lesson: LessonId, participant: ParticipantId, source: Source
    ) -> None:
        """Packets of a source arrive."""
        self._of(lesson).publication_started(lesson, participant, source)

    def publication_ended(
        self, lesson: LessonId, participant: ParticipantId, source: Source
    ) -> None:
        """A source is gone."""
        self._of(lesson).publication_ended(lesson, participant, source)

    def speakers_changed(self, lesson: LessonId, participants: Sequence[ParticipantId]) -> None:
        """Who speaks now."""
        self._of(lesson).speakers_changed(lesson, participants)

    def echo_changed(self, lesson: LessonId, participant: ParticipantId, echo: EchoReport) -> None:
        """What comes back by a microphone."""
        self._of(lesson).echo_changed(lesson, participant, echo)

    def send(self, lesson: LessonId, session: SessionId, message: MediaMessage) -> None:
        """A message for one client."""
        self._of(lesson).send(lesson, session, message)
