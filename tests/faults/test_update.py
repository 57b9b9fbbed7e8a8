"""An update while a lesson goes on: its processes stay as they are until it is over."""

from __future__ import annotations

import asyncio
import shutil
import signal
import urllib.request
from pathlib import Path

import msgspec
import pytest

import twinclass_media
import twinclass_recordings
from e2e.conftest import Server
from faults.conftest import Start
from faults.lesson import LightLesson, recorder_pid, until, worker_pid
from twinclass_server.adapters.data_folder import DataFolder
from twinclass_server.adapters.renewal import LOOK_S
from twinclass_server.operations.status import Operations
from twinclass_server.school import staff_path

pytestmark = pytest.mark.timeout(120)


def code_of_before(folder: Path) -> Path:
    """Copies what workers and recorder run, as another release had it."""
    for package in (twinclass_media, twinclass_recordings):
        source = Path(str(package.__file__)).parent
        shutil.copytree(source, folder / source.name)
        with (folder / source.name / "__init__.py").open("a") as file:
            file.write("# Of before.\n")
    return folder


def outdated(server: Server) -> tuple[bool, bool]:
    """(A worker, the recorder) is of before, as an operator sees it."""
    keys = DataFolder(server.data).read_keys()
    token = staff_path(keys, "operator", "operator", "", 600).partition("token=")[2]
    request = urllib.request.Request(
        server.base + "/api/operations", headers={"Authorization": f"Bearer {token}"}
    )
    with urllib.request.urlopen(request, timeout=10) as reply:
        seen = msgspec.json.decode(reply.read(), type=Operations)
    return any(worker.is_outdated for worker in seen.workers), seen.recorder.is_outdated


async def test_processes_of_before_go_on_with_their_lesson_and_are_renewed_after_it(
    start: Start, tmp_path: Path
) -> None:
    server = await start({"PYTHONPATH": str(code_of_before(tmp_path / "before"))})
    lesson = LightLesson(server, "one", rooms=1, homes=0)
    await lesson.begin()
    before = worker_pid(server, 0), recorder_pid(server)
    server.stop(signal.SIGKILL)
    del server.environment["PYTHONPATH"]
    server.start()
    await until(lambda: all(c.resumed for c in lesson.clients), 20, "all are back")
    await asyncio.sleep(LOOK_S + 2)
    assert (worker_pid(server, 0), recorder_pid(server)) == before
    assert lesson.lost() == 0
    assert outdated(server) == (True, True)

    await lesson.lead.command("lesson_close")
    await lesson.end()

    def is_renewed() -> bool:
        try:
            now = worker_pid(server, 0), recorder_pid(server)
        except LookupError:
            return False
        return not set(now) & set(before)

    await until(is_renewed, 30, "both are renewed")
    renewed = worker_pid(server, 0), recorder_pid(server)
    assert outdated(server) == (False, False)
    assert not any("killed" in line for line in server.log().splitlines())
    another = LightLesson(server, "two", rooms=1, homes=0)
    await another.begin()
    await asyncio.sleep(LOOK_S + 2)
    assert (worker_pid(server, 0), recorder_pid(server)) == renewed, "that is done once"
    await another.end()
