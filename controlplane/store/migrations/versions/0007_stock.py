"""Applications, returns and stock thresholds."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def _text(name: str, nullable: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.String(), nullable=nullable)


def _number(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.Integer(), nullable=False)


def upgrade() -> None:
    op.create_table(
        "applications",
        _text("taxpayer_id"), _text("id"), _text("device_id"), _text("kind"), _number("count"), _text("application_no"),
        _text("state"), _text("message"), _text("requested_by"), _text("queried_at", True), _text("decided_at", True),
        _number("version"), _text("created_at"), _text("updated_at"),
        sa.PrimaryKeyConstraint("taxpayer_id", "id", name=op.f("pk_applications")),
    )  # fmt: skip
    op.create_index(op.f("ix_applications_device_id"), "applications", ["device_id"], unique=False)
    op.create_table(
        "grants",
        _text("taxpayer_id"), _text("id"), _text("device_id"), _text("grant_no"), _text("application_no"), _text("kind"),
        _text("invoice_code"), _number("start_no"), _number("end_no"), _text("state"), _text("message"),
        _number("tries"), _text("next_try_at"), _number("version"), _text("created_at"), _text("updated_at"),
        sa.PrimaryKeyConstraint("taxpayer_id", "id", name=op.f("pk_grants")),
    )  # fmt: skip
    op.create_index(op.f("ix_grants_device_id"), "grants", ["device_id"], unique=False)
    op.create_index(op.f("ix_grants_state"), "grants", ["state"], unique=False)
    op.create_table(
        "stock_alerts",
        _text("id"), _text("taxpayer_id"), _text("device_id"), _text("kind"), _number("threshold"), _text("recipients"),
        _text("state"), _number("version"), _text("created_at"), _text("updated_at"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_stock_alerts")),
    )  # fmt: skip
    op.create_index(op.f("ix_stock_alerts_taxpayer_id"), "stock_alerts", ["taxpayer_id"], unique=False)
    op.create_table(
        "stock_levels",
        _text("alert_id"), _text("device_id"), _text("kind"), _text("level"), _number("numbers"), _text("at"),
        sa.PrimaryKeyConstraint("alert_id", "device_id", "kind", name=op.f("pk_stock_levels")),
    )  # fmt: skip
    with op.batch_alter_table("devices") as table:
        table.add_column(_text("segments_at", True))


def downgrade() -> None:
    with op.batch_alter_table("devices") as table:
        table.drop_column("segments_at")
    for name in ("stock_levels", "stock_alerts", "grants", "applications"):
        op.drop_table(name)
