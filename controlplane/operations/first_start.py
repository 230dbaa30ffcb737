"""What a new ledger starts with: its identity, the shipped address book, and one administrator."""

from __future__ import annotations

import uuid
from collections.abc import Sequence

from controlplane.data import rows
from controlplane.operations import alert_rules, lines, principals, secrets
from controlplane.store import principals as store
from controlplane.store.engine import AlreadyThere, Ledger
from controlplane.store.head import GENESIS, LedgerHead, has_head
from controlplane.store.transaction import Transaction

ADMINISTRATOR = "admin"


def begin(ledger: Ledger, recipients: Sequence[str] = ()) -> str | None:
    """Found and furnish a ledger if it is new; the administrator's password the first time.

    Of servers that start at the same time on one new database the slower one finds it done.
    """
    try:
        ledger.write_now(found)
        ledger.write_now(lambda tx: alert_rules.first_rule(tx, recipients))
        return ledger.write_now(furnish)
    except AlreadyThere:
        return None


def found(tx: Transaction) -> None:
    """Give a ledger its head row, once. It must stand before any other operation commits."""
    if not has_head(tx):
        tx.add(LedgerHead(id=1, instance_id=uuid.uuid4().hex, log_seq=0, log_hash=GENESIS, event_seq=0))


def furnish(tx: Transaction) -> str | None:
    """Take in the shipped address book (disabled), and make the administrator; returns its password the first time."""
    lines.take_book(tx, [_endpoint(row) for row in rows("bureaus") if row["host"]])
    if store.by_name(tx, ADMINISTRATOR) is not None:
        return None
    password = secrets.new_secret()[:24]
    principals.create(tx, ADMINISTRATOR, "admin", password, must_change=True)
    return password


def _endpoint(row: dict[str, str]) -> dict[str, str | int]:
    target = f"tcp://{row['host']}:{row['port'] or 443}"
    return {
        "region": row["region"],
        "area_code": row["area_code"],
        "service": row["service"],
        "target": target,
        "enabled": 0,
        "source": row["source"],
    }
