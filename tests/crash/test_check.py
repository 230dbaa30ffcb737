"""The checker finds every fault planted in books that were in order, and nothing in books that are."""

from __future__ import annotations

import ast
import copy
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.crash import check
from tests.crash.check import Evidence, Row

TAXPAYER = "91990000MA0000007X"
CODE = "044002600111"
RECEIPT = "RECEIPT-{no}"


def _line(amount: str, tax: str, **more: object) -> Row:
    plain = {"nature": 0, "item_name": "糕点", "tax_class_code": "1030201010000000000", "spec": "", "unit": "盒",
             "quantity": None, "unit_price": None, "rate": "0.13", "amount": amount, "tax": tax}  # fmt: skip
    return plain | more


LINES = [
    _line("30.00", "3.90", nature=2, quantity="3", unit_price="10.00"),
    _line("-1.50", "-0.20", nature=1),
    _line("8.85", "1.15"),
    # A price with tax of 0.04 splits into 0.04 + 0.00, though 13 % of 0.04 rounds to 0.01.
    _line("0.04", "0.00"),
]
TOTALS = {"net_total": "37.39", "tax_total": "4.85", "gross_total": "42.24"}


def _invoice(n: int, device_no: str, no: int) -> Row:
    number = f"{no:08d}"
    return {
        "id": f"invoice-{n}", "taxpayer_id": TAXPAYER, "request_id": f"r-{n}", "order_no": f"o-{n}", "kind": "026",
        "state": "issued", "direction": "blue", "red_offset_by": None, "device_no": device_no, "terminal_code": "1",
        "invoice_code": CODE, "invoice_no": number, "issued_at": "2026-11-23T02:17:06+08:00", "check_code": "4" * 20,
        "segment_id": f"segment-{device_no}", "upload_status": "uploaded",
        "upload_receipt_no": RECEIPT.format(no=number), "refusal": None, "open_job": None, "waiting_reason": None,
        "lines": copy.deepcopy(LINES), **TOTALS,
    }  # fmt: skip


def _unsettled(n: int, state: str, **more: object) -> Row:
    nothing = dict.fromkeys(("invoice_code", "invoice_no", "check_code", "issued_at", "segment_id", "device_no",
                             "terminal_code", "upload_receipt_no"))  # fmt: skip
    return {**_invoice(n, "", 0), **nothing, "state": state, "upload_status": "not_uploaded", "lines": [], **more}


def _signed(invoice: Row, index: int) -> Row:
    names = ("device_no", "taxpayer_id", "request_id", "order_no", "kind", "direction", "terminal_code", "invoice_code",
             "invoice_no", "issued_at", "check_code", *check.TOTALS)  # fmt: skip
    lines = [
        {native: "" if line[name] is None else str(line[name]) for native, name in check.LINE_FIELDS.items()}
        for line in invoice["lines"]
    ]
    own = {"event": "issued", "index": index, "serial": f"serial-{invoice['id']}", "payload_hash": f"hash-{index}"}
    return {name: invoice[name] for name in names} | own | {"lines": lines}


def _uploaded(signed: Row) -> Row:
    same = ("index", "device_no", "serial", "invoice_code", "invoice_no")
    return {name: signed[name] for name in same} | {
        "event": "uploaded", "receipt_no": RECEIPT.format(no=signed["invoice_no"]), "at": "", "message": "",
    }  # fmt: skip


def _receipt(signed: Row) -> Row:
    same = ("taxpayer_id", "device_no", "invoice_code", "invoice_no", "kind", *check.TOTALS, "serial", "payload_hash")
    return {name: signed[name] for name in same} | {"receipt_no": RECEIPT.format(no=signed["invoice_no"])}


def _segment(device_no: str, start: int, end: int, used: int) -> Row:
    following = start + used
    return {
        "id": f"segment-{device_no}", "device_no": device_no, "taxpayer_id": TAXPAYER, "invoice_code": CODE,
        "start_no": f"{start:08d}", "end_no": f"{end:08d}", "left": end - following + 1,
        "next_no": f"{following:08d}" if following <= end else None,
    }  # fmt: skip


@pytest.fixture
def books() -> Evidence:
    """Two devices (one with its segment used up), five invoices, one refused request, one that waits."""
    invoices = [_invoice(n, "D1", n) for n in (1, 2, 3)] + [_invoice(n, "D2", 97 + n) for n in (4, 5)]
    signed = [_signed(row, 1 + n % 3) for n, row in enumerate(invoices)]
    invoices.append(_unsettled(6, "refused", refusal={"code": "rate_invalid"}))
    invoices.append(_unsettled(7, "waiting", open_job={"id": "job-7"}, order_no="o-6"))
    orders = [{"taxpayer_id": TAXPAYER, "request_id": row["request_id"]} for row in invoices]
    answers = [{**row} for row in invoices]
    segments = [_segment("D1", 1, 100, 3), _segment("D2", 101, 102, 2)]
    journal = [event for row in signed for event in (row, _uploaded(row))]
    return Evidence(invoices, orders, segments, journal, [_receipt(row) for row in signed], answers)


def _promises(evidence: Evidence) -> set[str]:
    return {broken.promise for broken in check.check(evidence)}


def test_books_in_order_break_no_promise(books: Evidence) -> None:
    assert check.check(books) == []


Plant = Callable[[Evidence], object]


def _add(book: list[Row], row: Row, **changes: object) -> None:
    book.append({**copy.deepcopy(row), **changes})


PLANTS: dict[str, tuple[str, Plant]] = {
    "a request with two invoices": ("I-1", lambda e: _add(e.invoices, e.invoices[5], id="other")),
    "an order with two live invoices": ("I-1", lambda e: e.invoices[1].update(order_no="o-1")),
    "an order that waits though it has an invoice": ("I-1", lambda e: e.invoices[6].update(order_no="o-1")),
    "an order signed twice": ("I-1", lambda e: e.journal[2].update(order_no="o-1")),
    "a request signed twice": ("I-1", lambda e: e.journal[2].update(request_id="r-1")),
    "a number twice in the journals": ("I-2", lambda e: _add(e.journal, e.journal[0])),
    "a position left out": ("I-2", lambda e: e.journal[4].update(index=4)),
    "another line than was signed": ("I-2", lambda e: e.journal[0]["lines"][0].update(SPMC="饼干")),
    "a line less than was signed": ("I-2", lambda e: e.journal[0]["lines"].pop()),
    "another payload at the bureau": ("I-2", lambda e: e.receipts[0].update(payload_hash="other")),
    "a ledger row of another payload": ("I-2", lambda e: e.invoices[0].update(payload_hash="other")),
    "a number left out": ("I-3", lambda e: _renumber(e, 2, 4)),
    "numbers out of order": ("I-3", lambda e: (_renumber(e, 0, 2), _renumber(e, 1, 1))),
    "a number of another device": ("I-3", lambda e: _renumber(e, 2, 101)),
    "a number of nobody": ("I-3", lambda e: _renumber(e, 2, 500)),
    "segments that overlap": ("I-3", lambda e: e.segments[0].update(end_no="00000101", left=98)),
    "a next number too low": ("I-3", lambda e: e.segments[0].update(next_no="00000003")),
    "a count that is off": ("I-3", lambda e: e.segments[0].update(left=96)),
    "a next number after the end": ("I-3", lambda e: e.segments[1].update(next_no="00000103")),
    "a segment that does not hold the number": ("I-3", lambda e: e.invoices[0].update(segment_id="segment-D2")),
    "an answered request unknown": ("I-4", lambda e: e.answers.append({**e.answers[0], "request_id": "lost"})),
    "another invoice than was answered": ("I-7", lambda e: e.answers[0].update(id="other")),
    "another number than was answered": ("I-7", lambda e: e.answers[0].update(invoice_no="00000009")),
    "issued by the answer, refused now": ("I-7", lambda e: e.answers[5].update(state="issued", invoice_no="00000009")),
    "refused by the answer, issued now": ("I-7", lambda e: e.answers[0].update(state="refused")),
    "settled by the answer, waiting now": ("I-7", lambda e: e.answers[6].update(state="refused")),
    "net and tax that miss the gross": ("I-9", lambda e: _everywhere(e, 0, gross_total="42.25")),
    "lines that miss the net": ("I-9", lambda e: _everywhere(e, 0, net_total="37.38", gross_total="42.23")),
    "a tax off by a fen": ("I-9", lambda e: _line_tax(e, 0, "3.91", "4.86", "42.25")),
    "quantity × price off by two fen": ("I-9", lambda e: e.invoices[0]["lines"][0].update(unit_price="9.99")),
    "money with three places": ("I-9", lambda e: _everywhere(e, 0, gross_total="42.240")),
    "money as a float": ("I-9", lambda e: _everywhere(e, 0, gross_total=42.24)),
    "a discount of nothing": ("I-9", lambda e: e.invoices[0]["lines"][0].update(nature=0)),
    "a receipt that is not the bureau's": ("I-10", lambda e: e.invoices[0].update(upload_receipt_no="made up")),
    "uploaded without a receipt": ("I-10", lambda e: e.invoices[0].update(upload_receipt_no=None)),
    "at the bureau, not uploaded here": ("I-10", lambda e: e.invoices[0].update(upload_status="not_uploaded")),
    "an upload of nothing": ("I-10", lambda e: e.invoices[5].update(upload_status="uploaded")),
    "two receipts for one invoice": ("I-10", lambda e: _add(e.receipts, e.receipts[0], receipt_no="second")),
    "one receipt for two invoices": ("I-10", lambda e: e.receipts[1].update(receipt_no=e.receipts[0]["receipt_no"])),
    "an upload written twice": ("I-10", lambda e: _add(e.journal, e.journal[1])),
    "an upload the device does not know": ("I-10", lambda e: e.journal.pop(1)),
    "a receipt the device made up": ("I-10", lambda e: e.journal[1].update(receipt_no="made up")),
    "an order without an invoice": ("I-12", lambda e: _add(e.orders, e.orders[0], request_id="lost")),
    "an invoice without an order": ("I-12", lambda e: e.orders.pop()),
    "an order taken in twice": ("I-12", lambda e: _add(e.orders, e.orders[0])),
    "a refusal without a reason": ("I-12", lambda e: e.invoices[5].update(refusal=None)),
    "a wait without a reason": ("I-12", lambda e: e.invoices[6].update(open_job=None)),
    "a state nobody knows": ("I-12", lambda e: e.invoices[6].update(state="lost")),
}  # fmt: skip


def _renumber(evidence: Evidence, place: int, no: int) -> None:
    """Give one invoice another number, alike in all books."""
    old, new = evidence.invoices[place]["invoice_no"], f"{no:08d}"
    for book in (evidence.invoices[place : place + 1], evidence.journal[place * 2 : place * 2 + 2], evidence.receipts):
        for row in book:
            if row["invoice_no"] == old:
                row["invoice_no"] = new


def _everywhere(evidence: Evidence, place: int, **totals: object) -> None:
    """Change totals of one invoice alike in all books."""
    for row in (evidence.invoices[place], evidence.journal[place * 2], evidence.receipts[place]):
        row.update(totals)


def _line_tax(evidence: Evidence, place: int, tax: str, tax_total: str, gross_total: str) -> None:
    evidence.invoices[place]["lines"][0]["tax"] = tax
    evidence.journal[place * 2]["lines"][0]["SE"] = tax
    _everywhere(evidence, place, tax_total=tax_total, gross_total=gross_total)


@pytest.mark.parametrize("name", PLANTS)
def test_a_planted_fault_is_found_under_its_number(books: Evidence, name: str) -> None:
    promise, plant = PLANTS[name]
    plant(books)
    assert promise in _promises(books)


BOOKS = ("invoices", "orders", "segments", "journal", "receipts")


@pytest.mark.parametrize("book", BOOKS)
def test_any_row_taken_away_is_missed(books: Evidence, book: str) -> None:
    rows: list[Row] = getattr(books, book)
    unmissed = []
    for place in range(len(rows)):
        taken = rows.pop(place)
        if not check.check(books):
            unmissed.append(taken)
        rows.insert(place, taken)
    assert unmissed == []


@pytest.mark.parametrize("book", BOOKS)
def test_any_row_written_twice_is_found(books: Evidence, book: str) -> None:
    rows: list[Row] = getattr(books, book)
    for place in range(len(rows)):
        rows.append(copy.deepcopy(rows[place]))
        assert check.check(books) != [], rows[place]
        rows.pop()


COMPARED = {
    "invoices": (*check.SAME_IN_JOURNAL, "device_no", "taxpayer_id", "invoice_code", "invoice_no", "segment_id"),
    "journal": (*check.SAME_IN_JOURNAL, *check.SAME_AT_BUREAU, "taxpayer_id", "invoice_code", "invoice_no"),
    "receipts": (*check.SAME_AT_BUREAU, "invoice_code", "invoice_no", "receipt_no"),
}  # fmt: skip


@pytest.mark.parametrize(("book", "name"), [(book, name) for book, names in COMPARED.items() for name in names])
def test_any_fact_changed_in_one_book_alone_is_found(books: Evidence, book: str, name: str) -> None:
    for row in getattr(books, book):
        if row.get("invoice_no") and name in row and row.get("event") != "uploaded":
            kept = row[name]
            row[name] = f"{kept[:-1]}{(int(kept[-1]) + 5) % 10}" if kept[-1:].isdigit() else f"{kept}?"
            assert check.check(books) != [], (row, name)
            row[name] = kept


def test_a_reissued_order_and_a_rejected_upload_break_nothing(books: Evidence) -> None:
    books.invoices[0].update(upload_status="signature_rejected", upload_receipt_no=None, state="voided")
    books.invoices[6].update(order_no="o-1")
    books.receipts.pop(0)
    books.journal[1] = {**books.journal[1], "event": "voided", "receipt_no": ""}
    assert check.check(books) == []


def test_the_checker_imports_the_standard_library_only() -> None:
    tree = ast.parse(Path(check.__file__).read_text(encoding="utf-8"))
    names = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    names |= {str(node.module) for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert {name.partition(".")[0] for name in names} <= sys.stdlib_module_names
