"""What can be measured: how many publish what to whom.

Every shape is a list of lessons; in a lesson each viewer receives each track. Sizes are numbers of
viewers.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from tracks import Lesson, Plan, PublisherPlan, Storm, Track

#: A camera of 720 lines as pages of Twinclass send it: six packets of 1,040 bytes a frame.
CAMERA_KBPS, CAMERA_FPS = 1500, 30
#: The lowest layer of a room's camera, for a small picture in a wall: a packet a frame.
THUMBNAIL_KBPS, THUMBNAIL_FPS = 120, 15
WALL_ROOMS = 32
LESSONS = 30


def _camera(ssrc: int) -> Track:
    return Track("video", ssrc, CAMERA_KBPS, CAMERA_FPS)


def _lesson(name: str, viewers: int) -> Lesson:
    lead = PublisherPlan("lead", (_camera(1111), Track("audio", 2222)))
    return Lesson(name, (lead,), viewers)


def one_to_many(viewers: int) -> Plan:
    """A camera and a microphone."""
    return Plan("one-to-many", (_lesson("lesson", viewers),))


def audio(viewers: int) -> Plan:
    """One microphone."""
    lead = PublisherPlan("lead", (Track("audio", 2222),))
    return Plan("audio", (Lesson("lesson", (lead,), viewers),))


def audio_10(viewers: int) -> Plan:
    """Ten microphones that all send."""
    speakers = tuple(PublisherPlan(f"speaker{n}", (Track("audio", 2222 + n),)) for n in range(10))
    return Plan("audio-10", (Lesson("lesson", speakers, viewers),))


def join_storm(viewers: int) -> Plan:
    """``one_to_many`` to which a storm comes (by default this one: a city's lesson begins);
    figures are of the time of the storm."""
    return Plan("join-storm", (_lesson("lesson", viewers),), Storm(500, 30.0))


def wall(viewers: int) -> Plan:
    """A lead and a wall of rooms' small pictures."""
    lead = PublisherPlan("lead", (_camera(1111), Track("audio", 2222)))
    rooms = tuple(
        PublisherPlan(f"room{n}", (Track("video", 3000 + n, THUMBNAIL_KBPS, THUMBNAIL_FPS),))
        for n in range(WALL_ROOMS)
    )
    return Plan("wall", (Lesson("lesson", (lead, *rooms), viewers),))


def lessons(viewers: int) -> Plan:
    """``LESSONS`` lessons side by side, ``viewers`` in all."""
    each = max(1, viewers // LESSONS)
    return Plan("lessons", tuple(_lesson(f"lesson{n}", each) for n in range(LESSONS)))


#: Name -> the plan for a number of viewers, and the sizes when none are asked for.
SHAPES: dict[str, tuple[Callable[[int], Plan], Sequence[int]]] = {
    "one-to-many": (one_to_many, (10, 50, 200, 500, 1000)),
    "audio": (audio, (300,)),
    "audio-10": (audio_10, (300,)),
    "join-storm": (join_storm, (100,)),
    "wall": (wall, (200,)),
    "lessons": (lessons, (900,)),
}
