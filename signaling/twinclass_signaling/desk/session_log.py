"""What the events of live help do to the state; ``sessions`` decides them."""

from __future__ import annotations

from twinclass_signaling.desk import helping, standing
from twinclass_signaling.desk.plan import queue_key
from twinclass_signaling.desk.queue import step
from twinclass_signaling.desk.session_events import (
    MemberJoined,
    MemberLeft,
    ModeratorEntered,
    PatternFlagged,
    SessionEnded,
    SessionExtended,
    SessionReason,
    SessionStarted,
    SessionWarned,
)
from twinclass_signaling.desk.state import DeskState, Member, Session

SessionEvent = (
    SessionStarted
    | MemberJoined
    | MemberLeft
    | SessionWarned
    | SessionExtended
    | SessionEnded
    | ModeratorEntered
    | PatternFlagged
)


def apply(state: DeskState, event: SessionEvent, at: float) -> None:
    """Changes the state; see ``core.apply``."""
    if isinstance(event, SessionStarted):
        _started(state, event, at)
        return
    session = state.sessions[event.session]
    match event:
        case MemberJoined(number, pupil, question_id, until):
            session.members[pupil] = Member(at, question_id)
            seat = state.pupils[pupil]
            seat.session = number
            if question_id is not None:
                question = state.questions[question_id]
                helping.release(state, question)
                question.tutor, question.session = session.tutor, number
                step(state, question, "start" if question.state == "claimed" else "join", at)
            if session.kind == "one_to_many" and until < session.ends_at:
                state.schedule(f"limit|{pupil}", until)
        case MemberLeft(_, pupil, _):
            member, seat = session.members[pupil], state.pupils[pupil]
            member.left_at = at
            seat.session = None
            seat.live_s += at - member.joined_at
            seat.lives += member.question is not None
            state.schedule(f"limit|{pupil}", None)
        case SessionWarned():
            session.warned = True
            state.schedule(f"warn|{session.number}", None)
        case SessionExtended(_, ends_at):
            session.extended, session.warned = True, False
            session.ends_at = ends_at
            _clock(state, session, at)
        case SessionEnded(_, reason):
            _ended(state, session, reason, at)
        case ModeratorEntered(_, moderator):
            session.moderator = moderator
        case PatternFlagged(_, sessions):
            session.flagged = sessions


def _started(state: DeskState, event: SessionStarted, at: float) -> None:
    session = state.sessions[event.session] = Session(
        event.session,
        event.kind,
        event.tutor,
        event.subject,
        event.grade,
        event.points,
        at,
        event.ends_at,
        event.question,
    )
    tutor = state.tutors[event.tutor]
    tutor.session = event.session
    if event.kind == "one_to_many":
        key = queue_key(event.subject, event.grade)
        state.index.rooms.setdefault(key, {})[event.session] = None
    _clock(state, session, at)
    standing.refresh(state, event.tutor)


def _clock(state: DeskState, session: Session, at: float) -> None:
    warn_at = session.ends_at - state.plan.limits.warning_s
    state.schedule(f"warn|{session.number}", max(at, warn_at))
    state.schedule(f"stop|{session.number}", session.ends_at)


def _ended(state: DeskState, session: Session, reason: SessionReason, at: float) -> None:
    session.ended_at, session.reason = at, reason
    state.schedule(f"warn|{session.number}", None)
    state.schedule(f"stop|{session.number}", None)
    tutor = state.tutors[session.tutor]
    tutor.session = None
    tutor.live_s += at - session.started_at
    tutor.helped += session.question is not None
    if session.kind == "one_to_many":
        tutor.many_ended_at = at
        key = queue_key(session.subject, session.grade)
        rooms = state.index.rooms[key]
        del rooms[session.number]
        if not rooms:
            del state.index.rooms[key]
    standing.finish(state, session.tutor, at)
    standing.refresh(state, session.tutor)
