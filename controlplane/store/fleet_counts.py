"""Sums over virtual devices: by tax server, by taxpayer, and what hangs on one server or device."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Literal

from controlplane.store.statement import Connection, Row, Statement

By = Literal["tax_server", "taxpayer"]
_COLUMN: Final[dict[By, str]] = {"tax_server": "d.tax_server_id", "taxpayer": "d.taxpayer_id"}
On = Literal["tax-servers", "virtual-devices"]
_PLACE: Final[dict[On, str]] = {"tax-servers": "d.tax_server_id", "virtual-devices": "d.id"}


def devices(hand: Connection, by: By, places: Sequence[str]) -> list[Row]:
    """Per place and state: how many devices, and how many invoices their journals hold."""
    return _of_places(
        hand, by, places,
        "SELECT {0} AS place, d.state, COUNT(*) AS n, SUM(d.last_index) AS issued FROM devices d "
        "WHERE d.device_kind = 'new_tax_server' AND {0} IN ({1}) GROUP BY {0}, d.state",
    )  # fmt: skip


def issuable(hand: Connection, by: By, places: Sequence[str]) -> list[Row]:
    """Per place: numbers left on terminals."""
    return _of_places(
        hand, by, places,
        "SELECT {0} AS place, SUM(k.remaining) AS n FROM stock k JOIN devices d ON d.id = k.device_id "
        "WHERE d.state <> 'cancelled' AND {0} IN ({1}) GROUP BY {0}",
    )  # fmt: skip


def issued(hand: Connection, by: By, places: Sequence[str], day: str) -> list[Row]:
    """Per place: invoices of a day and their total in fen."""
    return _of_places(
        hand, by, places,
        "SELECT {0} AS place, COUNT(*) AS n, SUM(f.gross_fen) AS gross_fen FROM invoice_facts f "
        "JOIN devices d ON d.id = f.device_id WHERE f.day = :day AND {0} IN ({1}) GROUP BY {0}",
        day,
    )  # fmt: skip


def _of_places(hand: Connection, by: By, places: Sequence[str], text: str, day: str = "") -> list[Row]:
    if not places:
        return []
    names = {f"place{number}": place for number, place in enumerate(places)}
    statement = Statement(text.format(_COLUMN[by], ", ".join(f":{name}" for name in names)))
    return hand.rows(statement, {**names, "day": day} if day else names)


def on(hand: Connection, noun: On, record_id: str) -> list[Row]:
    """The virtual devices of a tax server, or the one device, cancelled ones left out."""
    text = (
        "SELECT d.id, d.device_no, d.name, d.state, d.taxpayer_id, t.name AS taxpayer_name FROM devices d "
        f"LEFT JOIN taxpayers t ON t.taxpayer_id = d.taxpayer_id WHERE {_PLACE[noun]} = :id AND d.state <> 'cancelled' "
        "ORDER BY d.id"
    )
    return hand.rows(Statement(text), {"id": record_id})


def terminals_on(hand: Connection, noun: On, record_id: str) -> list[Row]:
    """Enabled terminals of these devices."""
    text = (
        "SELECT x.device_id, x.terminal_code, x.terminal_name, x.business_type FROM terminals x "
        f"JOIN devices d ON d.id = x.device_id WHERE {_PLACE[noun]} = :id AND d.state <> 'cancelled' AND x.enabled = 1 "
        "ORDER BY x.device_id, x.terminal_code"
    )
    return hand.rows(Statement(text), {"id": record_id})


def waiting_on(hand: Connection, noun: On, record_id: str) -> list[Row]:
    """Per device: invoices that wait for it."""
    text = (
        "SELECT i.device_id, COUNT(*) AS n FROM invoices i JOIN devices d ON d.id = i.device_id "
        f"WHERE i.state = 'waiting' AND {_PLACE[noun]} = :id GROUP BY i.device_id"
    )
    return hand.rows(Statement(text), {"id": record_id})


def issued_on(hand: Connection, noun: On, record_id: str, day: str) -> list[Row]:
    """Per device and line of business: invoices of a day and their total in fen."""
    text = (
        "SELECT f.device_id, f.business_type, COUNT(*) AS n, SUM(f.gross_fen) AS gross_fen FROM invoice_facts f "
        f"JOIN devices d ON d.id = f.device_id WHERE f.day = :day AND {_PLACE[noun]} = :id "
        "GROUP BY f.device_id, f.business_type"
    )
    return hand.rows(Statement(text), {"id": record_id, "day": day})
