"""Roles of a lesson and of the desk (design contract)."""

from __future__ import annotations

from enum import StrEnum
from typing import Literal


class Role(StrEnum):
    """Who somebody is in a lesson or at the desk; carried by the join token."""

    LEAD = "lead"
    CO_LEAD = "co_lead"
    ASSISTANT = "assistant"
    ROOM = "room"
    HOME_LEARNER = "home_learner"
    HOME_GROUP = "home_group"
    OBSERVER = "observer"
    TUTOR = "tutor"
    PUPIL = "pupil"
    MODERATOR = "moderator"
    DUTY_PLANNER = "duty_planner"
    GUARDIAN = "guardian"
    SAFEGUARDING = "safeguarding"
    LIBRARIAN = "librarian"
    OPERATOR = "operator"


LESSON_ROLES = frozenset(
    {
        Role.LEAD,
        Role.CO_LEAD,
        Role.ASSISTANT,
        Role.ROOM,
        Role.HOME_LEARNER,
        Role.HOME_GROUP,
        Role.OBSERVER,
    }
)

DESK_ROLES = frozenset(
    {
        Role.TUTOR,
        Role.PUPIL,
        Role.MODERATOR,
        Role.DUTY_PLANNER,
        Role.GUARDIAN,
        Role.SAFEGUARDING,
    }
)

#: What a track shows; the client says it when it publishes.
Source = Literal["camera", "screen", "document", "microphone", "screen_audio"]
VIDEO_SOURCES: tuple[Source, ...] = ("camera", "screen", "document")
AUDIO_SOURCES: tuple[Source, ...] = ("microphone", "screen_audio")
