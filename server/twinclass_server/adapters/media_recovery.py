"""What a control plane finds on a worker that outlived the one before: sessions to take over.

Each transport carries a note (``TransportNote``). A session found so is kept until its client
comes back and claims it; what nobody claims in time is removed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from twinclass_media.worker.messages import (
    Dumped,
    LayerState,
    ProducerId,
    ProducerSpec,
    TransportId,
    TransportSpec,
)
from twinclass_server.adapters.media_publication import Publication
from twinclass_server.adapters.media_session import (
    Credentials,
    Downlink,
    Session,
    Uplink,
    draw_u32,
)
from twinclass_server.adapters.media_translate import TransportNote, decode_note
from twinclass_signaling.errors import InvalidState
from twinclass_signaling.ids import LessonId, SessionId
from twinclass_signaling.sdp.downlink import DownlinkPool

#: A seat is kept for 60 s; half of that again for a slow start of ours.
CLAIM_S = 90.0


@dataclass(slots=True)
class Found:
    """Sessions of one worker not claimed yet."""

    worker: int
    deadline: float
    sessions: dict[tuple[LessonId, SessionId], Session] = field(
        default_factory=dict[tuple[LessonId, SessionId], Session]
    )
    #: Every lesson that had something there.
    lessons: set[LessonId] = field(default_factory=set[LessonId])
    #: Transports without a note we can read, or closed: of no use to anybody.
    useless: list[TransportId] = field(default_factory=list[TransportId])


def find_sessions(worker: int, dumped: Dumped, now: float) -> Found:
    """Sessions that can be taken over from a worker's dump."""
    found = Found(worker, now + CLAIM_S)
    ended = {
        s.id for s in dumped.transport_states if s.ice == "closed" or s.dtls in {"failed", "closed"}
    }
    layers = {s.id: s.layers for s in dumped.producer_states}
    held = {spec.id for spec in dumped.specs if isinstance(spec, ProducerSpec)}
    for spec in dumped.specs:
        if not isinstance(spec, TransportSpec):
            continue
        note = decode_note(spec.appdata)
        if note is None or spec.id in ended:
            found.useless.append(spec.id)
            continue
        key = (note.lesson, note.session)
        found.lessons.add(note.lesson)
        session = found.sessions.setdefault(
            key, Session(note.session, note.lesson, note.participant, note.video_codecs)
        )
        session.generation = max(session.generation, note.generation)
        if note.uplink is not None:
            session.uplink = _uplink(spec, note, held, layers, now)
        elif note.pool:
            try:
                session.downlink = _downlink(spec, note)
            except InvalidState:
                found.useless.append(spec.id)
                continue
            session.offers = session.downlink.pool.n
    return found


def _uplink(
    spec: TransportSpec,
    note: TransportNote,
    held: set[ProducerId],
    layers: dict[ProducerId, tuple[LayerState, ...]],
    now: float,
) -> Uplink | None:
    description = note.uplink
    if description is None:
        return None
    credentials = Credentials(spec.ufrag, spec.pwd)
    uplink = Uplink(
        spec.id, credentials, note.origin_id, description, note.generation, note.answers
    )
    for track in description.tracks:
        producer = ProducerId(f"{note.session}:{track.mid}")
        if producer not in held:
            continue
        publication = Publication(producer, note.session, note.participant, track, started=True)
        # The log already holds that it began; whether it still sends the worker says.
        publication.layers_changed(layers.get(producer, ()), now)
        publication.silent_since = None if publication.active or not layers else now
        uplink.publications[track.mid] = publication
    return uplink


def _downlink(spec: TransportSpec, note: TransportNote) -> Downlink:
    pool = DownlinkPool.restore(note.pool, draw_u32)
    credentials = Credentials(spec.ufrag, spec.pwd)
    return Downlink(spec.id, credentials, pool, note.generation, placed=True)


def transports_of(session: Session) -> Sequence[TransportId]:
    """The transports of a session."""
    links = (session.uplink, session.downlink)
    return [link.transport for link in links if link is not None]
