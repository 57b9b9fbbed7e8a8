"""What a pupil is shown: her question, how long it will be, what else there is, her session."""

from __future__ import annotations

from twinclass_signaling.desk.commands import Actor
from twinclass_signaling.desk.directory import Directory
from twinclass_signaling.desk.plan import queue_key
from twinclass_signaling.desk.questions import Question, may
from twinclass_signaling.desk.queue import position
from twinclass_signaling.desk.sessions import time_left
from twinclass_signaling.desk.standing import is_free
from twinclass_signaling.desk.state import DeskState, Pupil, Session
from twinclass_signaling.desk.view_types import (
    Ladder,
    OwnQuestion,
    OwnSession,
    PupilView,
    RoomCard,
    SharedQuestion,
    TutorCard,
)
from twinclass_signaling.desk.visibility import is_shared_with
from twinclass_signaling.desk.waiting import UNKNOWN, Estimator
from twinclass_signaling.ids import PersonId

#: What a phone's list shows; nobody chooses among more.
MAX_SHARED, MAX_DONE, MAX_TUTORS = 20, 20, 30
HELPED = frozenset({"answered_async", "resolved"})


class Boards:
    """What all pupils of a grade are shown alike: made once for a round of views."""

    def __init__(self, state: DeskState, people: Directory) -> None:
        self._state = state
        self._people = people
        self._rooms: dict[int, tuple[RoomCard, ...]] = {}
        self._tutors: dict[int, dict[str, tuple[TutorCard, ...]]] = {}

    def rooms(self, grade: int) -> tuple[RoomCard, ...]:
        """Returns the open one_to_many."""
        found = self._rooms.get(grade)
        if found is None:
            found = self._rooms[grade] = _rooms(self._state, grade, self._people)
        return found

    def tutors(self, grade: int) -> dict[str, tuple[TutorCard, ...]]:
        """Returns the tutors on duty by subject, free ones first."""
        found = self._tutors.get(grade)
        if found is None:
            found = self._tutors[grade] = _tutors(self._state, grade, self._people)
        return found


def pupil_view(
    state: DeskState,
    viewer: Actor,
    people: Directory,
    boards: Boards,
    estimator: Estimator,
    now: float,
) -> PupilView:
    """Returns a pupil's page."""
    person = viewer.person
    seat = state.pupils.get(person) or Pupil(0, consented=False, recorded=False, media=False)
    opens, closes = state.hours.get(seat.grade, (0.0, 0.0))
    active = None if seat.active is None else state.questions[seat.active]
    session = None if seat.session is None else state.sessions[seat.session]
    called = _called(state, person)
    may_follow = active is None and session is None and seat.recorded
    return PupilView(
        is_open=state.is_open(seat.grade, now),
        opens_at=opens,
        closes_at=closes,
        consented=seat.consented,
        may_be_recorded=seat.recorded,
        may_send_media=seat.media,
        live_left_s=max(0.0, time_left(state, seat)),
        question=None if active is None else _own(state, active, person, people, boards, estimator),
        session=None if session is None else _session(session, people, called),
        done=tuple(
            _own(state, question, person, people, boards, estimator)
            for question in _done(state, seat, person)
        ),
        tutors=boards.tutors(seat.grade),
        rooms=boards.rooms(seat.grade) if seat.recorded else (),
        shared=_shared(state, seat, person) if may_follow else (),
        help_is_coming=None in called,
    )


def _own(
    state: DeskState,
    question: Question,
    person: PersonId,
    people: Directory,
    boards: Boards,
    estimate: Estimator,
) -> OwnQuestion:
    is_own = question.pupil == person
    is_done = question.state in HELPED
    return OwnQuestion(
        question=question.id,
        is_own=is_own,
        state=question.state,
        subject=question.subject,
        points=question.points,
        content=question.content,
        kind=question.kind,
        wish=question.wish,
        asked_at=question.asked_at,
        since=question.since,
        position=position(state, question),
        wait=estimate.wait(question) if question.state == "queued" else UNKNOWN,
        picked=question.pick,
        tutor_name=people.name(question.tutor),
        followers=len(question.followers),
        bank=question.bank if is_own else (),
        answer=question.answer,
        ladder=_ladder(state, question, boards) if is_own else None,
        alike=_alike(state, question, person) if is_own and question.like else (),
        may_reopen=is_own and may(question, "reopen") and not question.reopened,
        may_rate=is_own and is_done and not question.rated and question.tutor is not None,
        # A lesson that others were not in is not theirs to open.
        origin=question.origin if is_own else None,
    )


def _alike(state: DeskState, question: Question, person: PersonId) -> tuple[SharedQuestion, ...]:
    if not may(question, "merge"):
        return ()
    others = [state.questions[number] for number in question.like]
    return tuple(
        _shown(other)
        for other in others
        # Who waits for live help is not put off with a written answer, nor is a recording
        # forced on anybody.
        if other.wish == question.wish and is_shared_with(state, person, other)
    )


def _shown(question: Question) -> SharedQuestion:
    return SharedQuestion(
        question.id,
        question.subject,
        question.points,
        question.content,
        len(question.followers),
    )


def _ladder(state: DeskState, question: Question, boards: Boards) -> Ladder | None:
    if question.state != "queued" or not question.ladder:
        return None
    rooms = [
        room
        for room in boards.rooms(question.grade)
        if room.subject == question.subject
        and (not question.points or not room.points or {*room.points} & {*question.points})
    ]
    return Ladder(bool(question.bank), state.closes_at(question.grade), tuple(rooms))


def _session(session: Session, people: Directory, called: set[int | None]) -> OwnSession:
    return OwnSession(
        session=session.number,
        kind=session.kind,
        subject=session.subject,
        tutor_name=people.name(session.tutor),
        started_at=session.started_at,
        ends_at=session.ends_at,
        warned=session.warned,
        members=len(session.present),
        moderator_here=session.moderator is not None,
        help_is_coming=session.number in called,
    )


def _called(state: DeskState, person: PersonId) -> set[int | None]:
    """Returns about which sessions (None: about none) her call for help is open."""
    return {
        case.session
        for case in state.cases.values()
        if case.reporter == person and case.outcome is None
    }


def _done(state: DeskState, seat: Pupil, person: PersonId) -> list[Question]:
    """Returns her questions of before, and those of others that she followed once they were
    helped with: "me too" hears the answer."""
    asked = state.index.asked.get(person, [])[-MAX_DONE:]
    followed = [
        number
        for number in state.index.followed.get(person, [])[-MAX_DONE:]
        if state.questions[number].state in HELPED
    ]
    return [
        state.questions[number]
        for number in sorted({*asked, *followed})[-MAX_DONE:]
        if number != seat.active
    ]


def _tutors(state: DeskState, grade: int, people: Directory) -> dict[str, tuple[TutorCard, ...]]:
    found: dict[str, tuple[TutorCard, ...]] = {}
    for subject in state.plan.subjects:
        tutors = state.index.serving.get(queue_key(subject, grade))
        if tutors:
            free = {tutor for tutor in tutors if is_free(state, tutor)}
            shown = sorted(tutors, key=lambda tutor: (tutor not in free, tutor))[:MAX_TUTORS]
            found[subject] = tuple(
                TutorCard(tutor, people.name(tutor), tutor in free) for tutor in shown
            )
    return found


def _rooms(state: DeskState, grade: int, people: Directory) -> tuple[RoomCard, ...]:
    rooms: list[RoomCard] = []
    for subject in state.plan.subjects:
        for number in state.index.rooms.get(queue_key(subject, grade), ()):
            session = state.sessions[number]
            members = len(session.present)
            if members < state.plan.limits.members:
                rooms.append(
                    RoomCard(
                        number,
                        subject,
                        session.points,
                        people.name(session.tutor),
                        members,
                        session.ends_at,
                    )
                )
    return tuple(rooms)


def _shared(state: DeskState, seat: Pupil, person: PersonId) -> tuple[SharedQuestion, ...]:
    found: list[SharedQuestion] = []
    for subject in state.plan.subjects:
        lane = f"live|{queue_key(subject, seat.grade)}"
        for _, _, number in state.index.lanes.get(lane, [])[:MAX_SHARED]:
            question = state.questions[number]
            if is_shared_with(state, person, question) and len(found) < MAX_SHARED:
                found.append(_shown(question))
    return tuple(found)
