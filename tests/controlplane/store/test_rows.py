"""Rows as plain columns: defaults filled in, no column forgotten or made up, many inserted by few statements."""

from __future__ import annotations

import pytest

from controlplane.store.engine import Ledger
from controlplane.store.orders import OrderLineRow
from controlplane.store.statement import Insert, Statement
from controlplane.store.terminals import StockRow, TerminalRow
from controlplane.store.transaction import row_of

PLACE = {"taxpayer_id": "t", "device_id": "d", "terminal_code": "1"}
LINES = Statement("SELECT * FROM order_lines ORDER BY taxpayer_id, order_id, line_no")


def test_a_row_is_what_an_instance_of_its_model_would_hold() -> None:
    times = {"created_at": "c", "updated_at": "u"}
    assert row_of(TerminalRow, id="i", terminal_name="n", **PLACE, **times) == (
        TerminalRow(id="i", terminal_name="n", **PLACE, **times).model_dump()
    )


@pytest.mark.parametrize(
    ("given", "named"), [({"kind": "026"}, "read_at"), ({"read_at": "r", "kinds": "026"}, "kinds")]
)
def test_a_column_forgotten_or_made_up_is_named(given: dict[str, str], named: str) -> None:
    with pytest.raises(TypeError, match=f"stock: .*'{named}'"):
        row_of(StockRow, **PLACE, **given)


@pytest.mark.parametrize("count", [0, 1, 2, 16, 17, 40])
def test_any_number_of_rows_arrives_in_order(founded: Ledger, count: int) -> None:
    rows = [
        row_of(OrderLineRow, taxpayer_id="t", order_id="o", line_no=number, body=f"% :x ? {number}")
        for number in range(count)
    ]
    founded.write_now(lambda tx: tx.add_rows(OrderLineRow, rows))
    assert founded.read_now(lambda hand: hand.rows(LINES)) == rows


def test_a_suffix_stands_behind_all_rows() -> None:
    statement = Insert("things", ["a", "b"], "ON CONFLICT DO NOTHING")
    assert statement.many("sqlite", 2) == "INSERT INTO things (a, b) VALUES (?, ?), (?, ?) ON CONFLICT DO NOTHING"
    assert statement.many("postgresql", 1) == "INSERT INTO things (a, b) VALUES (%s, %s) ON CONFLICT DO NOTHING"
