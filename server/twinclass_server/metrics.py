"""Numbers for Prometheus: ours counted here, the media workers' read when asked."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    GCCollector,
    PlatformCollector,
    ProcessCollector,
)
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.registry import Collector

from twinclass_media.worker.messages import Histogram, WorkerStatistics
from twinclass_server.signal.lessons import Lessons
from twinclass_signaling.roles import LESSON_ROLES


class Counters:
    """What is counted as it happens."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._protocol_errors = Counter(
            "twinclass_protocol_errors",
            "Messages that broke the client protocol or its rates, by code.",
            ["code"],
            registry=registry,
        )
        self._closed = Counter(
            "twinclass_connections_closed",
            "Client connections closed by the server, by reason.",
            ["reason"],
            registry=registry,
        )
        self._restarts = Counter(
            "twinclass_ice_restarts",
            "ICE restarts and new connections that pages asked for, by direction and reason.",
            ["direction", "reason"],
            registry=registry,
        )
        self._routes = Gauge(
            "twinclass_media_routes",
            "Pages by how their media goes: udp, tcp, or relay (TURN).",
            ["direction", "route"],
            registry=registry,
        )
        self._commands = Counter(
            "twinclass_commands", "Commands received, by kind.", ["kind"], registry=registry
        )

        self._refused = Counter(
            "twinclass_commands_refused",
            "Commands answered with an error, by kind and code.",
            ["kind", "code"],
            registry=registry,
        )

    def command_refused(self, kind: str, code: str) -> None:
        """Counts a command that was answered with an error."""
        self._refused.labels(kind, code).inc()

    def protocol_error(self, code: str) -> None:
        """Counts a message that broke the protocol."""
        self._protocol_errors.labels(code).inc()

    def closed(self, reason: str) -> None:
        """Counts a connection that the server closed."""
        self._closed.labels(reason).inc()

    def ice_restart(self, direction: str, reason: str) -> None:
        """Counts an ICE restart; an empty reason is none."""
        if reason:
            self._restarts.labels(direction, reason).inc()

    def route(self, direction: str, before: str, now: str) -> None:
        """Counts a page's media by the way it goes now; empty is no way."""
        if before != now:
            for route, step in ((before, -1), (now, 1)):
                if route:
                    self._routes.labels(direction, route).inc(step)

    def command(self, kind: str) -> None:
        """Counts a command."""
        self._commands.labels(kind).inc()


def new_registry() -> CollectorRegistry:
    """Returns a registry of its own, with the process metrics."""
    registry = CollectorRegistry()
    ProcessCollector(registry=registry)
    PlatformCollector(registry=registry)
    GCCollector(registry=registry)
    return registry


class LessonCollector(Collector):
    """Lessons, participants and Redis, as they are when asked."""

    def __init__(self, lessons: Lessons) -> None:
        self._lessons = lessons

    def collect(self) -> Iterable[Metric]:
        """Yields the gauges."""
        here = dict.fromkeys(sorted(LESSON_ROLES), 0)
        live = 0
        for host in self._lessons.hosts.values():
            live += host.state.phase == "live"
            for seat in host.state.seats.values():
                if seat.presence == "present":
                    here[seat.role] = here.get(seat.role, 0) + 1
        participants = GaugeMetricFamily(
            "twinclass_participants", "Participants present, by role.", labels=["role"]
        )
        for role, number in here.items():
            participants.add_metric([role.value], number)
        yield participants
        yield GaugeMetricFamily(
            "twinclass_live_lessons", "Lessons that are live on this node.", live
        )
        echoes = CounterMetricFamily(
            "twinclass_lesson_echo",
            "Microphones by which something came back (found), and closed for it (muted).",
            labels=["step"],
        )
        for step in ("found", "muted"):
            echoes.add_metric([step], self._lessons.echo_steps[f"echo_{step}"])
        yield echoes
        yield GaugeMetricFamily(
            "twinclass_redis_up", "1 when Redis answers.", int(self._lessons.is_redis_up)
        )


class MediaCollector(Collector):
    """The workers' counters, summed over workers."""

    def __init__(self, statistics: Callable[[], Sequence[WorkerStatistics]]) -> None:
        self._statistics = statistics

    def collect(self) -> Iterable[Metric]:
        """Yields the families of the last reading."""
        workers = self._statistics()
        yield _summed("packets", "RTP packets.", [worker.packets for worker in workers])
        yield _summed("bytes", "RTP bytes.", [worker.bytes for worker in workers])
        drops = _sum([worker.drops for worker in workers])
        dropped = CounterMetricFamily(
            "twinclass_media_drops", "What was dropped, by reason.", labels=["reason"]
        )
        for reason, number in sorted(drops.items()):
            dropped.add_metric([reason], number)
        yield dropped
        lines = _sum([worker.lines for worker in workers])
        changed = CounterMetricFamily(
            "twinclass_media_lines", "Viewers' lines found narrow, wide, deaf.", labels=["state"]
        )
        for state, number in sorted(lines.items()):
            changed.add_metric([state], number)
        yield changed
        yield _histogram(
            "twinclass_media_forward_delay_seconds",
            "Receive to send, hold included.",
            [worker.forward_delay_s for worker in workers],
        )
        yield _histogram(
            "twinclass_media_sendmsg_segments",
            "Packets a sendmsg call.",
            [worker.sendmsg_segments for worker in workers],
        )
        yield GaugeMetricFamily("twinclass_media_workers", "Workers running.", len(workers))
        for name, text, values in (
            ("transports", "Transports.", [worker.transports for worker in workers]),
            ("producers", "Producers.", [worker.producers for worker in workers]),
            ("consumers", "Consumers.", [worker.consumers for worker in workers]),
            ("memory_bytes", "Memory of all workers.", [worker.rss_bytes for worker in workers]),
        ):
            yield GaugeMetricFamily(f"twinclass_media_{name}", text, sum(values))
        yield CounterMetricFamily(
            "twinclass_media_cpu_seconds", "CPU of all workers.", sum(w.cpu_s for w in workers)
        )


def _sum(parts: Iterable[dict[str, int]]) -> dict[str, int]:
    total: dict[str, int] = {}
    for part in parts:
        for key, value in part.items():
            total[key] = total.get(key, 0) + value
    return total


def _summed(name: str, text: str, parts: Iterable[dict[str, int]]) -> Metric:
    family = CounterMetricFamily(f"twinclass_media_{name}", text, labels=["direction"])
    for direction, number in sorted(_sum(parts).items()):
        family.add_metric([direction], number)
    return family


def _histogram(name: str, text: str, parts: Sequence[Histogram]) -> Metric:
    family = HistogramMetricFamily(name, text)
    if parts:
        bounds = parts[0].bounds
        summed = [sum(column) for column in zip(*(part.counts for part in parts), strict=True)]
        buckets: list[tuple[str, float]] = []
        running = 0
        for bound, count in zip((*bounds, float("inf")), summed, strict=True):
            running += count
            buckets.append(("+Inf" if bound == float("inf") else repr(bound), running))
        family.add_metric([], buckets, sum(part.total for part in parts))
    return family
