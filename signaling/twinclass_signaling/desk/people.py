"""Who is here and who is on duty: lines that come and go, and the roster of tonight.

**Ghosts.** A tutor whose line is gone gets no offers, and loses the one she has at once; after
60 s all she had in hand goes back to the queue. A pupil who is gone for 60 s keeps the place of
her question, and is passed over until she is back: a phone that sleeps costs nobody a place.
"""

from __future__ import annotations

from twinclass_signaling.desk import consents, helping, sessions, standing
from twinclass_signaling.desk.checks import on_duty, tutor_here
from twinclass_signaling.desk.commands import (
    Actor,
    EndDuty,
    Lose,
    PauseDuty,
    PupilHere,
    RemoveDuty,
    SetDuty,
    StaffHere,
    StartDuty,
    TellConsents,
)
from twinclass_signaling.desk.events import (
    ConsentChanged,
    DeskEvent,
    DutyChanged,
    DutyEnded,
    DutyPaused,
    DutyReason,
    DutyRemoved,
    DutyStarted,
    OfferEnded,
    PersonLost,
    PupilArrived,
    PupilAway,
    QuestionReturned,
    StaffArrived,
    TutorGone,
)
from twinclass_signaling.desk.plan import MAX_ROSTER
from twinclass_signaling.desk.queue import place
from twinclass_signaling.desk.state import (
    MAX_MODERATORS,
    MAX_PUPILS,
    MAX_TUTORS,
    DeskState,
    Pupil,
    Tutor,
)
from twinclass_signaling.errors import Conflict, LimitExceeded
from twinclass_signaling.ids import PersonId
from twinclass_signaling.roles import Role

#: A page that is reloaded or a phone that changes its network is back within this.
GRACE_S = 60.0
#: A tutor opens her desk a little before the bell.
EARLY_S = 600.0

PeopleCommand = (
    PupilHere
    | TellConsents
    | StaffHere
    | Lose
    | StartDuty
    | EndDuty
    | PauseDuty
    | SetDuty
    | RemoveDuty
)
PeopleEvent = (
    PupilArrived
    | ConsentChanged
    | StaffArrived
    | PersonLost
    | PupilAway
    | TutorGone
    | DutyStarted
    | DutyEnded
    | DutyPaused
    | DutyChanged
    | DutyRemoved
)


# ---- commands -----------------------------------------------------------------------------


def handle(state: DeskState, command: PeopleCommand, actor: Actor, now: float) -> list[DeskEvent]:
    """Decides; see ``core.handle``."""
    match command:
        case PupilHere():
            return _pupil_here(state, command)
        case TellConsents():
            return consents.tell(state, command)
        case StaffHere(person, role):
            return _staff_here(state, person, role)
        case Lose(person):
            return _lose(state, person)
        case StartDuty():
            return _start(state, actor.person, now)
        case EndDuty():
            on_duty(state, actor.person)
            return end_duty(state, actor.person, "self")
        case PauseDuty(on):
            tutor = on_duty(state, actor.person)
            if tutor.paused == on:
                return []
            return [*_drop_offer(state, actor.person, "duty_ended", if_=on),
                    DutyPaused(actor.person, on)]  # fmt: skip
        case SetDuty(duty):
            known = state.duties.get(duty.tutor)
            if known is None and len(state.duties) >= MAX_ROSTER:
                raise LimitExceeded("roster_full", "排班人数已满。", "The roster is full.")
            if (
                duty.starts >= duty.ends
                or not {*duty.subjects} <= {*state.plan.subjects}
                or not {*duty.grades} <= {*state.plan.grades}
            ):
                raise Conflict(
                    "duty_malformed",
                    "排班有误：科目、年级应属于本答疑台，开始时间应早于结束时间。",
                    "Subjects and grades must be the desk's, and the start before the end.",
                )
            if known == duty:
                return []
            return [*_drop_offer(state, duty.tutor, "duty_ended"), DutyChanged(duty, actor.person)]
        case RemoveDuty(tutor):
            if tutor not in state.duties:
                raise _not_on_roster()
            return [*end_duty(state, tutor, "planner"), DutyRemoved(tutor, actor.person)]


def away(state: DeskState, person: PersonId) -> list[DeskEvent]:
    """Returns what it means that a pupil did not come back."""
    seat = state.pupils[person]
    events: list[DeskEvent] = []
    if seat.session is not None:
        events += sessions.gone(state, state.sessions[seat.session], person)
    question = None if seat.active is None else state.questions[seat.active]
    if question is not None and question.pupil == person and question.tutor is not None:
        if question.state == "offered":
            events.append(OfferEnded(question.id, question.tutor, "pupil_away"))
        elif question.state == "claimed" and question.wish == "live":
            events.append(QuestionReturned(question.id, question.tutor, "pupil_away"))
    return [*events, PupilAway(person)]


def gone(state: DeskState, person: PersonId) -> list[DeskEvent]:
    """Returns what it means that a tutor did not come back."""
    tutor = state.tutors[person]
    events: list[DeskEvent] = []
    if tutor.session is not None:
        events += sessions.end(state, state.sessions[tutor.session], "tutor_gone")
    events += [
        QuestionReturned(number, person, "tutor_gone", priority=True) for number in tutor.held
    ]
    return [*events, TutorGone(person)]


def end_duty(state: DeskState, person: PersonId, reason: DutyReason) -> list[DeskEvent]:
    """Returns what it means that a tutor takes no more offers; nothing when she takes none."""
    tutor = state.tutors.get(person)
    if tutor is None or not tutor.on_duty:
        return []
    return [*_drop_offer(state, person, "duty_ended"), DutyEnded(person, reason)]


def _pupil_here(state: DeskState, command: PupilHere) -> list[DeskEvent]:
    seat = state.pupils.get(command.pupil)
    if seat is None and len(state.pupils) >= MAX_PUPILS:
        raise _full()
    facts = (command.grade, command.school, command.teachers)
    allowed = (command.consented, command.recorded, command.media)
    if (
        seat is not None
        and not (seat.lost_at or seat.away)
        and facts == (seat.grade, seat.school, seat.teachers)
        and allowed == (seat.consented, seat.recorded, seat.media)
    ):
        return []
    return [
        PupilArrived(command.pupil, *facts, *allowed),
        *consents.ended(
            state, command.pupil, consented=command.consented, recorded=command.recorded
        ),
    ]


def _staff_here(state: DeskState, person: PersonId, role: Role) -> list[DeskEvent]:
    if role is Role.MODERATOR:
        if person not in state.moderators and len(state.moderators) >= MAX_MODERATORS:
            raise _full()
        return [] if state.moderators.get(person) else [StaffArrived(person, role)]
    if role is not Role.TUTOR:
        return []  # Planners, guardians and others only look.
    tutor = state.tutors.get(person)
    if tutor is None and len(state.tutors) >= MAX_TUTORS:
        raise _full()
    if tutor is not None and tutor.here and not tutor.lost_at:
        return []
    return [StaffArrived(person, role)]


def _lose(state: DeskState, person: PersonId) -> list[DeskEvent]:
    tutor, pupil = state.tutors.get(person), state.pupils.get(person)
    if tutor is not None and tutor.here and not tutor.lost_at:
        return [*_drop_offer(state, person, "tutor_lost"), PersonLost(person)]
    if pupil is not None and not (pupil.lost_at or pupil.away):
        return [PersonLost(person)]
    return [PersonLost(person)] if state.moderators.get(person) else []


def _start(state: DeskState, person: PersonId, now: float) -> list[DeskEvent]:
    tutor = tutor_here(state, person)
    duty = state.duties.get(person)
    if duty is None:
        raise _not_on_roster()
    starts, ends = state.evening.second(duty.starts), state.evening.second(duty.ends)
    if not starts - EARLY_S <= now < ends:
        raise Conflict(
            "not_your_time", "现在不是您的值班时间。", "This is not the time of your duty."
        )
    return [] if tutor.on_duty else [DutyStarted(person)]


def _drop_offer(
    state: DeskState, person: PersonId, reason: helping.OfferReason, *, if_: bool = True
) -> list[DeskEvent]:
    tutor = state.tutors.get(person)
    if tutor is None or tutor.offer is None or not if_:
        return []
    return [OfferEnded(tutor.offer, person, reason)]


def _full() -> LimitExceeded:
    return LimitExceeded("desk_full", "答疑台人数已满，请稍后再来。", "The desk is full.")


def _not_on_roster() -> Conflict:
    return Conflict("not_on_roster", "今晚的排班里没有这位老师。", "Not on tonight's roster.")


# ---- events -------------------------------------------------------------------------------


def apply(state: DeskState, event: PeopleEvent, at: float) -> None:
    """Changes the state; see ``core.apply``."""
    match event:
        case PupilArrived(pupil, grade, school, teachers, consented, recorded, media):
            seat = state.pupils.get(pupil)
            if seat is None:
                seat = state.pupils[pupil] = Pupil(grade)
            seat.school, seat.teachers = school, teachers
            if seat.active is None and seat.session is None:
                seat.grade = grade  # A correction of the roster waits until she is answered.
            seat.consented, seat.recorded, seat.media = consented, recorded, media
            seat.lost_at, seat.away = 0.0, False
            state.schedule(f"pupil|{pupil}", None)
            _place_question(state, pupil)
        case ConsentChanged(pupil, consented, recorded, media):
            seat = state.pupils[pupil]
            seat.consented, seat.recorded, seat.media = consented, recorded, media
        case StaffArrived(person, role):
            if role is Role.MODERATOR:
                state.moderators[person] = True
                return
            tutor = state.tutors.setdefault(person, Tutor())
            tutor.here, tutor.lost_at = True, 0.0
            state.schedule(f"tutor|{person}", None)
            standing.refresh(state, person)
        case PersonLost(person):
            _lost(state, person, at)
        case PupilAway(pupil):
            state.pupils[pupil].away = True
            state.schedule(f"pupil|{pupil}", None)
            _place_question(state, pupil)
        case TutorGone(person):
            tutor = state.tutors[person]
            tutor.here = tutor.on_duty = tutor.paused = False
            tutor.lost_at = 0.0
            state.schedule(f"tutor|{person}", None)
            state.schedule(f"duty|{person}", None)
            _stands_down(state, person)
        case DutyStarted(person):
            tutor = state.tutors[person]
            tutor.on_duty, tutor.paused, tutor.passes = True, False, 0
            state.schedule(f"duty|{person}", _ends(state, person))
            standing.refresh(state, person)
        case DutyEnded(person):
            tutor = state.tutors[person]
            tutor.on_duty = tutor.paused = False
            state.schedule(f"duty|{person}", None)
            _stands_down(state, person)
        case DutyPaused(person, on):
            tutor = state.tutors[person]
            tutor.paused, tutor.passes = on, 0
            if on:
                _stands_down(state, person)
            else:
                standing.refresh(state, person)
        case DutyChanged(duty):
            state.duties[duty.tutor] = duty
            known = state.tutors.get(duty.tutor)
            if known is not None and known.on_duty:
                state.schedule(f"duty|{duty.tutor}", _ends(state, duty.tutor))
            standing.refresh(state, duty.tutor)
        case DutyRemoved(person):
            del state.duties[person]
            standing.refresh(state, person)


def _lost(state: DeskState, person: PersonId, at: float) -> None:
    tutor, pupil = state.tutors.get(person), state.pupils.get(person)
    if tutor is not None and tutor.here and not tutor.lost_at:
        tutor.lost_at = at
        state.schedule(f"tutor|{person}", at + GRACE_S)
        standing.refresh(state, person)
    elif pupil is not None and not pupil.away:
        pupil.lost_at = at
        state.schedule(f"pupil|{person}", at + GRACE_S)
    else:
        state.moderators[person] = False


def _ends(state: DeskState, person: PersonId) -> float:
    return state.evening.second(state.duties[person].ends)


def _place_question(state: DeskState, pupil: PersonId) -> None:
    active = state.pupils[pupil].active
    if active is not None:
        place(state, state.questions[active])


def _stands_down(state: DeskState, person: PersonId) -> None:
    """Nobody waits for a tutor who takes no offers."""
    standing.refresh(state, person)
    for numbers in state.index.active.values():
        for number in numbers:
            question = state.questions[number]
            if question.pick == person:
                question.pick = None
                place(state, question)
