"""Which tool a command or an event belongs to; nothing is decided here."""

from __future__ import annotations

from twinclass_signaling.lesson.commands import Actor
from twinclass_signaling.lesson.events import LessonEvent
from twinclass_signaling.lesson.state import LessonState
from twinclass_signaling.lesson.tool_events import ToolEvent
from twinclass_signaling.lesson.tools import (
    agenda,
    attendance,
    backchannel,
    catch_up,
    door,
    echo,
    hands,
    offline,
    quiz,
    recording,
    slides,
    sound_check,
    stage,
    talk,
    teaching,
    work,
)
from twinclass_signaling.tool_commands import ToolCommand


def handle_tool(
    state: LessonState, command: ToolCommand, actor: Actor, now: float
) -> list[LessonEvent]:
    """Returns what happens; the right to it has been checked."""
    if isinstance(command, hands.HandCommand):
        return hands.handle(state, command, actor)
    if isinstance(command, stage.StageToolCommand):
        return stage.handle(state, command, actor)
    if isinstance(command, door.DoorCommand):
        return door.handle(state, command, actor)
    if isinstance(command, attendance.AttendanceCommand):
        return attendance.handle(state, command, actor)
    if isinstance(command, sound_check.SoundCheckCommand):
        return sound_check.handle(state, command, actor)
    if isinstance(command, quiz.QuizCommand):
        return quiz.handle(state, command, actor)
    if isinstance(command, work.WorkCommand):
        return work.handle(state, command, actor)
    if isinstance(command, agenda.AgendaCommand):
        return agenda.handle(state, command, actor)
    if isinstance(command, backchannel.BackchannelCommand):
        return backchannel.handle(state, command, actor, now)
    if isinstance(command, teaching.TeachingCommand):
        return teaching.handle(state, command, actor, now)
    if isinstance(command, talk.TalkCommand):
        return talk.handle(state, command, actor)
    if isinstance(command, recording.RecordingCommand):
        return recording.handle(state, command, actor)
    if isinstance(command, catch_up.CatchUpCommand):
        return catch_up.handle(state, command, actor)
    if isinstance(command, echo.EchoCommand):
        return echo.handle(state, command, actor)
    if isinstance(command, offline.OfflineCommand):
        return offline.handle(state, command, actor, now)
    return slides.handle(state, command, actor)


def apply_tool(state: LessonState, event: ToolEvent, at: float) -> None:
    """Changes the part of the state that belongs to the event's tool."""
    if isinstance(event, hands.HandEvent):
        hands.apply(state, event, at)
    elif isinstance(event, stage.StageToolEvent):
        stage.apply(state, event)
    elif isinstance(event, door.DoorEvent):
        door.apply(state, event)
    elif isinstance(event, attendance.AttendanceEvent):
        attendance.apply(state, event, at)
    elif isinstance(event, sound_check.SoundCheckEvent):
        sound_check.apply(state, event, at)
    elif isinstance(event, quiz.QuizEvent):
        quiz.apply(state, event, at)
    elif isinstance(event, work.WorkEvent):
        work.apply(state, event, at)
    elif isinstance(event, agenda.AgendaEvent):
        agenda.apply(state, event)
    elif isinstance(event, backchannel.BackchannelEvent):
        backchannel.apply(state, event, at)
    elif isinstance(event, teaching.TeachingEvent):
        teaching.apply(state, event, at)
    elif isinstance(event, talk.TalkEvent):
        talk.apply(state, event, at)
    elif isinstance(event, recording.RecordingEvent):
        recording.apply(state, event, at)
    elif isinstance(event, catch_up.CatchUpEvent):
        catch_up.apply(state, event, at)
    elif isinstance(event, echo.EchoEvent):
        echo.apply(state, event, at)
    elif isinstance(event, offline.OfflineEvent):
        offline.apply(state, event)
    else:
        slides.apply(state, event)
