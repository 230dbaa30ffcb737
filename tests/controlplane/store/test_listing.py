"""Lists by keyset: every row once, in order, within the scope, whatever is added while reading."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from controlplane.store.engine import Ledger
from controlplane.store.listing import CursorInvalid, Page, Source, page
from controlplane.store.taxpayers import TaxpayerRow
from controlplane.store.times import new_id
from controlplane.store.transaction import Entry, Transaction

TAXPAYERS = Source("taxpayers", key="taxpayer_id")
LOG = Source("operation_log", "seq", "taxpayer_id", key_is_number=True)


def taxpayer(number: int, region: str = "4400") -> TaxpayerRow:
    owner = f"91990000MA{number:06d}XX"
    moment = "2026-11-22T03:00:00.000Z"
    return TaxpayerRow(taxpayer_id=owner, id=new_id(), name=str(number), taxpayer_kind="general", region=region,
                       created_at=moment, updated_at=moment)  # fmt: skip


@pytest.fixture
def filled(founded: Ledger) -> Ledger:
    """25 taxpayers, each with a row in the log."""

    def fill(tx: Transaction) -> None:
        for number in range(25):
            row = taxpayer(number, "4400" if number % 5 else "3100")
            tx.add(row)
            tx.begin_entry(Entry("p", "p", "person", "x", "x", taxpayer_id=row.taxpayer_id))

    founded.write_now(fill)
    return founded


def walk(ledger: Ledger, source: Source, **asked: Any) -> list[list[Any]]:
    """Keys page by page until the end."""
    pages: list[list[Any]] = []
    cursor = None
    while True:
        wanted = Page(cursor=cursor, **asked)
        rows, cursor = ledger.read_now(lambda hand, wanted=wanted: page(hand, source, wanted))
        pages.append([row[source.key] for row in rows])
        if cursor is None:
            return pages


@pytest.mark.parametrize("newest_first", [False, True])
@pytest.mark.parametrize(
    ("limit", "sizes"), [(10, [10, 10, 5]), (5, [5] * 5), (24, [24, 1]), (25, [25]), (1, [1] * 25)]
)
def test_a_list_is_walked_completely(filled: Ledger, limit: int, sizes: list[int], newest_first: bool) -> None:
    pages = walk(filled, TAXPAYERS, limit=limit, newest_first=newest_first)
    assert [len(one) for one in pages] == sizes
    keys = [key for one in pages for key in one]
    assert keys == sorted(set(keys), reverse=newest_first) and len(keys) == 25


def test_numbers_are_ordered_as_numbers(filled: Ledger) -> None:
    keys = [key for one in walk(filled, LOG, limit=7) for key in one]
    assert keys == list(range(1, 26))
    assert walk(filled, LOG, limit=25, newest_first=True) == [keys[::-1]]


def test_scope_and_filters_leave_the_rest_out(filled: Ledger) -> None:
    own = [taxpayer(number).taxpayer_id for number in (3, 4, 5)]
    assert walk(filled, TAXPAYERS, limit=2, scope=own) == [own[:2], own[2:]]
    assert walk(filled, TAXPAYERS, limit=2, scope=own, filters={"region": "3100"}) == [own[2:]]
    assert walk(filled, TAXPAYERS, scope=[]) == [[]]
    assert walk(filled, TAXPAYERS, scope=["' OR 1=1 --"]) == [[]]
    assert walk(filled, TAXPAYERS, filters={"region": "%"}) == [[]]
    assert walk(filled, Source("taxpayers", key="taxpayer_id", taxpayer=None), scope=own) == [[]]


def test_rows_added_while_reading_do_not_shift_the_pages(filled: Ledger) -> None:
    first, cursor = filled.read_now(lambda hand: page(hand, TAXPAYERS, Page(limit=10)))
    filled.write_now(lambda tx: tx.add(TaxpayerRow(**{**taxpayer(99).model_dump(), "taxpayer_id": "00"})))
    second, _ = filled.read_now(lambda hand: page(hand, TAXPAYERS, Page(limit=10, cursor=cursor)))
    assert [row["name"] for row in [*first, *second]] == [str(number) for number in range(20)]


@pytest.mark.parametrize(
    ("source", "key"),
    [(TAXPAYERS, b"\xff"), (TAXPAYERS, b""), (TAXPAYERS, b"a b"), (TAXPAYERS, b"x" * 65), (TAXPAYERS, b"a\n"),
     (TAXPAYERS, b"'"), (LOG, b"abc"), (LOG, b"-1"), (LOG, b"9" * 19), (LOG, "²".encode())],
)  # fmt: skip
def test_a_made_up_cursor_is_refused(filled: Ledger, source: Source, key: bytes) -> None:
    cursor = base64.urlsafe_b64encode(key).decode().rstrip("=")
    with pytest.raises(CursorInvalid):
        filled.read_now(lambda hand: page(hand, source, Page(cursor=cursor)))


@pytest.mark.parametrize("cursor", ["a", "!", "=", "é"])
def test_what_is_no_base64_is_no_cursor(filled: Ledger, cursor: str) -> None:
    with pytest.raises(CursorInvalid):
        filled.read_now(lambda hand: page(hand, TAXPAYERS, Page(cursor=cursor)))
