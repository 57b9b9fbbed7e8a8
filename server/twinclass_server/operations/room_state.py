"""The state of one classroom for an operator: a traffic light and its reason. Pure functions."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

from twinclass_signaling.ids import ParticipantId
from twinclass_signaling.lesson.state import LessonState
from twinclass_signaling.lesson.views import Sound
from twinclass_signaling.messages import Quality, Text

Light = Literal["green", "amber", "red", "grey"]
#: After the bell a room that was never here is missing, not late; a minute is for late starters.
MISSING_S = 60.0


class RoomLight(Struct, frozen=True):
    """One room; ``reason`` says in words what the colour means."""

    id: str
    name: str
    school: str
    state: Light
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


def room_light(
    state: LessonState,
    participant: ParticipantId,
    sound: Sound | None,
    quality: Quality | None,
    now: float,
) -> tuple[Light, Text]:
    """Returns colour and reason of one room."""
    return _REASONS[_reason(state, participant, sound, quality, now)]


def _reason(
    state: LessonState,
    participant: ParticipantId,
    sound: Sound | None,
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
    has_camera, has_microphone = "camera" in seat.sources, "microphone" in seat.sources
    if not has_camera and not has_microphone:
        return "no_media"
    if not has_microphone:
        return "no_microphone"
    if not has_camera:
        return "no_camera"
    if sound == "blocked":
        return "sound_blocked"
    if quality is not None and quality.level == "poor":
        return "line_poor"
    return "fine"
