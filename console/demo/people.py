"""The demo's principals: made once, before the server starts, with tokens that stay the same."""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import Final

import controlplane
from console.demo.places import Places

ROLES = ("admin", "operator", "auditor", "front_end", "probe")
LOGIN = "operator"
_LEDGER: Final = "ledger.json"
"""Which ledger the tokens belong to, and the schema it was last brought to."""


def make(places: Places, database_url: str) -> dict[str, str]:
    """Tokens by role, and the operator's password under ``password``.

    The first time, ledger and principals are made; later a ledger of an older schema is brought up to date.
    """
    ledger = {"database_url": database_url, "schema": _newest_schema()}
    kept = places.remembered(_LEDGER)
    known = places.remembered(places.tokens_file.name)
    there = database_url != places.embedded_ledger or (places.root / "ledger.db").exists()
    if known and there and kept.get("database_url", places.embedded_ledger) == database_url:
        if kept != ledger:
            _upgrade(database_url)
            places.remember(_LEDGER, ledger)
        return known
    tokens = {role: secrets.token_hex(32) for role in ROLES} | {"password": secrets.token_urlsafe(12)}
    _write(database_url, tokens)
    places.remember(places.tokens_file.name, tokens)
    places.remember(_LEDGER, ledger)
    return tokens


def _newest_schema() -> str:
    """Name of the last migration; read from the file names, so that most starts need not load any of them."""
    folder = Path(controlplane.__file__).parent / "store" / "migrations" / "versions"
    return max(path.stem for path in folder.glob("[0-9]*.py"))


def _upgrade(database_url: str) -> None:
    from controlplane.store.migrations import upgrade

    upgrade(database_url)


def _write(database_url: str, tokens: dict[str, str]) -> None:
    # Imported here: only a first start pays for loading the ledger's side.
    from controlplane.operations import first_start, principals
    from controlplane.store.engine import Ledger
    from controlplane.store.migrations import upgrade
    from controlplane.store.times import system_clock
    from controlplane.store.transaction import Transaction

    upgrade(database_url)
    ledger = Ledger(database_url, system_clock)

    def create(tx: Transaction) -> None:
        first_start.furnish(tx)
        for role in ROLES:
            password = tokens["password"] if role == LOGIN else None
            row = principals.create(tx, "demo-" + role if role != LOGIN else LOGIN, role, password)
            principals.give_token(tx, row["id"], tokens[role], None)

    try:
        ledger.write_now(first_start.found)
        ledger.write_now(create)
    finally:
        ledger.close()
