"""How the recording of a lesson goes on disk, in words for staff: a pure function of figures."""

from __future__ import annotations

from twinclass_recordings.recorder.messages import LessonStatus, Status
from twinclass_signaling.messages import Recorder, Text

#: Lead, screen and two on stage: what a lesson takes before its own figures are known.
TYPICAL_BYTES_PER_S = 300_000
#: Below this much of a lesson's own recording its rate says nothing yet.
STEADY_S = 60.0
#: Tracks need a keyframe and a first fragment.
START_S = 5.0
#: Figures on a page are not looked at more often.
TELL_S = 2.0

_AWAY = Text(
    "录制程序正在重启，课堂不受影响；请稍候，如超过一分钟请联系管理员。",
    "The recorder is restarting; the lesson goes on. Tell an operator if it takes over a minute.",
)
_PROBLEMS: dict[str, Text] = {
    "disk_full": Text(
        "录制磁盘已满，课堂不受影响；请管理员清理磁盘，之后会自动继续录制。",
        "The recording disk is full; the lesson goes on. Recording resumes when there is space.",
    ),
    "disk_slow": Text(
        "录制磁盘太慢，部分内容没有录上；请管理员检查磁盘。",
        "The recording disk is too slow and parts are missing; an operator should check it.",
    ),
    "disk_error": Text(
        "录制磁盘出错，课堂不受影响；请管理员检查磁盘，之后会自动继续录制。",
        "The recording disk fails; the lesson goes on. Recording resumes when it works again.",
    ),
}
_SILENT = Text(
    "还没有录到声音和画面；请检查主讲的摄像头和话筒。",
    "Nothing is being recorded yet; check the lead's camera and microphone.",
)


def hours_left(status: Status, lessons: list[LessonStatus] | None = None) -> float:
    """Returns for how many hours of lessons as they are now the disk has space."""
    running = len(status.lessons if lessons is None else lessons) or 1
    rate = max(status.bytes_per_s / running, TYPICAL_BYTES_PER_S)
    return status.disk_free / rate / 3600


def progress(
    recording: str, is_on: bool, since: float, now: float, status: Status | None
) -> Recorder:
    """Returns what staff are told of one lesson. ``since``: when the recording began or was
    resumed, Unix seconds."""
    seconds = round(max(0.0, now - since), 0) if is_on else 0.0
    if status is None:
        if is_on and seconds > START_S:
            return Recorder("trouble", seconds, 0, None, _AWAY)
        return Recorder("idle", seconds, 0)
    found = next((one for one in status.lessons if one.lesson == recording), None)
    left = round(hours_left(status), 1)
    if found is None or not is_on:
        size = 0 if found is None else found.bytes
        return Recorder("idle", seconds, size, left)
    if found.problem:
        return Recorder("trouble", seconds, found.bytes, left, _PROBLEMS[found.problem])
    if found.writing == 0 and seconds > START_S:
        return Recorder("trouble", seconds, found.bytes, left, _SILENT)
    return Recorder("writing" if found.writing else "idle", seconds, found.bytes, left)


def is_news(former: Recorder, now: Recorder) -> bool:
    """Tells whether staff should be told: the state at once, figures every two seconds."""
    return (former.state, former.text) != (now.state, now.text) or (
        now.state == "writing" and abs(now.seconds - former.seconds) >= TELL_S
    )
