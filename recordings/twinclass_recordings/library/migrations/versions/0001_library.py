"""Entries, what they are found by, and what was watched of them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Applies it."""
    op.create_table(
        "library_entry",
        sa.Column("key", sa.Integer(), nullable=False),
        sa.Column("id", sa.String(length=80), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("lesson", sa.String(length=80), nullable=False),
        sa.Column("title", sa.String(length=120), nullable=False),
        sa.Column("subtitle", sa.String(length=120), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("subject", sa.String(length=40), nullable=False),
        sa.Column("grade", sa.String(length=40), nullable=False),
        sa.Column("edition", sa.String(length=40), nullable=False),
        sa.Column("points", sa.JSON(), nullable=False),
        sa.Column("lead_id", sa.String(length=80), nullable=False),
        sa.Column("lead_name", sa.String(length=120), nullable=False),
        sa.Column("school_name", sa.String(length=120), nullable=False),
        sa.Column("visibility", sa.String(length=16), nullable=False),
        sa.Column("taught_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("duration_s", sa.Double(), nullable=False),
        sa.Column("bytes", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("has_cover", sa.Boolean(), nullable=False),
        sa.Column("plays", sa.Integer(), nullable=False),
        sa.Column("keep_until", sa.Date(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_library_entry")),
        sa.UniqueConstraint("id", name=op.f("uq_library_entry_id")),
    )
    with op.batch_alter_table("library_entry", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_library_entry_lead_id"), ["lead_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_library_entry_lesson"), ["lesson"], unique=False)
        batch_op.create_index("ix_library_entry_subject", ["subject", "grade"], unique=False)
        batch_op.create_index("ix_library_entry_taught_at", ["taught_at"], unique=False)

    op.create_table(
        "library_entry_point",
        sa.Column("entry", sa.Integer(), nullable=False),
        sa.Column("point", sa.String(length=40), nullable=False),
        sa.ForeignKeyConstraint(
            ["entry"],
            ["library_entry.key"],
            name=op.f("fk_library_entry_point_entry"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("entry", "point", name=op.f("pk_library_entry_point")),
    )
    with op.batch_alter_table("library_entry_point", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_library_entry_point_point"), ["point"], unique=False)

    op.create_table(
        "library_entry_school",
        sa.Column("entry", sa.Integer(), nullable=False),
        sa.Column("school", sa.String(length=80), nullable=False),
        sa.ForeignKeyConstraint(
            ["entry"],
            ["library_entry.key"],
            name=op.f("fk_library_entry_school_entry"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("entry", "school", name=op.f("pk_library_entry_school")),
    )
    with op.batch_alter_table("library_entry_school", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_library_entry_school_school"), ["school"], unique=False
        )

    op.create_table(
        "library_play",
        sa.Column("key", sa.Integer(), nullable=False),
        sa.Column("entry", sa.Integer(), nullable=False),
        sa.Column("view", sa.String(length=64), nullable=False),
        sa.Column("group", sa.String(length=64), nullable=False),
        sa.Column("school", sa.String(length=80), nullable=False),
        sa.Column("is_class", sa.Boolean(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("from_s", sa.Double(), nullable=False),
        sa.Column("to_s", sa.Double(), nullable=False),
        sa.Column("rate", sa.Double(), nullable=False),
        sa.ForeignKeyConstraint(
            ["entry"], ["library_entry.key"], name=op.f("fk_library_play_entry"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_library_play")),
    )
    with op.batch_alter_table("library_play", schema=None) as batch_op:
        batch_op.create_index("ix_library_play_entry_at", ["entry", "at"], unique=False)

    op.create_table(
        "library_position",
        sa.Column("entry", sa.Integer(), nullable=False),
        sa.Column("viewer", sa.String(length=64), nullable=False),
        sa.Column("position_s", sa.Double(), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["entry"],
            ["library_entry.key"],
            name=op.f("fk_library_position_entry"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("entry", "viewer", name=op.f("pk_library_position")),
    )
    op.create_table(
        "library_term",
        sa.Column(
            "term",
            sa.String(length=40).with_variant(sa.String(length=40, collation="C"), "postgresql"),
            nullable=False,
        ),
        sa.Column("entry", sa.Integer(), nullable=False),
        sa.Column("weight", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["entry"], ["library_entry.key"], name=op.f("fk_library_term_entry"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("term", "entry", name=op.f("pk_library_term")),
        sqlite_with_rowid=False,
    )
    with op.batch_alter_table("library_term", schema=None) as batch_op:
        batch_op.create_index("ix_library_term_entry", ["entry"], unique=False)


def downgrade() -> None:
    """Takes it back."""
    with op.batch_alter_table("library_term", schema=None) as batch_op:
        batch_op.drop_index("ix_library_term_entry")

    op.drop_table("library_term")
    op.drop_table("library_position")
    with op.batch_alter_table("library_play", schema=None) as batch_op:
        batch_op.drop_index("ix_library_play_entry_at")

    op.drop_table("library_play")
    with op.batch_alter_table("library_entry_school", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_library_entry_school_school"))

    op.drop_table("library_entry_school")
    with op.batch_alter_table("library_entry_point", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_library_entry_point_point"))

    op.drop_table("library_entry_point")
    with op.batch_alter_table("library_entry", schema=None) as batch_op:
        batch_op.drop_index("ix_library_entry_taught_at")
        batch_op.drop_index("ix_library_entry_subject")
        batch_op.drop_index(batch_op.f("ix_library_entry_lesson"))
        batch_op.drop_index(batch_op.f("ix_library_entry_lead_id"))

    op.drop_table("library_entry")
