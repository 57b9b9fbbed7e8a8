"""A media plane that sends nothing and remembers what it was told."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Self

from twinclass_media.settings import MediaSettings
from twinclass_media.worker.messages import WorkerStatistics
from twinclass_server.adapters.media_probe import ProbeTicket
from twinclass_server.adapters.media_recording import RecorderPort
from twinclass_server.adapters.renewal import Renewable
from twinclass_server.operations.figures import WorkerFigures
from twinclass_signaling.errors import InvalidState, SdpError, Unavailable
from twinclass_signaling.ids import LessonId, ParticipantId, SessionId
from twinclass_signaling.messages import PublishedTrack, Slots
from twinclass_signaling.ports import Grant, MediaListener, RecordingWish, Subscription


class RecordingMedia:
    """Fills ``MediaPlane``; sessions stay alive until removed, also over a host's restart."""

    def __init__(self, settings: MediaSettings, run_dir: Path, listener: MediaListener) -> None:
        self.settings, self.run_dir, self.listener = settings, run_dir, listener
        self.shutdown_workers = False
        self.sessions: dict[SessionId, ParticipantId] = {}
        self.grants: dict[ParticipantId, list[Grant]] = {}
        self.wanted: dict[SessionId, list[Subscription]] = {}
        self.closed: list[LessonId] = []
        self.recorder: RecorderPort | None = None
        self.recorded: list[RecordingWish] = []
        self.is_away = False
        self.watchers: dict[SessionId, Callable[[], None]] = {}

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *error: object) -> None:
        return None

    @property
    def processes(self) -> list[Renewable]:
        return []

    def statistics(self) -> list[WorkerStatistics]:
        return []

    def figures(self) -> list[WorkerFigures]:
        return [WorkerFigures(0, not self.is_away, None, len(self.sessions), 0)]

    async def open_probes(self) -> list[ProbeTicket]:
        return []

    async def open_session(
        self,
        lesson: LessonId,
        session: SessionId,
        participant: ParticipantId,
        video_codecs: Sequence[str],
        *,
        needed: bool = True,
    ) -> bool:
        if self.is_away:
            raise Unavailable("media_unavailable", "暂无媒体服务", "no worker", retry_after_s=1)
        is_alive = session in self.sessions
        self.sessions[session] = participant
        return is_alive

    async def publish(
        self,
        lesson: LessonId,
        session: SessionId,
        sdp: str,
        tracks: Sequence[PublishedTrack],
    ) -> str:
        if not sdp.startswith("v=0"):
            raise SdpError("sdp_malformed", "连接信息有误", "malformed")
        for track in tracks:
            self.listener.publication_started(lesson, self.sessions[session], track.source)
        return "v=0 answer"

    async def view(
        self, lesson: LessonId, session: SessionId, sdp: str, wanted: Sequence[Subscription]
    ) -> str:
        self.wanted[session] = list(wanted)
        return "v=0 answer"

    def subscribe_answered(self, lesson: LessonId, session: SessionId, n: int, sdp: str) -> None:
        raise SdpError("offer_unknown", "连接信息有误", f"no offer {n}")

    def subscribe_refused(self, lesson: LessonId, session: SessionId, n: int) -> None:
        return None

    def restart_downlink(self, lesson: LessonId, session: SessionId, fresh: bool) -> None:
        self.listener.send(lesson, session, Slots(()))

    def set_grants(
        self, lesson: LessonId, participant: ParticipantId, grants: Sequence[Grant]
    ) -> None:
        self.grants[participant] = list(grants)

    def set_subscriptions(
        self, lesson: LessonId, session: SessionId, wanted: Sequence[Subscription]
    ) -> None:
        if session not in self.sessions:
            raise InvalidState("unknown_session", "会话不存在", "not open")
        self.wanted[session] = list(wanted)

    def set_recording(self, lesson: LessonId, wish: RecordingWish) -> None:
        self.recorded.append(wish)

    def remove_session(self, lesson: LessonId, session: SessionId) -> None:
        self.sessions.pop(session, None)
        watcher = self.watchers.pop(session, None)
        if watcher is not None:
            watcher()

    def close_lesson(self, lesson: LessonId) -> None:
        self.closed.append(lesson)
        for session in list(self.sessions):
            self.remove_session(lesson, session)

    def restart_ice(self, lesson: LessonId, session: SessionId, fragment: str) -> str:
        return ""

    def watch_session(self, lesson: LessonId, session: SessionId, lost: Callable[[], None]) -> None:
        self.watchers[session] = lost

    def set_label(self, lesson: LessonId, session: SessionId, label: bytes) -> None:
        return None

    def labels(self) -> list[tuple[LessonId, SessionId, bytes]]:
        return []
