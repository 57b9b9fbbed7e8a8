"""How far an evening's log was written down; versions of consents, roles of reporters."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_RATED_ONCE = "uq_desk_rating_desk"


def upgrade() -> None:
    """Applies it."""
    op.create_table(
        "desk_noted",
        sa.Column("desk", sa.String(length=64), nullable=False),
        sa.Column("evening", sa.String(length=10), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("desk", "evening", name=op.f("pk_desk_noted")),
    )
    for table, column in (("desk_consent", "version"), ("desk_case", "reporter_role")):
        op.add_column(
            table, sa.Column(column, sa.String(length=20), nullable=False, server_default="")
        )
    with op.batch_alter_table("desk_rating", schema=None) as batch_op:
        batch_op.drop_constraint(op.f(_RATED_ONCE), type_="unique")
        batch_op.create_unique_constraint(
            op.f(_RATED_ONCE), ["desk", "evening", "question", "tutor"]
        )


def downgrade() -> None:
    """Takes it back."""
    with op.batch_alter_table("desk_rating", schema=None) as batch_op:
        batch_op.drop_constraint(op.f(_RATED_ONCE), type_="unique")
        batch_op.create_unique_constraint(op.f(_RATED_ONCE), ["desk", "evening", "question"])
    op.drop_column("desk_case", "reporter_role")
    op.drop_column("desk_consent", "version")
    op.drop_table("desk_noted")
