"""Seals, releases and secure proxies."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

TABLES = (
    "release_checks",
    "releases",
    "seals",
    "secure_proxies",
    "upgrades",
)


def upgrade() -> None:
    op.create_table(
        "release_checks",
        sa.Column("tax_server_id", sa.String(), nullable=False),
        sa.Column("product", sa.String(), nullable=False),
        sa.Column("checked_at", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("tax_server_id", "product", name=op.f("pk_release_checks")),
    )

    op.create_table(
        "releases",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("product", sa.String(), nullable=False),
        sa.Column("release_version", sa.String(), nullable=False),
        sa.Column("released_on", sa.String(), nullable=False),
        sa.Column("effective_on", sa.String(), nullable=True),
        sa.Column("notes", sa.String(), nullable=False),
        sa.Column("first_seen_at", sa.String(), nullable=False),
        sa.Column("first_seen_on", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_releases")),
        sa.UniqueConstraint("product", "release_version", name=op.f("uq_releases_product_release_version")),
    )

    op.create_table(
        "seals",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("tax_server_id", sa.String(), nullable=False),
        sa.Column("area_code", sa.String(), nullable=False),
        sa.Column("seal_name", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("place", sa.String(), nullable=False),
        sa.Column("replaces", sa.String(), nullable=True),
        sa.Column("key_index", sa.String(), nullable=False),
        sa.Column("public_key", sa.String(), nullable=False),
        sa.Column("application_no", sa.String(), nullable=False),
        sa.Column("bureau_status", sa.String(), nullable=False),
        sa.Column("bureau_message", sa.String(), nullable=False),
        sa.Column("handler_name", sa.String(), nullable=False),
        sa.Column("handler_mobile", sa.String(), nullable=False),
        sa.Column("handler_id", sa.String(), nullable=False),
        sa.Column("not_after", sa.String(), nullable=True),
        sa.Column("algorithm", sa.String(), nullable=False),
        sa.Column("tested_at", sa.String(), nullable=True),
        sa.Column("test_passed", sa.Integer(), nullable=True),
        sa.Column("test_cause", sa.String(), nullable=False),
        sa.Column("used_since", sa.String(), nullable=True),
        sa.Column("request_kind", sa.String(), nullable=False),
        sa.Column("request_by", sa.String(), nullable=False),
        sa.Column("request_by_name", sa.String(), nullable=False),
        sa.Column("request_at", sa.String(), nullable=True),
        sa.Column("request_reason", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.String(), nullable=False),
        sa.Column("updated_at", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_seals")),
    )
    op.create_index(op.f("ix_seals_replaces"), "seals", ["replaces"], unique=False)
    op.create_index(op.f("ix_seals_tax_server_id"), "seals", ["tax_server_id"], unique=False)
    op.create_index(
        "uq_seals_live",
        "seals",
        ["tax_server_id", "area_code", "place"],
        unique=True,
        sqlite_where=sa.text("state IN ('not_applied', 'key_fetched', 'applied', 'downloaded', 'uploaded', 'in_use')"),
        postgresql_where=sa.text("state IN ('not_applied', 'key_fetched', 'applied', 'downloaded', 'uploaded', 'in_use')"),
    )

    op.create_table(
        "secure_proxies",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("tax_server_id", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("host", sa.String(), nullable=False),
        sa.Column("port", sa.Integer(), nullable=False),
        sa.Column("vip_host", sa.String(), nullable=True),
        sa.Column("vip_port", sa.Integer(), nullable=True),
        sa.Column("use_platform_key", sa.Integer(), nullable=False),
        sa.Column("max_connections", sa.Integer(), nullable=False),
        sa.Column("protocol", sa.String(), nullable=False),
        sa.Column("login_account", sa.String(), nullable=True),
        sa.Column("socket_connections", sa.Integer(), nullable=False),
        sa.Column("offline_interval_hours", sa.Integer(), nullable=False),
        sa.Column("login_kind", sa.Integer(), nullable=False),
        sa.Column("log_level", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("running_version", sa.String(), nullable=False),
        sa.Column("reported", sa.String(), nullable=False),
        sa.Column("read_at", sa.String(), nullable=True),
        sa.Column("configured_at", sa.String(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.String(), nullable=False),
        sa.Column("updated_at", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_secure_proxies")),
    )
    op.create_index(
        "uq_secure_proxies_there",
        "secure_proxies",
        ["tax_server_id"],
        unique=True,
        sqlite_where=sa.text("state <> 'removed'"),
        postgresql_where=sa.text("state <> 'removed'"),
    )

    op.create_table(
        "upgrades",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("noun", sa.String(), nullable=False),
        sa.Column("record_id", sa.String(), nullable=False),
        sa.Column("product", sa.String(), nullable=False),
        sa.Column("from_version", sa.String(), nullable=False),
        sa.Column("wanted_version", sa.String(), nullable=False),
        sa.Column("running_version", sa.String(), nullable=False),
        sa.Column("result", sa.String(), nullable=False),
        sa.Column("self_test", sa.String(), nullable=False),
        sa.Column("message", sa.String(), nullable=False),
        sa.Column("requested_by", sa.String(), nullable=False),
        sa.Column("at", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_upgrades")),
    )
    op.create_index(op.f("ix_upgrades_record_id"), "upgrades", ["record_id"], unique=False)


def downgrade() -> None:
    for table in reversed(TABLES):
        op.drop_table(table)
