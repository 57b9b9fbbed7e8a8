"""The worker process (shell): sockets, timers, control socket, one event loop."""

from __future__ import annotations

import asyncio
import datetime
import logging
import os
import resource
import signal
import time
from dataclasses import dataclass
from pathlib import Path

from twinclass_media.forward.layer import HOLD_S
from twinclass_media.release import RELEASE
from twinclass_media.settings import MediaSettings
from twinclass_media.statistics import Distribution
from twinclass_media.transport.addresses import announced_candidates
from twinclass_media.transport.certificate import generate_certificate
from twinclass_media.transport.egress import PACE_S
from twinclass_media.transport.native.compiling import LIBRARY
from twinclass_media.transport.native.library import load
from twinclass_media.transport.pipe import PipeSocket
from twinclass_media.transport.tcp import TcpEndpoint
from twinclass_media.transport.udp import UdpEndpoint
from twinclass_media.worker import messages as m
from twinclass_media.worker.control import ControlServer
from twinclass_media.worker.engine import TICK_S, URGENT_TICK_S, Engine
from twinclass_media.worker.garbage import Garbage

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class WorkerOptions:
    """One worker's share of the settings. ``run_dir`` holds its sockets."""

    index: int
    run_dir: Path
    settings: MediaSettings
    native_library: Path = LIBRARY

    @property
    def port(self) -> int:
        """UDP and TCP port."""
        return self.settings.port + self.index


class Worker:
    """Owns the loop's callbacks; the engine does the work."""

    def __init__(self, options: WorkerOptions) -> None:
        self._options = options
        now = time.monotonic()
        library = None
        if options.settings.native == "auto":
            library = load(options.native_library)
        log.info("send loop: %s", "compiled" if library is not None else "Python")
        self._certificate = generate_certificate(datetime.datetime.now(datetime.UTC))
        self._engine = Engine(
            self._certificate,
            self._notify,
            options.settings.max_transports,
            now,
            time.time(),
            library,
        )
        self._engine.watches_echo = options.settings.echo == "auto"
        self._engine.wake = self._wake
        self._loop = asyncio.get_running_loop()
        self._stop = asyncio.Event()
        self._next_pump: asyncio.Handle | None = None
        self._hold_timer: asyncio.TimerHandle | None = None
        self._pace_timer: asyncio.TimerHandle | None = None
        self._alone_since: float | None = now
        self._garbage = Garbage(now)
        self._next_tick = self._full_tick_at = now
        self._tick_timer: asyncio.TimerHandle | None = None
        self._udp: list[UdpEndpoint] = []
        self._tcp: list[TcpEndpoint] = []
        self._control = ControlServer(
            options.run_dir / f"worker-{options.index}.sock",
            self._handle,
            self._attached,
            self._set_alone,
        )

    async def run(self) -> None:
        """Serves until told to stop.

        Raises:
            OSError: an address or a port cannot be had.
        """
        options = self._options
        settings, port = options.settings, options.port
        engine = self._engine
        for host in settings.bind:
            try:
                udp = UdpEndpoint(
                    host, port, engine.ingress, engine.statistics, self._after, time.monotonic
                )
            except OSError as error:
                if host == "::1" and len(settings.bind) > 1:
                    log.info("no IPv6 loopback here: %s", error)
                    continue
                raise
            self._udp.append(udp)
            udp.start(self._loop)
            if settings.tcp:
                tcp = TcpEndpoint(
                    host,
                    port,
                    engine.ingress,
                    engine.egress,
                    engine.statistics,
                    self._after,
                    engine.stream_writable,
                    time.monotonic,
                )
                self._tcp.append(tcp)
                tcp.start()
        for number in (signal.SIGTERM, signal.SIGINT):
            self._loop.add_signal_handler(number, self._stop.set)
        pipe_socket = PipeSocket(options.run_dir / f"pipe-{options.index}.sock", engine.statistics)
        engine.pipes.socket = pipe_socket
        pipe_socket.start(self._loop, engine.pipes.handle, self._after)
        await self._control.start()
        self._garbage.begin()
        log.info("worker %d listens on port %d", options.index, port)
        self._loop.call_soon(self._tick)
        try:
            await self._stop.wait()
        finally:
            await self._control.aclose()
            pipe_socket.close(self._loop)
            for udp in self._udp:
                udp.close(self._loop)
            for tcp in self._tcp:
                tcp.close()

    # ---- work

    def _after(self) -> bool:
        """End of a receive turn: flush, send, and remember frames that wait."""
        self._pump()
        return self._engine.egress.sound_waits

    def _wake(self) -> None:
        if self._next_pump is None:
            self._next_pump = self._loop.call_soon(self._pump)

    def _pump(self) -> None:
        # One is under way at a time: two would send for two quanta before anything is received.
        if self._next_pump is not None:
            self._next_pump.cancel()
            self._next_pump = None
        engine = self._engine
        if engine.pump(time.monotonic()):
            retry_at = engine.egress.retry_at
            if retry_at is None:
                self._next_pump = self._loop.call_soon(self._pump)
            else:
                self._next_pump = self._loop.call_at(retry_at, self._pump)
        if (
            engine.urgent
            and self._tick_timer
            and self._next_tick - time.monotonic() > URGENT_TICK_S
        ):
            self._tick_timer.cancel()
            self._next_tick = time.monotonic() + URGENT_TICK_S
            self._tick_timer = self._loop.call_at(self._next_tick, self._tick)
        if engine.egress.paces and self._pace_timer is None:
            self._pace_timer = self._loop.call_later(PACE_S, self._pace)
        if not engine.held:
            if self._hold_timer is not None:
                self._hold_timer.cancel()
                self._hold_timer = None
        elif self._hold_timer is None:
            self._hold_timer = self._loop.call_later(HOLD_S, self._flush_held)

    def _pump_once(self) -> None:
        """Pumps now, unless that is done in this round of the loop anyway."""
        if self._next_pump is None:
            self._pump()

    def _pace(self) -> None:
        self._pace_timer = None
        self._engine.egress.pace(time.monotonic())
        self._pump_once()

    def _flush_held(self) -> None:
        self._hold_timer = None
        due = self._engine.flush_held(time.monotonic())
        if due is not None:
            self._hold_timer = self._loop.call_at(due, self._flush_held)
        self._pump_once()

    def _tick(self) -> None:
        now = time.monotonic()
        engine = self._engine
        lag = now - self._next_tick
        engine.statistics.loop_lag_s = max(engine.statistics.loop_lag_s, lag)
        due = now >= self._full_tick_at
        try:
            engine.tick(now, urgent=not due)
        finally:
            # Whatever went wrong with one peer, time goes on for the others.
            self._plan_tick(now, due=due)
        if engine.has_errands or engine.egress.busy or engine.egress.paces:
            self._wake()
        if due:
            for tcp in self._tcp:
                tcp.tick(now)
            self._garbage.tick(engine.statistics.packets_out, now)
            alone = self._alone_since
            if alone is not None and now - alone > self._options.settings.drain_s:
                log.warning("no control plane for %.0f s: this worker ends", now - alone)
                self._stop.set()

    def _plan_tick(self, now: float, *, due: bool) -> None:
        if due:
            self._full_tick_at = max(self._full_tick_at + TICK_S, now)
        step = URGENT_TICK_S if self._engine.urgent else TICK_S
        self._next_tick = min(self._full_tick_at, now + step)
        self._tick_timer = self._loop.call_at(self._next_tick, self._tick)

    # ---- control

    def _set_alone(self, alone: bool) -> None:
        self._alone_since = time.monotonic() if alone else None

    def _notify(self, message: m.Notification) -> None:
        self._control.notify(message)

    def _attached(self, epoch: int) -> m.Attached:
        options = self._options
        return m.Attached(
            worker=options.index,
            pid=os.getpid(),
            epoch=epoch,
            fingerprint=m.Fingerprint("sha-256", self._certificate.fingerprint),
            candidates=announced_candidates(options.settings, options.index),
            pipe_socket=str(options.run_dir / f"pipe-{options.index}.sock"),
            release=RELEASE,
        )

    def _handle(self, command: m.Command) -> m.Notification | None:
        now = time.monotonic()
        if isinstance(command, m.Apply):
            return self._engine.apply(command, now)
        if isinstance(command, m.Dump):
            return self._engine.dump(command)
        if isinstance(command, m.ReadStatistics):
            return self._statistics(command.request)
        if isinstance(command, m.RequestKeyframe):
            self._engine.request_keyframe(command, now)
        elif isinstance(command, m.Shutdown):
            self._stop.set()
        return None

    def _statistics(self, request: int) -> m.WorkerStatistics:
        engine = self._engine
        s = engine.statistics
        usage = resource.getrusage(resource.RUSAGE_SELF)
        lag, s.loop_lag_s = s.loop_lag_s, 0.0
        delays = [a + v for a, v in zip(s.audio_delay.counts, s.video_delay.counts, strict=True)]
        return m.WorkerStatistics(
            request=request,
            packets={
                "in": s.packets_in,
                "out": s.packets_out,
                "rtcp_in": s.rtcp_in,
                "rtcp_out": s.rtcp_out,
                "retransmitted": s.retransmitted,
            },
            bytes={"in": s.bytes_in, "out": s.bytes_out},
            drops=dict(s.drops),
            lines=dict(s.lines),
            forward_delay_s=m.Histogram(
                s.audio_delay.bounds, tuple(delays), s.audio_delay.total + s.video_delay.total
            ),
            audio_delay_s=_histogram(s.audio_delay),
            video_delay_s=_histogram(s.video_delay),
            sendmsg_segments=_histogram(s.segments),
            transports=len(engine.objects.peers),
            producers=len(engine.objects.producers),
            consumers=len(engine.objects.rows),
            cpu_s=usage.ru_utime + usage.ru_stime,
            rss_bytes=_resident_bytes(),
            loop_lag_s=lag,
        )


def _histogram(d: Distribution) -> m.Histogram:
    return m.Histogram(tuple(d.bounds), tuple(d.counts), d.total)


def _resident_bytes() -> int:
    with open("/proc/self/statm", encoding="ascii") as file:
        return int(file.read().split()[1]) * resource.getpagesize()
