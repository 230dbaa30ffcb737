"""A new ledger: founded and furnished once, whoever starts first."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from controlplane.operations import first_start, secrets
from controlplane.store.engine import Ledger
from controlplane.store.statement import Statement
from controlplane.store.times import system_clock


def count(ledger: Ledger, table: str) -> int:
    row = ledger.read_now(lambda hand: hand.one(Statement(f"SELECT COUNT(*) AS n FROM {table}")))
    return int(row["n"]) if row else 0


def test_servers_that_start_together_furnish_once(database_url: str) -> None:
    ledgers = [Ledger(database_url, system_clock) for _ in range(3)]
    with ThreadPoolExecutor(3) as pool:
        passwords = [password for password in pool.map(first_start.begin, ledgers) if password]
    assert len(passwords) == 1 and count(ledgers[0], "principals") == 1 and count(ledgers[0], "ledger_head") == 1
    book = count(ledgers[0], "bureau_endpoints")
    assert book > 50 and first_start.begin(ledgers[1]) is None and count(ledgers[0], "bureau_endpoints") == book
    enabled = Statement("SELECT COUNT(*) AS n FROM bureau_endpoints WHERE enabled <> 0")
    assert ledgers[0].read_now(lambda hand: hand.one(enabled)) == {"n": 0}, "shipped disabled"
    for ledger in ledgers:
        ledger.close()


def test_two_installations_share_no_secret_and_no_identity(database_url: str, ledger: Ledger) -> None:
    password = first_start.begin(ledger)
    assert password is not None and len(password) >= 24
    row = ledger.read_now(lambda hand: hand.one(Statement("SELECT * FROM principals")))
    assert row is not None and password not in str(row) and row["password_hash"].startswith("$argon2id$")
    assert secrets.check_password(row["password_hash"], password)
    assert not secrets.check_password(row["password_hash"], password + "x") and not secrets.check_password(None, "")
