"""Public chat and the rules that staff may change during a lesson."""

from __future__ import annotations

from twinclass_signaling.errors import Conflict
from twinclass_signaling.lesson.commands import Actor
from twinclass_signaling.lesson.events import LessonEvent
from twinclass_signaling.lesson.plan import MAX_STAGE
from twinclass_signaling.lesson.state import LessonState
from twinclass_signaling.lesson.talk_events import ChatSaid, PolicyChanged
from twinclass_signaling.lesson.tool_state import ChatLine, Policy
from twinclass_signaling.lesson.tools.checks import clean
from twinclass_signaling.tool_commands import Say, SetPolicy

TalkCommand = Say | SetPolicy
TalkEvent = ChatSaid | PolicyChanged

MAX_MESSAGE = 200
#: Two screens of a phone; older ones are in the log.
MAX_LINES = 50


def handle(state: LessonState, command: TalkCommand, actor: Actor) -> list[LessonEvent]:
    """Decides; see ``core.handle``. That chat is on is checked with the permissions."""
    match command:
        case Say(text):
            number = state.tools.chat.last + 1
            return [ChatSaid(number, clean(text, MAX_MESSAGE), actor.participant)]
        case SetPolicy(approval, chat, limit):
            old = state.policy
            if limit is not None and not 1 <= limit <= MAX_STAGE:
                raise Conflict(
                    "stage_limit_out_of_range",
                    f"台上人数应在 1 到 {MAX_STAGE} 之间。",
                    f"The stage holds 1 to {MAX_STAGE}.",
                )
            new = Policy(
                old.hands_need_approval if approval is None else approval,
                old.public_chat if chat is None else chat,
                old.stage_limit if limit is None else limit,
            )
            if len(state.stage) > new.stage_limit:
                raise Conflict(
                    "stage_full",
                    "台上的人比这个上限多，请先请人下台。",
                    "More than that are on stage; take somebody off first.",
                )
            if new == old:
                return []
            return [
                PolicyChanged(
                    new.hands_need_approval, new.public_chat, new.stage_limit, actor.participant
                )
            ]


def apply(state: LessonState, event: TalkEvent, at: float) -> None:
    """Changes the state; see ``core.apply``."""
    match event:
        case ChatSaid(number, text, actor):
            chat = state.tools.chat
            chat.last = number
            chat.lines = [*chat.lines, ChatLine(number, actor, text, at)][-MAX_LINES:]
        case PolicyChanged(approval, public_chat, limit, _):
            state.tools.policy = Policy(approval, public_chat, limit)
            if not approval:
                for hand in state.tools.hands:
                    hand.approved = True
