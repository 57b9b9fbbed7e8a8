"""Who is free, who is on duty, and since when somebody is busy: kept up to date for matching."""

from __future__ import annotations

from twinclass_signaling.desk.plan import keys_of
from twinclass_signaling.desk.queue import seen
from twinclass_signaling.desk.state import DeskState, Tutor
from twinclass_signaling.ids import PersonId


def is_up(tutor: Tutor) -> bool:
    """Tells whether a tutor has a line and takes offers."""
    return tutor.here and not tutor.lost_at and tutor.on_duty and not tutor.paused


def is_busy(tutor: Tutor) -> bool:
    """Tells whether a tutor has something in hand or has just been asked."""
    return bool(tutor.held) or tutor.session is not None or tutor.offer is not None


def is_free(state: DeskState, person: PersonId) -> bool:
    """Tells whether a tutor may be given an offer now."""
    tutor = state.tutors.get(person)
    return tutor is not None and person in state.duties and is_up(tutor) and not is_busy(tutor)


def refresh(state: DeskState, person: PersonId) -> None:
    """Brings the index in step after a tutor or her entry of the roster has changed."""
    index = state.index
    duty, tutor = state.duties.get(person), state.tutors.get(person)
    up = duty is not None and tutor is not None and is_up(tutor)
    # Who holds a one_to_many on a topic of her own is not serving a queue meanwhile.
    session = None if tutor is None or tutor.session is None else state.sessions[tutor.session]
    serves = up and (session is None or session.question is not None)
    free = up and tutor is not None and not is_busy(tutor)
    keys = keys_of(duty) if duty is not None and (serves or free) else ()
    former = index.standing.get(person, ((), False, False))
    if former == (keys, serves, free):
        return
    for key in former[0]:
        _discard(index.serving, key, person)
        _discard(index.free, key, person)
    for key in keys:
        if serves:
            index.serving.setdefault(key, set()).add(person)
        if free:
            index.free.setdefault(key, set()).add(person)
    if keys:
        index.standing[person] = (keys, serves, free)
    else:
        index.standing.pop(person, None)


def begin(state: DeskState, person: PersonId, subject: str, at: float) -> None:
    """Notes since when a tutor is busy with a subject; nothing when she is busy already."""
    tutor = state.tutors[person]
    if not tutor.busy_since:
        tutor.busy_since, tutor.busy_with = at, subject
        found = seen(state, subject)
        found.running += 1
        found.starts_s += at - state.evening.midnight


def finish(state: DeskState, person: PersonId, at: float) -> None:
    """Notes that a tutor has nothing in hand any more, if that is so."""
    tutor = state.tutors[person]
    if tutor.busy_since and not tutor.held and tutor.session is None:
        found = seen(state, tutor.busy_with)
        found.running -= 1
        found.starts_s -= tutor.busy_since - state.evening.midnight
        found.done += 1
        found.done_s += at - tutor.busy_since
        tutor.busy_since, tutor.busy_with = 0.0, ""


def _discard(sets: dict[str, set[PersonId]], key: str, person: PersonId) -> None:
    found = sets.get(key)
    if found is not None:
        found.discard(person)
        if not found:
            del sets[key]
