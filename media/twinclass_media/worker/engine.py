"""A worker's packets and objects, without sockets of its own: desired state in, effects out.

The engine owns ingress, egress and every peer. Shells feed it datagrams (``ingress.datagram``),
call ``pump`` when it has work and ``tick`` ten times a second, and carry its notifications
to the control plane.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from twinclass_media.echo import EchoDetector
from twinclass_media.errors import SpecError
from twinclass_media.forward.layer import HOLD_S, Layer
from twinclass_media.forward.producer import Burst, Producer
from twinclass_media.forward.row import Row
from twinclass_media.rtp import rtcp
from twinclass_media.rtp.speech import SpeechDetector
from twinclass_media.statistics import Statistics
from twinclass_media.transport import feedback
from twinclass_media.transport.certificate import Certificate
from twinclass_media.transport.dtls import DtlsContext
from twinclass_media.transport.egress import Egress
from twinclass_media.transport.ingress import Ingress
from twinclass_media.transport.peer import RTCP_BUDGET, Peer
from twinclass_media.transport.pipe import WANTS_S
from twinclass_media.worker import messages as m
from twinclass_media.worker.errands import Errands
from twinclass_media.worker.lines import Lines
from twinclass_media.worker.objects import SLOTS, Objects
from twinclass_media.worker.pipe_board import PipeBoard
from twinclass_media.worker.registry import KIND_NAMES
from twinclass_media.worker.telemetry import ECHO_S, QUALITY_S, SPEAKERS_S, Telemetry

#: Each tick wakes the process, which costs more than what it does: as few as will do ...
TICK_S = 0.1
#: ... and more while packets are missing or handshakes under way.
URGENT_TICK_S = 0.01
#: Errands and steps of handshakes between two quanta of pictures; each is at most a quarter of a
#: millisecond ...
ERRANDS_S = 0.0005
#: ... and they wait so long for sound to be sent first.
ERRANDS_WAIT_S = 0.02
#: RFC 7675: without a check for this long nothing more is sent ...
CONSENT_PAUSE_S = 10.0
#: ... and for this long the transport is closed.
CONSENT_CLOSE_S = 30.0
#: A DTLS alert (a page that left) and no check for this long: Chromium checks every 2.5 s.
ALERT_CONSENT_S = 6.0
#: A transport that never connects: the page is gone before it came.
NEVER_CONNECTED_S = 30.0


class Engine:
    """All state of one worker."""

    def __init__(
        self,
        certificate: Certificate,
        notify: Callable[[m.Notification], None],
        max_transports: int,
        now: float,
        unix: float,
        library: Any | None = None,  # noqa: ANN401 - cffi has no types
    ) -> None:
        """``now`` and ``unix``: the same instant on both clocks. ``library``: the compiled
        send loop, if there is one."""
        self.statistics = Statistics()
        self.notify = notify
        self.egress = Egress(self.statistics, self._row_blocked, library)
        #: Set by the shell: look for echo and howl in open microphones.
        self.watches_echo = True
        self._echoes: dict[str, EchoDetector] = {}
        self.ingress = Ingress(
            DtlsContext(certificate), self.statistics, self, self._speech_of, self._echoes
        )
        #: Called when there is something to pump; set by the shell.
        self.wake: Callable[[], None] = lambda: None
        self._unix_offset = unix - now
        self._speech: dict[str, SpeechDetector] = {}
        self._telemetry = Telemetry(notify)
        self._errands = Errands()
        #: Since when they wait.
        self._errands_at: float | None = None
        self._ready: dict[Layer, Producer] = {}
        self._held: dict[Layer, Producer] = {}
        self._losing: dict[Layer, tuple[Peer, Producer]] = {}
        self.pipes = PipeBoard(self.statistics, self)
        self.lines = Lines(self.egress, self.statistics, self._reshape_all, self.ask_keyframes)
        self.objects = Objects(self.ingress, self.pipes, self.statistics, self, max_transports)
        self._ticks = 0
        self._quality_at = now + QUALITY_S
        self._speakers_at = now
        self._echoes_at = now
        self._pipes_at = now

    def to_unix(self, now: float) -> float:
        """Wall-clock second of a monotonic one."""
        return now + self._unix_offset

    def _speech_of(self, router: str) -> SpeechDetector:
        detector = self._speech.get(router)
        if detector is None:
            detector = self._speech[router] = SpeechDetector()
        return detector

    # ---- desired state

    def apply(self, command: m.Apply, now: float) -> m.Applied:
        """Puts and removes; what cannot be is told, the rest is in effect."""
        problems: list[m.Problem] = []
        for removal in command.removes:
            self.objects.remove(KIND_NAMES[removal.kind], removal.id)
        for spec in command.puts:
            try:
                self.objects.put(spec, now)
            except SpecError as error:
                problems.append(m.Problem(spec.id, error.code, str(error)))
        self.lines.settle(now)
        self.wake()
        return m.Applied(command.request, tuple(problems))

    def producer_silent(self, router: str, producer: str) -> None:
        """A producer was paused or is gone: it does not speak."""
        self._speech_of(router).remove(producer)
        detector = self._echoes.get(router)
        if detector is not None:
            over = detector.remove(producer)
            if over is not None:
                self._telemetry.tell_echo(over)
            if not detector:
                del self._echoes[router]

    def microphone_open(self, router: str, producer: str) -> None:
        """A microphone that is to be watched was opened."""
        if not self.watches_echo:
            return
        self._echoes.setdefault(router, EchoDetector()).watch(producer)

    def producer_gone(self, producer: Producer) -> None:
        """A producer is gone: nothing of it waits any more."""
        for layer in producer.layers:
            for table in (self._ready, self._held, self._losing):
                table.pop(layer, None)
            self.egress.forget(layer)

    def router_gone(self, router: str) -> None:
        """A router is gone."""
        self._speech.pop(router, None)
        self._echoes.pop(router, None)
        self._telemetry.forget(router)

    # ---- events of ingress

    def peer_connected(self, peer: Peer, now: float) -> None:
        """Keys are there: its rows begin."""
        self.objects.connected(peer, now)
        self.lines.settle(now)
        self.wake()

    def peer_changed(self, peer: Peer, reason: str) -> None:
        """Tells the control plane."""
        ice, dtls = peer.state
        protocol = ""
        if peer.path is not None:
            protocol = "tcp" if peer.path.stream is not None else "udp"
        state: Any = (ice, dtls)
        self.notify(m.TransportState(peer.spec.id, state[0], state[1], protocol, reason))

    def path_changed(self, peer: Peer, now: float) -> None:
        """UDP and TCP packets have different shapes; and it may be another line. A stream that took
        no more pictures may be gone."""
        self._reshape_all(peer)
        self.stream_writable(peer)
        self.lines.moved(peer, now)

    def _reshape_all(self, peer: Peer) -> None:
        self._reshape(peer, list(peer.rows.values()))

    def row_starts(self, peer: Peer, row: Row, now: float) -> None:
        """A row is about to be fed."""
        self.lines.row_starts(peer, row, now)

    def row_changed(self, peer: Peer) -> None:
        """What a row wants has changed, or it ended."""
        self.lines.row_changed(peer)

    def peer_gone(self, peer: Peer) -> None:
        """A peer is gone."""
        self.lines.forget(peer)

    def _reshape(self, peer: Peer, rows: list[Row]) -> None:
        mids = self.objects.mids(peer)
        for row in set(rows):
            shape = peer.shape(mids.get(row.ssrc, ""), row.ssrc)
            if row.producer is not None:
                row.producer.reshape(row, shape)

    def frame_ready(self, producer: Producer, layer: Layer) -> None:
        """Flushed at the end of the receive turn."""
        self._held.pop(layer, None)
        self._ready[layer] = producer

    def frame_held(self, producer: Producer, layer: Layer) -> None:
        """Flushed when its marker comes, or when it was held long enough."""
        if layer not in self._ready:
            self._held[layer] = producer

    def gap(self, peer: Peer, producer: Producer, layer: Layer, mendable: bool) -> None:
        """NACKs are sent by the tick; what cannot be mended needs a keyframe."""
        if mendable:
            self._losing[layer] = (peer, producer)
        elif producer.video:
            layer.keyframes.wish()

    def feedback(self, peer: Peer, content: rtcp.RtcpContent, now: float) -> None:
        """Acts on a compound packet."""
        for sender in content.senders:
            bound = peer.ssrcs.get(sender.ssrc)
            if bound is not None and not bound[2]:
                bound[1].reception.add_sender_report(sender, now)
                self._note_clock(peer, bound[1], sender, now)
        if content.reports:
            known = feedback.note_reports(peer, content.reports, now, self.to_unix)
            if known:
                self._reshape(peer, known)
        if content.nacks:
            refused = feedback.answer_nacks(peer, content.nacks, self.statistics, now)
            if refused:
                self.statistics.drops["nack_refused"] += refused
        for ssrc in content.keyframes:
            row = peer.rows.get(ssrc)
            layer = (row.layer or row.wanted) if row is not None else None
            if layer is not None:
                layer.keyframes.wish()
        if content.remb_bps is not None:
            peer.available_bps = content.remb_bps
        if peer.watch is not None:
            self.lines.feedback(peer, content, now)

    def _note_clock(self, peer: Peer, layer: Layer, sender: rtcp.SenderInfo, now: float) -> None:
        """One clock offset per publisher, for all its layers; it may creep, not jump."""
        theirs = sender.ntp / 4294967296 - rtcp.NTP_UNIX_OFFSET
        offset = self.to_unix(now) - theirs
        if peer.clock_offset is None or abs(offset - peer.clock_offset) > 1.0:
            peer.clock_offset = offset
        layer.clock_offset = peer.clock_offset

    def _row_blocked(self, row: Row) -> None:
        row.stalled = True
        if row.producer is not None:
            row.producer.restart(row)

    def stream_writable(self, peer: Peer) -> None:
        """A viewer can be written to again: its pictures begin anew."""
        for row in set(peer.rows.values()):
            if row.stalled:
                row.stalled = False
                if row.producer is not None:
                    row.producer.restart(row)

    # ---- work

    def pump(self, now: float) -> bool:
        """Flushes what is ready, sends for one quantum, and then runs errands and takes steps of
        handshakes for another one, so that neither reports to a thousand viewers nor a storm of
        joins delay sound. True: call again soon."""
        if self._ready:
            ready, self._ready = self._ready, {}
            for layer, producer in ready.items():
                self.queue(producer.flush(layer, now), layer.pending_since)
                if producer.changed:
                    self.producer_changed(producer, now)
        is_left = self.egress.run()
        errands, ingress = self._errands, self.ingress
        if not errands and not ingress.dtls_waits:
            self._errands_at = None
            return is_left
        begun = time.monotonic()
        self._errands_at = self._errands_at or begun
        if not self.egress.sound_waits or begun - self._errands_at > ERRANDS_WAIT_S:
            self._errands_at = begun
            deadline = begun + ERRANDS_S
            while ingress.dtls_waits and time.monotonic() < deadline:
                ingress.step_dtls(now)
            # One at least: neither a storm of joins nor reports keep the other waiting for ever.
            errands.run(now, deadline)
        return is_left or bool(errands) or ingress.dtls_waits

    def flush_held(self, now: float) -> float | None:
        """Flushes frames that were held long enough; returns when the next one is due."""
        due = None
        for layer, producer in list(self._held.items()):
            at = layer.pending_since + HOLD_S
            if at <= now:
                self.frame_ready(producer, layer)
            elif due is None or at < due:
                due = at
        return due

    @property
    def held(self) -> bool:
        """Some frame waits for its marker."""
        return bool(self._held)

    def queue(self, bursts: list[Burst], at: float) -> None:
        """Hands bursts to the egress."""
        for burst in bursts:
            self.egress.add(burst, at)
        if bursts:
            self.wake()

    def request_keyframe(self, command: m.RequestKeyframe, now: float) -> None:
        """The control plane (a recorder) wishes for a keyframe."""
        producer = self.objects.producers.get(command.producer)
        if producer is None or not producer.video:
            return
        for layer in producer.layers:
            if layer.active and command.layer in (-1, layer.index):
                layer.keyframes.wish()
        self.ask_keyframes(producer, now)

    def ask_keyframes(self, producer: Producer, now: float) -> None:
        """Sends the keyframe requests that the throttle lets pass."""
        if not producer.video or producer.paused:
            return
        if self.pipes.pass_on_wishes(producer, now):
            return
        owner = self.objects.owners.get(producer.id)
        if owner is None or not owner.ready:
            return
        for layer in producer.layers:
            if layer.active and layer.ssrc and layer.keyframes.take(now):
                owner.send_rtcp(rtcp.picture_loss_indication(feedback.FEEDBACK_SSRC, layer.ssrc))

    def producer_changed(self, producer: Producer, now: float) -> None:
        """Tells the control plane (or the far end) about a producer's layers."""
        producer.changed = False
        self.ask_keyframes(producer, now)
        self.pipes.tell_wants(producer)
        self.notify(_state_of(producer))

    # ---- time

    @property
    def has_errands(self) -> bool:
        """Something small is to be done when sound has been sent: call ``pump``."""
        return bool(self._errands)

    @property
    def urgent(self) -> bool:
        """Something cannot wait for the next tick."""
        return bool(self._losing or self.pipes.losing or self.ingress.handshaking)

    def tick(self, now: float, urgent: bool = False) -> None:
        """Everything that is not caused by a packet. ``urgent``: only what cannot wait."""
        for layer, (peer, producer) in list(self._losing.items()):
            if feedback.ask_again(peer, layer, now) and producer.video:
                layer.keyframes.wish()
            if not layer.loss.waiting:
                del self._losing[layer]
        self.pipes.ask_again(now)
        for peer in list(self.ingress.handshaking):
            dtls = peer.dtls
            if dtls is not None and dtls.deadline is not None and now >= dtls.deadline:
                self.ingress.drive_dtls(peer, lambda d=dtls: d.handle_timeout(now), now)  # type: ignore[misc]
        if urgent:
            return
        self._ticks += 1
        self.lines.tick(now)
        top = max((len(one.layers) - 1 for one in self.objects.producers.values()), default=0)
        self.lines.relieve(self.objects.peers.values(), top, now)
        for peer in self.objects.peers.values():
            if peer.ssrcs and peer.ready:
                feedback.transport_feedback(peer)
        if self._ticks % 2 == 0:
            for producer in self.objects.producers.values():
                producer.tick(now)
                self.ask_keyframes(producer, now)
                if producer.changed:
                    self.producer_changed(producer, now)
        self._errands.add(self._report, self.objects.slots[self._ticks % SLOTS])
        self._errands.add(_heartbeat, self.objects.slots[(self._ticks + SLOTS // 2) % SLOTS])
        if now >= self._speakers_at:
            self._speakers_at = now + SPEAKERS_S
            self._telemetry.tell_speakers(self._speech, now)
        if self._echoes and now >= self._echoes_at:
            # Half a tick early: the next one would be a tick late.
            self._echoes_at = now + ECHO_S - TICK_S / 2
            self._telemetry.tell_echoes(self._echoes, now)
        if now >= self._pipes_at:
            self._pipes_at = now + WANTS_S
            self.pipes.tick(now)
        if now >= self._quality_at:
            self._quality_at = now + QUALITY_S
            self._telemetry.tell_qualities(self.objects.peers.values())

    def _report(self, peer: Peer, now: float) -> None:
        """Once a second per peer: reports, budgets, consent."""
        if peer.closed:
            return
        peer.nack_budget, peer.rtcp_budget = feedback.NACK_BUDGET, RTCP_BUDGET
        silent = now - peer.consent_at
        left = peer.suspect_at > peer.consent_at and now - peer.suspect_at > ALERT_CONSENT_S
        never = peer.state[0] == "new" and silent > NEVER_CONNECTED_S
        if left or never or silent > CONSENT_CLOSE_S:
            if peer.state[0] != "closed":
                peer.state = ("closed", peer.state[1])
                peer.update_ready(consent=False)
                self.peer_changed(peer, "consent expired")
            return
        if silent > CONSENT_PAUSE_S:
            if peer.ready:
                peer.update_ready(consent=False)
                peer.state = ("disconnected", peer.state[1])
                self.peer_changed(peer, "no checks")
            return
        if peer.ready:
            if peer.rows:
                self.lines.measure(peer, SLOTS * TICK_S, now)
                feedback.sender_reports(peer, now, self.to_unix)
            if peer.ssrcs:
                feedback.publisher_reports(peer, now)
            feedback.heartbeat(peer, now)

    # ---- reading

    def dump(self, command: m.Dump) -> m.Dumped:
        """Everything, parents first."""
        states: list[m.TransportState] = []
        for peer in self.objects.peers.values():
            state: Any = peer.state
            states.append(m.TransportState(peer.spec.id, state[0], state[1]))
        producers = tuple(_state_of(producer) for producer in self.objects.producers.values())
        return m.Dumped(command.request, tuple(self.objects.registry), tuple(states), producers)


def _state_of(producer: Producer) -> m.ProducerState:
    layers = tuple(
        m.LayerState(x.rid, x.active, producer.wants(x), x.codec, x.width, x.height)
        for x in producer.layers
    )
    return m.ProducerState(m.ProducerId(producer.id), layers)


def _heartbeat(peer: Peer, now: float) -> None:
    if peer.ready and not peer.closed:
        feedback.heartbeat(peer, now)
