"""Which region records of the platform belong to: those that are nobody's, but some region's."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from controlplane.store.statement import Connection, Statement, among

COLUMNS: Final = (
    ("tax_servers", "region"),
    ("bureau_endpoints", "area_code"),
    ("seals", "area_code"),
    ("stops", "region"),
)
"""Tables of such records, and the column of their area code."""


def of(column: str) -> str:
    """SQL for the area code of the record whose id stands in a column; null when it has none."""
    looks = ", ".join(f"(SELECT {area} FROM {table} WHERE id = {column})" for table, area in COLUMNS)
    return f"COALESCE({looks})"


def of_records(hand: Connection, ids: Sequence[str]) -> dict[str, str]:
    """Record id → area code, for those of the ids that have one."""
    found: dict[str, str] = {}
    for table, column in COLUMNS:
        parameters: dict[str, Any] = {}
        chosen = among(hand.dialect, "id", "id", ids, parameters)
        statement = Statement(f"SELECT id, {column} AS area_code FROM {table} WHERE {chosen} AND {column} <> ''")
        found |= {row["id"]: row["area_code"] for row in hand.rows(statement, parameters)}
    return found
