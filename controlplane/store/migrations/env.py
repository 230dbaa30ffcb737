"""Runs migrations on SQLite (batch mode) and PostgreSQL alike."""

from __future__ import annotations

import sqlalchemy
from alembic import context

from controlplane.store.schema import METADATA

url = context.config.get_main_option("sqlalchemy.url")
assert url is not None
engine = sqlalchemy.create_engine(url, poolclass=sqlalchemy.pool.NullPool)
with engine.connect() as connection:
    context.configure(
        connection=connection,
        target_metadata=METADATA,
        render_as_batch=True,
        transaction_per_migration=True,
    )
    with context.begin_transaction():
        if connection.dialect.name == "postgresql":
            connection.execute(sqlalchemy.text("SELECT pg_advisory_xact_lock(8620)"))
        context.run_migrations()
