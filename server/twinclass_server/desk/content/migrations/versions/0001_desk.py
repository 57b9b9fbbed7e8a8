"""The desk's contents, bank, credit, reports."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

#: Tables of which no line is ever changed or taken away, whoever asks.
_APPEND_ONLY = ("desk_credit", "desk_audit")


def upgrade() -> None:
    """Applies it."""
    op.create_table(
        "desk_audit",
        sa.Column("key", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor", sa.String(length=64), nullable=False),
        sa.Column("role", sa.String(length=20), nullable=False),
        sa.Column("desk", sa.String(length=64), nullable=False),
        sa.Column("act", sa.String(length=40), nullable=False),
        sa.Column("about", sa.String(length=200), nullable=False),
        sa.Column("note", sa.String(length=200), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_desk_audit")),
    )
    with op.batch_alter_table("desk_audit", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_desk_audit_at"), ["at"], unique=False)

    op.create_table(
        "desk_bank_entry",
        sa.Column("key", sa.Integer(), nullable=False),
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("desk", sa.String(length=64), nullable=False),
        sa.Column("subject", sa.String(length=64), nullable=False),
        sa.Column("grade", sa.Integer(), nullable=False),
        sa.Column("points", sa.JSON(), nullable=False),
        sa.Column("question", sa.String(length=64), nullable=False),
        sa.Column("answer", sa.String(length=64), nullable=False),
        sa.Column("source", sa.String(length=64), nullable=True),
        sa.Column("chapter", sa.String(length=80), nullable=False),
        sa.Column("chapter_s", sa.Double(), nullable=False),
        sa.Column("helpful", sa.Integer(), nullable=False),
        sa.Column("not_helpful", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("reviewed_by", sa.String(length=64), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("keep_until", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_desk_bank_entry")),
        sa.UniqueConstraint("id", name=op.f("uq_desk_bank_entry_id")),
        sa.UniqueConstraint("source", name=op.f("uq_desk_bank_entry_source")),
    )
    with op.batch_alter_table("desk_bank_entry", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_desk_bank_entry_keep_until"), ["keep_until"], unique=False
        )
        batch_op.create_index(batch_op.f("ix_desk_bank_entry_state"), ["state"], unique=False)
        batch_op.create_index(
            batch_op.f("ix_desk_bank_entry_updated_at"), ["updated_at"], unique=False
        )

    op.create_table(
        "desk_carried",
        sa.Column("key", sa.Integer(), nullable=False),
        sa.Column("desk", sa.String(length=64), nullable=False),
        sa.Column("evening", sa.String(length=10), nullable=False),
        sa.Column("question", sa.Integer(), nullable=False),
        sa.Column("pupil", sa.String(length=64), nullable=False),
        sa.Column("grade", sa.Integer(), nullable=False),
        sa.Column("body", sa.JSON(), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("taken", sa.String(length=10), nullable=False),
        sa.Column("keep_until", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_desk_carried")),
        sa.UniqueConstraint("desk", "evening", "question", name=op.f("uq_desk_carried_desk")),
    )
    with op.batch_alter_table("desk_carried", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_desk_carried_keep_until"), ["keep_until"], unique=False
        )
        batch_op.create_index(batch_op.f("ix_desk_carried_pupil"), ["pupil"], unique=False)

    op.create_table(
        "desk_case",
        sa.Column("key", sa.Integer(), nullable=False),
        sa.Column("desk", sa.String(length=64), nullable=False),
        sa.Column("evening", sa.String(length=10), nullable=False),
        sa.Column("case", sa.Integer(), nullable=False),
        sa.Column("reporter", sa.String(length=64), nullable=False),
        sa.Column("session", sa.Integer(), nullable=True),
        sa.Column("question", sa.Integer(), nullable=True),
        sa.Column("tutor", sa.String(length=64), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("taken_by", sa.String(length=64), nullable=False),
        sa.Column("late", sa.Boolean(), nullable=False),
        sa.Column("outcome", sa.String(length=20), nullable=False),
        sa.Column("closed_by", sa.String(length=64), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_desk_case")),
        sa.UniqueConstraint("desk", "evening", "case", name=op.f("uq_desk_case_desk")),
    )
    op.create_table(
        "desk_consent",
        sa.Column("key", sa.Integer(), nullable=False),
        sa.Column("child", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("given", sa.Boolean(), nullable=False),
        sa.Column("guardian", sa.String(length=64), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_desk_consent")),
    )
    with op.batch_alter_table("desk_consent", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_desk_consent_at"), ["at"], unique=False)
        batch_op.create_index("ix_desk_consent_child_kind", ["child", "kind"], unique=False)

    op.create_table(
        "desk_content",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("desk", sa.String(length=64), nullable=False),
        sa.Column("evening", sa.String(length=10), nullable=False),
        sa.Column("author", sa.String(length=64), nullable=False),
        sa.Column("role", sa.String(length=20), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("photos", sa.JSON(), nullable=False),
        sa.Column("voice", sa.String(length=64), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("keep_until", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_desk_content")),
    )
    with op.batch_alter_table("desk_content", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_desk_content_author"), ["author"], unique=False)
        batch_op.create_index(
            batch_op.f("ix_desk_content_keep_until"), ["keep_until"], unique=False
        )

    op.create_table(
        "desk_credit",
        sa.Column("key", sa.Integer(), nullable=False),
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("tutor", sa.String(length=64), nullable=False),
        sa.Column("term", sa.String(length=10), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("points", sa.Integer(), nullable=False),
        sa.Column("asked", sa.Integer(), nullable=False),
        sa.Column("reason", sa.String(length=20), nullable=False),
        sa.Column("of", sa.String(length=64), nullable=True),
        sa.Column("ref", sa.String(length=200), nullable=False),
        sa.Column("desk", sa.String(length=64), nullable=False),
        sa.Column("evening", sa.String(length=10), nullable=False),
        sa.Column("help", sa.String(length=20), nullable=False),
        sa.Column("subject", sa.String(length=64), nullable=False),
        sa.Column("seconds", sa.Double(), nullable=False),
        sa.Column("by", sa.String(length=64), nullable=False),
        sa.Column("note", sa.String(length=200), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_desk_credit")),
        sa.UniqueConstraint("id", name=op.f("uq_desk_credit_id")),
        sa.UniqueConstraint("of", name=op.f("uq_desk_credit_of")),
        sa.UniqueConstraint("ref", name=op.f("uq_desk_credit_ref")),
    )
    with op.batch_alter_table("desk_credit", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_desk_credit_at"), ["at"], unique=False)
        batch_op.create_index("ix_desk_credit_tutor_term", ["tutor", "term"], unique=False)

    op.create_table(
        "desk_credit_term",
        sa.Column("tutor", sa.String(length=64), nullable=False),
        sa.Column("term", sa.String(length=10), nullable=False),
        sa.PrimaryKeyConstraint("tutor", "term", name=op.f("pk_desk_credit_term")),
    )
    op.create_table(
        "desk_duty_day",
        sa.Column("desk", sa.String(length=64), nullable=False),
        sa.Column("day", sa.String(length=10), nullable=False),
        sa.Column("duties", sa.JSON(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_by", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("desk", "day", name=op.f("pk_desk_duty_day")),
    )
    op.create_table(
        "desk_flag",
        sa.Column("key", sa.Integer(), nullable=False),
        sa.Column("desk", sa.String(length=64), nullable=False),
        sa.Column("evening", sa.String(length=10), nullable=False),
        sa.Column("author", sa.String(length=64), nullable=False),
        sa.Column("role", sa.String(length=20), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("found", sa.JSON(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("looked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("looked_by", sa.String(length=64), nullable=False),
        sa.Column("keep_until", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_desk_flag")),
    )
    with op.batch_alter_table("desk_flag", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_desk_flag_author"), ["author"], unique=False)
        batch_op.create_index("ix_desk_flag_desk_looked_at", ["desk", "looked_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_desk_flag_keep_until"), ["keep_until"], unique=False)

    op.create_table(
        "desk_help",
        sa.Column("key", sa.Integer(), nullable=False),
        sa.Column("desk", sa.String(length=64), nullable=False),
        sa.Column("evening", sa.String(length=10), nullable=False),
        sa.Column("session", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("tutor", sa.String(length=64), nullable=False),
        sa.Column("tutor_name", sa.String(length=120), nullable=False),
        sa.Column("subject", sa.String(length=64), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("keep_until", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_desk_help")),
        sa.UniqueConstraint("desk", "evening", "session", name=op.f("uq_desk_help_desk")),
    )
    with op.batch_alter_table("desk_help", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_desk_help_keep_until"), ["keep_until"], unique=False)
        batch_op.create_index(
            "ix_desk_help_tutor_started_at", ["tutor", "started_at"], unique=False
        )

    op.create_table(
        "desk_media",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("desk", sa.String(length=64), nullable=False),
        sa.Column("evening", sa.String(length=10), nullable=False),
        sa.Column("owner", sa.String(length=64), nullable=False),
        sa.Column("content", sa.String(length=64), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("thumb_sha256", sa.String(length=64), nullable=False),
        sa.Column("bytes", sa.BigInteger(), nullable=False),
        sa.Column("width", sa.Integer(), nullable=False),
        sa.Column("height", sa.Integer(), nullable=False),
        sa.Column("seconds", sa.Double(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("keep_until", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_desk_media")),
    )
    with op.batch_alter_table("desk_media", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_desk_media_content"), ["content"], unique=False)
        batch_op.create_index(batch_op.f("ix_desk_media_keep_until"), ["keep_until"], unique=False)
        batch_op.create_index(batch_op.f("ix_desk_media_owner"), ["owner"], unique=False)
        batch_op.create_index(batch_op.f("ix_desk_media_sha256"), ["sha256"], unique=False)
        batch_op.create_index(
            batch_op.f("ix_desk_media_thumb_sha256"), ["thumb_sha256"], unique=False
        )

    op.create_table(
        "desk_point",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("subject", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_desk_point")),
    )
    with op.batch_alter_table("desk_point", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_desk_point_subject"), ["subject"], unique=False)

    op.create_table(
        "desk_rating",
        sa.Column("key", sa.Integer(), nullable=False),
        sa.Column("desk", sa.String(length=64), nullable=False),
        sa.Column("evening", sa.String(length=10), nullable=False),
        sa.Column("question", sa.Integer(), nullable=False),
        sa.Column("tutor", sa.String(length=64), nullable=False),
        sa.Column("term", sa.String(length=10), nullable=False),
        sa.Column("understood", sa.Integer(), nullable=False),
        sa.Column("patient", sa.Integer(), nullable=False),
        sa.Column("again", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_desk_rating")),
        sa.UniqueConstraint("desk", "evening", "question", name=op.f("uq_desk_rating_desk")),
    )
    with op.batch_alter_table("desk_rating", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_desk_rating_tutor"), ["tutor"], unique=False)

    op.create_table(
        "desk_rating_text",
        sa.Column("key", sa.Integer(), nullable=False),
        sa.Column("desk", sa.String(length=64), nullable=False),
        sa.Column("evening", sa.String(length=10), nullable=False),
        sa.Column("question", sa.Integer(), nullable=False),
        sa.Column("author", sa.String(length=64), nullable=False),
        sa.Column("tutor", sa.String(length=64), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("reviewed_by", sa.String(length=64), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("keep_until", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_desk_rating_text")),
        sa.UniqueConstraint(
            "desk", "evening", "question", "author", name=op.f("uq_desk_rating_text_desk")
        ),
    )
    with op.batch_alter_table("desk_rating_text", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_desk_rating_text_author"), ["author"], unique=False)
        batch_op.create_index(
            batch_op.f("ix_desk_rating_text_keep_until"), ["keep_until"], unique=False
        )
        batch_op.create_index(batch_op.f("ix_desk_rating_text_state"), ["state"], unique=False)
        batch_op.create_index(batch_op.f("ix_desk_rating_text_tutor"), ["tutor"], unique=False)

    op.create_table(
        "desk_school_district",
        sa.Column("school", sa.String(length=64), nullable=False),
        sa.Column("district", sa.String(length=120), nullable=False),
        sa.PrimaryKeyConstraint("school", name=op.f("pk_desk_school_district")),
    )
    op.create_table(
        "desk_bank_vote",
        sa.Column("entry", sa.Integer(), nullable=False),
        sa.Column("pupil", sa.String(length=64), nullable=False),
        sa.Column("helpful", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["entry"],
            ["desk_bank_entry.key"],
            name=op.f("fk_desk_bank_vote_entry"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("entry", "pupil", name=op.f("pk_desk_bank_vote")),
    )
    op.create_table(
        "desk_case_approval",
        sa.Column("key", sa.Integer(), nullable=False),
        sa.Column("case", sa.Integer(), nullable=False),
        sa.Column("officer", sa.String(length=64), nullable=False),
        sa.Column("reason", sa.String(length=120), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["case"], ["desk_case.key"], name=op.f("fk_desk_case_approval_case"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_desk_case_approval")),
    )
    with op.batch_alter_table("desk_case_approval", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_desk_case_approval_case"), ["case"], unique=False)

    op.create_table(
        "desk_help_member",
        sa.Column("help", sa.Integer(), nullable=False),
        sa.Column("pupil", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(
            ["help"], ["desk_help.key"], name=op.f("fk_desk_help_member_help"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("help", "pupil", name=op.f("pk_desk_help_member")),
    )
    with op.batch_alter_table("desk_help_member", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_desk_help_member_pupil"), ["pupil"], unique=False)
    for table in _APPEND_ONLY:
        _protect(table)


def _protect(table: str) -> None:
    if op.get_bind().dialect.name == "sqlite":
        for act in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER {table}_no_{act.lower()} BEFORE {act} ON {table} "
                f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
            )
        return
    op.execute(
        f"CREATE FUNCTION {table}_refuse() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN RAISE EXCEPTION '{table} is append-only'; END $$"
    )
    op.execute(
        f"CREATE TRIGGER {table}_kept BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} "
        f"FOR EACH STATEMENT EXECUTE FUNCTION {table}_refuse()"
    )


def downgrade() -> None:
    """Takes it back; all that the desk kept is lost."""
    with op.batch_alter_table("desk_help_member", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_desk_help_member_pupil"))

    op.drop_table("desk_help_member")
    with op.batch_alter_table("desk_case_approval", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_desk_case_approval_case"))

    op.drop_table("desk_case_approval")
    op.drop_table("desk_bank_vote")
    op.drop_table("desk_school_district")
    with op.batch_alter_table("desk_rating_text", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_desk_rating_text_tutor"))
        batch_op.drop_index(batch_op.f("ix_desk_rating_text_state"))
        batch_op.drop_index(batch_op.f("ix_desk_rating_text_keep_until"))
        batch_op.drop_index(batch_op.f("ix_desk_rating_text_author"))

    op.drop_table("desk_rating_text")
    with op.batch_alter_table("desk_rating", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_desk_rating_tutor"))

    op.drop_table("desk_rating")
    with op.batch_alter_table("desk_point", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_desk_point_subject"))

    op.drop_table("desk_point")
    with op.batch_alter_table("desk_media", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_desk_media_thumb_sha256"))
        batch_op.drop_index(batch_op.f("ix_desk_media_sha256"))
        batch_op.drop_index(batch_op.f("ix_desk_media_owner"))
        batch_op.drop_index(batch_op.f("ix_desk_media_keep_until"))
        batch_op.drop_index(batch_op.f("ix_desk_media_content"))

    op.drop_table("desk_media")
    with op.batch_alter_table("desk_help", schema=None) as batch_op:
        batch_op.drop_index("ix_desk_help_tutor_started_at")
        batch_op.drop_index(batch_op.f("ix_desk_help_keep_until"))

    op.drop_table("desk_help")
    with op.batch_alter_table("desk_flag", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_desk_flag_keep_until"))
        batch_op.drop_index("ix_desk_flag_desk_looked_at")
        batch_op.drop_index(batch_op.f("ix_desk_flag_author"))

    op.drop_table("desk_flag")
    op.drop_table("desk_duty_day")
    op.drop_table("desk_credit_term")
    with op.batch_alter_table("desk_credit", schema=None) as batch_op:
        batch_op.drop_index("ix_desk_credit_tutor_term")
        batch_op.drop_index(batch_op.f("ix_desk_credit_at"))

    op.drop_table("desk_credit")
    with op.batch_alter_table("desk_content", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_desk_content_keep_until"))
        batch_op.drop_index(batch_op.f("ix_desk_content_author"))

    op.drop_table("desk_content")
    with op.batch_alter_table("desk_consent", schema=None) as batch_op:
        batch_op.drop_index("ix_desk_consent_child_kind")
        batch_op.drop_index(batch_op.f("ix_desk_consent_at"))

    op.drop_table("desk_consent")
    op.drop_table("desk_case")
    with op.batch_alter_table("desk_carried", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_desk_carried_pupil"))
        batch_op.drop_index(batch_op.f("ix_desk_carried_keep_until"))

    op.drop_table("desk_carried")
    with op.batch_alter_table("desk_bank_entry", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_desk_bank_entry_updated_at"))
        batch_op.drop_index(batch_op.f("ix_desk_bank_entry_state"))
        batch_op.drop_index(batch_op.f("ix_desk_bank_entry_keep_until"))

    op.drop_table("desk_bank_entry")
    with op.batch_alter_table("desk_audit", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_desk_audit_at"))

    op.drop_table("desk_audit")
    if op.get_bind().dialect.name != "sqlite":
        for table in _APPEND_ONLY:
            op.execute(f"DROP FUNCTION {table}_refuse()")
