"""A ledger as an intake needs it: one taxpayer whose four ready devices hold numbers, and no agent to use them."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import msgspec

from controlplane.operations import first_start, principals
from controlplane.store import migrations, times
from controlplane.store.devices import DeviceRow
from controlplane.store.engine import Ledger
from controlplane.store.jobs import BindingRow
from controlplane.store.tax_servers import TaxServerRow
from controlplane.store.taxpayers import TaxpayerRow
from controlplane.store.terminals import StockRow, TerminalRow
from controlplane.store.transaction import Transaction
from controlplane.wire.evidence import KindFacts

TAXPAYER = "91990000MA0000015Q"
DEVICES = 4
NUMBERS = 10_000_000
RATES = ["0.13", "0.09", "0.06", "0.03", "0"]


@dataclass(frozen=True)
class Furnished:
    """A ledger's address and a front end's token for it."""

    url: str
    token: str


def furnish(folder: Path) -> Furnished:
    """Make the ledger in a folder."""
    url = f"sqlite:///{folder / 'ledger.db'}"
    migrations.upgrade(url)
    ledger = Ledger(url, times.system_clock)
    try:
        ledger.write_now(first_start.found)
        tokens = ledger.write_now(lambda tx: people(tx, ("front_end",)))
        ledger.write_now(_taxpayer)
    finally:
        ledger.close()
    return Furnished(url, tokens["front_end"])


def people(tx: Transaction, roles: tuple[str, ...]) -> dict[str, str]:
    """One principal of each role; their tokens."""
    tokens = {role: secrets.token_hex(32) for role in roles}
    for role, token in tokens.items():
        row = principals.create(tx, f"bench {role}", role)
        principals.give_token(tx, row["id"], token, None)
    return tokens


def _taxpayer(tx: Transaction) -> None:
    stamps = {"created_at": tx.now, "updated_at": tx.now}
    tx.add(
        TaxpayerRow(
            id=times.new_id(), taxpayer_id=TAXPAYER, name="云杉就绪科技有限公司", taxpayer_kind="general",
            region="3100",
            issuer="王开", **stamps,
        )
    )  # fmt: skip
    server_id = times.new_id()
    tx.add(
        TaxServerRow(
            id=server_id, tax_server_no="SK3100001", name="上海", region="3100", host="127.0.0.1", port=1,
            state="certified", quota_total=100, read_at=tx.now, **stamps,
        )
    )  # fmt: skip
    for number in range(1, DEVICES + 1):
        _device(tx, server_id, number, stamps)


def _device(tx: Transaction, server_id: str, number: int, stamps: dict[str, str]) -> None:
    later = tx.moment + timedelta(days=300)
    kinds = [
        KindFacts(kind, f"{later:%Y%m%d}", "20260101", "20260131", "20260101", "100000.00", 15, 72, 0, "0")
        for kind in ("026", "028")
    ]
    device_id = times.new_id()
    tx.add(
        DeviceRow(
            id=device_id, taxpayer_id=TAXPAYER, device_no=f"50000000000{number}", device_kind="new_tax_server",
            custody="tax_server", medium="none", tax_server_id=server_id, name=f"device {number}", state="ready",
            kinds=msgspec.json.encode(kinds).decode(), rates=msgspec.json.encode(RATES).decode(),
            company='{"may_issue":true}', certificate_not_after=times.utc_text(later), reachable=1,
            clock_offset_seconds=0.0, bureau_online=1, read_at=tx.now, **stamps,
        )
    )  # fmt: skip
    tx.add(BindingRow(target_id=device_id, target_noun="devices", updated_at=tx.now))
    place = {"taxpayer_id": TAXPAYER, "device_id": device_id, "terminal_code": "1"}
    tx.add(TerminalRow(id=times.new_id(), terminal_name="总机", **place, **stamps))
    for kind in ("026", "028"):
        tx.add(StockRow(kind=kind, remaining=NUMBERS, read_at=tx.now, **place))
