"""Moments of lessons that questions come from: what lesson, which chapter, which page of it.

A lesson is looked for where it is at the time: running here, in Redis (running elsewhere), among
the recordings, in the roster. What was recorded and is deleted is nothing any more.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from msgspec import Struct

from twinclass_recordings import manifest as m
from twinclass_recordings.package import Package
from twinclass_recordings.store import FolderPackages
from twinclass_server.recording import about
from twinclass_signaling.desk.origins import Moment
from twinclass_signaling.errors import Conflict
from twinclass_signaling.ids import LessonId
from twinclass_signaling.lesson.plan import Plan
from twinclass_signaling.lesson.state import LessonState

#: Of lessons that are over: they change no more. Half a kilobyte each.
MAX_KEPT = 2_000
#: A chapter that goes on ends where the recording was made: a moment ago.
_SLACK_S = 5.0


class RunningLesson(Protocol):
    """A host as it is asked here."""

    @property
    def state(self) -> LessonState:
        """Returns the lesson as it is."""
        ...

    @property
    def recording(self) -> str:
        """Returns the name of its recording; empty while it has none."""
        ...


class Told(Struct, frozen=True):
    """What an origin stands for. ``phase``: the title of its chapter; ``page``: of the slides;
    ``t``: seconds from the bell."""

    lesson: str
    title: str
    phase: m.Text | None
    page: int | None
    t: int | None


class Named(Struct, frozen=True):
    """A lesson that somebody asks about: its plan, and the id its moments have."""

    plan: Plan
    id: str


@dataclass(frozen=True, slots=True)
class MomentsParts:
    """What is asked. ``hosts``: lessons that run here; ``plan_of``: of one that runs elsewhere;
    ``planned``: of the roster, blocks, raises Conflict; ``live``: a recording so far."""

    hosts: Mapping[LessonId, RunningLesson]
    plan_of: Callable[[LessonId], Awaitable[Plan | None]]
    planned: Callable[[str], Plan]
    live: Callable[[LessonId], Awaitable[m.Manifest | None]]
    packages: FolderPackages | None


class Moments:
    """Looks them up."""

    def __init__(self, parts: MomentsParts) -> None:
        self._parts = parts
        self._kept: dict[Moment, Told] = {}

    async def named(self, lesson: str) -> Named | None:
        """Returns a lesson that runs, or that was; None: nothing is known of it.

        Raises:
            Unavailable: Redis or the database is away.
        """
        host = self._parts.hosts.get(LessonId(lesson))
        if host is not None:
            return Named(host.state.plan, host.recording or lesson)
        plan = await self._parts.plan_of(LessonId(lesson))
        if plan is not None:
            return Named(plan, lesson)
        return await asyncio.to_thread(self._past, lesson)

    def _past(self, lesson: str) -> Named | None:
        packages = self._parts.packages
        if packages is not None:
            # Ids have no character that a pattern of names would take for another.
            folders = [
                folder
                for folder in packages.root.glob(f"{lesson}-*")
                if re.fullmatch(r"\d+", folder.name.removeprefix(f"{lesson}-"))
            ]
            for folder in sorted(folders, key=lambda one: int(one.name.rpartition("-")[2]))[::-1]:
                kept = about.read(Package(folder))
                if kept is not None:
                    return Named(kept.plan, kept.recording)
        try:
            return Named(self._parts.planned(lesson), lesson)
        except Conflict:
            return None

    async def told(self, moment: Moment) -> Told | None:
        """Returns what a moment is; None: nothing is known of its lesson any more.

        Raises:
            Unavailable: Redis or the database is away.
        """
        known = self._kept.get(moment)
        if known is not None:
            return known
        for lesson, host in list(self._parts.hosts.items()):
            if moment.id in {lesson, host.recording}:
                made = await self._parts.live(lesson) if host.recording else None
                return _of_plan(host.state.plan, moment) if made is None else _of(made, moment)
        made = await asyncio.to_thread(self._manifest, moment.id)
        if made is not None:
            found = _of(made, moment)
            if len(self._kept) >= MAX_KEPT:
                self._kept.clear()
            self._kept[moment] = found
            return found
        named = await self.named(moment.id) or await self.named(moment.id.rpartition("-")[0])
        return None if named is None else _of_plan(named.plan, moment)

    def _manifest(self, recording: str) -> m.Manifest | None:
        if self._parts.packages is None:
            return None
        try:
            path = self._parts.packages.package(recording).manifest
            return m.decode(path.read_bytes())
        except (OSError, ValueError):
            return None


def _of(made: m.Manifest, moment: Moment) -> Told:
    phase = _chapter(made, "phase", moment.second)
    slide = _chapter(made, "slide", moment.second)
    page = slide.page if slide is not None and slide.page > 0 else None
    title = phase.title if phase is not None else None
    return Told(moment.id, made.title, title, page, moment.second)


def _chapter(made: m.Manifest, kind: m.ChapterKind, second: int | None) -> m.Chapter | None:
    if second is None:
        return None
    found = [one for one in made.chapters if one.kind == kind and one.start_s <= second]
    last = max(found, key=lambda one: one.start_s, default=None)
    return last if last is not None and second < last.end_s + _SLACK_S else None


def _of_plan(plan: Plan, moment: Moment) -> Told:
    """As the plan has it: nothing else is known of a lesson that is not recorded."""
    ends_s, title = 0.0, None
    for phase in plan.phases if moment.second is not None else ():
        ends_s += phase.minutes * 60
        if (moment.second or 0) < ends_s:
            title = m.Text(phase.title, phase.title)
            break
    return Told(moment.id, plan.title, title, None, moment.second)
