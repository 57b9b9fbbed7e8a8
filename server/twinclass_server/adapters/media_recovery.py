"""What a control plane finds on a worker that outlived the one before: sessions to take over.

Each transport carries a note (``TransportNote``). A session found so goes on as it is until its
client comes back and claims it; what nobody claims in time is removed.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from twinclass_media.worker.messages import (
    ConsumerSpec,
    Dumped,
    LayerState,
    ProducerId,
    ProducerSpec,
    RouterId,
    RouterSpec,
    TransportId,
    TransportSpec,
)
from twinclass_server.adapters.media_context import router_of
from twinclass_server.adapters.media_pipes import near_id
from twinclass_server.adapters.media_publication import Publication
from twinclass_server.adapters.media_session import (
    RESTARTS_UNKNOWN,
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
    """Sessions of one worker."""

    sessions: dict[tuple[LessonId, SessionId], Session] = field(
        default_factory=dict[tuple[LessonId, SessionId], Session]
    )
    #: Every lesson that had something there, and its home worker.
    lessons: dict[LessonId, int] = field(default_factory=dict[LessonId, int])
    #: Routers of lessons without sessions.
    empty_routers: list[RouterId] = field(default_factory=list[RouterId])
    #: Transports without a note we can read, or closed: of no use to anybody.
    useless: list[TransportId] = field(default_factory=list[TransportId])


def find_sessions(worker: int, dumped: Dumped, now: float) -> Found:
    """Sessions that can be taken over from a worker's dump."""
    found = Found()
    ended = {
        s.id for s in dumped.transport_states if s.ice == "closed" or s.dtls in {"failed", "closed"}
    }
    layers = {s.id: s.layers for s in dumped.producer_states}
    held = {spec.id for spec in dumped.specs if isinstance(spec, ProducerSpec)}
    feeds: dict[TransportId, dict[str, ProducerId]] = {}
    for spec in dumped.specs:
        if isinstance(spec, ConsumerSpec) and spec.producer:
            feeds.setdefault(spec.transport, {})[spec.mid] = near_id(spec.producer, worker)
    for spec in dumped.specs:
        if not isinstance(spec, TransportSpec):
            continue
        note = decode_note(spec.appdata)
        if note is None or spec.id in ended:
            found.useless.append(spec.id)
            continue
        key = (note.lesson, note.session)
        found.lessons[note.lesson] = note.home
        session = found.sessions.setdefault(
            key,
            Session(
                note.session,
                note.lesson,
                note.participant,
                note.video_codecs,
                claimed=False,
                label=note.label,
            ),
        )
        session.generation = max(session.generation, note.generation)
        if note.uplink is not None:
            session.uplink = _uplink(spec, note, held, layers, now)
        elif note.pool:
            try:
                session.downlink = _downlink(spec, note, worker)
            except InvalidState:
                found.useless.append(spec.id)
                continue
            session.downlink.held = feeds.get(spec.id, {})
            session.offers = session.downlink.pool.n
    found.empty_routers = [
        spec.id
        for spec in dumped.specs
        if isinstance(spec, RouterSpec) and spec.id not in {router_of(x) for x in found.lessons}
    ]
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
    credentials = Credentials(spec.ufrag, spec.pwd, RESTARTS_UNKNOWN)
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


def _downlink(spec: TransportSpec, note: TransportNote, worker: int) -> Downlink:
    pool = DownlinkPool.restore(note.pool, draw_u32)
    credentials = Credentials(spec.ufrag, spec.pwd, RESTARTS_UNKNOWN)
    return Downlink(spec.id, credentials, pool, note.generation, worker, placed=True)
