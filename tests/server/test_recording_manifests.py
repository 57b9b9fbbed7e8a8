"""What a manifest says of a lesson that goes on, whose disk is a little behind."""

from __future__ import annotations

from twinclass_recordings.assemble import Media
from twinclass_recordings.library.access import Viewer
from twinclass_server.http.library import missed
from twinclass_server.recording.about import About
from twinclass_server.recording.manifests import manifest_of
from twinclass_signaling.ids import EventSeq, LessonId, ParticipantId
from twinclass_signaling.lesson.events import ParticipantJoined
from twinclass_signaling.lesson.plan import Plan
from twinclass_signaling.messages import Event
from twinclass_signaling.roles import Role

OPENED = 1_000_000.0
LATE = ParticipantId("home-1")


def test_who_came_in_after_the_last_second_on_disk_is_told_what_she_missed() -> None:
    joined = ParticipantJoined(LATE, Role.HOME_LEARNER, None)
    events = [Event(EventSeq(1), OPENED + 26.9, joined)]
    kept = About("r-1", LessonId("r"), Plan("示例课"), {}, OPENED, OPENED + 28.4, None, "")
    media = Media(OPENED, 26.0, (), 0)
    made = manifest_of(kept, media, events, "live", "")
    assert made.duration_s == 26.0, "players go as far as the disk"
    [gap] = missed(made, Viewer(Role.HOME_LEARNER, LATE, lesson="r"))
    assert gap == {"start_s": 0.0, "end_s": 26.9}
