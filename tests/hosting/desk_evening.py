"""Simulated evenings of a desk: seeded pupils and tutors around the real core."""

from __future__ import annotations

import heapq
import random
from collections.abc import Callable
from dataclasses import dataclass, field

from hosting.desk import OPENS, Evenings
from twinclass_signaling.desk import commands as c
from twinclass_signaling.desk.commands import SYSTEM, Actor, AnyCommand
from twinclass_signaling.desk.events import (
    DeskEvent,
    LadderShown,
    OfferMade,
    QuestionClaimed,
    QuestionQueued,
)
from twinclass_signaling.desk.plan import Desk, QuestionId
from twinclass_signaling.desk.session_events import SessionStarted
from twinclass_signaling.desk.timers import next_deadline
from twinclass_signaling.desk.waiting import Estimator, Wait
from twinclass_signaling.errors import SignalingError
from twinclass_signaling.ids import PersonId
from twinclass_signaling.roles import Role

Service = Callable[[random.Random], float]


def exponential(mean_s: float) -> Service:
    return lambda rng: rng.expovariate(1 / mean_s)


def lognormal(mean_s: float, spread: float = 0.6) -> Service:
    """Times whose standard deviation is ``spread`` of their mean, as helps look like."""
    import math

    sigma = math.sqrt(math.log(1 + spread * spread))
    return lambda rng: rng.lognormvariate(math.log(mean_s) - sigma * sigma / 2, sigma)


@dataclass
class Behaviour:
    """What people do. ``bank``: share of questions the bank answers to their content.
    ``written``: share that takes a written answer when the ladder is shown, and stays so
    otherwise; ``tomorrow``: likewise."""

    service: Service = field(default_factory=lambda: exponential(480))
    bank: float = 0.0
    written: float = 0.0
    tomorrow: float = 0.0
    accept_s: tuple[float, float] = (1.0, 4.0)
    refuse: float = 0.0
    written_s: float = 180.0


@dataclass
class Told:
    """What became of one question."""

    queued_at: float = 0.0
    wait: Wait | None = None
    offered_at: float | None = None
    claimed_at: float | None = None
    bank_at: float | None = None
    ladder_at: float | None = None
    free_at_queue: bool = False


class Simulation:
    """Runs an evening: deadlines of the desk and acts of people, in the order of time."""

    def __init__(self, desk: Desk, behaviour: Behaviour, seed: int, now: float = OPENS) -> None:
        self.desk = Evenings(desk, now)
        self.behaviour = behaviour
        self.rng = random.Random(seed)
        self.told: dict[QuestionId, Told] = {}
        self.commands = 0
        self._acts: list[tuple[float, int, AnyCommand, Actor]] = []
        self._count = 0
        #: The events before which people have acted already.
        self._read = 0

    def later(self, at: float, command: AnyCommand, who: Actor = SYSTEM) -> None:
        self._count += 1
        heapq.heappush(self._acts, (at, self._count, command, who))

    def on_duty(self, tutors: int) -> None:
        for n in range(1, tutors + 1):
            who = Actor(PersonId(f"tutor-{n}"), Role.TUTOR)
            self.desk.arrive(who)

    def asks(self, at: float, n: int, subject: str = "maths", grade: int = 7) -> None:
        who = Actor(PersonId(f"pupil-{n}"), Role.PUPIL)
        self.later(at, c.PupilHere(who.person, grade))
        self.later(at, c.AskQuestion(subject, f"stored-{n}"), who)

    def run(self, until: float) -> None:
        desk = self.desk
        while True:
            self._react()
            deadline = next_deadline(desk.state)
            act_at = self._acts[0][0] if self._acts else None
            at = min((t for t in (deadline, act_at) if t is not None), default=None)
            if at is None or at > until:
                break
            desk.now = max(desk.now, at)
            if deadline is not None and deadline <= desk.now:
                desk.give(c.Tick())
            else:
                _, _, command, who = heapq.heappop(self._acts)
                try:
                    desk.give(command, who)
                except SignalingError:
                    continue  # Too late: the desk has gone on.
            self.commands += 1
        desk.now = until

    def _react(self) -> None:
        log = self.desk.log
        while self._read < len(log):
            event, at = log[self._read]
            self._read += 1
            self._react_to(event, at)

    def _react_to(self, event: DeskEvent, at: float) -> None:
        rng, how = self.rng, self.behaviour
        tag = type(event).__struct_config__.tag
        if tag == "question_asked":
            number: QuestionId = event.question  # type: ignore[union-attr]
            self.told[number] = Told()
            found = ("bank-1",) if rng.random() < how.bank else ()
            self.later(at + rng.uniform(0.1, 0.9), c.TellBank(number, found))
        elif tag == "bank_matched":
            question = self.desk.state.questions[event.question]  # type: ignore[union-attr]
            self.told[question.id].bank_at = at
            who = Actor(question.pupil, Role.PUPIL)
            self.later(at + rng.uniform(15, 60), c.AcceptBankAnswer(question.id), who)
        elif isinstance(event, QuestionQueued):
            told = self.told[event.question]
            told.queued_at = at
            question = self.desk.state.questions[event.question]
            told.wait = Estimator(self.desk.state, at).wait(question)
            told.free_at_queue = bool(self.desk.state.index.free)
        elif isinstance(event, OfferMade):
            told = self.told[event.question]
            told.offered_at = told.offered_at or at
            who = Actor(event.tutor, Role.TUTOR)
            takes = rng.random() >= how.refuse
            command = c.AcceptOffer(event.question) if takes else c.RefuseOffer(event.question)
            self.later(at + rng.uniform(*how.accept_s), command, who)
        elif isinstance(event, QuestionClaimed):
            told = self.told[event.question]
            told.claimed_at = told.claimed_at or at
            self._help(event, at)
        elif isinstance(event, SessionStarted):
            who = Actor(event.tutor, Role.TUTOR)
            seconds = how.service(rng)
            if at + seconds > event.ends_at:
                self.later(event.ends_at - 60, c.ExtendSession(event.session), who)
            self.later(at + seconds, c.EndSession(event.session), who)
        elif isinstance(event, LadderShown):
            self._climb(event, at)

    def _help(self, event: QuestionClaimed, at: float) -> None:
        who = Actor(event.tutor, Role.TUTOR)
        question = self.desk.state.questions[event.question]
        if question.wish == "live":
            self.later(at + 2, c.StartSession(event.question), who)
        else:
            seconds = self.rng.expovariate(1 / self.behaviour.written_s)
            self.later(at + seconds, c.AnswerQuestion(event.question, "answer-1"), who)

    def _climb(self, event: LadderShown, at: float) -> None:
        self.told[event.question].ladder_at = at
        question = self.desk.state.questions[event.question]
        who = Actor(question.pupil, Role.PUPIL)
        chance = self.rng.random()
        at += self.rng.uniform(5, 40)
        if chance < self.behaviour.written:
            self.later(at, c.ChooseOnLadder(event.question, "written"), who)
        elif chance < self.behaviour.written + self.behaviour.tomorrow:
            self.later(at, c.ChooseOnLadder(event.question, "tomorrow"), who)


def arrivals(rng: random.Random, per_hour: float, start: float, seconds: float) -> list[float]:
    """Returns the seconds of a Poisson stream."""
    found: list[float] = []
    at = start
    while (at := at + rng.expovariate(per_hour / 3600)) < start + seconds:
        found.append(at)
    return found
