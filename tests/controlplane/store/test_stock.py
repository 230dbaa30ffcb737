"""Stock: a number is promised once, however many ask at the same time."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from controlplane.store import terminals
from controlplane.store.engine import Ledger
from controlplane.store.segments import SegmentRow
from controlplane.store.statement import Statement
from controlplane.store.terminals import StockRow
from controlplane.store.transaction import Transaction

NOW = "2026-11-22T03:00:00.000Z"
PLACE = {"taxpayer_id": "T", "device_id": "D", "terminal_code": "1", "kind": "026"}
STOCK = Statement("SELECT terminal_code, remaining, reserved FROM stock ORDER BY terminal_code")


def stock(ledger: Ledger) -> list[tuple[str, int, int]]:
    return [tuple(row.values()) for row in ledger.read_now(lambda hand: hand.rows(STOCK))]  # type: ignore[misc]


def put(ledger: Ledger, remaining: int, reserved: int = 0) -> None:
    ledger.write_now(lambda tx: tx.add(StockRow(**PLACE, remaining=remaining, reserved=reserved, read_at=NOW)))


@pytest.mark.parametrize("servers", [1, 2])
def test_fifty_racers_get_what_is_there_and_no_more(open_ledger: Callable[..., Ledger], servers: int) -> None:
    ledgers = [open_ledger() for _ in range(servers)]
    put(ledgers[0], 17)
    asked = [ledgers[number % servers].submit(lambda tx: terminals.reserve(tx, PLACE)) for number in range(50)]
    assert sum(future.result(20) for future in asked) == 17
    assert stock(ledgers[0]) == [("1", 17, 17)]


def test_a_number_is_used_or_given_back(founded: Ledger) -> None:
    put(founded, 2, 2)
    assert not founded.write_now(lambda tx: terminals.reserve(tx, PLACE))
    founded.write_now(lambda tx: terminals.used(tx, PLACE))
    assert stock(founded) == [("1", 1, 1)]
    founded.write_now(lambda tx: terminals.release(tx, PLACE))
    assert stock(founded) == [("1", 1, 0)]
    assert founded.write_now(lambda tx: terminals.reserve(tx, PLACE))


def test_neither_sum_goes_below_zero(founded: Ledger) -> None:
    put(founded, 1)
    for change in (terminals.used, terminals.used, terminals.release):
        founded.write_now(lambda tx, change=change: change(tx, PLACE))
    assert stock(founded) == [("1", 0, 0)]


def test_a_terminal_that_says_it_is_empty_offers_nothing(founded: Ledger) -> None:
    put(founded, 9, 2)
    founded.write_now(lambda tx: terminals.emptied(tx, PLACE))
    assert stock(founded) == [("1", 2, 2)]
    assert not founded.write_now(lambda tx: terminals.reserve(tx, PLACE))


def segment(terminal_code: str, start_no: int, next_no: int, end_no: int) -> SegmentRow:
    return SegmentRow(
        taxpayer_id="T", id=f"{terminal_code}-{start_no}", device_id="D", kind="026", invoice_code="044002600111",
        start_no=start_no, end_no=end_no, next_no=next_no, terminal_code=terminal_code, state="on_terminal",
        grant_no="G", received_on="20261101", created_at=NOW, updated_at=NOW,
    )  # fmt: skip


def recount(ledger: Ledger, *held: SegmentRow) -> list[tuple[str, int, int]]:
    def bring(tx: Transaction) -> None:
        tx.run(Statement("DELETE FROM segments"))
        for segment in held:
            tx.add(segment)
        terminals.recount(tx, "T", "D", NOW)

    ledger.write_now(bring)
    return stock(ledger)


def test_a_recount_adds_up_the_segments_and_keeps_the_reservations(founded: Ledger) -> None:
    put(founded, 3, 2)
    held = (
        segment("1", 1, 11, 100),
        segment("1", 201, 201, 210),
        segment("2", 301, 301, 301),
        segment("", 400, 400, 499),
    )
    assert recount(founded, *held) == [("1", 100, 2), ("2", 1, 0)]


def test_a_terminal_whose_segments_were_taken_away_has_none_left(founded: Ledger) -> None:
    assert recount(founded, segment("1", 1, 1, 100)) == [("1", 100, 0)]
    assert recount(founded, segment("2", 1, 1, 100)) == [("1", 0, 0), ("2", 100, 0)]
