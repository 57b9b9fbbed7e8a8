"""What a lesson's lines cost its learners: minutes in which nothing reached them.

Learner-minutes lost: of every classroom and home, the seconds without a line while the lesson was
live, times who sat there, over 60; the share is of all present times the minutes taught. A class
that goes on by its own cached pages has still lost the lead. Pure functions of the event log and
the plan; homes are told together, since one of them is one child.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from twinclass_recordings.manifest import Losses, RoomLoss
from twinclass_signaling.ids import ParticipantId
from twinclass_signaling.lesson import events as core
from twinclass_signaling.lesson import tool_events as tool
from twinclass_signaling.lesson.plan import Plan
from twinclass_signaling.messages import Event
from twinclass_signaling.roles import Role

_HOMES = frozenset({Role.HOME_LEARNER, Role.HOME_GROUP})


@dataclass(slots=True)
class _Line:
    """One classroom's or home's line. ``learners``: as the last roll call or the plan says."""

    role: Role
    learners: int
    here_since: float | None = None
    lost_since: float | None = None
    here_s: float = 0.0
    lost_s: float = 0.0

    def end(self, at: float) -> None:
        """Ends the stretch that lasts."""
        if self.here_since is not None:
            self.here_s += max(0.0, at - self.here_since)
        if self.lost_since is not None:
            self.lost_s += max(0.0, at - self.lost_since)
        self.here_since = self.lost_since = None


@dataclass(slots=True)
class _Reader:
    plan: Plan
    opened: float
    closed: float
    lines: dict[ParticipantId, _Line] = field(default_factory=dict[ParticipantId, _Line])

    def read(self, event: Event) -> None:
        at = min(max(event.at, self.opened), self.closed)
        match event.event:
            case core.ParticipantJoined(who, role, _, companion) if not companion:
                if role is Role.ROOM or role in _HOMES:
                    line = self.lines.setdefault(who, _Line(role, self._expected(who, role)))
                    line.end(at)
                    line.here_since = at
            case core.ParticipantRecovered(who) if who in self.lines:
                line = self.lines[who]
                line.end(at)
                line.here_since = at
            case core.ParticipantLost(who) if who in self.lines:
                line = self.lines[who]
                line.end(at)
                line.lost_since = at
            case core.ParticipantLeft(who, reason) if who in self.lines:
                # A seat that was kept in vain: the line is lost on, until they come again.
                if reason != "timeout":
                    self.lines[who].end(at)
            case tool.RollCalled(room, present):
                found = self.lines.get(ParticipantId(room))
                if found is not None:
                    found.learners = present
            case _:
                pass

    def _expected(self, who: ParticipantId, role: Role) -> int:
        if role is Role.HOME_LEARNER:
            return 1
        pupils = [pupil for room in self.plan.rooms for pupil in room.pupils]
        if role is Role.HOME_GROUP:
            return sum(pupil.group == who for pupil in pupils)
        room = self.plan.room(who)
        if room is None:
            return 0
        in_room = sum(not pupil.at_home and pupil.group is None for pupil in room.pupils)
        return in_room or room.expected


def losses(events: Iterable[Event], plan: Plan, opened: float, closed: float) -> Losses:
    """Returns what was lost between the bell and the end (Unix seconds)."""
    reader = _Reader(plan, opened, closed)
    for event in events:
        reader.read(event)
    rooms: list[RoomLoss] = []
    homes_s = minutes = lost = 0.0
    for who, line in reader.lines.items():
        line.end(closed)
        minutes += (line.here_s + line.lost_s) * line.learners / 60
        lost += line.lost_s * line.learners / 60
        if line.role in _HOMES:
            homes_s += line.lost_s * line.learners
        elif line.lost_s > 0:
            learner_minutes = line.lost_s * line.learners / 60
            rooms.append(RoomLoss(who, round(line.lost_s, 1), round(learner_minutes, 1)))
    rooms.sort(key=lambda one: -one.learner_minutes)
    return Losses(round(minutes, 1), round(lost, 1), round(homes_s / 60, 1), tuple(rooms))
