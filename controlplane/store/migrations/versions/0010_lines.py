"""Line samples, alert configuration, deliveries."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

_NEW = ("alert_flips", "alert_rules", "alert_tells", "line_checks", "line_states", "line_vantages", "line_watches",
        "open_alerts")  # fmt: skip


def _text(name: str, nullable: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.String(), nullable=nullable)


def _number(name: str, nullable: bool = False) -> sa.Column[int]:
    return sa.Column(name, sa.Integer(), nullable=nullable)


def upgrade() -> None:
    with op.batch_alter_table("line_samples") as batch:
        batch.add_column(sa.Column("kind", sa.String(), nullable=False, server_default="slot"))
        batch.add_column(_text("certificate_not_after", nullable=True))
        batch.drop_constraint("pk_line_samples", type_="primary")
        batch.create_primary_key("pk_line_samples", ["endpoint_id", "slot", "vantage", "kind"])
    with op.batch_alter_table("slots") as batch:
        batch.add_column(sa.Column("state", sa.String(), nullable=False, server_default="done"))
    op.create_index("ix_slots_state", "slots", ["state", "work"])
    op.execute("UPDATE outbox SET state = 'queued' WHERE state = 'waiting' AND attempts = 0")
    op.execute("UPDATE outbox SET state = 'deferred' WHERE state = 'waiting'")
    op.create_index("ix_outbox_due", "outbox", ["state", "next_try_at"])
    op.create_index("ix_outbox_recipient", "outbox", ["recipient", "cause"])
    _watch_tables()
    _alert_tables()


def _watch_tables() -> None:
    op.create_table(
        "line_watches", _text("endpoint_id"), _text("since"), _text("until", nullable=True),
        sa.PrimaryKeyConstraint("endpoint_id", "since", name=op.f("pk_line_watches")),
    )  # fmt: skip
    op.create_table(
        "line_states", _text("endpoint_id"), _text("verdict"), _number("failed"), _number("good"), _text("slot"),
        _number("slot_ok", nullable=True), _text("since"),
        sa.PrimaryKeyConstraint("endpoint_id", name=op.f("pk_line_states")),
    )  # fmt: skip
    op.create_table(
        "line_vantages", _text("vantage"), sa.Column("period", sa.Float(), nullable=False), _text("settled_to"),
        _text("silent_since", nullable=True), _number("missed"),
        sa.PrimaryKeyConstraint("vantage", name=op.f("pk_line_vantages")),
    )  # fmt: skip
    op.create_table(
        "line_checks", _text("id"), _text("endpoint_id"), _text("asked_by"), _text("asked_at"), _text("state"),
        _text("holder"), _text("taken_at", nullable=True), _text("done_at", nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_line_checks")),
    )  # fmt: skip
    op.create_index("ix_line_checks_endpoint", "line_checks", ["endpoint_id", "asked_at"])
    op.create_index("ix_line_checks_state", "line_checks", ["state", "asked_at"])


def _alert_tables() -> None:
    op.create_table(
        "alert_rules", _text("id"), _text("name"), _text("scope"), _text("scope_values"), _text("recipients"),
        _number("open_after"), _number("close_after"), _text("state"), _number("version"), _text("created_at"),
        _text("updated_at"), sa.PrimaryKeyConstraint("id", name=op.f("pk_alert_rules")),
    )  # fmt: skip
    op.create_table(
        "open_alerts", _text("rule_id"), _text("line_id"), _text("flip_id"), _text("opened_at"),
        sa.PrimaryKeyConstraint("rule_id", "line_id", name=op.f("pk_open_alerts")),
    )  # fmt: skip
    op.create_table(
        "alert_flips", _text("id"), _text("rule_id"), _text("line_id"), _text("vantage"), _text("move"), _text("slot"),
        _text("at"), _text("failing_phase"), _text("reason"), _text("opened_by"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_alert_flips")),
    )  # fmt: skip
    op.create_index("ix_alert_flips_line_id", "alert_flips", ["line_id"])
    op.create_table(
        "alert_tells", _text("flip_id"), _text("recipient"), _text("state"), _text("outbox_id", nullable=True),
        sa.PrimaryKeyConstraint("flip_id", "recipient", name=op.f("pk_alert_tells")),
    )  # fmt: skip
    op.create_index("ix_alert_tells_state", "alert_tells", ["state", "recipient"])


def downgrade() -> None:
    for table in _NEW:
        op.drop_table(table)
    op.drop_index("ix_outbox_recipient", "outbox")
    op.drop_index("ix_outbox_due", "outbox")
    op.execute("UPDATE outbox SET state = 'waiting' WHERE state IN ('queued', 'deferred')")
    op.drop_index("ix_slots_state", "slots")
    with op.batch_alter_table("slots") as batch:
        batch.drop_column("state")
    op.execute("DELETE FROM line_samples WHERE kind <> 'slot'")
    with op.batch_alter_table("line_samples") as batch:
        batch.drop_constraint("pk_line_samples", type_="primary")
        batch.drop_column("kind")
        batch.drop_column("certificate_not_after")
        batch.create_primary_key("pk_line_samples", ["endpoint_id", "slot", "vantage"])
