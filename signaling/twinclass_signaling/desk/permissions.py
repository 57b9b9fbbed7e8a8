"""Who may do what at a desk: one table. Whose question or session it is, the parts check.

Guardians look and do nothing. ``safety_report`` is everybody's who takes part.
"""

from __future__ import annotations

from typing import get_args

from twinclass_signaling.desk.commands import Actor, DeskCommand
from twinclass_signaling.roles import Role

#: The ``type`` of a command.
Action = str

ALL_COMMANDS: tuple[Action, ...] = tuple(
    str(kind.__struct_config__.tag) for kind in get_args(DeskCommand)
)
_COMMANDS: dict[Role, frozenset[Action]] = {
    Role.PUPIL: frozenset(
        {"question_ask", "bank_accept", "bank_not_helpful", "question_withdraw"}
        | {"question_follow", "ladder_choose", "tutor_pick", "question_resolve"}
        | {"question_reopen", "question_rate", "session_join", "session_leave", "safety_report"}
    ),
    Role.TUTOR: frozenset(
        {"duty_start", "duty_end", "duty_pause", "offer_accept", "offer_refuse"}
        | {"question_claim", "question_give_back", "question_answer", "session_start"}
        | {"session_open", "session_extend", "session_end", "safety_report"}
    ),
    Role.MODERATOR: frozenset(
        {"question_approve", "question_reject", "question_merge", "session_enter"}
        | {"session_end", "case_take", "case_close"}
    ),
    Role.SAFEGUARDING: frozenset({"case_close"}),
    Role.DUTY_PLANNER: frozenset({"duty_set", "duty_remove"}),
}


def may_command(role: Role) -> frozenset[Action]:
    """Returns the commands a role may ever give at a desk."""
    return _COMMANDS.get(role, frozenset())


def allowed(actor: Actor, action: Action) -> bool:
    """Tells whether ``actor`` may do ``action`` at all."""
    return action in may_command(actor.role)
