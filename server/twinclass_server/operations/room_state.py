"""The state of one classroom for an operator: a traffic light and its reason. Pure functions."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

from twinclass_signaling.ids import ParticipantId
from twinclass_signaling.lesson.state import LessonState
from twinclass_signaling.messages import Quality, Report, Text

Light = Literal["green", "amber", "red", "grey"]
#: After the bell a room that was never here is missing, not late; a minute is for late starters.
MISSING_S = 60.0


class RoomLight(Struct, frozen=True):
    """One room; ``reason`` says in words what the colour means, ``code`` stably."""

    id: str
    name: str
    school: str
    state: Light
    code: str
    reason: Text


_REASONS: dict[str, tuple[Light, Text]] = {
    "waiting": ("grey", Text("还没有进入", "Not here yet")),
    "missing": ("red", Text("已上课，仍未进入", "The lesson runs and it is not here")),
    "left": ("grey", Text("已离开", "Has left")),
    "lost": ("red", Text("断线，正在重连", "Line lost, reconnecting")),
    "line_lost": ("red", Text("音视频中断，正在重连", "Media lost, reconnecting")),
    "no_media": ("amber", Text("没有摄像头和话筒", "No camera and no microphone")),
    "no_camera": ("amber", Text("没有摄像头画面", "No camera picture")),
    "no_microphone": ("amber", Text("没有话筒声音", "No microphone")),
    "sound_blocked": (
        "amber",
        Text("声音被拦住，请点一下大屏", "Sound is blocked: click there"),
    ),
    "line_poor": ("amber", Text("网络差", "Poor line")),
    "fine": ("green", Text("正常", "Fine")),
}
#: What somebody should do about it; the other reasons need nobody.
TODO: dict[str, Text] = {
    "missing": Text(
        "打电话给这间教室：打开大屏上的课堂链接。",
        "Call the classroom: open the lesson's link on its screen.",
    ),
    "lost": Text(
        "它会自己重连；超过一分钟就打电话，检查教室的网线和电源。",
        "It reconnects by itself; after a minute call, and check network cable and power there.",
    ),
    "line_lost": Text(
        "检查学校防火墙是否放行媒体端口（UDP 和 TCP）。",
        "Check that the school's firewall lets the media port through, UDP and TCP.",
    ),
    "no_media": Text(
        "请教室检查摄像头和话筒的连接，再刷新大屏页面。",
        "Ask them to check the cables of camera and microphone, then reload the screen's page.",
    ),
    "no_camera": Text(
        "请教室检查摄像头的连接，或在大屏上重新选择设备。",
        "Ask them to check the camera's cable, or to choose the device again on the screen.",
    ),
    "no_microphone": Text(
        "请教室检查话筒的连接，或在大屏上重新选择设备。",
        "Ask them to check the microphone's cable, or to choose the device again on the screen.",
    ),
    "sound_blocked": Text(
        "请教室的老师点一下大屏，声音就会出来。",
        "Ask the teacher there to click on the screen once; the sound comes on.",
    ),
    "line_poor": Text(
        "请教室改用网线，并停掉其他下载。",
        "Ask them to use a network cable and to stop other downloads.",
    ),
}


def room_light(
    state: LessonState,
    participant: ParticipantId,
    name: tuple[str, str],
    report: Report | None,
    quality: Quality | None,
    now: float,
) -> RoomLight:
    """Returns one room's light. ``name``: of class and school; ``now``: Unix seconds."""
    code = _reason(state, participant, report, quality, now)
    light, reason = _REASONS[code]
    return RoomLight(participant, name[0], name[1], light, code, reason)


def _reason(
    state: LessonState,
    participant: ParticipantId,
    report: Report | None,
    quality: Quality | None,
    now: float,
) -> str:
    seat = state.seats.get(participant)
    if seat is None:
        opened = state.opened_at
        is_late = state.phase == "live" and opened is not None and now - opened > MISSING_S
        return "missing" if is_late else "waiting"
    if seat.presence == "left":
        return "left"
    if seat.presence == "lost":
        return "lost"
    if quality is not None and quality.level == "lost":
        return "line_lost"
    # A room's microphone is closed until the room is called on: only its device knows of it. The
    # camera is on the lead's wall all the time, so it is there when its packets are.
    has_camera = "camera" in seat.sources
    has_microphone = "microphone" in seat.sources or (
        report is not None and report.microphone == "on"
    )
    if not has_camera and not has_microphone:
        return "no_media"
    if not has_microphone:
        return "no_microphone"
    if not has_camera:
        return "no_camera"
    if report is not None and report.sound == "blocked":
        return "sound_blocked"
    if quality is not None and quality.level == "poor":
        return "line_poor"
    return "fine"
