"""The work: jobs, numbers, orders, invoices, outbox."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

TABLES = (
    "documents",
    "evidence",
    "invoice_codes",
    "invoice_facts",
    "invoice_lines",
    "invoices",
    "jobs",
    "number_ranges",
    "order_line_links",
    "order_lines",
    "orders",
    "outbox",
    "segments",
    "stock",
    "terminals",
)


def upgrade() -> None:
    op.create_table(
        "documents",
        sa.Column("taxpayer_id", sa.String(), nullable=False),
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("invoice_id", sa.String(), nullable=False),
        sa.Column("format", sa.String(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("stored_at", sa.String(), nullable=False),
        sa.Column("created_at", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("taxpayer_id", "id", name=op.f("pk_documents")),
    )
    op.create_index(op.f("ix_documents_invoice_id"), "documents", ["invoice_id"], unique=False)

    op.create_table(
        "evidence",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("taxpayer_id", sa.String(), nullable=False),
        sa.Column("job_id", sa.String(), nullable=False),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("outcome", sa.String(), nullable=False),
        sa.Column("created_at", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_evidence")),
    )
    op.create_index(op.f("ix_evidence_job_id"), "evidence", ["job_id"], unique=False)

    op.create_table(
        "invoice_codes",
        sa.Column("invoice_code", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("invoice_code", name=op.f("pk_invoice_codes")),
    )

    op.create_table(
        "invoice_facts",
        sa.Column("taxpayer_id", sa.String(), nullable=False),
        sa.Column("invoice_id", sa.String(), nullable=False),
        sa.Column("day", sa.String(), nullable=False),
        sa.Column("device_id", sa.String(), nullable=False),
        sa.Column("terminal_code", sa.String(), nullable=False),
        sa.Column("business_type", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("direction", sa.String(), nullable=False),
        sa.Column("net_fen", sa.BigInteger(), nullable=False),
        sa.Column("tax_fen", sa.BigInteger(), nullable=False),
        sa.Column("gross_fen", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("taxpayer_id", "invoice_id", name=op.f("pk_invoice_facts")),
    )
    op.create_index("ix_invoice_facts_day", "invoice_facts", ["taxpayer_id", "day"], unique=False)
    op.create_index("ix_invoice_facts_device", "invoice_facts", ["device_id", "day"], unique=False)

    op.create_table(
        "invoice_lines",
        sa.Column("taxpayer_id", sa.String(), nullable=False),
        sa.Column("invoice_id", sa.String(), nullable=False),
        sa.Column("line_no", sa.Integer(), nullable=False),
        sa.Column("nature", sa.Integer(), nullable=False),
        sa.Column("item_name", sa.String(), nullable=False),
        sa.Column("spec", sa.String(), nullable=False),
        sa.Column("unit", sa.String(), nullable=False),
        sa.Column("quantity", sa.String(), nullable=True),
        sa.Column("unit_price", sa.String(), nullable=True),
        sa.Column("amount_fen", sa.BigInteger(), nullable=False),
        sa.Column("rate", sa.String(), nullable=False),
        sa.Column("tax_fen", sa.BigInteger(), nullable=False),
        sa.Column("tax_class_code", sa.String(), nullable=False),
        sa.Column("preference_flag", sa.Integer(), nullable=False),
        sa.Column("preference_note", sa.String(), nullable=False),
        sa.Column("zero_rate_kind", sa.String(), nullable=False),
        sa.Column("own_code", sa.String(), nullable=False),
        sa.Column("order_line", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("taxpayer_id", "invoice_id", "line_no", name=op.f("pk_invoice_lines")),
        sqlite_with_rowid=False,
    )

    op.create_table(
        "invoices",
        sa.Column("taxpayer_id", sa.String(), nullable=False),
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("order_id", sa.String(), nullable=False),
        sa.Column("request_id", sa.String(), nullable=False),
        sa.Column("order_no", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("live", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("direction", sa.String(), nullable=False),
        sa.Column("seller", sa.String(), nullable=False),
        sa.Column("buyer", sa.String(), nullable=False),
        sa.Column("issuer", sa.String(), nullable=False),
        sa.Column("payee", sa.String(), nullable=False),
        sa.Column("reviewer", sa.String(), nullable=False),
        sa.Column("remark", sa.String(), nullable=False),
        sa.Column("net_fen", sa.BigInteger(), nullable=False),
        sa.Column("tax_fen", sa.BigInteger(), nullable=False),
        sa.Column("gross_fen", sa.BigInteger(), nullable=False),
        sa.Column("device_id", sa.String(), nullable=True),
        sa.Column("terminal_code", sa.String(), nullable=True),
        sa.Column("choice", sa.String(), nullable=False),
        sa.Column("open_job_id", sa.String(), nullable=True),
        sa.Column("waiting_reason", sa.String(), nullable=True),
        sa.Column("refusal", sa.String(), nullable=True),
        sa.Column("segment_id", sa.String(), nullable=True),
        sa.Column("device_index", sa.Integer(), nullable=True),
        sa.Column("invoice_code", sa.String(), nullable=True),
        sa.Column("invoice_no", sa.String(), nullable=True),
        sa.Column("check_code", sa.String(), nullable=True),
        sa.Column("cipher", sa.String(), nullable=True),
        sa.Column("signature", sa.String(), nullable=True),
        sa.Column("payload_hash", sa.String(), nullable=True),
        sa.Column("issued_at", sa.String(), nullable=True),
        sa.Column("upload_status", sa.String(), nullable=False),
        sa.Column("upload_receipt_no", sa.String(), nullable=True),
        sa.Column("uploaded_at", sa.String(), nullable=True),
        sa.Column("upload_message", sa.String(), nullable=False),
        sa.Column("red_offset_by", sa.String(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.String(), nullable=False),
        sa.Column("updated_at", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("taxpayer_id", "id", name=op.f("pk_invoices")),
    )
    op.create_index("ix_invoices_device_index", "invoices", ["device_id", "device_index"], unique=False)
    op.create_index("ix_invoices_id", "invoices", ["id"], unique=False)
    op.create_index("ix_invoices_request", "invoices", ["taxpayer_id", "request_id"], unique=True)
    op.create_index(
        "ix_invoices_to_upload",
        "invoices",
        ["device_id"],
        unique=False,
        sqlite_where=sa.text("state = 'issued' AND upload_status <> 'uploaded'"),
        postgresql_where=sa.text("state = 'issued' AND upload_status <> 'uploaded'"),
    )
    op.create_index(
        "ix_invoices_unplaced",
        "invoices",
        ["taxpayer_id", "id"],
        unique=False,
        sqlite_where=sa.text("state = 'waiting' AND open_job_id IS NULL"),
        postgresql_where=sa.text("state = 'waiting' AND open_job_id IS NULL"),
    )
    op.create_index(
        "ix_invoices_waiting_device",
        "invoices",
        ["device_id"],
        unique=False,
        sqlite_where=sa.text("state = 'waiting'"),
        postgresql_where=sa.text("state = 'waiting'"),
    )
    op.create_index(
        "uq_invoices_live",
        "invoices",
        ["taxpayer_id", "order_no"],
        unique=True,
        sqlite_where=sa.text("live = 1"),
        postgresql_where=sa.text("live = 1"),
    )
    op.create_index(
        "uq_invoices_number",
        "invoices",
        ["taxpayer_id", "invoice_code", "invoice_no"],
        unique=True,
        sqlite_where=sa.text("invoice_no IS NOT NULL"),
        postgresql_where=sa.text("invoice_no IS NOT NULL"),
    )

    op.create_table(
        "jobs",
        sa.Column("taxpayer_id", sa.String(), nullable=False),
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("target_id", sa.String(), nullable=False),
        sa.Column("target_noun", sa.String(), nullable=False),
        sa.Column("subject_noun", sa.String(), nullable=False),
        sa.Column("subject_id", sa.String(), nullable=False),
        sa.Column("exclusive", sa.String(), nullable=True),
        sa.Column("work", sa.String(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("lost_sight", sa.Integer(), nullable=False),
        sa.Column("epoch", sa.Integer(), nullable=True),
        sa.Column("agent_id", sa.String(), nullable=True),
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("message", sa.String(), nullable=False),
        sa.Column("trail", sa.String(), nullable=False),
        sa.Column("requested_by", sa.String(), nullable=False),
        sa.Column("leased_at", sa.String(), nullable=True),
        sa.Column("settled_at", sa.String(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.String(), nullable=False),
        sa.Column("updated_at", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("taxpayer_id", "id", name=op.f("pk_jobs")),
    )
    op.create_index("ix_jobs_id", "jobs", ["id"], unique=False)
    op.create_index(
        "ix_jobs_lane",
        "jobs",
        ["target_id", "id"],
        unique=False,
        sqlite_where=sa.text("state IN ('queued', 'leased', 'unknown')"),
        postgresql_where=sa.text("state IN ('queued', 'leased', 'unknown')"),
    )
    op.create_index("ix_jobs_subject", "jobs", ["subject_id", "id"], unique=False)
    op.create_index(
        "uq_jobs_exclusive",
        "jobs",
        ["taxpayer_id", "exclusive"],
        unique=True,
        sqlite_where=sa.text("state IN ('queued', 'leased', 'unknown') AND exclusive IS NOT NULL"),
        postgresql_where=sa.text("state IN ('queued', 'leased', 'unknown') AND exclusive IS NOT NULL"),
    )

    op.create_table(
        "number_ranges",
        sa.Column("invoice_code", sa.String(), nullable=False),
        sa.Column("start_no", sa.Integer(), nullable=False),
        sa.Column("end_no", sa.Integer(), nullable=False),
        sa.Column("taxpayer_id", sa.String(), nullable=False),
        sa.Column("device_id", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("invoice_code", "start_no", name=op.f("pk_number_ranges")),
    )

    op.create_table(
        "order_line_links",
        sa.Column("taxpayer_id", sa.String(), nullable=False),
        sa.Column("order_id", sa.String(), nullable=False),
        sa.Column("order_line_no", sa.Integer(), nullable=False),
        sa.Column("invoice_id", sa.String(), nullable=False),
        sa.Column("invoice_line_no", sa.Integer(), nullable=False),
        sa.Column("quantity", sa.String(), nullable=True),
        sa.Column("amount_fen", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint(
            "taxpayer_id",
            "order_id",
            "order_line_no",
            "invoice_id",
            "invoice_line_no",
            name=op.f("pk_order_line_links"),
        ),
        sqlite_with_rowid=False,
    )

    op.create_table(
        "order_lines",
        sa.Column("taxpayer_id", sa.String(), nullable=False),
        sa.Column("order_id", sa.String(), nullable=False),
        sa.Column("line_no", sa.Integer(), nullable=False),
        sa.Column("body", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("taxpayer_id", "order_id", "line_no", name=op.f("pk_order_lines")),
        sqlite_with_rowid=False,
    )

    op.create_table(
        "orders",
        sa.Column("taxpayer_id", sa.String(), nullable=False),
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("request_id", sa.String(), nullable=False),
        sa.Column("order_no", sa.String(), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("business_type", sa.String(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("body", sa.String(), nullable=False),
        sa.Column("received_at", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("taxpayer_id", "id", name=op.f("pk_orders")),
        sa.UniqueConstraint("taxpayer_id", "order_no", "attempt", name=op.f("uq_orders_taxpayer_id_order_no_attempt")),
        sa.UniqueConstraint("taxpayer_id", "request_id", name=op.f("uq_orders_taxpayer_id_request_id")),
    )
    op.create_index("ix_orders_received", "orders", ["taxpayer_id", "received_at"], unique=False)

    op.create_table(
        "outbox",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("channel", sa.String(), nullable=False),
        sa.Column("recipient", sa.String(), nullable=False),
        sa.Column("cause", sa.String(), nullable=False),
        sa.Column("payload", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("next_try_at", sa.String(), nullable=False),
        sa.Column("last_error", sa.String(), nullable=False),
        sa.Column("sent_at", sa.String(), nullable=True),
        sa.Column("created_at", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outbox")),
    )

    op.create_table(
        "segments",
        sa.Column("taxpayer_id", sa.String(), nullable=False),
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("device_id", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("invoice_code", sa.String(), nullable=False),
        sa.Column("start_no", sa.Integer(), nullable=False),
        sa.Column("end_no", sa.Integer(), nullable=False),
        sa.Column("next_no", sa.Integer(), nullable=False),
        sa.Column("terminal_code", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("grant_no", sa.String(), nullable=False),
        sa.Column("received_on", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.String(), nullable=False),
        sa.Column("updated_at", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("taxpayer_id", "id", name=op.f("pk_segments")),
    )
    op.create_index(op.f("ix_segments_device_id"), "segments", ["device_id"], unique=False)

    op.create_table(
        "stock",
        sa.Column("taxpayer_id", sa.String(), nullable=False),
        sa.Column("device_id", sa.String(), nullable=False),
        sa.Column("terminal_code", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("remaining", sa.Integer(), nullable=False),
        sa.Column("reserved", sa.Integer(), nullable=False),
        sa.Column("read_at", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("taxpayer_id", "device_id", "terminal_code", "kind", name=op.f("pk_stock")),
    )

    op.create_table(
        "terminals",
        sa.Column("taxpayer_id", sa.String(), nullable=False),
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("device_id", sa.String(), nullable=False),
        sa.Column("terminal_code", sa.String(), nullable=False),
        sa.Column("terminal_name", sa.String(), nullable=False),
        sa.Column("business_type", sa.String(), nullable=False),
        sa.Column("enabled", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.String(), nullable=False),
        sa.Column("updated_at", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("taxpayer_id", "id", name=op.f("pk_terminals")),
    )
    op.create_index(op.f("ix_terminals_device_id"), "terminals", ["device_id"], unique=False)


def downgrade() -> None:
    for table in reversed(TABLES):
        op.drop_table(table)
