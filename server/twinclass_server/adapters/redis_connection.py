"""A connection to Redis whose failures are ours: any of them is ``Unavailable``."""

from __future__ import annotations

import asyncio
from collections.abc import Generator
from contextlib import contextmanager

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError, ResponseError

from twinclass_signaling.errors import Unavailable
from twinclass_signaling.ids import LessonId

#: The set of lessons that are not closed; the only key outside a lesson's hash tag.
LESSONS_KEY = "twinclass:lessons"


def connect(url: str, timeout_s: float) -> Redis:
    """Returns a client; it connects at first use. The caller closes it."""
    return Redis.from_url(  # type: ignore[no-any-return, unused-ignore]
        url,
        socket_timeout=timeout_s,
        socket_connect_timeout=timeout_s,
        # The journal retries by reading the log again: repeating a write blindly is wrong.
        retry=Retry(NoBackoff(), 0),
    )


def scoped_key(scope: str, name: str) -> str:
    """Returns a key of one lesson or one evening of a desk; the hash tag keeps all keys of a scope
    in one slot (Redis Cluster)."""
    return f"{{{scope}}}:{name}"


def lesson_scope(lesson: LessonId) -> str:
    """Returns what the keys of a lesson begin with."""
    return f"lesson:{lesson}"


def lesson_key(lesson: LessonId, name: str) -> str:
    """Returns a key of a lesson."""
    return scoped_key(lesson_scope(lesson), name)


def log_unavailable() -> Unavailable:
    """Returns what people are told while Redis is away."""
    return Unavailable(
        "log_unavailable",
        "课堂记录暂时不可用，画面声音不受影响，请稍后再试。",
        "The lesson log is away for the moment; picture and sound go on. Try again shortly.",
        retry_after_s=2.0,
    )


@contextmanager
def mapped_errors() -> Generator[None]:
    """Turns every failure of Redis into ``Unavailable``; a script's own refusal stays.

    Raises:
        CancelledError: the task was cancelled meanwhile and nobody noticed: ``wait_for``, which
            the library uses, swallows a cancellation that comes with the result (CPython before
            3.12), and a loop around the call would go on for ever.
    """
    try:
        yield
        task = asyncio.current_task()
        if task is not None and task.cancelling():
            raise asyncio.CancelledError
    except ResponseError as error:
        if str(error).startswith(("FENCED", "ORDER")):
            raise
        raise log_unavailable() from error
    except (RedisError, OSError) as error:
        raise log_unavailable() from error


def as_bytes(value: bytes | str) -> bytes:
    """Returns a reply as bytes; the library's types leave open which of the two it gives."""
    return value.encode() if isinstance(value, str) else value


async def is_up(redis: Redis) -> bool:
    """Tells whether Redis answers now."""
    try:
        with mapped_errors():
            await redis.ping()
    except Unavailable:
        return False
    return True
