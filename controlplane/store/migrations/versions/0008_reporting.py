"""Reporting and clearing: reports, schedules, and code and time of upload results."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def _text(name: str, default: str | None = None, nullable: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.String(), nullable=nullable, server_default=default)


def upgrade() -> None:
    op.create_table(
        "reports",
        *(
            _text(name)
            for name in ("taxpayer_id", "id", "device_id", "kind", "period", "state", "report_from", "report_to")
        ),
        *(_text(name) for name in ("deadline", "report_no", "summary", "ledger_totals", "differences")),
        *(_text(name) for name in ("totals_accepted", "verdict_code", "verdict_message")),
        sa.Column("clear_needs_return", sa.Integer(), nullable=False),
        *(_text(name, nullable=True) for name in ("reported_at", "verified_at", "return_filed_at")),
        _text("return_filed_by"),
        _text("cleared_at", nullable=True),
        *(_text(name) for name in ("cleared_by", "new_deadline", "refusals", "stopped")),
        _text("next_try_at", nullable=True),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        *(_text(name) for name in ("created_at", "updated_at")),
        sa.PrimaryKeyConstraint("taxpayer_id", "id", name=op.f("pk_reports")),
        sa.UniqueConstraint(
            "taxpayer_id", "device_id", "kind", "period", name=op.f("uq_reports_taxpayer_id_device_id_kind_period")
        ),
    )
    op.create_index("ix_reports_id", "reports", ["id"], unique=False)
    op.create_index(
        "ix_reports_open",
        "reports",
        ["device_id"],
        unique=False,
        sqlite_where=sa.text("state <> 'cleared'"),
        postgresql_where=sa.text("state <> 'cleared'"),
    )
    op.create_table(
        "report_schedules",
        *(_text(name) for name in ("taxpayer_id", "id")),
        *(sa.Column(name, sa.Integer(), nullable=False) for name in ("hour", "minute", "days_before")),
        _text("state"),
        sa.Column("version", sa.Integer(), nullable=False),
        *(_text(name) for name in ("created_at", "updated_at")),
        sa.PrimaryKeyConstraint("taxpayer_id", name=op.f("pk_report_schedules")),
    )
    op.create_index("ix_report_schedules_id", "report_schedules", ["id"], unique=False)
    with op.batch_alter_table("invoices") as invoices:
        invoices.add_column(_text("upload_code", ""))
        invoices.add_column(_text("upload_told_at", nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("invoices") as invoices:
        invoices.drop_column("upload_told_at")
        invoices.drop_column("upload_code")
    op.drop_table("report_schedules")
    op.drop_table("reports")
