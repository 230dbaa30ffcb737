"""The checker on voids and red invoices: books in order break nothing, each planted fault is found."""

from __future__ import annotations

import copy
from collections.abc import Callable

import pytest

from tests.crash import check, test_check
from tests.crash.check import Evidence, Row

FORM = "4403012611000001"


def _red(blue: Row, n: int, no: int, amount: str, tax: str) -> Row:
    """A red invoice over part of a blue one, with one line."""
    gross = f"-{float(amount) + float(tax):.2f}"
    line = test_check._line(f"-{amount}", f"-{tax}")
    own = {"direction": "red", "net_total": f"-{amount}", "tax_total": f"-{tax}", "gross_total": gross, "lines": [line]}
    names = {"original_code": blue["invoice_code"], "original_no": blue["invoice_no"], "red_form_no": ""}
    return {**test_check._invoice(n, "D1", no), **own, **names, "order_no": blue["order_no"]}


@pytest.fixture
def books() -> Evidence:
    """A blue invoice with two reds that use it up (one by a form), and one that was rejected and voided."""
    blue = test_check._invoice(1, "D1", 1)
    reds = [_red(blue, 2, 2, "30.00", "3.90"), _red(blue, 3, 3, "7.39", "0.95")]
    reds[0]["red_form_no"] = FORM
    blue["red_offset_by"] = reds[1]["id"]
    gone = {**test_check._invoice(4, "D1", 4), "state": "voided", "upload_status": "signature_rejected"}
    gone["upload_receipt_no"] = None
    again = test_check._unsettled(5, "waiting", open_job={"id": "job-5"}, order_no="o-1")
    invoices = [blue, *reds, gone]
    signed = [test_check._signed(row, place) for place, row in enumerate(invoices, 1)]
    for row, red in zip(signed[1:3], reds, strict=True):
        row.update({name: red[name] for name in ("original_code", "original_no", "red_form_no")})
    journal = [event for row in signed[:3] for event in (row, test_check._uploaded(row))]
    rejected = {**test_check._uploaded(signed[3]), "event": "signature_rejected", "receipt_no": ""}
    voided = {name: signed[3][name] for name in ("index", "device_no", "invoice_code", "invoice_no")}
    journal += [signed[3], rejected, {**voided, "event": "voided", "serial": "void-1"}]
    every = [*invoices, again]
    orders = [{"taxpayer_id": row["taxpayer_id"], "request_id": row["request_id"]} for row in every]
    receipts = [test_check._receipt(row) for row in signed[:3]]
    return Evidence(every, orders, [test_check._segment("D1", 1, 100, 4)], journal, receipts, [{**r} for r in every])


def test_books_in_order_break_no_promise(books: Evidence) -> None:
    assert check.check(books) == []


Plant = Callable[[Evidence], object]


def _both(evidence: Evidence, place: int, **changes: object) -> None:
    """Change a red invoice alike in ledger and journal."""
    evidence.invoices[place].update(changes)
    number = evidence.invoices[place]["invoice_no"]
    next(row for row in evidence.journal if row["event"] == "issued" and row["invoice_no"] == number).update(changes)


PLANTS: dict[str, tuple[str, Plant]] = {
    "a void the device does not know": ("I-2", lambda e: e.journal.pop()),
    "a void the ledger does not know": ("I-2", lambda e: e.invoices[3].update(state="issued")),
    "a void written twice": ("I-2", lambda e: e.journal.append(copy.deepcopy(e.journal[-1]))),
    "a void of another position": ("I-2", lambda e: e.journal[-1].update(index=3)),
    "a voided invoice at the bureau": ("I-10", lambda e: e.receipts.append(test_check._receipt(e.journal[6]))),
    "a number used again after its void": ("I-3", lambda e: e.segments[0].update(next_no="00000004", left=97)),
    "a red of nothing": ("I-8", lambda e: _both(e, 1, original_no="", original_code="")),
    "a red of an invoice that is not there": ("I-8", lambda e: _both(e, 1, original_no="00000099")),
    "a red of a red": ("I-8", lambda e: _both(e, 2, original_no="00000002")),
    "a red of a voided one": ("I-8", lambda e: _both(e, 2, original_no="00000004")),
    "a red of another blue in the journal": ("I-8", lambda e: e.journal[2].update(original_no="00000003")),
    "reds over the blue one's net": ("I-8", lambda e: _both(e, 1, net_total="-30.01", gross_total="-33.91")),
    "reds over the blue one's tax": ("I-8", lambda e: _both(e, 1, tax_total="-3.91", gross_total="-33.91")),
    "two reds by one form": ("I-8", lambda e: _both(e, 2, red_form_no=FORM)),
    "a red at the bureau without its blue one": ("I-8", lambda e: e.receipts.pop(0)),
    "a red tax beyond the tolerance": ("I-9", lambda e: e.invoices[1]["lines"][0].update(tax="-3.83")),
    "a red line above zero": ("I-9", lambda e: e.invoices[1]["lines"][0].update(amount="30.00")),
    "the order live beside its new attempt": ("I-1", lambda e: e.invoices[0].update(red_offset_by=None)),
}  # fmt: skip


@pytest.mark.parametrize("name", PLANTS)
def test_a_planted_fault_is_found_under_its_number(books: Evidence, name: str) -> None:
    promise, plant = PLANTS[name]
    plant(books)
    assert promise in {broken.promise for broken in check.check(books)}


def test_any_row_taken_away_is_missed(books: Evidence) -> None:
    for rows in (books.invoices, books.orders, books.segments, books.receipts):
        for place in range(len(rows)):
            taken = rows.pop(place)
            assert check.check(books) != [], taken
            rows.insert(place, taken)
