"""Queues: who is next, and who stands where.

A queue is a *lane* in order of entries, kept sorted:

* ``live|subject|grade`` waits for a tutor, one by one;
* ``written|…`` waits for a written answer;
* ``group|…`` was let pass by three and may be claimed by whoever is free;
* ``pick|tutor`` waits for one tutor.

**Fairness** is in the rank, which is a second and never changes while she waits: the second at
which she asked, and ten minutes later for whoever had live help tonight already. So a first-timer
is before every second-timer who asked less than ten minutes earlier, and nobody starves: ageing
by a fixed handicap. A question that comes back (its tutor was lost, an offer was not taken) has
its old rank, and stands before all others when it was somebody's whose help broke off.
"""

from __future__ import annotations

from bisect import bisect_left, insort

from twinclass_signaling.desk.plan import QuestionId, queue_key
from twinclass_signaling.desk.questions import LEAVING, Question, Step, move
from twinclass_signaling.desk.state import DeskState, Entry, Seen

#: How far behind first-timers a second live help of the same evening is: one help's usual time.
SECOND_HANDICAP_S = 600.0
#: Without a tutor for so long, she is shown what else there is.
LADDER_S = 300.0


def rank(state: DeskState, question: Question, asked_at: float) -> float:
    """Returns the second by which a question is placed."""
    seat = state.pupils.get(question.pupil)
    had_help = seat is not None and seat.lives > 0
    return asked_at + (SECOND_HANDICAP_S if had_help else 0.0)


def lane_of(state: DeskState, question: Question) -> str | None:
    """Returns the lane in which a question stands now; None: in none."""
    if question.state != "queued":
        return None
    key = queue_key(question.subject, question.grade)
    if question.wish == "written":
        return f"written|{key}"
    if not state.is_here(question.pupil):
        return None  # She keeps her rank and is passed over until she is back.
    if question.in_group:
        return f"group|{key}"
    return f"live|{key}" if question.pick is None else f"pick|{question.pick}"


def place(state: DeskState, question: Question) -> None:
    """Puts a question where it belongs after it, or its pupil, has changed."""
    index = state.index
    lane = lane_of(state, question)
    entry: Entry = (0 if question.priority else 1, question.rank, question.id)
    former = index.placed.get(question.id)
    if former == (lane, entry):
        return
    if former is not None:
        entries = index.lanes[former[0]]
        del entries[bisect_left(entries, former[1])]
        if not entries:
            del index.lanes[former[0]]
        del index.placed[question.id]
    if lane is not None:
        insort(index.lanes.setdefault(lane, []), entry)
        index.placed[question.id] = (lane, entry)


def position(state: DeskState, question: Question) -> int | None:
    """Returns the place in the lane, 1 is the next; None while it stands in none."""
    found = state.index.placed.get(question.id)
    if found is None:
        return None
    return bisect_left(state.index.lanes[found[0]], found[1]) + 1


def waiting(state: DeskState, lane: str) -> list[QuestionId]:
    """Returns the questions of a lane, the next first."""
    return [entry[2] for entry in state.index.lanes.get(lane, ())]


def length(state: DeskState, kind: str, key: str) -> int:
    """Returns how many stand in a lane of a queue."""
    return len(state.index.lanes.get(f"{kind}|{key}", ()))


def step(state: DeskState, question: Question, name: Step, at: float) -> None:
    """Brings a question into its next state and keeps all that follows from it."""
    _count_wait(state, question, at, left=name in LEAVING)
    move(question, name, at)
    settle(state, question)


def settle(state: DeskState, question: Question) -> None:
    """Keeps indexes and pupils in step with a question."""
    place(state, question)
    climbs = question.state == "queued" and question.wish == "live" and not question.ladder
    state.schedule(f"ladder|{question.id}", question.waiting_since + LADDER_S if climbs else None)
    active = state.index.active.setdefault(question.grade, {})
    if question.is_active:
        active[question.id] = None
        return
    active.pop(question.id, None)
    for pupil in (question.pupil, *question.followers):
        seat = state.pupils.get(pupil)
        if seat is not None and seat.active == question.id:
            seat.active = None


def change_wish(state: DeskState, question: Question, at: float) -> None:
    """Counts a wait that ends because she does not wait for live help any more."""
    _count_wait(state, question, at, left=True)
    question.since = max(question.since, at)


def seen(state: DeskState, subject: str) -> Seen:
    """Returns what tonight has taught about a subject."""
    found = state.seen.get(subject)
    if found is None:
        found = state.seen[subject] = Seen()
    return found


def _count_wait(state: DeskState, question: Question, at: float, *, left: bool) -> None:
    if question.state == "queued" and question.wish == "live":
        found = seen(state, question.subject)
        found.waited_s += max(0.0, at - question.since)
        found.left += left
