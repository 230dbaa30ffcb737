"""Which invoices a device has voided, and what it knows of an invoice by its number."""

from __future__ import annotations

from dataclasses import dataclass

import msgspec

from agents.simulated.issuing import Record
from agents.simulated.memory import Memory, Statement

SCHEMA = """
CREATE TABLE IF NOT EXISTS voids (
    device_no TEXT NOT NULL, position INTEGER NOT NULL, lsh TEXT NOT NULL, voided_at TEXT NOT NULL,
    voided_by TEXT NOT NULL, reason TEXT NOT NULL, PRIMARY KEY (device_no, position)
) STRICT, WITHOUT ROWID;
"""


@dataclass(frozen=True)
class Known:
    """An invoice of the device: its record, its upload state, and whether it is voided."""

    record: Record
    state: int
    voided: bool


def known(memory: Memory, device_no: str, code: str, no: str) -> Known | None:
    """The device's invoice of that number."""
    rows = memory.read(
        "SELECT l.text, i.state, v.position FROM invoices i"
        " JOIN lines l ON l.device_no = i.device_no AND l.end_offset = i.line_end"
        " LEFT JOIN voids v ON v.device_no = i.device_no AND v.position = i.position"
        " WHERE i.device_no = ? AND i.code = ? AND i.no = ?",
        (device_no, code, no),
    )
    if not rows:
        return None
    text, state, position = rows[0]
    return Known(msgspec.json.decode(text, type=Record), state, position is not None)


def voided(memory: Memory, device_no: str) -> set[int]:
    """Journal positions of the device's voided invoices."""
    return {row[0] for row in memory.read("SELECT position FROM voids WHERE device_no = ?", (device_no,))}


def void_row(record: Record, lsh: str, voided_at: str, by: tuple[str, str]) -> Statement:
    """Remember a void; ``by``: who, and why."""
    return "INSERT INTO voids VALUES (?, ?, ?, ?, ?, ?)", (record.device_no, record.index, lsh, voided_at, *by)
