"""The address book: versions of bureau addresses, kept in the table that the watch over lines probes."""

from __future__ import annotations

from typing import Any

from controlplane.store.statement import Connection, Row, Statement

_KEY = "area_code = :area_code AND service = :service AND carrier = :carrier AND removed_at IS NULL"
_ONE = Statement("SELECT * FROM bureau_endpoints WHERE id = :id", for_update=True)
_OF_KEY = Statement(f"SELECT * FROM bureau_endpoints WHERE {_KEY} ORDER BY valid_from, id", for_update=True)
_BOOK = Statement(
    "SELECT * FROM bureau_endpoints WHERE removed_at IS NULL ORDER BY area_code, service, carrier, valid_from, id"
)
_IN_FORCE = Statement(
    "SELECT * FROM bureau_endpoints WHERE removed_at IS NULL AND valid_from <= :now "
    "AND (valid_to IS NULL OR valid_to > :now) ORDER BY area_code, service, carrier, id"
)


def find(hand: Connection, address_id: str) -> Row | None:
    """One version, its row locked until the end of the batch."""
    return hand.one(_ONE, {"id": address_id})


def of_key(hand: Connection, row: Row) -> list[Row]:
    """All versions of the row's area code, service and carrier, by their start, locked."""
    return hand.rows(_OF_KEY, {name: row[name] for name in ("area_code", "service", "carrier")})


def book(hand: Connection) -> list[Row]:
    """Every version that was not removed, by region, service, carrier and start."""
    return hand.rows(_BOOK)


def in_force(hand: Connection, now: str) -> list[Row]:
    """The versions in force at a time."""
    return hand.rows(_IN_FORCE, {"now": now})


def change(hand: Connection, address_id: str, values: dict[str, Any], now: str) -> None:
    """Set columns of a version, count its record version up."""
    columns = ", ".join(f"{name} = :{name}" for name in values)
    text = f"UPDATE bureau_endpoints SET {columns}, version = version + 1, updated_at = :now WHERE id = :id"
    hand.run(Statement(text), {**values, "now": now, "id": address_id})
