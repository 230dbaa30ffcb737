"""The books after a run: the ledger and the devices' own journals hold the same invoices, each number once, no gap.

It reads both files by itself and imports nothing of the product.
"""

from __future__ import annotations

import json
import sqlite3
import time
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_LEDGER = """
SELECT d.device_no, i.device_index, i.invoice_code, i.invoice_no, i.request_id, i.check_code, i.gross_fen, i.state
FROM invoices i LEFT JOIN devices d ON d.id = i.device_id
"""
_SEGMENTS = "SELECT invoice_code, start_no, end_no FROM segments"
_UNSETTLED = "SELECT COUNT(*) FROM invoices WHERE state = 'waiting'"


@dataclass(frozen=True)
class Verdict:
    """How many invoices both books hold, and what is wrong."""

    invoices: int
    faults: list[str]

    def __str__(self) -> str:
        if self.faults:
            return f"BROKEN: {'; '.join(self.faults[:5])}"
        return f"{self.invoices} invoices: ledger = journals, every number once, no gap"


def check(ledger: Path, journals: Path, asked: int) -> Verdict:
    """Compare the books. ``asked``: requests that were answered; each must have become one issued invoice."""
    with _open(ledger) as connection:
        rows = connection.execute(_LEDGER).fetchall()
        segments = connection.execute(_SEGMENTS).fetchall()
    connection.close()
    written = [_signed(line) for path in sorted(journals.glob("*.jsonl")) for line in _issued(path)]
    faults = list(_compared(rows, written, asked))
    faults += _positions(written)
    faults += _runs(written, segments)
    return Verdict(len(rows), faults)


def settled(ledger: Path, seconds: float) -> bool:
    """Wait until no invoice waits any more; False when the time is over first."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        with _open(ledger) as connection:
            (waiting,) = connection.execute(_UNSETTLED).fetchone()
        connection.close()
        if not waiting:
            return True
        time.sleep(0.1)
    return False


def _open(ledger: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"file:{ledger}?mode=ro", uri=True)


def _issued(path: Path) -> Iterator[dict[str, Any]]:
    for line in path.read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        if row["event"] == "issued":
            yield row


def _signed(row: dict[str, Any]) -> tuple[Any, ...]:
    fen = int(row["gross_total"].replace(".", ""))
    return (row["device_no"], row["index"], row["invoice_code"], row["invoice_no"], row["request_id"],
            row["check_code"], fen)  # fmt: skip


def _compared(rows: list[tuple[Any, ...]], written: list[tuple[Any, ...]], asked: int) -> Iterator[str]:
    issued = [row[:-1] for row in rows if row[-1] == "issued"]
    if len(issued) != asked or len(rows) != asked:
        yield f"{asked} requests answered, {len(rows)} invoices in the ledger, {len(issued)} of them issued"
    if len({row[4] for row in rows}) != len(rows):
        yield "a request has more than one invoice"
    for name, book in (("ledger", issued), ("journals", written)):
        if len({row[2:4] for row in book}) != len(book):
            yield f"a number stands twice in the {name}"
    if missing := set(written) - set(issued):
        yield f"{len(missing)} invoices of the journals are not in the ledger, {min(missing)} among them"
    if missing := set(issued) - set(written):
        yield f"{len(missing)} invoices of the ledger are not in the journals, {min(missing)} among them"


def _positions(written: list[tuple[Any, ...]]) -> Iterator[str]:
    """Each journal counts 1, 2, 3, …"""
    positions: dict[str, list[int]] = defaultdict(list)
    for row in written:
        positions[row[0]].append(row[1])
    for device_no, found in positions.items():
        if sorted(found) != list(range(1, len(found) + 1)):
            yield f"the journal of {device_no} has gaps"


def _runs(written: list[tuple[Any, ...]], segments: list[tuple[str, int, int]]) -> Iterator[str]:
    """The numbers used of a segment are its first ones, none left out."""
    used: dict[str, list[int]] = defaultdict(list)
    for row in written:
        used[row[2]].append(int(row[3]))
    for code, start, end in segments:
        numbers = sorted(number for number in used[code] if start <= number <= end)
        if numbers and numbers != list(range(start, start + len(numbers))):
            yield f"segment {code} {start} has gaps"
