"""The house: head, log, feed, people, agents, fleet, lines."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

TABLES = (
    "agents",
    "bindings",
    "bureau_endpoints",
    "devices",
    "events",
    "join_tokens",
    "ledger_head",
    "line_samples",
    "operation_log",
    "principals",
    "slots",
    "tax_servers",
    "taxpayers",
    "tokens",
)


def upgrade() -> None:
    op.create_table(
        "agents",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("host_id", sa.String(), nullable=False),
        sa.Column("secret_hash", sa.String(), nullable=False),
        sa.Column("agent_version", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("last_seen", sa.String(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.String(), nullable=False),
        sa.Column("updated_at", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_agents")),
    )
    op.create_index(op.f("ix_agents_host_id"), "agents", ["host_id"], unique=False)

    op.create_table(
        "bindings",
        sa.Column("target_id", sa.String(), nullable=False),
        sa.Column("target_noun", sa.String(), nullable=False),
        sa.Column("agent_id", sa.String(), nullable=True),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("session", sa.String(), nullable=False),
        sa.Column("rest_until", sa.String(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("updated_at", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("target_id", name=op.f("pk_bindings")),
    )
    op.create_index(op.f("ix_bindings_agent_id"), "bindings", ["agent_id"], unique=False)

    op.create_table(
        "bureau_endpoints",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("region", sa.String(), nullable=False),
        sa.Column("area_code", sa.String(), nullable=False),
        sa.Column("service", sa.String(), nullable=False),
        sa.Column("target", sa.String(), nullable=False),
        sa.Column("enabled", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.String(), nullable=False),
        sa.Column("updated_at", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bureau_endpoints")),
        sa.UniqueConstraint(
            "area_code", "service", "target", name=op.f("uq_bureau_endpoints_area_code_service_target")
        ),
    )

    op.create_table(
        "devices",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("taxpayer_id", sa.String(), nullable=False),
        sa.Column("device_no", sa.String(), nullable=True),
        sa.Column("device_kind", sa.String(), nullable=False),
        sa.Column("custody", sa.String(), nullable=False),
        sa.Column("medium", sa.String(), nullable=False),
        sa.Column("tax_server_id", sa.String(), nullable=True),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("held_reason", sa.String(), nullable=False),
        sa.Column("kinds", sa.String(), nullable=False),
        sa.Column("rates", sa.String(), nullable=False),
        sa.Column("company", sa.String(), nullable=False),
        sa.Column("certificate_not_after", sa.String(), nullable=True),
        sa.Column("reachable", sa.Integer(), nullable=True),
        sa.Column("unreachable_message", sa.String(), nullable=False),
        sa.Column("clock_offset_seconds", sa.Float(), nullable=True),
        sa.Column("bureau_online", sa.Integer(), nullable=True),
        sa.Column("bureau_message", sa.String(), nullable=False),
        sa.Column("offline_since", sa.String(), nullable=True),
        sa.Column("offline_count", sa.Integer(), nullable=False),
        sa.Column("offline_fen", sa.BigInteger(), nullable=False),
        sa.Column("last_index", sa.Integer(), nullable=False),
        sa.Column("upload_cursor", sa.Integer(), nullable=False),
        sa.Column("read_at", sa.String(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.String(), nullable=False),
        sa.Column("updated_at", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_devices")),
        sa.UniqueConstraint("device_no", name=op.f("uq_devices_device_no")),
    )
    op.create_index(op.f("ix_devices_tax_server_id"), "devices", ["tax_server_id"], unique=False)
    op.create_index(op.f("ix_devices_taxpayer_id"), "devices", ["taxpayer_id"], unique=False)

    op.create_table(
        "events",
        sa.Column("seq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("at", sa.String(), nullable=False),
        sa.Column("noun", sa.String(), nullable=False),
        sa.Column("record_id", sa.String(), nullable=False),
        sa.Column("taxpayer_id", sa.String(), nullable=False),
        sa.Column("verb", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("topic", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_events")),
    )

    op.create_table(
        "join_tokens",
        sa.Column("token_hash", sa.String(), nullable=False),
        sa.Column("host_id", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("expires_at", sa.String(), nullable=False),
        sa.Column("used_at", sa.String(), nullable=True),
        sa.Column("created_at", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("token_hash", name=op.f("pk_join_tokens")),
    )

    op.create_table(
        "ledger_head",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("instance_id", sa.String(), nullable=False),
        sa.Column("log_seq", sa.BigInteger(), nullable=False),
        sa.Column("log_hash", sa.String(), nullable=False),
        sa.Column("event_seq", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ledger_head")),
    )

    op.create_table(
        "line_samples",
        sa.Column("endpoint_id", sa.String(), nullable=False),
        sa.Column("slot", sa.String(), nullable=False),
        sa.Column("vantage", sa.String(), nullable=False),
        sa.Column("at", sa.String(), nullable=False),
        sa.Column("ok", sa.Integer(), nullable=True),
        sa.Column("failing_phase", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("duration_ms", sa.Float(), nullable=True),
        sa.Column("phases", sa.String(), nullable=False),
        sa.Column("address", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("endpoint_id", "slot", "vantage", name=op.f("pk_line_samples")),
    )

    op.create_table(
        "operation_log",
        sa.Column("seq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("at", sa.String(), nullable=False),
        sa.Column("actor_id", sa.String(), nullable=False),
        sa.Column("actor_name", sa.String(), nullable=False),
        sa.Column("actor_kind", sa.String(), nullable=False),
        sa.Column("action", sa.String(), nullable=False),
        sa.Column("noun", sa.String(), nullable=False),
        sa.Column("subject_id", sa.String(), nullable=False),
        sa.Column("taxpayer_id", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("outcome", sa.String(), nullable=False),
        sa.Column("detail", sa.String(), nullable=False),
        sa.Column("request_id", sa.String(), nullable=False),
        sa.Column("algorithm", sa.String(), nullable=False),
        sa.Column("previous_hash", sa.String(), nullable=False),
        sa.Column("hash", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_operation_log")),
    )
    op.create_index(op.f("ix_operation_log_actor_id"), "operation_log", ["actor_id"], unique=False)
    op.create_index(op.f("ix_operation_log_at"), "operation_log", ["at"], unique=False)
    op.create_index(op.f("ix_operation_log_subject_id"), "operation_log", ["subject_id"], unique=False)
    op.create_index(op.f("ix_operation_log_taxpayer_id"), "operation_log", ["taxpayer_id"], unique=False)

    op.create_table(
        "principals",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("role", sa.String(), nullable=False),
        sa.Column("password_hash", sa.String(), nullable=True),
        sa.Column("scope", sa.String(), nullable=True),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.String(), nullable=False),
        sa.Column("updated_at", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_principals")),
        sa.UniqueConstraint("name", name=op.f("uq_principals_name")),
    )

    op.create_table(
        "slots",
        sa.Column("work", sa.String(), nullable=False),
        sa.Column("slot", sa.String(), nullable=False),
        sa.Column("holder", sa.String(), nullable=False),
        sa.Column("at", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("work", "slot", name=op.f("pk_slots")),
    )

    op.create_table(
        "tax_servers",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("tax_server_no", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("region", sa.String(), nullable=False),
        sa.Column("host", sa.String(), nullable=False),
        sa.Column("port", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("quota_total", sa.Integer(), nullable=False),
        sa.Column("quota_left", sa.Integer(), nullable=False),
        sa.Column("kernel_version", sa.String(), nullable=False),
        sa.Column("clock_offset_seconds", sa.Float(), nullable=True),
        sa.Column("certificate_not_after", sa.String(), nullable=True),
        sa.Column("tax_authority_code", sa.String(), nullable=False),
        sa.Column("tax_authority_name", sa.String(), nullable=False),
        sa.Column("read_at", sa.String(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.String(), nullable=False),
        sa.Column("updated_at", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tax_servers")),
        sa.UniqueConstraint("tax_server_no", name=op.f("uq_tax_servers_tax_server_no")),
    )

    op.create_table(
        "taxpayers",
        sa.Column("taxpayer_id", sa.String(), nullable=False),
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("taxpayer_kind", sa.String(), nullable=False),
        sa.Column("region", sa.String(), nullable=False),
        sa.Column("address_phone", sa.String(), nullable=False),
        sa.Column("bank_account", sa.String(), nullable=False),
        sa.Column("issuer", sa.String(), nullable=False),
        sa.Column("tax_authority_code", sa.String(), nullable=False),
        sa.Column("tax_authority_name", sa.String(), nullable=False),
        sa.Column("may_issue", sa.Integer(), nullable=False),
        sa.Column("flags", sa.String(), nullable=False),
        sa.Column("parent_id", sa.String(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.String(), nullable=False),
        sa.Column("updated_at", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("taxpayer_id", name=op.f("pk_taxpayers")),
        sa.UniqueConstraint("id", name=op.f("uq_taxpayers_id")),
    )

    op.create_table(
        "tokens",
        sa.Column("token_hash", sa.String(), nullable=False),
        sa.Column("principal_id", sa.String(), nullable=False),
        sa.Column("expires_at", sa.String(), nullable=True),
        sa.Column("revoked_at", sa.String(), nullable=True),
        sa.Column("created_at", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("token_hash", name=op.f("pk_tokens")),
    )
    op.create_index(op.f("ix_tokens_principal_id"), "tokens", ["principal_id"], unique=False)


def downgrade() -> None:
    for table in reversed(TABLES):
        op.drop_table(table)
