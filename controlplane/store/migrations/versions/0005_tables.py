"""Taxpayers whole, bureau addresses and tax class codes with versions."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_UNIQUE = "uq_bureau_endpoints_area_code_service_target"
_DATED_UNIQUE = "uq_bureau_endpoints_area_code_service_carrier_target_valid_from"
_TABLES = ("taxpayer_flags", "taxpayer_contacts", "taxpayer_fetches", "code_versions", "code_rows")
_TAXPAYER = ("registration_seq", "state")
_ENDPOINT = ("carrier", "valid_from", "valid_to", "removed_at", "note", "source")


def _text(name: str, nullable: bool = False) -> sa.Column:
    return sa.Column(name, sa.String(), nullable=nullable)


def upgrade() -> None:
    with op.batch_alter_table("taxpayers") as table:
        table.add_column(sa.Column("registration_seq", sa.String(), nullable=False, server_default=""))
        table.add_column(sa.Column("state", sa.String(), nullable=False, server_default="active"))
    op.create_index("ix_taxpayers_parent", "taxpayers", ["parent_id"], unique=False)

    with op.batch_alter_table("bureau_endpoints") as table:
        for name in ("carrier", "valid_from", "note", "source"):
            table.add_column(sa.Column(name, sa.String(), nullable=False, server_default=""))
        table.add_column(_text("valid_to", nullable=True))
        table.add_column(_text("removed_at", nullable=True))
        table.drop_constraint(_UNIQUE, type_="unique")
        table.create_unique_constraint(
            _DATED_UNIQUE, ["area_code", "service", "carrier", "target", "valid_from"]
        )

    op.create_table(
        "taxpayer_flags",
        *(_text(name) for name in ("taxpayer_id", "name", "valid_from", "valid_to", "value", "source", "created_at")),
        sa.PrimaryKeyConstraint("taxpayer_id", "name", "valid_from", name=op.f("pk_taxpayer_flags")),
    )
    op.create_table(
        "taxpayer_contacts",
        *(_text(name) for name in ("taxpayer_id", "id", "name", "phone", "mail", "duty", "created_at")),
        sa.PrimaryKeyConstraint("taxpayer_id", "id", name=op.f("pk_taxpayer_contacts")),
    )
    op.create_table(
        "taxpayer_fetches",
        *(_text(name) for name in ("taxpayer_id", "id", "tax_server_id", "state")),
        _text("job_id", nullable=True),
        *(_text(name) for name in ("facts", "diff", "applied")),
        sa.Column("base_version", sa.Integer(), nullable=False),
        _text("message"),
        _text("requested_by"),
        _text("arrived_at", nullable=True),
        _text("settled_at", nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        _text("created_at"),
        _text("updated_at"),
        sa.PrimaryKeyConstraint("taxpayer_id", "id", name=op.f("pk_taxpayer_fetches")),
    )
    _create_code_tables()


def _create_code_tables() -> None:
    op.create_table(
        "code_versions",
        *(_text(name) for name in ("id", "wanted", "table_version", "published_on", "tax_server_id", "state")),
        _text("valid_from", nullable=True),
        _text("digest"),
        sa.Column("total", sa.Integer(), nullable=False),
        sa.Column("rows_done", sa.Integer(), nullable=False),
        _text("error"),
        _text("requested_by"),
        _text("started_at"),
        _text("ended_at", nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        _text("created_at"),
        _text("updated_at"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_code_versions")),
    )
    op.create_index(
        "uq_code_versions_day",
        "code_versions",
        ["valid_from"],
        unique=True,
        sqlite_where=sa.text("state = 'active'"),
        postgresql_where=sa.text("state = 'active'"),
    )
    op.create_index(
        "uq_code_versions_fetching",
        "code_versions",
        ["state"],
        unique=True,
        sqlite_where=sa.text("state = 'fetching'"),
        postgresql_where=sa.text("state = 'fetching'"),
    )
    op.create_table(
        "code_rows",
        _text("version_id"),
        sa.Column("position", sa.Integer(), nullable=False),
        *(_text(name) for name in ("code", "name", "short_name", "rates")),
        sa.Column("sum_only", sa.Integer(), nullable=False),
        sa.Column("usable", sa.Integer(), nullable=False),
        *(_text(name) for name in ("parent", "note", "valid_from", "valid_to")),
        sa.PrimaryKeyConstraint("version_id", "position", name=op.f("pk_code_rows")),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_code_rows_code", "code_rows", ["version_id", "code"], unique=False)


def downgrade() -> None:
    for table in reversed(_TABLES):
        op.drop_table(table)
    with op.batch_alter_table("bureau_endpoints") as table:
        table.drop_constraint(_DATED_UNIQUE, type_="unique")
        table.create_unique_constraint(_UNIQUE, ["area_code", "service", "target"])
        for name in _ENDPOINT:
            table.drop_column(name)
    op.drop_index("ix_taxpayers_parent", "taxpayers")
    with op.batch_alter_table("taxpayers") as table:
        for name in _TAXPAYER:
            table.drop_column(name)
