"""Lives of tax servers and virtual devices: certificates, cancelling, batches."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_TEXTS = ("certificate_status", "vendor", "model", "crypto_certificate_no", "crypto_model")
_MOMENTS = ("certificate_issued_at", "temporary_at", "formal_requested_at", "formal_synced_at")


def upgrade() -> None:
    with op.batch_alter_table("tax_servers") as table:
        table.add_column(sa.Column("certificate_stage", sa.String(), nullable=False, server_default="none"))
        for name in _TEXTS:
            table.add_column(sa.Column(name, sa.String(), nullable=False, server_default=""))
        for name in _MOMENTS:
            table.add_column(sa.Column(name, sa.String(), nullable=True))
    # Whoever has a certificate got the temporary one: no other was known so far.
    op.execute("UPDATE tax_servers SET certificate_stage = 'temporary' WHERE certificate_not_after IS NOT NULL")
    with op.batch_alter_table("devices") as table:
        table.add_column(sa.Column("certificate_issued_at", sa.String(), nullable=True))
        table.add_column(sa.Column("to_ready", sa.Integer(), nullable=False, server_default="0"))
    op.create_table(
        "batches",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("requested_by", sa.String(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("total", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.String(), nullable=False),
        sa.Column("updated_at", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_batches")),
    )
    op.create_table(
        "batch_rows",
        sa.Column("batch_id", sa.String(), nullable=False),
        sa.Column("line", sa.Integer(), nullable=False),
        sa.Column("device_id", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("batch_id", "line", name=op.f("pk_batch_rows")),
    )


def downgrade() -> None:
    op.drop_table("batch_rows")
    op.drop_table("batches")
    with op.batch_alter_table("devices") as table:
        table.drop_column("to_ready")
        table.drop_column("certificate_issued_at")
    with op.batch_alter_table("tax_servers") as table:
        for name in (*_MOMENTS, *_TEXTS, "certificate_stage"):
            table.drop_column(name)
