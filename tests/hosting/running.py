"""A whole server in the test's own process, with real Redis and a recording media plane."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from hosting.media import RecordingMedia
from hosting.page import close_pages
from twinclass_config import Settings, load
from twinclass_media.settings import MediaSettings
from twinclass_server.adapters.data_folder import DataFolder
from twinclass_server.app import Server, ServerParts
from twinclass_server.signal.host import LessonHost
from twinclass_signaling.ids import LessonId
from twinclass_signaling.ports import MediaListener
from twinclass_signaling.tokens import TokenKeys


@dataclass(slots=True)
class Running:
    settings: Settings
    folder: DataFolder
    server: Server
    media: RecordingMedia
    keys: TokenKeys
    task: asyncio.Task[None]

    @property
    def port(self) -> int:
        return self.settings.http.port

    @property
    def public_url(self) -> str:
        return f"http://127.0.0.1:{self.settings.http.port}"

    @property
    def admin_url(self) -> str:
        return f"http://127.0.0.1:{self.settings.http.admin_port}"

    async def create_lesson(self, lesson: str = "algebra", rooms: int = 2, homes: int = 2) -> None:
        plan = {
            "title": "示例课",
            "rooms": [
                {"id": f"room-{n}", "name": f"七({n})班", "school": f"示例{n}中"}
                for n in range(1, rooms + 1)
            ],
            "homes": homes,
        }
        async with httpx.AsyncClient(trust_env=False) as client:
            answer = await client.post(
                f"{self.admin_url}/lessons", json={"id": lesson, "plan": plan}
            )
        assert answer.status_code == 201, answer.text

    def redis_pid(self) -> int:
        child = self.server.redis_child
        assert child is not None
        assert child.pid is not None
        return child.pid

    def has_host(self, lesson: str = "algebra") -> bool:
        lessons = self.server.lessons
        return lessons is not None and LessonId(lesson) in lessons.hosts

    def lessons_host(self, lesson: str = "algebra") -> LessonHost:
        lessons = self.server.lessons
        assert lessons is not None
        return lessons.hosts[LessonId(lesson)]


@asynccontextmanager
async def running_server(
    data: Path, first_port: int, environment: dict[str, str] | None = None
) -> AsyncIterator[Running]:
    # An fsync may take seconds while a test machine compiles; tests of outages set their own.
    settings = load(
        # There is no media here that could be recorded.
        {"TWINCLASS_REDIS__TIMEOUT_S": "10", "TWINCLASS_RECORDING__ENABLED": "false"}
        | (environment or {}),
        overrides={
            "http": {"port": first_port, "admin_port": first_port + 1},
            "media": {"port": first_port + 2},
        },
    )
    folder = DataFolder(data)
    made: list[RecordingMedia] = []

    def make(media: MediaSettings, run_dir: Path, listener: MediaListener) -> RecordingMedia:
        made.append(RecordingMedia(media, run_dir, listener))
        return made[0]

    server = Server(ServerParts(settings, folder, make, folder.run))
    is_started = asyncio.Event()

    async def started() -> None:
        is_started.set()

    async with asyncio.TaskGroup() as group:
        task = group.create_task(server.run(started))
        waiting = group.create_task(is_started.wait())
        await asyncio.wait({task, waiting}, return_when=asyncio.FIRST_COMPLETED)
        waiting.cancel()
        if task.done():
            task.result()
        try:
            yield Running(settings, folder, server, made[0], folder.read_keys(), task)
        finally:
            try:
                await close_pages()
            finally:
                server.request_stop(keep_workers=False)
