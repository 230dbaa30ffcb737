"""Every statement that is written down is understood by both databases, its parameters as the driver sends them."""

from __future__ import annotations

import importlib
import pkgutil
import re
from collections.abc import Iterator

import pytest
import sqlalchemy

from controlplane import store
from controlplane.store.engine import Ledger
from controlplane.store.statement import Statement

NUMBERS = frozenset(
    [
        "attempts",
        "cursor",
        "device_index",
        "enabled",
        "end_no",
        "epoch",
        "event_seq",
        "failures",
        "limit",
        "line_no",
        "log_seq",
        "lost_sight",
        "next_no",
        "number",
        "reserved",
        "seq",
        "start_no",
        "stop_seq",
        "version",
    ]
)
"""Parameters that are whole numbers; all others are text or nothing."""

NOTIFY = "head._NOTIFY"
"""Only PostgreSQL wakes others, and with a text."""


def statements() -> Iterator[tuple[str, Statement]]:
    for found in pkgutil.iter_modules(store.__path__):
        module = importlib.import_module(f"controlplane.store.{found.name}")
        for name, value in vars(module).items():
            if isinstance(value, Statement):
                yield f"{found.name}.{name}", value


ALL = dict(statements())


@pytest.mark.parametrize("name", ALL)
def test_a_statement_names_its_parameters_alike_on_both(name: str) -> None:
    statement = ALL[name]
    on_sqlite = re.findall(r"(?<!:):([a-z_][a-z0-9_]*)", statement.sqlite)
    assert on_sqlite == re.findall(r"%\(([a-z0-9_]+)\)s", statement.postgresql)


def test_every_statement_is_understood(ledger: Ledger) -> None:
    dbapi = sqlalchemy.make_url(ledger.url).get_dialect().import_dbapi()
    failed = {}
    for name, statement in ALL.items():
        if name == NOTIFY and ledger.dialect == "sqlite":
            continue
        names = re.findall(r"(?<!:):([a-z_][a-z0-9_]*)", statement.sqlite)
        parameters = {one: 1 if one in NUMBERS and name != NOTIFY else "x" for one in names}
        try:
            ledger.write_now(lambda tx, statement=statement, parameters=parameters: tx.run(statement, parameters))
        except (dbapi.IntegrityError, dbapi.DataError):
            continue  # understood, and not to its liking
        except dbapi.Error as fault:
            failed[name] = str(fault)
    assert failed == {}
    assert len(ALL) > 80
