"""From session descriptions (signalling's words) to worker specs (media's words) and back.

Plain functions. The two packages never see each other; only here do their types meet.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from msgspec import Struct

from twinclass_media.worker.messages import (
    Attached,
    Codec,
    Encoding,
    Fingerprint,
    HeaderExtensions,
    ProducerId,
    ProducerSpec,
    TransportId,
)
from twinclass_signaling.ids import LessonId, ParticipantId, SessionId
from twinclass_signaling.sdp.negotiation import (
    ExtensionIds,
    HostAddress,
    LocalTransport,
    NegotiatedCodec,
    RemoteTransport,
)
from twinclass_signaling.sdp.uplink import UplinkDescription, UplinkTrack

NOTE_FORMAT = 1


class TransportNote(Struct):
    """What a transport carries as appdata: enough to take it over after a restart.

    ``uplink`` of a client's sending transport, ``pool`` of a receiving one.
    """

    lesson: LessonId
    session: SessionId
    participant: ParticipantId
    generation: int
    video_codecs: tuple[str, ...] = ()
    uplink: UplinkDescription | None = None
    #: Of our answers on an uplink.
    origin_id: int = 0
    answers: int = 0
    pool: bytes = b""
    #: The lesson's home worker.
    home: int = 0
    #: Opaque; see ``Session.label``.
    label: bytes = b""
    format: int = NOTE_FORMAT


def encode_note(note: TransportNote) -> bytes:
    """The note as bytes."""
    return msgspec.msgpack.encode(note)


def decode_note(data: bytes) -> TransportNote | None:
    """The note of a transport, None when it is not ours or of another version of us."""
    try:
        note = msgspec.msgpack.decode(data, type=TransportNote)
    except msgspec.MsgspecError:
        return None
    return note if note.format == NOTE_FORMAT else None


def local_transport(attached: Attached, ufrag: str, pwd: str, restarts: int) -> LocalTransport:
    """Our side of a connection with a worker."""
    return LocalTransport(
        ufrag=ufrag,
        pwd=pwd,
        fingerprint_algorithm=attached.fingerprint.algorithm,
        fingerprint_value=attached.fingerprint.value,
        addresses=tuple(HostAddress(c.protocol, c.host, c.port) for c in attached.candidates),
        restarts=restarts,
    )


def fingerprints(remote: RemoteTransport | None) -> tuple[Fingerprint, ...]:
    """The peer's certificates, none while they are unknown."""
    return tuple(Fingerprint(a, v) for a, v in remote.fingerprints) if remote else ()


def extensions(ids: ExtensionIds) -> HeaderExtensions:
    """Header extension ids, name by name."""
    return HeaderExtensions(
        mid=ids.mid,
        rid=ids.rid,
        repaired_rid=ids.repaired_rid,
        abs_send_time=ids.abs_send_time,
        transport_cc=ids.transport_cc,
        audio_level=ids.audio_level,
    )


def codecs(negotiated: Sequence[NegotiatedCodec]) -> tuple[Codec, ...]:
    """Payload types; 0 becomes None where there is no retransmission."""
    return tuple(
        Codec(c.name, c.payload_type, c.clock_rate, c.rtx_payload_type or None) for c in negotiated
    )


def producer_spec(
    track: UplinkTrack,
    producer: ProducerId,
    transport: TransportId,
    *,
    paused: bool,
    watch_echo: bool = False,
) -> ProducerSpec:
    """A published track as the worker knows it; the outbox gives the version."""
    return ProducerSpec(
        id=producer,
        transport=transport,
        version=0,
        kind=track.kind,
        mid=track.mid,
        codecs=codecs(track.codecs),
        encodings=tuple(Encoding(e.rid, e.ssrc, e.rtx_ssrc) for e in track.encodings),
        paused=paused,
        watch_echo=watch_echo,
    )
