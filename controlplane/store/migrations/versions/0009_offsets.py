"""Voided and red invoices, red forms."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

_NEW_ON_INVOICES = ("original_id", "red_form_no", "red_reason", "red_net_fen", "red_tax_fen", "voided_at", "voided_by",
                    "void_reason")  # fmt: skip


def upgrade() -> None:
    with op.batch_alter_table("invoices") as invoices:
        invoices.add_column(sa.Column("original_id", sa.String(), nullable=True))
        for name in ("red_form_no", "red_reason"):
            invoices.add_column(sa.Column(name, sa.String(), nullable=False, server_default=""))
        for name in ("red_net_fen", "red_tax_fen"):
            invoices.add_column(sa.Column(name, sa.BigInteger(), nullable=False, server_default="0"))
        invoices.add_column(sa.Column("voided_at", sa.String(), nullable=True))
        for name in ("voided_by", "void_reason"):
            invoices.add_column(sa.Column(name, sa.String(), nullable=False, server_default=""))
    where = sa.text("original_id IS NOT NULL")
    op.create_index(
        "ix_invoices_original", "invoices", ["taxpayer_id", "original_id"], sqlite_where=where, postgresql_where=where
    )
    used = sa.text("red_form_no <> '' AND state IN ('waiting', 'issued')")
    op.create_index(
        "uq_invoices_red_form", "invoices", ["taxpayer_id", "red_form_no"], unique=True, sqlite_where=used,
        postgresql_where=used,
    )  # fmt: skip
    with op.batch_alter_table("invoice_lines") as lines:
        lines.add_column(sa.Column("original_line_no", sa.Integer(), nullable=False, server_default="0"))
    with op.batch_alter_table("invoice_facts") as facts:
        facts.add_column(sa.Column("voided_day", sa.String(), nullable=False, server_default=""))

    texts = ("form_no", "red_form_no", "invoice_id", "device_id", "kind", "applicant", "state", "status", "message")
    op.create_table(
        "red_forms",
        sa.Column("taxpayer_id", sa.String(), nullable=False),
        sa.Column("id", sa.String(), nullable=False),
        *(sa.Column(name, sa.String(), nullable=False) for name in texts),
        sa.Column("net_fen", sa.BigInteger(), nullable=False),
        sa.Column("tax_fen", sa.BigInteger(), nullable=False),
        sa.Column("lines", sa.String(), nullable=False),
        sa.Column("red_invoice_id", sa.String(), nullable=True),
        sa.Column("since", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.String(), nullable=False),
        sa.Column("updated_at", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("taxpayer_id", "id", name=op.f("pk_red_forms")),
    )
    op.create_index("uq_red_forms_form", "red_forms", ["taxpayer_id", "form_no"], unique=True)
    numbered = sa.text("red_form_no <> ''")
    op.create_index(
        "uq_red_forms_red_form", "red_forms", ["taxpayer_id", "red_form_no"], unique=True, sqlite_where=numbered,
        postgresql_where=numbered,
    )  # fmt: skip
    op.create_index("ix_red_forms_invoice", "red_forms", ["taxpayer_id", "invoice_id"])
    op.create_index("ix_red_forms_id", "red_forms", ["id"])


def downgrade() -> None:
    op.drop_table("red_forms")
    op.drop_column("invoice_facts", "voided_day")
    op.drop_column("invoice_lines", "original_line_no")
    op.drop_index("uq_invoices_red_form", table_name="invoices")
    op.drop_index("ix_invoices_original", table_name="invoices")
    for name in reversed(_NEW_ON_INVOICES):
        op.drop_column("invoices", name)
