"""Settings of a lesson: key, unit, default and reason, in one place."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class LessonSettings:
    """The rules of a lesson that an operator may set.

    Attributes:
        seat_keep_s: a lost seat, its place on stage and its session are kept this long; a
            school router restarts in under a minute.
        authenticate_s: a connection that has not said who it is by then is closed.
        lease_s: a lesson's owner that is silent for this long may be replaced.
        presence_ms: seats that change are gathered this long before they are told.
        snapshot_every: events between two snapshots of the state.
        append_ms: events are gathered this long before they are appended; below what anybody
            can notice, and one fsync then serves many commands.
        send_queue: messages that may wait for a slow client before it is closed; a class that
            joins within a minute makes about 300.
        max_viewers_per_token: WHEP sessions that one observer token may open.
    """

    seat_keep_s: float = 60.0
    authenticate_s: float = 5.0
    lease_s: float = 5.0
    presence_ms: int = 200
    snapshot_every: int = 500
    append_ms: int = 5
    send_queue: int = 1024
    max_viewers_per_token: int = 1000
