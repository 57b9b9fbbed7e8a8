"""Redis and the database: there, of a version that will do, and keeping what they are told."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from redis.asyncio import Redis

from twinclass_server.adapters.redis_child import OLDEST, RedisMissing, find_executable
from twinclass_server.adapters.redis_connection import mapped_errors
from twinclass_server.operations.checks.finding import Finding, ok, problem, warning
from twinclass_server.roster.database import Database, DatabaseUnusable
from twinclass_signaling.errors import Unavailable

_OLDEST = ".".join(map(str, OLDEST))


def check_redis_program() -> Finding:
    """Returns whether there is a Redis to start, for when none of ours runs yet."""
    try:
        path = find_executable()
    except RedisMissing as error:
        return problem(
            "redis",
            (f"没有 Redis {_OLDEST} 或更新的版本", str(error)),
            ("apt-get install redis-server", "apt-get install redis-server"),
        )
    return ok("redis", f"可以启动 {path}", f"{path} can be started")


async def check_redis(redis: Redis, *, is_ours: bool) -> list[Finding]:
    """Returns what a running Redis says of itself."""
    try:
        with mapped_errors():
            info: dict[str, Any] = await redis.info()
    except Unavailable:
        todo = ("看 redis/redis.log 和磁盘。", "See redis/redis.log and the disk.")
        if not is_ours:
            todo = ("检查 TWINCLASS_REDIS__URL 和那台 Redis。", "Check redis.url and that Redis.")
        return [problem("redis", ("Redis 没有回应", "Redis does not answer"), todo)]
    version = str(info.get("redis_version", "0"))
    found: list[Finding] = []
    if tuple(int(part) for part in version.split(".")[:2] if part.isdigit()) < OLDEST:
        text = (f"Redis {version} 太旧", f"Redis {version} is too old")
        found.append(problem("redis", text, (f"需要 {_OLDEST}。", f"{_OLDEST} is needed.")))
    else:
        found.append(ok("redis", f"Redis {version} 可用", f"Redis {version} answers"))
    found += _persistence(info, await _config(redis))
    return found


async def _config(redis: Redis) -> dict[str, str] | None:
    """A hosted Redis may not let us ask."""
    try:
        with mapped_errors():
            told: dict[Any, Any] = {}
            for name in ("appendfsync", "maxmemory-policy", "maxmemory"):
                told |= await redis.config_get(name)
    except Unavailable:
        return None
    return {_text(key): _text(value) for key, value in told.items()}


def _text(value: object) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)


def _persistence(info: dict[str, Any], config: dict[str, str] | None) -> list[Finding]:
    if not int(info.get("aof_enabled", 0)):
        return [
            problem(
                "redis_persistence",
                ("Redis 不写日志文件，重启就丢课堂", "Redis keeps no log: a restart loses lessons"),
                ("appendonly yes", "appendonly yes"),
            )
        ]
    if info.get("aof_last_write_status", "ok") != "ok":
        return [
            problem(
                "redis_persistence",
                ("Redis 最近一次写盘失败", "Redis could not write its log"),
                ("检查它的磁盘。", "Check its disk."),
            )
        ]
    if config is None:
        return [
            warning(
                "redis_persistence",
                ("不能查看 Redis 的落盘设置", "Its settings cannot be read"),
                (
                    "确认 appendfsync always、maxmemory-policy noeviction。",
                    "Make sure of appendfsync always and maxmemory-policy noeviction.",
                ),
            )
        ]
    if config.get("appendfsync") != "always":
        return [
            warning(
                "redis_persistence",
                ("断电会丢最后一秒的操作", "A power cut loses the last second of commands"),
                ("appendfsync always", "appendfsync always"),
            )
        ]
    if config.get("maxmemory", "0") != "0" and config.get("maxmemory-policy") != "noeviction":
        return [
            problem(
                "redis_persistence",
                ("内存不够时 Redis 会丢课堂记录", "Short of memory it would forget lessons"),
                ("maxmemory-policy noeviction", "maxmemory-policy noeviction"),
            )
        ]
    return [ok("redis_persistence", "每个操作都先落盘", "Every command is on disk first")]


def check_database(url: str, folder: Path) -> Finding:
    """Returns whether the database can be used, and what a start would do to it; blocks."""
    if not url and not (folder / "school.sqlite3").exists():
        return ok("database", "第一次启动时会建好数据库", "The first start makes the database")
    try:
        database = Database(url, folder)
        try:
            behind = database.behind()
        finally:
            database.close()
    except DatabaseUnusable as error:
        return problem(
            "database",
            (f"数据库不可用：{error}", str(error)),
            ("检查 TWINCLASS_DATABASE__URL、权限和磁盘。", "Check database.url, rights and disk."),
        )
    if behind:
        return warning(
            "database",
            ("数据库是旧版本的，下次启动会升级", "The next start brings the database up to date"),
            ("先运行 twinclass backup。", "Run twinclass backup first."),
        )
    return ok("database", "数据库可用，已是最新", "The database answers and is up to date")
