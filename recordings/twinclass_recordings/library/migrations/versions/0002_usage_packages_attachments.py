"""What was watched in more detail, ratings, attachments, packages, and where clips come from."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Applies it."""
    with op.batch_alter_table("library_entry", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column("source", sa.String(length=80), nullable=False, server_default="")
        )
        batch_op.create_index(batch_op.f("ix_library_entry_source"), ["source"], unique=False)
        batch_op.create_index("ix_library_entry_updated_at", ["updated_at"], unique=False)
        batch_op.drop_index("ix_library_entry_subject")
    # Lessons are found by an index in memory now.
    op.drop_table("library_term")
    op.drop_table("library_entry_point")
    # Nobody wrote plays before this.
    op.drop_table("library_play")
    op.create_table(
        "library_play",
        sa.Column("key", sa.Integer(), nullable=False),
        sa.Column("entry", sa.Integer(), nullable=False),
        sa.Column("view", sa.String(length=64), nullable=False),
        sa.Column("group", sa.String(length=64), nullable=False),
        sa.Column("viewer", sa.String(length=64), nullable=False),
        sa.Column("school", sa.String(length=80), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("from_s", sa.Double(), nullable=False),
        sa.Column("to_s", sa.Double(), nullable=False),
        sa.ForeignKeyConstraint(
            ["entry"], ["library_entry.key"], name=op.f("fk_library_play_entry"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_library_play")),
    )
    with op.batch_alter_table("library_play", schema=None) as batch_op:
        batch_op.create_index("ix_library_play_entry_at", ["entry", "at"], unique=False)
        batch_op.create_index(batch_op.f("ix_library_play_view"), ["view"], unique=False)
        batch_op.create_index(batch_op.f("ix_library_play_at"), ["at"], unique=False)

    op.create_table(
        "library_rating",
        sa.Column("entry", sa.Integer(), nullable=False),
        sa.Column("viewer", sa.String(length=64), nullable=False),
        sa.Column("stars", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["entry"],
            ["library_entry.key"],
            name=op.f("fk_library_rating_entry"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("entry", "viewer", name=op.f("pk_library_rating")),
    )
    op.create_table(
        "library_attachment",
        sa.Column("entry", sa.Integer(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("title", sa.String(length=120), nullable=False),
        sa.Column("media_type", sa.String(length=40), nullable=False),
        sa.Column("bytes", sa.BigInteger(), nullable=False),
        sa.Column("added_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["entry"],
            ["library_entry.key"],
            name=op.f("fk_library_attachment_entry"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("entry", "sha256", name=op.f("pk_library_attachment")),
    )
    op.create_table(
        "library_member",
        sa.Column("package", sa.Integer(), nullable=False),
        sa.Column("entry", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["package"],
            ["library_entry.key"],
            name=op.f("fk_library_member_package"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["entry"],
            ["library_entry.key"],
            name=op.f("fk_library_member_entry"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("package", "entry", name=op.f("pk_library_member")),
    )
    with op.batch_alter_table("library_member", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_library_member_entry"), ["entry"], unique=False)


def downgrade() -> None:
    """Takes it back; what was watched since is lost."""
    op.drop_table("library_member")
    op.drop_table("library_attachment")
    op.drop_table("library_rating")
    with op.batch_alter_table("library_play", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_library_play_at"))
        batch_op.drop_index(batch_op.f("ix_library_play_view"))
        batch_op.drop_column("viewer")
        batch_op.drop_column("kind")
        batch_op.add_column(sa.Column("rate", sa.Double(), nullable=False, server_default="1"))
        batch_op.add_column(
            sa.Column("is_class", sa.Boolean(), nullable=False, server_default=sa.false())
        )
    # A new table in the place of this one would take what hangs on its rows with it.
    with op.batch_alter_table("library_entry", schema=None, recreate="never") as batch_op:
        batch_op.drop_index("ix_library_entry_updated_at")
        batch_op.create_index("ix_library_entry_subject", ["subject", "grade"], unique=False)
        batch_op.drop_index(batch_op.f("ix_library_entry_source"))
        batch_op.drop_column("source")
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
        "library_term",
        sa.Column("term", sa.String(length=40), nullable=False),
        sa.Column("entry", sa.Integer(), nullable=False),
        sa.Column("weight", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["entry"], ["library_entry.key"], name=op.f("fk_library_term_entry"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("term", "entry", name=op.f("pk_library_term")),
    )
    with op.batch_alter_table("library_term", schema=None) as batch_op:
        batch_op.create_index("ix_library_term_entry", ["entry"], unique=False)
