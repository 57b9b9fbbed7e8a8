"""Live help: one_to_one and one_to_many, with limits that the desk keeps and nobody else.

A one_to_one ends at the first of: its length (and one extension), thirty minutes, the pupil's
hour of the evening, her grade's closing. Two minutes before, both are warned. When its tutor is
gone for 60 s the question goes back to its old place, before all others. A one_to_many lasts at
most half an hour, and its tutor rests for ten minutes before the next.
"""

from __future__ import annotations

from twinclass_signaling.desk import helping, standing
from twinclass_signaling.desk.checks import forbidden, on_duty, pupil_here, running, tutor_here
from twinclass_signaling.desk.commands import (
    Actor,
    EndSession,
    EnterSession,
    ExtendSession,
    JoinSession,
    LeaveSession,
    LiveKind,
    OpenSession,
    StartSession,
    TellPair,
)
from twinclass_signaling.desk.events import (
    DeskEvent,
    QuestionResolved,
    QuestionReturned,
)
from twinclass_signaling.desk.plan import SessionNumber
from twinclass_signaling.desk.questions import Question, check
from twinclass_signaling.desk.session_events import (
    CaseTaken,
    MemberJoined,
    MemberLeft,
    MemberReason,
    ModeratorEntered,
    PatternFlagged,
    SessionEnded,
    SessionExtended,
    SessionReason,
    SessionStarted,
)
from twinclass_signaling.desk.state import DeskState, Pupil, Session
from twinclass_signaling.errors import Conflict, Forbidden
from twinclass_signaling.ids import PersonId
from twinclass_signaling.roles import Role

#: Less than this is no help: she is told so instead.
SHORTEST_S = 60.0
#: Meetings of the same two in a week of which the school need not know.
PAIR_A_WEEK = 2
#: Pupils who were ever in one session; who comes and goes is one of them.
MAX_MEMBERS = 400

SessionCommand = (
    StartSession
    | OpenSession
    | JoinSession
    | LeaveSession
    | ExtendSession
    | EndSession
    | EnterSession
    | TellPair
)


def time_left(state: DeskState, seat: Pupil) -> float:
    """Returns the seconds of live help that a pupil may still have tonight."""
    return state.plan.limits.pupil_evening_s - seat.live_s


def evening_limit() -> Conflict:
    """Returns the error of a pupil whose time for live help is used up."""
    return Conflict(
        "evening_limit",
        "今晚的在线辅导时间已用完，可以改为书面答复。",
        "The time for live help is used up tonight; a written answer is possible.",
    )


def recording_refused() -> Forbidden:
    """Returns the error of a pupil who may not be recorded."""
    return Forbidden(
        "recording_refused",
        "在线辅导都会录音录像，您的监护人没有同意录制，可以改为书面答复。",
        "Live help is always recorded, and your guardian does not agree to that; a written answer "
        "is possible.",
    )


# ---- commands -----------------------------------------------------------------------------


def handle(state: DeskState, command: SessionCommand, actor: Actor, now: float) -> list[DeskEvent]:
    """Decides; see ``core.handle``."""
    match command:
        case StartSession():
            return _start(state, command, actor.person, now)
        case OpenSession():
            return _open(state, command, actor.person, now)
        case JoinSession(number):
            return join(state, number, actor.person, now)
        case LeaveSession(number):
            session = _of_member(state, number, actor.person)
            if session.kind == "one_to_one":
                return end(state, session, "pupil_left")
            return _leave(state, session, actor.person, "left")
        case ExtendSession(number):
            return _extend(state, _of_tutor(state, number, actor.person))
        case EndSession(number):
            if actor.role is Role.MODERATOR:
                return end(state, running(state, number), "moderator")
            return end(state, _of_tutor(state, number, actor.person), "finished")
        case EnterSession(number):
            return enter(state, running(state, number), actor.person)
        case TellPair(number, met):
            known = state.sessions.get(number)
            is_news = known is not None and met > max(PAIR_A_WEEK, known.flagged)
            return [PatternFlagged(number, met)] if is_news else []


def end(state: DeskState, session: Session, reason: SessionReason) -> list[DeskEvent]:
    """Returns all that the end of a session brings."""
    number = session.number
    how: MemberReason = "gone" if reason == "pupil_gone" else "ended"
    present = session.present
    events: list[DeskEvent] = [MemberLeft(number, pupil, how) for pupil in present]
    for pupil in present:
        question = _question_in(state, session, pupil)
        if question is None:
            continue
        if reason == "tutor_gone":
            events.append(QuestionReturned(question.id, session.tutor, "tutor_gone", priority=True))
        elif reason == "pupil_gone":
            events.append(QuestionReturned(question.id, session.tutor, "pupil_away"))
        elif reason == "consent":
            events.append(QuestionReturned(question.id, session.tutor, "consent"))
        else:
            events.append(QuestionResolved(question.id, number))
    return [*events, SessionEnded(number, reason)]


def gone(state: DeskState, session: Session, pupil: PersonId) -> list[DeskEvent]:
    """Returns what it means for a session that a pupil did not come back."""
    if session.kind == "one_to_one":
        return end(state, session, "pupil_gone")
    return _leave(state, session, pupil, "gone")


def not_recorded(state: DeskState, session: Session, pupil: PersonId) -> list[DeskEvent]:
    """Returns what it means for a session that a pupil may not be recorded any more."""
    if session.kind == "one_to_one":
        return end(state, session, "consent")
    return _leave(state, session, pupil, "consent")


def limit_reached(state: DeskState, pupil: PersonId) -> list[DeskEvent]:
    """Returns what it means that a pupil's hour of the evening is over."""
    number = state.pupils[pupil].session
    return [] if number is None else _leave(state, state.sessions[number], pupil, "limit")


def time_is_up(state: DeskState, session: Session) -> list[DeskEvent]:
    """Returns the end of a session by the clock, and by which of its limits."""
    seats = [state.pupils[pupil] for pupil in session.present]
    reason: SessionReason = "time"
    if session.ends_at >= state.closes_at(session.grade):
        reason = "closing"
    elif session.kind == "one_to_one" and seats:
        used = seats[0].live_s + session.ends_at - session.started_at
        if used >= state.plan.limits.pupil_evening_s:
            reason = "limit"
    return end(state, session, reason)


def enter(state: DeskState, session: Session, moderator: PersonId) -> list[DeskEvent]:
    """Returns what it means that a moderator comes in."""
    events: list[DeskEvent] = []
    if session.moderator != moderator:
        events.append(ModeratorEntered(session.number, moderator))
    events += [
        CaseTaken(case.number, moderator)
        for case in state.cases.values()
        if case.session == session.number and case.moderator is None and case.outcome is None
    ]
    return events


def join(state: DeskState, number: SessionNumber, pupil: PersonId, now: float) -> list[DeskEvent]:
    """Returns what it means that a pupil comes into a one_to_many, with her question if it fits.

    Raises:
        Conflict: she may not, or it is full or over.
    """
    seat, session = pupil_here(state, pupil), running(state, number)
    if session.kind != "one_to_many" or session.grade != seat.grade or not seat.consented:
        raise Conflict("session_over", "这次辅导已经结束。", "This session is over.")
    if not seat.recorded:
        raise recording_refused()
    if seat.session is not None:
        if seat.session == number:
            return []
        raise Conflict("in_session", "请先结束这次辅导。", "Leave the session first.")
    if len(session.present) >= state.plan.limits.members or len(session.members) >= MAX_MEMBERS:
        raise Conflict("session_full", "这个课堂已满员。", "This session is full.")
    question = None if seat.active is None else state.questions[seat.active]
    if question is not None:
        if question.pupil != pupil or question.subject != session.subject:
            raise Conflict(
                "question_active",
                "您还有一个问题在等候，答复后才能加入。",
                "You have another question open.",
            )
        check(question, "join")
        if question.followers:
            raise Conflict("question_state", "有同学跟随这个问题。", "Others follow it.")
    until = now + time_left(state, seat)
    if until - now < SHORTEST_S:
        raise evening_limit()
    return [MemberJoined(number, pupil, None if question is None else question.id, until)]


def _start(
    state: DeskState, command: StartSession, person: PersonId, now: float
) -> list[DeskEvent]:
    tutor = tutor_here(state, person)
    question = state.questions.get(command.question)
    if question is None or question.id not in tutor.held:
        raise Conflict("not_claimed", "您没有认领这个问题。", "You have not claimed it.")
    check(question, "start")
    if tutor.session is not None or len(tutor.held) > 1:
        raise helping.busy()
    if question.wish == "written":
        raise Conflict("wants_written", "学生要的是书面答复。", "She wants a written answer.")
    seat = state.pupils[question.pupil]
    if seat.away or seat.lost_at:
        raise Conflict("pupil_away", "学生暂时不在线。", "The pupil has no line now.")
    if question.is_many and command.kind == "one_to_one":
        raise Conflict(
            "others_follow",
            "有同学跟随这个问题，请开一对多或书面答复。",
            "Others follow it: open a one_to_many, or answer in writing.",
        )
    _may_hold(state, person, command.kind, now)
    left = time_left(state, seat)
    if left < SHORTEST_S:
        raise evening_limit()
    number = SessionNumber(len(state.sessions) + 1)
    return [
        SessionStarted(
            number,
            command.kind,
            person,
            question.subject,
            question.grade,
            question.points,
            question.id,
            _ends_at(state, command.kind, question.grade, now, left),
        ),
        MemberJoined(number, question.pupil, question.id, now + left),
        *_with_followers(state, question, number, now),
    ]


def _with_followers(
    state: DeskState, question: Question, number: SessionNumber, now: float
) -> list[DeskEvent]:
    events: list[DeskEvent] = []
    room = state.plan.limits.members - 1
    for pupil in question.followers:
        seat = state.pupils[pupil]
        left = time_left(state, seat)
        if not (seat.lost_at or seat.away) and seat.session is None and left >= SHORTEST_S:
            events.append(MemberJoined(number, pupil, None, now + left))
    return events[:room]


def _open(state: DeskState, command: OpenSession, person: PersonId, now: float) -> list[DeskEvent]:
    tutor = on_duty(state, person)
    if standing.is_busy(tutor):
        raise helping.busy()
    duty = state.duties.get(person)
    if duty is None or command.subject not in duty.subjects or command.grade not in duty.grades:
        raise forbidden()
    if not state.is_open(command.grade, now):
        raise Conflict("desk_not_open", "现在不在答疑时间。", "The desk is not open now.")
    _may_hold(state, person, "one_to_many", now)
    number = SessionNumber(len(state.sessions) + 1)
    ends_at = _ends_at(state, "one_to_many", command.grade, now, 0.0)
    return [
        SessionStarted(
            number,
            "one_to_many",
            person,
            command.subject,
            command.grade,
            tuple(dict.fromkeys(command.points)),
            None,
            ends_at,
        )
    ]


def _may_hold(state: DeskState, person: PersonId, kind: LiveKind, now: float) -> None:
    duty = state.duties.get(person)
    if duty is not None and kind not in duty.kinds:
        raise Conflict("kind_not_given", "排班里没有这种辅导方式。", "Not a help of your duty.")
    tutor = state.tutors[person]
    rest_s = tutor.many_ended_at + state.plan.limits.one_to_many_gap_s - now
    if kind == "one_to_many" and tutor.many_ended_at and rest_s > 0:
        error = Conflict(
            "gap_too_short",
            f"两次一对多之间请休息，还需 {int(rest_s // 60) + 1} 分钟。",
            f"Rest between two one_to_many: {int(rest_s // 60) + 1} min more.",
        )
        error.retry_after_s = rest_s
        raise error


def _ends_at(
    state: DeskState, kind: LiveKind, grade: int, now: float, pupil_left_s: float
) -> float:
    limits = state.plan.limits
    closes = state.closes_at(grade)
    if closes - now < SHORTEST_S:
        raise Conflict("desk_not_open", "现在不在答疑时间。", "The desk is not open now.")
    if kind == "one_to_many":
        return min(now + limits.one_to_many_s, closes)
    return min(now + min(limits.one_to_one_s, limits.hard_stop_s, pupil_left_s), closes)


def _extend(state: DeskState, session: Session) -> list[DeskEvent]:
    limits = state.plan.limits
    if session.kind != "one_to_one" or session.extended:
        raise Conflict("already_extended", "只能延长一次。", "It can be extended once.")
    seats = [state.pupils[pupil] for pupil in session.present]
    ends_at = min(
        session.ends_at + limits.extension_s,
        session.started_at + limits.hard_stop_s,
        session.started_at + min((time_left(state, seat) for seat in seats), default=0.0),
        state.closes_at(session.grade),
    )
    if ends_at <= session.ends_at:
        raise Conflict("no_more_time", "已到时长上限，不能再延长。", "No limit allows more time.")
    return [SessionExtended(session.number, ends_at)]


def _leave(
    state: DeskState, session: Session, pupil: PersonId, reason: MemberReason
) -> list[DeskEvent]:
    question = _question_in(state, session, pupil)
    events: list[DeskEvent] = [MemberLeft(session.number, pupil, reason)]
    if question is not None and reason == "gone":
        events.append(QuestionReturned(question.id, session.tutor, "pupil_away"))
    elif question is not None and reason == "consent":
        events.append(QuestionReturned(question.id, session.tutor, "consent"))
    elif question is not None:
        events.append(QuestionResolved(question.id, session.number))
    return events


def _question_in(state: DeskState, session: Session, pupil: PersonId) -> Question | None:
    number = session.members[pupil].question
    question = None if number is None else state.questions[number]
    is_in = question is not None and question.state == "in_session"
    return question if is_in else None


def _of_tutor(state: DeskState, number: SessionNumber, person: PersonId) -> Session:
    session = running(state, number)
    if session.tutor != person:
        raise Conflict("session_over", "这次辅导已经结束。", "This session is over.")
    return session


def _of_member(state: DeskState, number: SessionNumber, pupil: PersonId) -> Session:
    session = running(state, number)
    if pupil not in session.present:
        raise Conflict("session_over", "这次辅导已经结束。", "This session is over.")
    return session
