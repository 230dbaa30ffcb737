"""The bench itself, at its smallest: every part runs once, every row is there, and the books are compared."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

import pytest

from tests.bench import __main__ as bench
from tests.bench import books, probing, table
from tests.bench.table import Row
from tests.bench.whole_path import Sizes


def test_every_part_runs_and_the_books_are_compared() -> None:
    rows, verdict = bench.measure(1, 0.5, Sizes(devices=2, numbers=1000, seconds=0.5, singles=2))
    assert [row.number for row in rows] == ["2b", "2b", "2b", "", "", "2a", "9a", "9c", "9c", "9c", "1a", "1a", "1b"]
    assert all(row.measured for row in rows if row.number not in ("1a", "1b"))
    assert {row.verdict == "skipped" for row in rows[-3:]} == {not probing.exporter()}
    assert verdict.faults == [] and verdict.invoices > 10
    shown = table.text(rows, [*bench.notes(1, 0.5, rows), str(verdict)])
    assert all(row.subject in shown for row in rows) and "no gap" in shown
    assert len(json.loads(table.as_json(rows, []))["rows"]) == len(rows)


@pytest.mark.parametrize(
    ("goal", "measured", "at_least", "verdict"),
    [(5.0, 5.0, True, "reached"), (5.0, 4.9, True, "not reached"), (0.1, 0.1, False, "reached"),
     (0.1, 0.2, False, "not reached"), (5.0, None, True, "skipped"), (None, 7.0, True, "")],
)  # fmt: skip
def test_verdicts(goal: float | None, measured: float | None, at_least: bool, verdict: str) -> None:
    assert Row("1", "x", goal, measured, "", at_least=at_least).verdict == verdict


SIGNED = {"event": "issued", "device_no": "1", "index": 1, "invoice_code": "031", "invoice_no": "00000001",
          "request_id": "R1", "check_code": "c", "gross_total": "1.13"}  # fmt: skip


@pytest.fixture
def kept(tmp_path: Path) -> tuple[Path, Path]:
    """A ledger and journals that hold the same one invoice."""
    ledger, journals = tmp_path / "ledger.db", tmp_path / "journals"
    with sqlite3.connect(ledger) as connection:
        connection.executescript(
            """
            CREATE TABLE devices (id, device_no);
            CREATE TABLE segments (invoice_code, start_no, end_no);
            CREATE TABLE invoices (device_id, device_index, invoice_code, invoice_no, request_id, check_code,
                                   gross_fen, state);
            INSERT INTO devices VALUES ('d', '1');
            INSERT INTO segments VALUES ('031', 1, 100);
            INSERT INTO invoices VALUES ('d', 1, '031', '00000001', 'R1', 'c', 113, 'issued');
            """
        )
    connection.close()
    journals.mkdir()
    _write(journals, [SIGNED])
    return ledger, journals


def _write(journals: Path, rows: list[dict[str, object]]) -> None:
    (journals / "1.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))


def test_books_that_agree(kept: tuple[Path, Path]) -> None:
    assert books.check(*kept, 1).faults == []


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ([], "not in the journals"),
        ([SIGNED, SIGNED | {"index": 2, "request_id": "R2"}], "stands twice in the journals"),
        ([SIGNED | {"index": 2}], "has gaps"),
        ([SIGNED | {"invoice_no": "00000002"}], "segment 031 1 has gaps"),
        ([SIGNED | {"gross_total": "1.14"}], "not in the ledger"),
    ],
)
def test_books_that_differ(kept: tuple[Path, Path], change: list[dict[str, object]], fault: str) -> None:
    _write(kept[1], change)
    assert any(fault in one for one in books.check(*kept, 1).faults)


def test_an_answer_without_an_invoice_is_told(kept: tuple[Path, Path]) -> None:
    assert "2 requests answered" in books.check(*kept, 2).faults[0]
