"""The plan while it is taught: which phase, which cue, what was ticked off."""

from __future__ import annotations

from twinclass_signaling.errors import Conflict
from twinclass_signaling.lesson.commands import Actor
from twinclass_signaling.lesson.events import LessonEvent
from twinclass_signaling.lesson.state import LessonState
from twinclass_signaling.lesson.talk_events import CueMarked, PhaseChanged
from twinclass_signaling.tool_commands import GoToPhase, MarkCue

AgendaCommand = GoToPhase | MarkCue
AgendaEvent = PhaseChanged | CueMarked


def minute(state: LessonState, now: float) -> float:
    """Returns the minutes since the bell; 0 before it."""
    return 0.0 if state.opened_at is None else max(0.0, (now - state.opened_at) / 60)


def phase_at(state: LessonState, now: float) -> int | None:
    """Returns the phase of the plan: gone to by hand, else by the minute."""
    if state.tools.agenda.phase is not None:
        return state.tools.agenda.phase
    if state.opened_at is None or not state.plan.phases:
        return None
    end = 0.0
    for index, phase in enumerate(state.plan.phases):
        end += phase.minutes
        if minute(state, now) < end:
            return index
    return len(state.plan.phases) - 1


def cue_at(state: LessonState, now: float) -> int | None:
    """Returns the last cue whose minute has come, else the first to come."""
    if not state.plan.cues:
        return None
    in_order = sorted(range(len(state.plan.cues)), key=lambda index: state.plan.cues[index].minute)
    past = [index for index in in_order if state.plan.cues[index].minute <= minute(state, now)]
    return past[-1] if past else in_order[0]


def overrun_s(state: LessonState, now: float) -> float:
    """Returns by how much the lesson is over its time; it is shown and never cut."""
    if state.opened_at is None:
        return 0.0
    return max(0.0, now - state.opened_at - state.plan.planned_minutes * 60)


def handle(state: LessonState, command: AgendaCommand, actor: Actor) -> list[LessonEvent]:
    """Decides; see ``core.handle``."""
    agenda = state.tools.agenda
    match command:
        case GoToPhase(phase):
            if phase is not None and phase >= len(state.plan.phases):
                raise Conflict("no_phase", "教案里没有这一环节。", "The plan has no such phase.")
            return [] if phase == agenda.phase else [PhaseChanged(phase, actor.participant)]
        case MarkCue(cue, done):
            if cue >= len(state.plan.cues):
                raise Conflict("no_cue", "教案里没有这一提示。", "The plan has no such cue.")
            is_done = cue in agenda.done
            return [] if is_done == done else [CueMarked(cue, done, actor.participant)]


def apply(state: LessonState, event: AgendaEvent) -> None:
    """Changes the state; see ``core.apply``."""
    agenda = state.tools.agenda
    match event:
        case PhaseChanged(phase, _):
            agenda.phase = phase
        case CueMarked(cue, done, _):
            agenda.done = sorted({*agenda.done, cue} if done else set(agenda.done) - {cue})
