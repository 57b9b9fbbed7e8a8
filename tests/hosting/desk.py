"""An evening desk without a server, and random ones."""

from __future__ import annotations

from collections.abc import Iterable

from hypothesis import strategies as st

from twinclass_signaling.desk import commands as c
from twinclass_signaling.desk.commands import SYSTEM, Actor, AnyCommand
from twinclass_signaling.desk.core import apply, handle
from twinclass_signaling.desk.events import DeskEvent
from twinclass_signaling.desk.permissions import may_command
from twinclass_signaling.desk.plan import Desk, DeskId, Duty, Evening, Hours, Limits, Typical
from twinclass_signaling.desk.plan import QuestionId as Q
from twinclass_signaling.desk.plan import SessionNumber as S
from twinclass_signaling.desk.state import DeskState, planned
from twinclass_signaling.desk.timers import next_deadline
from twinclass_signaling.errors import InvalidState, SignalingError
from twinclass_signaling.ids import EventSeq, PersonId
from twinclass_signaling.roles import Role

#: Monday, 23 November 2026, 00:00 in Shenzhen.
MIDNIGHT = 1795363200.0
HALF_PAST_EIGHT = 20 * 60 + 30
EVENING = Evening(MIDNIGHT)
OPENS = EVENING.second(HALF_PAST_EIGHT)

TUTORS = [Actor(PersonId(f"tutor-{n}"), Role.TUTOR) for n in (1, 2, 3, 4)]
PUPILS = [Actor(PersonId(f"pupil-{n}"), Role.PUPIL) for n in (1, 2, 3, 4, 5, 6)]
MODERATOR = Actor(PersonId("moderator"), Role.MODERATOR)
PLANNER = Actor(PersonId("planner"), Role.DUTY_PLANNER)
GUARDIAN = Actor(PersonId("guardian"), Role.GUARDIAN, (PUPILS[0].person,))
OFFICER = Actor(PersonId("officer"), Role.SAFEGUARDING)


def duty(
    tutor: str,
    subjects: Iterable[str] = ("maths",),
    grades: Iterable[int] = (7,),
    points: Iterable[str] = (),
    kinds: Iterable[str] = ("written", "one_to_one", "one_to_many"),
    schools: Iterable[str] = (),
    ends: int = 22 * 60,
) -> Duty:
    return Duty(
        PersonId(tutor),
        tuple(subjects),
        tuple(grades),
        HALF_PAST_EIGHT,
        ends,
        tuple(points),
        tuple(kinds),  # type: ignore[arg-type]
        tuple(schools),
    )


def plan(
    roster: Iterable[Duty] = (),
    *,
    needs_approval: bool = False,
    limits: Limits | None = None,
    subjects: tuple[str, ...] = ("maths", "physics"),
    grades: tuple[int, ...] = (7, 8),
    typical: tuple[Typical, ...] = (),
    closes: int = 22 * 60,
) -> Desk:
    return Desk(
        DeskId("grade-7"),
        "示例答疑台",
        subjects,
        grades,
        tuple(Hours(day, grades, HALF_PAST_EIGHT, closes) for day in range(7)),
        tuple(roster),
        needs_approval,
        limits or Limits(),
        typical,
    )


class Evenings:
    """A state and the log that made it. Time goes only where it is told to."""

    def __init__(self, desk: Desk, now: float = OPENS) -> None:
        self.state: DeskState = planned(desk, EVENING)
        self.log: list[tuple[DeskEvent, float]] = []
        self.now = now
        self.settle()

    def give(self, command: AnyCommand, actor: Actor = SYSTEM) -> list[DeskEvent]:
        """Gives one command and nothing else."""
        events = handle(self.state, command, actor, self.now)
        for event in events:
            apply(self.state, event, self.now, EventSeq(self.state.seq + 1))
            self.log.append((event, self.now))
        return events

    def settle(self) -> list[DeskEvent]:
        """Does what is due now, as the host does after each command."""
        found: list[DeskEvent] = []
        while (deadline := next_deadline(self.state)) is not None and deadline <= self.now:
            events = self.give(c.Tick())
            assert events, "something is due, and nothing comes of it"
            found += events
        return found

    def do(self, command: AnyCommand, actor: Actor = SYSTEM) -> list[DeskEvent]:
        return [*self.give(command, actor), *self.settle()]

    def wait(self, seconds: float) -> list[DeskEvent]:
        """Lets time pass, deadline by deadline."""
        until, found = self.now + seconds, list[DeskEvent]()
        while (deadline := next_deadline(self.state)) is not None and deadline <= until:
            self.now = max(self.now, deadline)
            found += self.settle()
        self.now = until
        return found

    def arrive(self, *people: Actor, grade: int = 7, duty: bool = True) -> None:
        for who in people:
            if who.role is Role.PUPIL:
                self.do(c.PupilHere(who.person, grade))
            else:
                self.do(c.StaffHere(who.person, who.role))
                if duty and who.role is Role.TUTOR:
                    self.do(c.StartDuty(), who)

    def ask(self, pupil: Actor, subject: str = "maths", **more: object) -> Q:
        """Asks something of which the bank knows nothing."""
        self.do(c.AskQuestion(subject, "stored-1", **more), pupil)  # type: ignore[arg-type]
        number = Q(len(self.state.questions))
        self.do(c.TellBank(number))
        return number

    def state_of(self, number: int) -> str:
        return self.state.questions[Q(number)].state

    def offered(self) -> dict[int, str]:
        """Returns whom each question is offered to."""
        return {
            question.id: str(question.tutor)
            for question in self.state.questions.values()
            if question.state == "offered"
        }


def evening(*, tutors: int = 1, pupils: int = 3, desk: Desk | None = None) -> Evenings:
    """An open desk with tutors on duty and pupils who have asked nothing."""
    found = Evenings(desk or plan([duty(who.person) for who in TUTORS]))
    found.arrive(*TUTORS[:tutors], *PUPILS[:pupils], MODERATOR)
    return found


# ---- random ones --------------------------------------------------------------------------

RANDOM_PLAN = plan(
    [
        duty("tutor-1", ("maths", "physics"), (7, 8), ("p1",)),
        duty("tutor-2", ("maths",), (7,), ("p2",), ends=21 * 60),
        duty("tutor-3", ("physics",), (7, 8), kinds=("written",)),
        duty("tutor-4", ("maths",), (7, 8), kinds=("one_to_one",)),
    ],
    limits=Limits(pupil_evening_s=1500),
)
EVERYBODY = [*TUTORS, *PUPILS, MODERATOR, PLANNER, GUARDIAN, OFFICER]
questions = st.integers(1, 8).map(Q)
session_numbers = st.integers(1, 4).map(S)
people = st.sampled_from([who.person for who in EVERYBODY])
tutors = st.sampled_from([who.person for who in TUTORS])
pupils = st.sampled_from([who.person for who in PUPILS])
subjects = st.sampled_from(["maths", "maths", "maths", "physics", "latin"])
points = st.sampled_from([(), ("p1",), ("p2",), ("p1", "p2")])
scores = st.integers(0, 2)
outcomes: st.SearchStrategy[c.CaseOutcome] = st.sampled_from(["settled", "escalated"])
asks = st.builds(
    c.AskQuestion,
    subject=subjects,
    content=st.just("stored-1"),
    points=points,
    wish=st.sampled_from(["live", "live", "written"]),
    shared=st.booleans(),
    tutor=st.none() | st.none() | tutors,
)
of_pupils: st.SearchStrategy[AnyCommand] = st.one_of(
    asks,
    st.builds(c.AcceptBankAnswer, questions),
    st.builds(c.BankNotHelpful, questions),
    st.builds(c.WithdrawQuestion, questions),
    st.builds(c.FollowQuestion, questions),
    st.builds(
        c.ChooseOnLadder,
        questions,
        st.sampled_from(["bank", "written", "tomorrow", "join"]),
        st.none() | session_numbers,
    ),
    st.builds(c.PickTutor, questions, st.none() | tutors),
    st.builds(c.ResolveQuestion, questions),
    st.builds(c.ReopenQuestion, questions),
    st.builds(c.RateQuestion, questions, scores, scores, scores),
    st.builds(c.JoinSession, session_numbers),
    st.builds(c.LeaveSession, session_numbers),
    st.builds(c.ReportSafety, st.none() | session_numbers, st.none() | questions),
)
of_tutors: st.SearchStrategy[AnyCommand] = st.one_of(
    st.just(c.StartDuty()),
    st.just(c.EndDuty()),
    st.builds(c.PauseDuty, st.booleans()),
    st.builds(c.AcceptOffer, questions),
    st.builds(c.AcceptOffer, questions),
    st.builds(c.RefuseOffer, questions),
    st.builds(c.ClaimQuestion, questions),
    st.builds(c.GiveBack, questions),
    st.builds(c.AnswerQuestion, questions, st.just("answer-1")),
    st.builds(c.StartSession, questions, st.sampled_from(["one_to_one", "one_to_many"])),
    st.builds(c.StartSession, questions, st.sampled_from(["one_to_one", "one_to_many"])),
    st.builds(c.OpenSession, subjects, st.sampled_from([7, 7, 8]), points),
    st.builds(c.ExtendSession, session_numbers),
    st.builds(c.EndSession, session_numbers),
)
of_others: st.SearchStrategy[AnyCommand] = st.one_of(
    st.builds(c.ApproveQuestion, questions),
    st.builds(c.RejectQuestion, questions),
    st.builds(c.MergeQuestions, questions, questions),
    st.builds(c.EnterSession, session_numbers),
    st.builds(c.TakeCase, st.integers(1, 3)),
    st.builds(c.CloseCase, st.integers(1, 3), outcomes),
    st.builds(c.SetDuty, st.sampled_from(RANDOM_PLAN.roster)),
    st.builds(c.RemoveDuty, tutors),
)
facts: st.SearchStrategy[AnyCommand] = st.one_of(
    st.builds(
        c.PupilHere,
        pupils,
        st.sampled_from([7, 7, 7, 8]),
        consented=st.sampled_from([True, True, False]),
        recorded=st.booleans(),
    ),
    st.builds(c.StaffHere, tutors, st.just(Role.TUTOR)),
    st.just(c.StaffHere(MODERATOR.person, Role.MODERATOR)),
    st.builds(c.Lose, people),
    st.builds(c.TellBank, questions, st.sampled_from([(), (), ("bank-1", "bank-2")])),
    st.builds(c.TellLike, questions, st.lists(questions, max_size=4).map(tuple)),
    st.builds(c.TellConsents, pupils, st.booleans(), st.booleans(), st.booleans()),
    st.builds(c.TellPair, session_numbers, st.integers(0, 4)),
    st.builds(c.CarryOver, pupils, st.just(7), asks, st.just(OPENS - 86400)),
    st.just(c.Tick()),
)


@st.composite
def one_step(draw: st.DrawFn) -> tuple[AnyCommand, Actor, float]:
    """What happens, by whom, and the seconds before it; mostly by somebody who may."""
    command = draw(st.one_of(of_pupils, of_tutors, of_tutors, of_others, facts))
    name = str(type(command).__struct_config__.tag)
    able = [who for who in EVERYBODY if name in may_command(who.role)] or EVERYBODY
    who = draw(st.sampled_from(EVERYBODY if draw(st.integers(0, 9)) == 9 else able))
    return command, who, draw(st.sampled_from([0.0, 0.5, 3.0, 3.0, 25.0, 70.0, 400.0]))


#: A number instead of a command: one of those that make sense at the moment.
Step = tuple[AnyCommand | int, Actor, float]
sensible_steps = st.tuples(
    st.integers(0, 10_000),
    st.just(SYSTEM),
    st.sampled_from([0.0, 0.5, 3.0, 3.0, 25.0, 70.0, 400.0]),
)
steps: st.SearchStrategy[list[Step]] = st.lists(
    st.one_of(sensible_steps, sensible_steps, one_step()), min_size=30, max_size=60
)


def sensible(state: DeskState) -> list[tuple[AnyCommand, Actor]]:
    """Returns what somebody at the desk would do now."""
    found: list[tuple[AnyCommand, Actor]] = []
    for who in TUTORS:
        tutor = state.tutors.get(who.person)
        if tutor is None or not tutor.here or tutor.lost_at:
            found.append((c.StaffHere(who.person, Role.TUTOR), SYSTEM))
            continue
        if not tutor.on_duty:
            found.append((c.StartDuty(), who))
        elif tutor.paused:
            found.append((c.PauseDuty(on=False), who))
        if tutor.offer is not None:
            found += [(c.AcceptOffer(tutor.offer), who)] * 3 + [(c.RefuseOffer(tutor.offer), who)]
        for number in tutor.held:
            found.append((c.AnswerQuestion(number, "answer-1"), who))
            found.append((c.StartSession(number), who))
            found.append((c.StartSession(number, "one_to_many"), who))
            found.append((c.GiveBack(number), who))
        if tutor.session is not None:
            found.append((c.ExtendSession(tutor.session), who))
            found.append((c.EndSession(tutor.session), who))
            found.append((c.Lose(who.person), SYSTEM))
            found.append((c.ReportSafety(tutor.session), who))
        else:
            found.append((c.OpenSession("maths", 7), who))
    for who in PUPILS:
        found += _sensible_of_pupil(state, who)
    for question in state.questions.values():
        if question.state == "submitted":
            found += [(c.TellBank(question.id), SYSTEM)] * 2
            found.append((c.TellBank(question.id, ("bank-1",)), SYSTEM))
        elif question.state == "awaiting_approval":
            found.append((c.ApproveQuestion(question.id), MODERATOR))
        elif question.state == "queued":
            found += [(c.ClaimQuestion(question.id), who) for who in TUTORS]
            found += [(c.MergeQuestions(question.id, other), MODERATOR) for other in
                      state.questions if other != question.id][:3]  # fmt: skip
    for case in state.cases.values():
        if case.outcome is None:
            found.append((c.TakeCase(case.number), MODERATOR))
            found.append((c.CloseCase(case.number, "settled"), OFFICER))
    return found


def _sensible_of_pupil(state: DeskState, who: Actor) -> list[tuple[AnyCommand, Actor]]:
    seat = state.pupils.get(who.person)
    if seat is None or seat.away or seat.lost_at:
        return [(c.PupilHere(who.person, 7), SYSTEM)]
    if seat.session is not None:
        number = seat.session
        return [
            (c.LeaveSession(number), who),
            (c.ReportSafety(number), who),
            (c.TellPair(number, 3), SYSTEM),
            (c.EnterSession(number), MODERATOR),
            (c.Lose(who.person), SYSTEM),
        ]
    found: list[tuple[AnyCommand, Actor]] = []
    if seat.active is None:
        found.append((c.AskQuestion("maths", "stored-1", points=("p1",), shared=True), who))
        found += [(c.FollowQuestion(question.id), who) for question in state.questions.values()
                  if question.state == "queued"][:2]  # fmt: skip
        found += [(c.JoinSession(session.number), who) for session in state.sessions.values()
                  if session.ended_at is None][:2]  # fmt: skip
        for question in state.questions.values():
            if question.pupil == who.person and question.state in {"answered_async", "resolved"}:
                found.append((c.RateQuestion(question.id, 2, 1, 2), who))
                found.append((c.ReopenQuestion(question.id), who))
                found.append((c.ResolveQuestion(question.id), who))
        return found
    number = seat.active
    question = state.questions[number]
    if question.state == "bank_matched":
        return [(c.AcceptBankAnswer(number), who), (c.BankNotHelpful(number), who)]
    if question.state == "queued":
        rooms = [session.number for session in state.sessions.values() if session.ended_at is None]
        found.append((c.ChooseOnLadder(number, "written"), who))
        found.append((c.ChooseOnLadder(number, "tomorrow"), who))
        found += [(c.ChooseOnLadder(number, "join", room), who) for room in rooms]
        found.append((c.PickTutor(number, TUTORS[number % 4].person), who))
        found.append((c.WithdrawQuestion(number), who))
    return found


def attempt(found: Evenings, command: AnyCommand, who: Actor) -> list[DeskEvent]:
    """Does it as the host would: facts come from the system, and only from it."""
    is_fact = isinstance(command, c.Fact)
    try:
        return found.give(command, SYSTEM if is_fact else who)
    except InvalidState:
        raise  # Our own mistake, whatever was asked.
    except SignalingError:
        return []
