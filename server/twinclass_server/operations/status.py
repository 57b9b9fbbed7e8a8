"""From figures to what an operator sees: lights, and a list of what needs somebody.

Core: no clock, no I/O. The structs are the vocabulary of ``GET /api/operations``.
"""

from __future__ import annotations

from datetime import UTC, datetime

from msgspec import Struct

from twinclass_recordings.recorder.messages import Status
from twinclass_server.operations.figures import Figures, LessonFigures, StoreFigures, WorkerFigures
from twinclass_server.operations.room_state import TODO, Light, RoomLight
from twinclass_server.recording.progress import hours_left
from twinclass_signaling.lesson.state import Phase
from twinclass_signaling.messages import Text

#: A school day of lessons side by side; below two hours the next lesson may not fit.
AMBER_HOURS, RED_HOURS = 8.0, 2.0
#: A certificate is renewed a month before; a week is what a holiday takes.
AMBER_DAYS, RED_DAYS = 30, 7
#: Each command waits for Redis; from here on people notice.
SLOW_REDIS_MS = 200.0
SLOW_DATABASE_MS = 1000.0
#: Of one core; a worker is one core, and above this its queues begin to grow.
AMBER_CPU, RED_CPU = 0.75, 0.95
#: Without recorder figures: what the platform needs for logs and the database.
AMBER_FREE, RED_FREE = 5 * 2**30, 2**30
_ORDER: dict[Light, int] = {"red": 0, "amber": 1, "grey": 2, "green": 3}


class Need(Struct, frozen=True):
    """One thing that needs somebody: what, where, and what to do."""

    code: str
    state: Light
    what: Text
    todo: Text
    #: Names of rooms, at most as many as a lesson has.
    where: tuple[str, ...] = ()
    #: Title of the lesson.
    lesson: str = ""


class LessonLine(Struct, frozen=True):
    """One lesson; ``minutes``: since the bell, None before it. Rooms: worst first."""

    id: str
    title: str
    phase: Phase
    state: Light
    minutes: int | None
    planned_minutes: int
    rooms_present: int
    rooms_expected: int
    homes_present: int
    homes_expected: int
    recording: Text
    recording_state: Light
    rooms: tuple[RoomLight, ...]


class Disk(Struct, frozen=True):
    """Where recordings go. ``lesson_hours``: None where nothing is recorded."""

    state: Light
    free_bytes: int | None
    total_bytes: int
    lesson_hours: float | None


class Store(Struct, frozen=True):
    """Redis or the database."""

    state: Light
    is_up: bool
    latency_ms: float | None
    memory_bytes: int | None
    is_ours: bool


class Worker(Struct, frozen=True):
    """A media worker. ``cpu``: share of its core; ``viewers``: lines of people; ``is_outdated``: of
    before an update, and replaced as soon as nobody is on any."""

    index: int
    state: Light
    is_up: bool
    cpu: float | None
    viewers: int
    memory_bytes: int
    is_outdated: bool


class RecorderLine(Struct, frozen=True):
    """The recorder's process; grey where nothing is recorded."""

    state: Light
    lessons: int
    bytes_per_s: int
    is_outdated: bool = False


class Certificate(Struct, frozen=True):
    """The certificate of the pages; grey: a proxy has it, or there is none."""

    state: Light
    days_left: int | None


class Operations(Struct, frozen=True):
    """Body of ``GET /api/operations``. ``at``: the server's clock, Unix seconds."""

    at: float
    version: str
    uptime_s: int
    needs: tuple[Need, ...]
    lessons: tuple[LessonLine, ...]
    elsewhere: int
    disk: Disk
    redis: Store
    database: Store
    workers: tuple[Worker, ...]
    recorder: RecorderLine
    certificate: Certificate


def operations(figures: Figures) -> Operations:
    """Returns the picture of one look."""
    lessons = tuple(sorted((_lesson(one, figures) for one in figures.lessons), key=_lesson_order))
    disk, disk_needs = _disk(figures)
    redis, redis_needs = _redis(figures.redis)
    database, database_needs = _database(figures.database)
    certificate, certificate_needs = _certificate(figures)
    recorder, recorder_needs = _recorder(figures)
    judged = [_worker(worker) for worker in figures.workers]
    needs = [*redis_needs, *database_needs]
    needs += [need for _, found in judged for need in found]
    needs += [*recorder_needs, *disk_needs, *certificate_needs]
    for one in lessons:
        needs += _of_lesson(one)
    if figures.is_draining:
        needs.append(_DRAINING)
    return Operations(
        at=figures.now,
        version=figures.version,
        uptime_s=max(0, int(figures.now - figures.started_at)),
        needs=tuple(sorted(needs, key=lambda need: _ORDER[need.state])),
        lessons=lessons,
        elsewhere=figures.elsewhere,
        disk=disk,
        redis=redis,
        database=database,
        workers=tuple(worker for worker, _ in judged),
        recorder=recorder,
        certificate=certificate,
    )


# ---- lessons -----------------------------------------------------------------------------------


def _lesson(figures: LessonFigures, all_figures: Figures) -> LessonLine:
    # Sorting keeps the plan's order among rooms of one state.
    rooms = tuple(sorted(figures.rooms, key=lambda room: _ORDER[room.state]))
    recording, light = _recording(figures, all_figures)
    states: list[Light] = [state for room in rooms if (state := room.state) != "grey"]
    if light != "grey":
        states.append(light)
    worst: Light = min(states, key=lambda state: _ORDER[state]) if states else "grey"
    started = figures.opened_at if figures.phase == "live" else None
    return LessonLine(
        id=figures.id,
        title=figures.title,
        phase=figures.phase,
        state=worst,
        minutes=None if started is None else max(0, int((all_figures.now - started) // 60)),
        planned_minutes=figures.planned_minutes,
        rooms_present=figures.counts.rooms_present,
        rooms_expected=figures.counts.rooms_expected,
        homes_present=figures.counts.homes_present,
        homes_expected=figures.counts.homes_expected,
        recording=recording,
        recording_state=light,
        rooms=rooms,
    )


def _recording(figures: LessonFigures, everything: Figures) -> tuple[Text, Light]:
    if not everything.records:
        return Text("这台服务器不录制", "This server records nothing"), "grey"
    if not figures.wants_recording:
        return Text("不录制", "Not to be recorded"), "grey"
    if figures.phase != "live":
        return Text("上课后开始录制", "Recording begins with the bell"), "grey"
    if not figures.is_recording:
        return Text("录制已暂停", "Recording is paused"), "grey"
    told = figures.recorder
    if told is not None and told.state == "trouble":
        return told.text or Text("录制出错", "Recording trouble"), "red"
    if told is None or told.state == "idle":
        return Text("正在开始录制", "Recording starts"), "grey"
    return Text("正在录制", "Recording"), "green"


def _lesson_order(line: LessonLine) -> tuple[int, int, str]:
    return (_ORDER[line.state], 0 if line.phase == "live" else 1, line.title)


def _of_lesson(line: LessonLine) -> list[Need]:
    """One line a reason, however many rooms share it."""
    needs: list[Need] = []
    for code, todo in TODO.items():
        rooms = [room for room in line.rooms if room.code == code]
        if rooms:
            where = tuple(" ".join((room.name, room.school)).strip() for room in rooms)
            needs.append(Need(code, rooms[0].state, rooms[0].reason, todo, where, line.title))
    if line.recording_state == "red":
        todo = Text(
            "课照常上；请处理磁盘或录制程序，再看这里。",
            "The lesson goes on; see to the disk or the recorder, then look here again.",
        )
        needs.append(Need("recording", "red", line.recording, todo, (), line.title))
    return needs


# ---- the machine -------------------------------------------------------------------------------

_DRAINING = Need(
    "draining",
    "amber",
    Text("服务器正在停止", "The server is stopping"),
    Text("课堂会自己重连到新的进程。", "Lessons reconnect to the next process by themselves."),
)


def _disk(figures: Figures) -> tuple[Disk, list[Need]]:
    free = figures.disk_free
    if free is None:
        need = Need(
            "disk_away",
            "red",
            Text("录制磁盘读不到", "The recording disk cannot be read"),
            Text(
                "检查磁盘是否挂载、权限是否正确。",
                "Check that the disk is mounted and belongs to the service's user.",
            ),
        )
        return Disk("red", None, figures.disk_total, None), [need]
    hours = None
    if figures.records:
        status = figures.recorder or Status((), free, 0, 0.0)
        hours = round(hours_left(status), 1)
    light: Light = "green"
    if free < RED_FREE or (hours is not None and hours < RED_HOURS):
        light = "red"
    elif free < AMBER_FREE or (hours is not None and hours < AMBER_HOURS):
        light = "amber"
    found = Disk(light, free, figures.disk_total, hours)
    if light == "green":
        return found, []
    return found, [
        Need(
            "disk_low",
            light,
            Text("磁盘快满了", "The disk is nearly full"),
            Text(
                "删掉不再需要的录像（课程库里取消“长期保留”），或换更大的磁盘。",
                "Delete recordings nobody needs (untick “Keep” in the library), or add a disk.",
            ),
        )
    ]


def _redis(figures: StoreFigures) -> tuple[Store, list[Need]]:
    if not figures.is_up:
        todo = Text(
            "画面声音不受影响，但操作会被拒绝。程序会自动重启它；"
            "一分钟后还没好，请看 redis/redis.log。",
            "Picture and sound go on, commands are refused. It is restarted by itself; if that "
            "takes over a minute see redis/redis.log.",
        )
        if not figures.is_ours:
            todo = Text(
                "画面声音不受影响，但操作会被拒绝。请检查外部的 Redis。",
                "Picture and sound go on, commands are refused. Check your Redis.",
            )
        text = Text("课堂记录（Redis）不可用", "The lesson log (Redis) is away")
        return _store("red", figures), [Need("redis_away", "red", text, todo)]
    if figures.latency_ms is not None and figures.latency_ms > SLOW_REDIS_MS:
        text = Text("课堂记录（Redis）很慢", "The lesson log (Redis) is slow")
        todo = Text("检查数据文件夹所在的磁盘是否繁忙。", "Check what keeps the data disk busy.")
        return _store("amber", figures), [Need("redis_slow", "amber", text, todo)]
    return _store("green", figures), []


def _database(figures: StoreFigures) -> tuple[Store, list[Need]]:
    if not figures.is_up:
        text = Text("数据库不可用", "The database is away")
        todo = Text(
            "正在上的课不受影响；排课和课程库暂停。请检查数据库和磁盘。",
            "Lessons go on; planning and the library wait. Check the database and its disk.",
        )
        return _store("red", figures), [Need("database_away", "red", text, todo)]
    if figures.latency_ms is not None and figures.latency_ms > SLOW_DATABASE_MS:
        text = Text("数据库很慢", "The database is slow")
        todo = Text("检查数据库所在的机器和磁盘。", "Check the machine and disk of the database.")
        return _store("amber", figures), [Need("database_slow", "amber", text, todo)]
    return _store("green", figures), []


def _store(light: Light, figures: StoreFigures) -> Store:
    return Store(light, figures.is_up, figures.latency_ms, figures.memory_bytes, figures.is_ours)


def _worker(figures: WorkerFigures) -> tuple[Worker, list[Need]]:
    number = figures.index + 1
    light: Light = "green"
    needs: list[Need] = []
    cpu = figures.cpu_share
    if not figures.is_up:
        light = "red"
        needs.append(
            Need(
                "worker_away",
                light,
                Text(f"媒体进程 {number} 不在", f"Media worker {number} is away"),
                Text(
                    f"它会自动重启；一分钟后还没好，请看 run/worker-{figures.index}.log。",
                    "It is restarted by itself; if that takes over a minute see "
                    f"run/worker-{figures.index}.log.",
                ),
            )
        )
    elif cpu is not None and cpu > AMBER_CPU:
        light = "red" if cpu > RED_CPU else "amber"
        needs.append(
            Need(
                "worker_busy",
                light,
                Text(
                    f"媒体进程 {number} 太忙（{cpu:.0%}）",
                    f"Media worker {number} is too busy ({cpu:.0%})",
                ),
                Text(
                    "下次启动时增加 --workers，或停掉这台机器上的其他程序。",
                    "Start with more --workers next time, or stop other programs here.",
                ),
            )
        )
    worker = Worker(
        figures.index,
        light,
        figures.is_up,
        cpu if figures.is_up else None,
        (figures.transports + 1) // 2 if figures.is_up else 0,
        figures.memory_bytes if figures.is_up else 0,
        figures.is_outdated,
    )
    return worker, needs


def _recorder(figures: Figures) -> tuple[RecorderLine, list[Need]]:
    if not figures.records:
        return RecorderLine("grey", 0, 0), []
    if not figures.recorder_up:
        reason = figures.recorder_trouble
        text = Text("录制程序不在", "The recorder is away")
        todo = Text(
            "课照常上，但没有录制。它会自动重启；请看 run/recorder.log。"
            + (f"（{reason}）" if reason else ""),
            "Lessons go on without being recorded. It is restarted by itself; see run/recorder.log."
            + (f" ({reason})" if reason else ""),
        )
        return RecorderLine("red", 0, 0), [Need("recorder_away", "red", text, todo)]
    status, is_outdated = figures.recorder, figures.recorder_outdated
    if status is None:
        return RecorderLine("green", 0, 0, is_outdated), []
    return RecorderLine("green", len(status.lessons), status.bytes_per_s, is_outdated), []


def _certificate(figures: Figures) -> tuple[Certificate, list[Need]]:
    if not figures.has_certificate:
        return Certificate("grey", None), []
    todo = Text("换上新证书，然后重启服务器。", "Put a new certificate in place and restart.")
    if figures.certificate_ends is None:
        text = Text("证书读不了", "The certificate cannot be read")
        return Certificate("red", None), [Need("certificate", "red", text, todo)]
    left = figures.certificate_ends - datetime.fromtimestamp(figures.now, UTC)
    days = int(left.total_seconds() // 86400)
    light: Light = "red" if days < RED_DAYS else "amber" if days < AMBER_DAYS else "green"
    if light == "green":
        return Certificate(light, days), []
    text = Text(f"证书还有 {days} 天到期", f"The certificate ends in {days} days")
    if days < 0:
        text = Text("证书已过期", "The certificate has expired")
    return Certificate(light, days), [Need("certificate", light, text, todo)]
