"""Schools, people and lessons."""

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
        "lesson",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("title", sa.String(length=120), nullable=False),
        sa.Column("subject", sa.String(length=120), nullable=False),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("planned_minutes", sa.Integer(), nullable=False),
        sa.Column("lead_id", sa.String(length=64), nullable=True),
        sa.Column("lead_name", sa.String(length=120), nullable=False),
        sa.Column("settings", sa.JSON(), nullable=False),
        sa.Column("created_by", sa.String(length=64), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_lesson")),
    )
    with op.batch_alter_table("lesson", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_lesson_lead_id"), ["lead_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_lesson_starts_at"), ["starts_at"], unique=False)

    op.create_table(
        "revoked_link",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_revoked_link")),
    )
    with op.batch_alter_table("revoked_link", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_revoked_link_expires_at"), ["expires_at"], unique=False
        )

    op.create_table(
        "school",
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("sourced_id", sa.String(length=255), nullable=False),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("date_last_modified", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_school")),
        sa.UniqueConstraint("sourced_id", name=op.f("uq_school_sourced_id")),
    )
    op.create_table(
        "slide_document",
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("pages", sa.Integer(), nullable=False),
        sa.Column("title", sa.String(length=120), nullable=False),
        sa.Column("size_bytes", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("sha256", name=op.f("pk_slide_document")),
    )
    op.create_table(
        "join_link",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("lesson_id", sa.String(length=64), nullable=False),
        sa.Column("role", sa.String(length=16), nullable=False),
        sa.Column("subject", sa.String(length=64), nullable=False),
        sa.Column("room_id", sa.String(length=64), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["lesson_id"], ["lesson.id"], name=op.f("fk_join_link_lesson_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_join_link")),
    )
    with op.batch_alter_table("join_link", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_join_link_expires_at"), ["expires_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_join_link_lesson_id"), ["lesson_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_join_link_revoked_at"), ["revoked_at"], unique=False)

    op.create_table(
        "lesson_slides",
        sa.Column("lesson_id", sa.String(length=64), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("title", sa.String(length=120), nullable=False),
        sa.Column("added_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["sha256"], ["slide_document.sha256"], name=op.f("fk_lesson_slides_sha256")
        ),
        sa.PrimaryKeyConstraint("lesson_id", "sha256", name=op.f("pk_lesson_slides")),
    )
    op.create_table(
        "person",
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("school_id", sa.String(length=64), nullable=True),
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("sourced_id", sa.String(length=255), nullable=False),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("date_last_modified", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["school_id"], ["school.id"], name=op.f("fk_person_school_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_person")),
        sa.UniqueConstraint("sourced_id", name=op.f("uq_person_sourced_id")),
    )
    with op.batch_alter_table("person", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_person_school_id"), ["school_id"], unique=False)

    op.create_table(
        "school_class",
        sa.Column("school_id", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("grade", sa.String(length=120), nullable=False),
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("sourced_id", sa.String(length=255), nullable=False),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("date_last_modified", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["school_id"], ["school.id"], name=op.f("fk_school_class_school_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_school_class")),
        sa.UniqueConstraint("sourced_id", name=op.f("uq_school_class_sourced_id")),
    )
    with op.batch_alter_table("school_class", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_school_class_school_id"), ["school_id"], unique=False)

    op.create_table(
        "enrolment",
        sa.Column("person_id", sa.String(length=64), nullable=False),
        sa.Column("class_id", sa.String(length=64), nullable=False),
        sa.Column("role", sa.String(length=16), nullable=False),
        sa.Column("at_home", sa.Boolean(), nullable=False),
        sa.Column("home_group", sa.String(length=64), nullable=True),
        sa.Column("begin_date", sa.Date(), nullable=True),
        sa.Column("end_date", sa.Date(), nullable=True),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("date_last_modified", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["class_id"], ["school_class.id"], name=op.f("fk_enrolment_class_id")
        ),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_enrolment_person_id")),
        sa.PrimaryKeyConstraint("person_id", "class_id", name=op.f("pk_enrolment")),
    )
    with op.batch_alter_table("enrolment", schema=None) as batch_op:
        batch_op.create_index("ix_enrolment_class_id", ["class_id"], unique=False)

    op.create_table(
        "guardian",
        sa.Column("pupil_id", sa.String(length=64), nullable=False),
        sa.Column("guardian_id", sa.String(length=64), nullable=False),
        sa.Column("relation", sa.String(length=120), nullable=False),
        sa.Column("date_last_modified", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["guardian_id"], ["person.id"], name=op.f("fk_guardian_guardian_id")
        ),
        sa.ForeignKeyConstraint(["pupil_id"], ["person.id"], name=op.f("fk_guardian_pupil_id")),
        sa.PrimaryKeyConstraint("pupil_id", "guardian_id", name=op.f("pk_guardian")),
    )
    op.create_table(
        "lesson_class",
        sa.Column("lesson_id", sa.String(length=64), nullable=False),
        sa.Column("class_id", sa.String(length=64), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["class_id"], ["school_class.id"], name=op.f("fk_lesson_class_class_id")
        ),
        sa.ForeignKeyConstraint(
            ["lesson_id"], ["lesson.id"], name=op.f("fk_lesson_class_lesson_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("lesson_id", "class_id", name=op.f("pk_lesson_class")),
    )
    op.create_table(
        "lesson_staff",
        sa.Column("lesson_id", sa.String(length=64), nullable=False),
        sa.Column("person_id", sa.String(length=64), nullable=False),
        sa.Column("role", sa.String(length=16), nullable=False),
        sa.Column("class_id", sa.String(length=64), nullable=True),
        sa.ForeignKeyConstraint(
            ["class_id"], ["school_class.id"], name=op.f("fk_lesson_staff_class_id")
        ),
        sa.ForeignKeyConstraint(
            ["lesson_id"], ["lesson.id"], name=op.f("fk_lesson_staff_lesson_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["person_id"], ["person.id"], name=op.f("fk_lesson_staff_person_id")
        ),
        sa.PrimaryKeyConstraint("lesson_id", "person_id", "role", name=op.f("pk_lesson_staff")),
    )
    op.create_table(
        "recording_consent",
        sa.Column("person_id", sa.String(length=64), nullable=False),
        sa.Column("given_on", sa.Date(), nullable=False),
        sa.Column("given_by", sa.String(length=120), nullable=False),
        sa.Column("withdrawn_at", sa.Date(), nullable=True),
        sa.Column("date_last_modified", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["person_id"], ["person.id"], name=op.f("fk_recording_consent_person_id")
        ),
        sa.PrimaryKeyConstraint("person_id", "given_on", name=op.f("pk_recording_consent")),
    )


def downgrade() -> None:
    """Takes it back."""
    op.drop_table("recording_consent")
    op.drop_table("lesson_staff")
    op.drop_table("lesson_class")
    op.drop_table("guardian")
    with op.batch_alter_table("enrolment", schema=None) as batch_op:
        batch_op.drop_index("ix_enrolment_class_id")

    op.drop_table("enrolment")
    with op.batch_alter_table("school_class", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_school_class_school_id"))

    op.drop_table("school_class")
    with op.batch_alter_table("person", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_person_school_id"))

    op.drop_table("person")
    op.drop_table("lesson_slides")
    with op.batch_alter_table("join_link", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_join_link_revoked_at"))
        batch_op.drop_index(batch_op.f("ix_join_link_lesson_id"))
        batch_op.drop_index(batch_op.f("ix_join_link_expires_at"))

    op.drop_table("join_link")
    op.drop_table("slide_document")
    op.drop_table("school")
    with op.batch_alter_table("revoked_link", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_revoked_link_expires_at"))

    op.drop_table("revoked_link")
    with op.batch_alter_table("lesson", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_lesson_starts_at"))
        batch_op.drop_index(batch_op.f("ix_lesson_lead_id"))

    op.drop_table("lesson")
