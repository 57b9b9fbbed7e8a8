"""What a worker tells about lines and voices, a few times a second."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping

from twinclass_media.echo import EchoDetector, Finding
from twinclass_media.rtp.speech import SpeechDetector
from twinclass_media.transport.peer import Peer
from twinclass_media.worker import messages as m

QUALITY_S = 2.0
SPEAKERS_S = 0.3
#: An echo is to be found within 2 s: two to four looks after a second of it.
ECHO_S = 0.2


def _held(peer: Peer) -> Iterator[tuple[m.ConsumerId, int]]:
    """What gets less than it wants for want of a line, and the layer it may have."""
    for ssrc, row in peer.rows.items():
        producer = row.producer
        if ssrc != row.ssrc or producer is None or not producer.video or producer.paused:
            continue
        if row.ceiling < min(producer.max_layers.get(row, 0), len(producer.layers) - 1):
            yield m.ConsumerId(row.id), row.ceiling


class Telemetry:
    """Remembers what was told, so that only news is."""

    def __init__(self, notify: Callable[[m.Notification], None]) -> None:
        self._notify = notify
        self._speakers: dict[str, list[str]] = {}
        #: What was smaller than wanted when lines were looked at last.
        self._smaller: frozenset[m.ConsumerId] = frozenset()

    def forget(self, router: str) -> None:
        """A router is gone."""
        self._speakers.pop(router, None)

    def tell_speakers(self, detectors: Mapping[str, SpeechDetector], now: float) -> None:
        """Tells each router's speakers when they or their order changed."""
        for router, detector in detectors.items():
            speakers = detector.speakers(now)
            names = [name for name, _ in speakers]
            if names != self._speakers.get(router, []):
                self._speakers[router] = names
                voices = tuple((m.ProducerId(name), level) for name, level in speakers)
                self._notify(m.Speakers(m.RouterId(router), voices))

    def tell_echoes(self, detectors: Mapping[str, EchoDetector], now: float) -> None:
        """Looks at all open microphones that are watched, and tells what changed."""
        for detector in detectors.values():
            for finding in detector.look(now):
                self.tell_echo(finding)

    def tell_echo(self, finding: Finding) -> None:
        """Tells one change."""
        key, trouble, age_s, lag_s, likeness, gain_db = finding
        self._notify(m.Echo(m.ProducerId(key), trouble or "none", age_s, lag_s, likeness, gain_db))

    def tell_qualities(self, peers: Iterable[Peer]) -> None:
        """Tells how every connected line did over the last period.

        Each picture is small at first, until its line has shown what it carries: smaller than it
        could be is one that still is so when it is looked at again.
        """
        links: list[m.LinkQuality] = []
        smaller: set[m.ConsumerId] = set()
        for peer in peers:
            if peer.state != ("connected", "connected"):
                continue
            sent = sum(row.octets for ssrc, row in peer.rows.items() if ssrc == row.ssrc)
            held = list(_held(peer))
            small = [name for name, layer in held if layer >= 0]
            smaller.update(small)
            losses = [layer.reception.loss for _, layer, rtx in peer.ssrcs.values() if not rtx]
            links.append(
                m.LinkQuality(
                    peer.spec.id,
                    rtt_ms=peer.rtt_s * 1000,
                    receive_bps=int((peer.bytes_in - peer.received_mark) * 8 / QUALITY_S),
                    send_bps=max(0, int((sent - peer.bytes_out_mark) * 8 / QUALITY_S)),
                    send_loss=peer.reported_loss,
                    receive_loss=max(losses, default=0.0),
                    available_bps=peer.available_bps,
                    budget_bps=int(peer.line.estimator.target_bps) if peer.line else 0,
                    smaller=tuple(name for name in small if name in self._smaller),
                    stopped=tuple(name for name, layer in held if layer < 0),
                )
            )
            peer.received_mark = peer.bytes_in
            peer.bytes_out_mark = sent
        self._smaller = frozenset(smaller)
        if links:
            self._notify(m.Qualities(tuple(links)))
