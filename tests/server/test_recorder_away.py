"""A server whose recordings cannot be written teaches all the same, and says so."""

from __future__ import annotations

from pathlib import Path

import pytest

from e2e.conftest import Server
from faults.lesson import LightLesson

pytestmark = pytest.mark.timeout(90)


async def test_a_folder_that_cannot_be_made_keeps_nobody_from_teaching(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    server = Server(
        tmp_path / "data",
        environment={"TWINCLASS_RECORDING__FOLDER": str(tmp_path / "file" / "recordings")},
    )
    server.start()
    try:
        await server.wait_ready()
        lesson = LightLesson(server, "one", rooms=1, homes=0)
        try:
            await lesson.begin()
        finally:
            await lesson.end()
        assert "recorder" in server.log()
        assert server.process is not None
        assert server.process.poll() is None
    finally:
        server.stop()
