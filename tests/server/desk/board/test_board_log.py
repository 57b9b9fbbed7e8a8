"""Boards in Redis: a server that comes after another one goes on."""

from __future__ import annotations

from pathlib import Path

from pycrdt import Array, Doc

from twinclass_server.adapters.redis_board import BoardLog
from twinclass_server.adapters.redis_child import RedisChild
from twinclass_server.adapters.redis_connection import connect
from twinclass_server.desk.board import Boards


def drawn(number: int, doc: Doc[Array[object]]) -> bytes:
    before = doc.get_state()
    doc.get("marks", type=Array).append(
        {"k": "s", "i": f"s{number}", "c": "blue", "w": 20, "p": bytes(10)}
    )
    return doc.get_update(before)


async def test_a_board_outlives_its_server(tmp_path: Path) -> None:
    child = RedisChild(tmp_path / "redis")
    await child.start()
    redis = connect(child.url, 2.0)
    try:
        log, other = BoardLog(redis, "{desk:a}:board:"), BoardLog(redis, "{desk:b}:board:")
        doc: Doc[Array[object]] = Doc(client_id=5)
        boards = Boards()
        boards.open(3)
        for second in range(3):
            boards.apply(3, drawn(second, doc), "tutor", float(second))
            await log.save_late(boards, float(second))
        boards.apply(3, drawn(3, doc), "tutor", 2.1)
        await log.save_late(boards, 2.2)  # Too early: waits.
        assert len(await log.load(3)) == 3
        assert await log.load(4) == await other.load(3) == []
        assert 0 < await redis.ttl("{desk:a}:board:3") <= 24 * 3600

        await child.stop()
        await log.save_late(boards, 3.5)  # Redis is away: waits.
        await child.start()
        await log.save_late(boards, 5.0)

        after = Boards()
        after.restore(3, await log.load(3))
        page: Doc[Array[object]] = Doc()
        page.apply_update(after.close(3))
        marks = page.get("marks", type=Array).to_py()
        assert marks == doc.get("marks", type=Array).to_py()
        assert marks is not None
        assert len(marks) == 4
        await log.drop(3)
        assert await log.load(3) == []
    finally:
        await redis.aclose()
        await child.stop()
