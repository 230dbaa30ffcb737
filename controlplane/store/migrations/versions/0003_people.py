"""People, sessions, scopes and emergency stops."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_ACTIVE = sa.text("state = 'active'")


def upgrade() -> None:
    with op.batch_alter_table("principals") as table:
        table.add_column(sa.Column("must_change", sa.Integer(), nullable=False, server_default="0"))
        table.add_column(sa.Column("password_expires_at", sa.String(), nullable=True))
        table.add_column(sa.Column("regions", sa.String(), nullable=True))
    op.execute("UPDATE principals SET kind = 'probe' WHERE role = 'probe'")
    with op.batch_alter_table("tokens") as table:
        table.add_column(sa.Column("id", sa.String(), nullable=True))
        table.add_column(sa.Column("kind", sa.String(), nullable=False, server_default="token"))
        table.add_column(sa.Column("label", sa.String(), nullable=False, server_default=""))
        table.add_column(sa.Column("address", sa.String(), nullable=False, server_default=""))
        table.add_column(sa.Column("version", sa.Integer(), nullable=False, server_default="1"))
        table.create_unique_constraint(op.f("uq_tokens_id"), ["id"])
    # A part of the digest names a token of before: nobody can do anything with it, and it is as unique as the whole.
    op.execute("UPDATE tokens SET id = substr(token_hash, 1, 32)")
    op.create_index(op.f("ix_taxpayers_region"), "taxpayers", ["region"])

    op.create_table(
        "stops",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("target_noun", sa.String(), nullable=False),
        sa.Column("target_id", sa.String(), nullable=False),
        sa.Column("target_name", sa.String(), nullable=False),
        sa.Column("taxpayer_id", sa.String(), nullable=False),
        sa.Column("region", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("stopped_by", sa.String(), nullable=False),
        sa.Column("stopped_by_id", sa.String(), nullable=False),
        sa.Column("resumed_by", sa.String(), nullable=True),
        sa.Column("resumed_at", sa.String(), nullable=True),
        sa.Column("resume_reason", sa.String(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.String(), nullable=False),
        sa.Column("updated_at", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_stops")),
    )
    op.create_index(
        "uq_stops_active", "stops", ["target_noun", "target_id"], unique=True,
        sqlite_where=_ACTIVE, postgresql_where=_ACTIVE,
    )  # fmt: skip
    with op.batch_alter_table("ledger_head") as table:
        table.add_column(sa.Column("stop_seq", sa.BigInteger(), nullable=False, server_default="0"))


def downgrade() -> None:
    with op.batch_alter_table("ledger_head") as table:
        table.drop_column("stop_seq")
    op.drop_table("stops")
    op.drop_index(op.f("ix_taxpayers_region"), "taxpayers")
    with op.batch_alter_table("tokens") as table:
        table.drop_constraint(op.f("uq_tokens_id"), type_="unique")
        for name in ("version", "address", "label", "kind", "id"):
            table.drop_column(name)
    with op.batch_alter_table("principals") as table:
        for name in ("regions", "password_expires_at", "must_change"):
            table.drop_column(name)
