"""The demo's principals: made once, before the server starts, with tokens that stay the same."""

from __future__ import annotations

import secrets

from console.demo.places import Places

ROLES = ("admin", "operator", "auditor", "front_end", "probe")
LOGIN = "operator"


def make(places: Places) -> dict[str, str]:
    """Tokens by role, and the operator's password under ``password``; makes ledger and principals the first time."""
    known = places.remembered(places.tokens_file.name)
    if known and (places.root / "ledger.db").exists():
        return known
    tokens = {role: secrets.token_hex(32) for role in ROLES} | {"password": secrets.token_urlsafe(12)}
    _write(places, tokens)
    places.remember(places.tokens_file.name, tokens)
    return tokens


def _write(places: Places, tokens: dict[str, str]) -> None:
    # Imported here: only a first start pays for loading the ledger's side.
    from controlplane.operations import first_start, principals
    from controlplane.store.engine import Ledger
    from controlplane.store.migrations import upgrade
    from controlplane.store.times import system_clock
    from controlplane.store.transaction import Transaction

    upgrade(places.database_url)
    ledger = Ledger(places.database_url, system_clock)

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
