"""What happened in a lesson, for its recording: chapters, marks, people, presence, documents.

Pure functions of the lesson's event log and its plan. Names of children are replaced by a label
unless their guardian agreed to the recording. Backchannel, roll call and sound check leave no trace
here: pupils watch recordings.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from twinclass_recordings.manifest import (
    Chapter,
    ChapterKind,
    Document,
    Mark,
    MarkKind,
    Person,
    Presence,
    Text,
)
from twinclass_signaling.ids import ParticipantId, PersonId
from twinclass_signaling.lesson import events as core
from twinclass_signaling.lesson import talk_events as talk
from twinclass_signaling.lesson import tool_events as tool
from twinclass_signaling.lesson.plan import Plan, PlannedPupil
from twinclass_signaling.lesson.visibility import Person as Named
from twinclass_signaling.messages import Event
from twinclass_signaling.roles import Role

#: Staff and rooms whose coming and going a viewer should know of.
_WATCHED = frozenset({Role.LEAD, Role.CO_LEAD, Role.ROOM})
_HOMES = frozenset({Role.HOME_LEARNER, Role.HOME_GROUP})
#: Hands of one participant within this time are one mark.
_HAND_GAP_S = 30.0
#: A lesson of 45 minutes has some hundred; a hostile one must not fill the manifest.
MAX_CHAPTERS = 2000
MAX_MARKS = 5000

_ROLES: dict[Role, Text] = {
    Role.LEAD: Text("主讲老师", "Lead teacher"),
    Role.CO_LEAD: Text("协同主讲", "Co-lead"),
    Role.ASSISTANT: Text("辅讲老师", "Assistant"),
    Role.ROOM: Text("课堂", "Classroom"),
    Role.HOME_LEARNER: Text("居家学生", "Home learner"),
    Role.HOME_GROUP: Text("居家小组", "Home group"),
    Role.OBSERVER: Text("观摩", "Observer"),
}


@dataclass(frozen=True, slots=True)
class Happened:
    """The part of a manifest that comes from the event log."""

    chapters: tuple[Chapter, ...]
    marks: tuple[Mark, ...]
    people: tuple[Person, ...]
    presence: tuple[Presence, ...]
    documents: tuple[Document, ...]


def happened(
    events: Iterable[Event],
    plan: Plan,
    names: Mapping[ParticipantId, Named],
    origin_unix: float,
    duration_s: float,
) -> Happened:
    """Returns what the log says. ``duration_s``: where chapters that are open end."""
    reader = _Reader(plan, names, origin_unix, duration_s)
    for event in events:
        reader.read(event)
    return reader.finish()


@dataclass(slots=True)
class _Open:
    """A chapter that has not ended."""

    start_s: float
    title: Text
    participant: str = ""
    document: str = ""
    page: int = 0


@dataclass(slots=True)
class _Reader:
    plan: Plan
    names: Mapping[ParticipantId, Named]
    origin: float
    duration: float
    chapters: list[Chapter] = field(default_factory=list[Chapter])
    marks: list[Mark] = field(default_factory=list[Mark])
    people: dict[ParticipantId, Person] = field(default_factory=dict[ParticipantId, Person])
    presence: list[Presence] = field(default_factory=list[Presence])
    documents: dict[str, Document] = field(default_factory=dict[str, Document])
    _open: dict[tuple[ChapterKind, str], _Open] = field(
        default_factory=dict[tuple[ChapterKind, str], _Open]
    )
    _here: dict[ParticipantId, float] = field(default_factory=dict[ParticipantId, float])
    _roles: dict[ParticipantId, Role] = field(default_factory=dict[ParticipantId, Role])
    #: (second, phase or None for "by the minute").
    _phases: list[tuple[float, int | None]] = field(default_factory=lambda: [(0.0, None)])
    _hands: dict[ParticipantId, float] = field(default_factory=dict[ParticipantId, float])

    def read(self, event: Event) -> None:
        at = min(max(event.at - self.origin, 0.0), self.duration)
        match event.event:
            case core.ParticipantJoined(who, role, _, companion) if not companion:
                self._roles[who] = role
                self.people[who] = self._person(who, role, event.event.room)
                self._here.setdefault(who, at)
            case core.ParticipantRecovered(who) if who in self._roles:
                self._here.setdefault(who, at)
                self._coming(at, "recovered", who, Text("已恢复", "is back"))
            case core.ParticipantLost(who) if who in self._roles:
                self._gone(who, at)
                self._coming(at, "lost", who, Text("断线", "lost the line"))
            case core.ParticipantLeft(who):
                self._gone(who, at)
            case core.StageEntered(who):
                name = self._name(who)
                title = Text(f"{name.zh}上台", f"{name.en} on stage")
                self._begin("stage", who, _Open(at, title, who))
            case core.StageLeft(who):
                self._end("stage", who, at)
            case core.CalledOn(who):
                name = self._name(who)
                title = Text(f"点名：{name.zh}", f"Called on: {name.en}")
                self._mark(at, "called_on", title, who)
            case tool.HandRaised(who):
                self._hand(at, who, event.event.count)
            case tool.QuizOpened():
                quiz = event.event
                title = Text(f"第 {quiz.quiz} 题", f"Question {quiz.quiz}")
                if quiz.text:
                    title = Text(f"{title.zh}：{quiz.text}", f"{title.en}: {quiz.text}")
                self._begin("quiz", "", _Open(at, title))
                self._mark(at, "quiz", title)
            case tool.QuizReleased() | tool.QuizClosed():
                self._end("quiz", "", at)
            case tool.GroupWorkStarted():
                task = event.event.task
                title = Text(f"分组：{task}", f"Group work: {task}") if task else _GROUP
                self._begin("group_work", "", _Open(at, title))
            case tool.GroupWorkEnded():
                self._end("group_work", "", at)
            case _:
                self._read_talk(event, at)

    def _read_talk(self, event: Event, at: float) -> None:
        match event.event:
            case talk.PhaseChanged(phase):
                self._phases.append((at, phase))
            case talk.TeachingChanged(who, cause):
                self._end("teaching", "", at)
                name = self._name(who)
                self._begin(
                    "teaching", "", _Open(at, Text(f"{name.zh}主讲", f"{name.en} teaches"), who)
                )
                if cause != "opened":
                    title = Text(f"{name.zh}接管课堂", f"{name.en} took over")
                    self._mark(at, "take_over", title, who)
            case talk.SlidesAttached(document, pages, sha256, heading):
                self.documents[document] = Document(document, heading, pages, sha256)
            case talk.SlideTurned(document, page):
                self._end("slide", "", at)
                if document is not None:
                    known = self.documents.get(document)
                    file = known.title if known is not None else ""
                    title = Text(f"{file} 第 {page} 页".strip(), f"{file} page {page}".strip())
                    self._begin("slide", "", _Open(at, title, "", document, page))
            case talk.RecordingChanged(on):
                title = Text("继续录制", "Recording goes on") if on else _PAUSED
                self._mark(at, "resumed" if on else "paused", title)
            case _:
                pass

    def finish(self) -> Happened:
        for kind, key in list(self._open):
            self._end(kind, key, self.duration)
        for who in list(self._here):
            self._gone(who, self.duration)
        self._phase_chapters()
        self.chapters.sort(key=lambda c: (c.start_s, c.end_s, c.kind))
        return Happened(
            tuple(self.chapters[:MAX_CHAPTERS]),
            tuple(self.marks[:MAX_MARKS]),
            tuple(self.people.values()),
            tuple(self.presence),
            tuple(self.documents.values()),
        )

    # ---- parts

    def _phase_chapters(self) -> None:
        """The phases of the plan: by the minute, until the lead went to one by hand."""
        bounds = [*(at for at, _ in self._phases[1:]), self.duration]
        for (start, phase), end in zip(self._phases, bounds, strict=True):
            if phase is not None:
                self._add_phase(phase, start, end)
                continue
            minute = 0.0
            for index, planned in enumerate(self.plan.phases):
                first, last = minute * 60, (minute + planned.minutes) * 60
                is_last = index == len(self.plan.phases) - 1
                self._add_phase(index, max(first, start), end if is_last else min(last, end))
                minute += planned.minutes

    def _add_phase(self, phase: int, start: float, end: float) -> None:
        if end <= start or not 0 <= phase < len(self.plan.phases):
            return
        heading = self.plan.phases[phase].title
        last = self.chapters[-1] if self.chapters else None
        if last is not None and (last.kind, last.title.zh, last.end_s) == ("phase", heading, start):
            self.chapters[-1] = Chapter(last.start_s, end, "phase", last.title)
        else:
            self.chapters.append(Chapter(start, end, "phase", Text(heading, heading)))

    def _begin(self, kind: ChapterKind, key: str, chapter: _Open) -> None:
        self._end(kind, key, chapter.start_s)
        self._open[kind, key] = chapter

    def _end(self, kind: ChapterKind, key: str, at: float) -> None:
        found = self._open.pop((kind, key), None)
        if found is not None and at > found.start_s:
            self.chapters.append(
                Chapter(
                    found.start_s,
                    at,
                    kind,
                    found.title,
                    found.participant,
                    found.document,
                    found.page,
                )
            )

    def _mark(self, at: float, kind: MarkKind, title: Text, who: str = "") -> None:
        self.marks.append(Mark(at, kind, title, who))

    def _hand(self, at: float, who: ParticipantId, count: int) -> None:
        last = self._hands.get(who)
        self._hands[who] = at
        if last is not None and at - last < _HAND_GAP_S:
            return
        many = f" ×{count}" if count > 1 else ""
        role = self._roles.get(who)
        if role is not None and role in _HOMES:
            # Of homes that are not called on only their class and staff know whose hand it was.
            label = _ROLES[role]
            self._mark(at, "hand", Text(f"{label.zh}举手{many}", f"{label.en}: hand up{many}"))
            return
        name = self._name(who)
        self._mark(at, "hand", Text(f"{name.zh}举手{many}", f"{name.en}: hand up{many}"), who)

    def _coming(self, at: float, kind: MarkKind, who: ParticipantId, what: Text) -> None:
        if self._roles.get(who) in _WATCHED:
            name = self._name(who)
            self._mark(at, kind, Text(f"{name.zh}{what.zh}", f"{name.en} {what.en}"), who)

    def _gone(self, who: ParticipantId, at: float) -> None:
        since = self._here.pop(who, None)
        if since is not None and at > since:
            self.presence.append(Presence(who, since, at))

    # ---- names

    def _name(self, who: ParticipantId) -> Text:
        person = self.people.get(who)
        return person.name if person is not None else Text("", "")

    def _person(self, who: ParticipantId, role: Role, room: str | None) -> Person:
        label = _ROLES.get(role, Text("", ""))
        planned = self.plan.room(who)
        if role is Role.ROOM and planned is not None:
            name = f"{planned.school} {planned.name}".strip()
            return Person(who, role, Text(name, name), who)
        if role in _HOMES:
            return self._home(who, role, room or "", label)
        known = self.names.get(who)
        name = known.name if known is not None else ""
        return Person(who, role, Text(name, name) if name else label, room or "")

    def _home(self, who: ParticipantId, role: Role, room: str, label: Text) -> Person:
        pupils = _pupils_at(self.plan, who)
        if not pupils or not all(pupil.recordable for pupil in pupils):
            return Person(who, role, label, room, "missing")
        name = pupils[0].name if role is Role.HOME_LEARNER else ""
        return Person(who, role, Text(name, name) if name else label, room, "given")


_GROUP = Text("分组学习", "Group work")
_PAUSED = Text("录制暂停", "Recording paused")


def _pupils_at(plan: Plan, who: ParticipantId) -> list[PlannedPupil]:
    """The pupil with this id, or the children at this home group's screen."""
    return [
        pupil
        for room in plan.rooms
        for pupil in room.pupils
        if pupil.id == PersonId(who) or pupil.group == who
    ]
