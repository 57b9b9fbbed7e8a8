"""What arrives: datagrams to STUN, DTLS, RTP and RTCP (RFC 7983), and what each may do.

The gate: nothing but an authenticated STUN request creates state; DTLS, RTP and RTCP count only
from an address that passed one. Whatever else comes is counted by reason and dropped before any
library sees it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Protocol, TypeVar

from twinclass_media.echo import EchoDetector
from twinclass_media.errors import LimitExceeded, MalformedPacket, RemoteProtocolError
from twinclass_media.forward.layer import Layer
from twinclass_media.forward.producer import Producer
from twinclass_media.rtp import rtcp
from twinclass_media.rtp.packet import MAX_PACKET_BYTES, RtpPacket
from twinclass_media.rtp.speech import SpeechDetector
from twinclass_media.statistics import Statistics
from twinclass_media.transport.dtls import CONTENT_ALERT, DtlsContext, DtlsPhase, DtlsServer
from twinclass_media.transport.peer import MAX_PATHS, Path, Peer
from twinclass_media.transport.srtp import SrtpPair
from twinclass_media.transport.stun import is_stun, parse_binding_request
from twinclass_media.worker.messages import ProducerSpec

#: ClientHello fragments kept while the fingerprint is unknown (Chromium sends two datagrams).
MAX_EARLY_DTLS = 4
#: DTLS datagrams that wait for their turn: four flights of five hundred who join at once. What is
#: dropped above it the other end sends again (RFC 6347 section 4.2.4).
MAX_DTLS_WAITING = 2000
#: A track may change its SSRC this often; a publisher that does it faster floods us.
REBIND_S = 1.0

#: Where a datagram came from, as its socket tells it.
Source = TypeVar("Source")


class IngressEvents(Protocol):
    """What the engine wants to know."""

    def peer_connected(self, peer: Peer, now: float) -> None:
        """ICE and DTLS are done: keys are there."""
        ...

    def peer_changed(self, peer: Peer, reason: str) -> None:
        """ICE or DTLS state changed."""
        ...

    def path_changed(self, peer: Peer, now: float) -> None:
        """The peer sends and receives over another path."""
        ...

    def frame_ready(self, producer: Producer, layer: Layer) -> None:
        """A frame is complete: flush."""
        ...

    def frame_held(self, producer: Producer, layer: Layer) -> None:
        """Packets wait for their marker."""
        ...

    def feedback(self, peer: Peer, content: rtcp.RtcpContent, now: float) -> None:
        """A viewer or publisher reported."""
        ...

    def gap(self, peer: Peer, producer: Producer, layer: Layer, mendable: bool) -> None:
        """Packets are missing."""
        ...


class Ingress:
    """Demultiplexes for all sockets of a worker."""

    def __init__(
        self,
        context: DtlsContext,
        statistics: Statistics,
        events: IngressEvents,
        speech: Callable[[str], SpeechDetector],
        echoes: dict[str, EchoDetector],
    ) -> None:
        """``echoes``: by router, only those where some microphone is watched."""
        self._context = context
        self._statistics = statistics
        self._events = events
        self._speech = speech
        self._echoes = echoes
        self.by_ufrag: dict[str, Peer] = {}
        self.handshaking: set[Peer] = set()
        self._dtls_waiting: deque[tuple[Peer, bytes]] = deque()
        self.specs: dict[str, ProducerSpec] = {}

    # ---- demultiplexing

    def datagram(
        self,
        data: bytes,
        peer: Peer | None,
        path_to: Callable[[Source], Path],
        source: Source,
        now: float,
    ) -> None:
        """Takes one datagram. ``peer``: who was validated at its address, if anybody;
        ``path_to(source)`` makes the way back, asked for only when STUN needs it."""
        statistics = self._statistics
        statistics.packets_in += 1
        statistics.bytes_in += len(data)
        if len(data) < 12 or len(data) > MAX_PACKET_BYTES:
            statistics.drops["bad_length"] += 1
            return
        first = data[0]
        if 128 <= first <= 191:
            if peer is None:
                statistics.drops["media_from_unknown_address"] += 1
            elif 192 <= data[1] <= 223:
                self._rtcp(peer, data, now)
            else:
                self._rtp(peer, data, now)
        elif first < 4:
            self._stun(data, path_to, source, now)
        elif 20 <= first <= 63:
            if peer is None:
                statistics.drops["dtls_from_unknown_address"] += 1
            elif len(self._dtls_waiting) < MAX_DTLS_WAITING:
                self._dtls_waiting.append((peer, data))
            else:
                statistics.drops["dtls_overload"] += 1
        else:
            statistics.drops["not_ours"] += 1

    # ---- ICE

    def _stun(
        self, data: bytes, path_to: Callable[[Source], Path], source: Source, now: float
    ) -> None:
        if not is_stun(data):
            self._statistics.drops["not_stun"] += 1
            return
        try:
            request = parse_binding_request(data)
        except MalformedPacket:
            self._statistics.drops["stun_malformed"] += 1
            return
        # Who restarts ICE alone marks our fragment, so that its browser takes it for a new one.
        ufrag, _, mark = request.local_ufrag.partition("+")
        peer = self.by_ufrag.get(ufrag)
        password = peer.ufrags.get(ufrag) if peer is not None else None
        if peer is None or password is None:
            self._statistics.drops["stun_unknown_ufrag"] += 1
            return
        if not request.verify(password):
            self._statistics.drops["stun_not_authentic"] += 1
            return
        if ufrag == peer.spec.ufrag and len(peer.ufrags) > 1:
            for old in [u for u in peer.ufrags if u != ufrag]:
                del peer.ufrags[old]
                self.by_ufrag.pop(old, None)
        if mark and mark != peer.restart_mark:
            peer.restart_mark = mark
            self._statistics.lines["alone"] += 1
        way = path_to(source)
        address = way.address
        host = str(address[0])
        mapped = host[7:] if host.startswith("::ffff:") else host.split("%", maxsplit=1)[0]
        try:
            way.send(request.response((mapped, address[1]), password))
        except OSError:
            self._statistics.drops["send_failed"] += 1
        self._validated(peer, way, request.use_candidate, now)

    def _validated(self, peer: Peer, way: Path, nominated: bool, now: float) -> None:
        stale = now - peer.consent_at > 10.0
        peer.consent_at = now
        if way not in peer.paths:
            if len(peer.paths) >= MAX_PATHS:
                self._drop_path(peer, next(p for p in peer.paths if p is not peer.path))
            peer.paths.append(way)
            if way.endpoint is not None:
                former = way.endpoint.peers.get(way.address)
                if former is not None and former is not peer:
                    former.paths = [p for p in former.paths if p != way]
                way.endpoint.peers[way.address] = peer
        if peer.path is None or (nominated and peer.path != way):
            peer.use_path(way)
            self._events.path_changed(peer, now)
        elif stale and peer.srtp is not None:
            peer.update_ready(consent=True)
        if peer.state[0] != "connected":
            peer.state = ("connected", peer.state[1])
            self._events.peer_changed(peer, "")
        if peer.dtls is None:
            self.start_dtls(peer, now)

    def lose_path(self, peer: Peer, way: Path, now: float) -> None:
        """A path is closed: goes on over another one that passed a check, if there is one."""
        if way in peer.paths:
            self._drop_path(peer, way)
        if peer.path != way or peer.closed:
            return
        peer.path = peer.stream = None
        peer.update_ready(consent=True)
        if peer.paths:
            peer.use_path(peer.paths[-1])
            self._events.path_changed(peer, now)

    def _drop_path(self, peer: Peer, way: Path) -> None:
        peer.paths.remove(way)
        if way.endpoint is not None and way.endpoint.peers.get(way.address) is peer:
            del way.endpoint.peers[way.address]

    def forget(self, peer: Peer) -> None:
        """Takes a closed peer out of all tables."""
        for ufrag in peer.ufrags:
            self.by_ufrag.pop(ufrag, None)
        for way in list(peer.paths):
            self._drop_path(peer, way)
            if way.stream is not None:
                way.stream.close()
        self.handshaking.discard(peer)

    # ---- DTLS

    def start_dtls(self, peer: Peer, now: float) -> None:
        """Begins when a path and the signalled fingerprints are both known."""
        if peer.dtls is not None or peer.path is None or not peer.spec.fingerprints:
            return
        pairs = [(f.algorithm, f.value) for f in peer.spec.fingerprints]
        peer.dtls = DtlsServer(self._context, pairs, now)
        self.handshaking.add(peer)
        early, peer.dtls_early = peer.dtls_early, []
        for data in early:
            self._dtls(peer, data, now)

    @property
    def dtls_waits(self) -> bool:
        """Some handshake waits for its next step: a signature, a quarter of a millisecond."""
        return bool(self._dtls_waiting)

    def step_dtls(self, now: float) -> None:
        """Takes the datagram that has waited longest."""
        peer, data = self._dtls_waiting.popleft()
        if not peer.closed:
            self._dtls(peer, data, now)

    def _dtls(self, peer: Peer, data: bytes, now: float) -> None:
        dtls = peer.dtls
        if dtls is None:
            if len(peer.dtls_early) < MAX_EARLY_DTLS:
                peer.dtls_early.append(data)
            else:
                self._statistics.drops["dtls_too_early"] += 1
            return
        if dtls.phase is DtlsPhase.CONNECTED and data[0] == CONTENT_ALERT:
            # Unreadable without the SSL object, and forgeable: only a hint.
            peer.suspect_at = now
            return
        self.drive_dtls(peer, lambda: dtls.handle_datagram(data, now), now)

    def drive_dtls(self, peer: Peer, step: Callable[[], list[bytes]], now: float) -> None:
        """Takes one step of a handshake and acts on its outcome."""
        dtls = peer.dtls
        if dtls is None:
            return
        before = dtls.phase
        try:
            for flight in step():
                peer.send_raw(flight)
        except RemoteProtocolError as error:
            self._statistics.drops[f"dtls_{error.code}"] += 1
            self.handshaking.discard(peer)
            peer.state = (peer.state[0], "failed")
            self._events.peer_changed(peer, str(error))
            return
        if dtls.phase is before:
            return
        if dtls.phase is DtlsPhase.CONNECTED and dtls.keys is not None:
            self.handshaking.discard(peer)
            peer.use_keys(SrtpPair(dtls.keys))
            dtls.keys = None
            peer.connected_at = now
            peer.state = (peer.state[0], "connected")
            self._events.peer_connected(peer, now)
            self._events.peer_changed(peer, "")
        else:
            peer.state = (peer.state[0], dtls.phase.value)

    # ---- RTP

    def _rtp(self, peer: Peer, data: bytes, now: float) -> None:
        statistics = self._statistics
        srtp = peer.srtp
        if srtp is None:
            statistics.drops["media_before_keys"] += 1
            return
        ssrc = int.from_bytes(data[8:12], "big")
        try:
            packet = RtpPacket(srtp.unprotect(data, ssrc))
        except LimitExceeded:
            statistics.drops["too_many_ssrcs"] += 1
            return
        except MalformedPacket:
            statistics.drops["rtp_malformed"] += 1
            return
        except RemoteProtocolError:
            statistics.drops["srtp_not_authentic"] += 1
            return
        if peer.dtls is not None:
            peer.dtls.confirm()
        peer.bytes_in += len(data)
        extensions = peer.spec.extensions
        number = packet.extension(extensions.transport_cc) if extensions.transport_cc else None
        if number is not None and len(number) == 2:
            peer.arrivals.add(int.from_bytes(number, "big"), now)
        bound = peer.ssrcs.get(ssrc) or self._bind(peer, packet, now)
        if bound is None:
            statistics.drops["unknown_ssrc"] += 1
            return
        producer, layer, is_rtx = bound
        if is_rtx:
            original = self._unwrap_rtx(producer, layer, packet)
            if original is None:
                return
        elif packet.ssrc == layer.ssrc:
            layer.reception.add(packet.sequence_number, packet.timestamp, len(data), now)
        codec = self._codec(producer, packet.payload_type)
        if codec is None:
            statistics.drops["unknown_payload_type"] += 1
            return
        if producer.video:
            # Sound is not asked for again: Opus brings its own repair (in-band FEC).
            if not layer.loss.received(packet.sequence_number, now):
                self._events.gap(peer, producer, layer, False)
            elif layer.loss.waiting:
                self._events.gap(peer, producer, layer, True)
        elif extensions.audio_level and not producer.paused:
            level = packet.extension(extensions.audio_level)
            if level:
                # RFC 6464 section 3: one bit voice activity, seven bits level.
                self._speech(peer.router).heard(producer.id, level[0] & 0x7F, now)
                if self._echoes and peer.router in self._echoes:
                    self._echoes[peer.router].heard(
                        producer.id, level[0] & 0x7F, now, packet.timestamp
                    )
        if producer.receive(layer, packet, codec, now):
            self._events.frame_ready(producer, layer)
        elif layer.pending:
            self._events.frame_held(producer, layer)

    def _codec(self, producer: Producer, payload_type: int) -> str | None:
        for codec in self.specs[producer.id].codecs:
            if codec.payload_type == payload_type:
                return codec.name
        return None

    def _unwrap_rtx(self, producer: Producer, layer: Layer, packet: RtpPacket) -> RtpPacket | None:
        """Makes a retransmission the packet that it repeats (RFC 4588 section 4).

        Padding-only packets and repeats of what arrived long ago are bandwidth probes.
        """
        if packet.payload_end - packet.payload_start < 2 or not layer.ssrc:
            return None
        for codec in self.specs[producer.id].codecs:
            if codec.rtx_payload_type == packet.payload_type:
                packet.payload_type = codec.payload_type
                break
        start = packet.payload_start
        packet.sequence_number = int.from_bytes(packet.data[start : start + 2], "big")
        packet.payload_start = start + 2
        packet.ssrc = layer.ssrc
        return packet

    def _bind(
        self, peer: Peer, packet: RtpPacket, now: float
    ) -> tuple[Producer, Layer, bool] | None:
        """Finds the track of an unknown SSRC by mid and rid (RFC 8843, RFC 8851), else by its
        payload type when only one track has it."""
        extensions = peer.spec.extensions
        names = peer.names.get(packet.ssrc)
        mid = packet.extension(extensions.mid) if extensions.mid else None
        if mid is None and names is not None:
            # A sender stops naming a stream once we reported on it, also when its m-line pauses
            # and comes back with the same SSRC.
            mid = names[0]
        found: ProducerSpec | None = None
        for producer in peer.producers.values():
            spec = self.specs[producer.id]
            if mid is not None:
                if spec.mid.encode() == mid:
                    found = spec
                    break
            elif _knows(spec, packet.payload_type):
                if found is not None:
                    return None
                found = spec
        if found is None or not _knows(found, packet.payload_type):
            return None
        producer = peer.producers[found.id]
        is_rtx = all(c.payload_type != packet.payload_type for c in found.codecs)
        identifier = extensions.repaired_rid if is_rtx else extensions.rid
        rid = packet.extension(identifier) if identifier else None
        if rid is None and names is not None:
            rid = names[1]
        layer: Layer | None = None
        if rid is not None:
            name = rid.decode("ascii", "replace")
            layer = next((x for x in producer.layers if x.rid == name), None)
        elif len(producer.layers) == 1:
            layer = producer.layers[0]
        if layer is None:
            return None
        if is_rtx:
            # Probes come before a layer's first packet: they must not become its SSRC.
            if not layer.ssrc:
                return None
            layer.rtx_ssrc = packet.ssrc
        elif layer.ssrc != packet.ssrc:
            signalled = found.encodings[layer.index].ssrc and mid is None
            if signalled or (layer.ssrc and now - layer.bound_at < REBIND_S):
                return None
            layer.bound_at = now
            self.rebind(peer, producer, layer, packet.ssrc)
        if mid is not None:
            peer.names[packet.ssrc] = (mid, rid)
        bound = (producer, layer, is_rtx)
        peer.ssrcs[packet.ssrc] = bound
        return bound

    def rebind(self, peer: Peer, producer: Producer, layer: Layer, ssrc: int) -> None:
        """A layer goes on with another SSRC; the state of the former is freed."""
        for old in [s for s, b in peer.ssrcs.items() if b[1] is layer]:
            del peer.ssrcs[old]
            if peer.srtp is not None and old != ssrc:
                peer.names.pop(old, None)
                peer.srtp.forget(old)
        layer.bind(ssrc)
        producer.changed = True

    # ---- RTCP

    def _rtcp(self, peer: Peer, data: bytes, now: float) -> None:
        statistics = self._statistics
        srtp = peer.srtp
        if srtp is None:
            statistics.drops["media_before_keys"] += 1
            return
        if peer.rtcp_budget <= 0:
            statistics.drops["rtcp_overload"] += 1
            return
        peer.rtcp_budget -= 1
        statistics.rtcp_in += 1
        try:
            content = rtcp.parse(srtp.unprotect_rtcp(data))
        except MalformedPacket:
            statistics.drops["rtcp_malformed"] += 1
            return
        except RemoteProtocolError:
            statistics.drops["srtcp_not_authentic"] += 1
            return
        if peer.dtls is not None:
            peer.dtls.confirm()
        self._events.feedback(peer, content, now)


def _knows(spec: ProducerSpec, payload_type: int) -> bool:
    return any(payload_type in (c.payload_type, c.rtx_payload_type) for c in spec.codecs)
