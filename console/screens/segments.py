"""Segments of invoice numbers (号段): list and page."""

from __future__ import annotations

from collections.abc import Sequence

from console.records import Record, text, whole
from console.screens.cells import amount_cell, cell_of_kind, ordered, plain_cell, signed, state_cell
from console.screens.noun import Noun, Related, Relation
from console.screens.page_lines import cell_fact, fact, fact_if, known
from console.theme import Verdict
from console.widgets.columns import Cell, Column, View
from console.widgets.gauge import gauge
from console.widgets.ink import Line


def _verdict(record: Record) -> Verdict:
    left = whole(record, "left")
    if left is None:
        return "unknown"
    size = _size(record)
    return "warn" if left > 0 and size and left * 10 < size else "ok"


def _size(record: Record) -> int:
    start, end = text(record, "start_no"), text(record, "end_no")
    if (
        not (start.isascii() and start.isdigit() and end.isascii() and end.isdigit())
        or len(start) > 20
        or len(end) > 20
    ):
        return 0
    return max(0, int(end) - int(start) + 1)


def _range(record: Record, view: View) -> Cell:
    return Cell(f"{text(record, 'start_no')}–{text(record, 'end_no')}")


def _gauge(record: Record, view: View) -> Cell:
    left = whole(record, "left")
    return Cell("" if left is None else gauge(left, _size(record), 8), _tone(record))


def _tone(record: Record) -> Verdict:
    return _verdict(record)


COLUMNS = (
    signed(_verdict),
    Column("device_no", 13, plain_cell("device_no", "strong"), ordered("device_no")),
    Column("kind", 12, cell_of_kind, ordered("kind"), rank=1),
    Column("invoice_code", 12, plain_cell("invoice_code"), ordered("invoice_code"), rank=3),
    Column("range", 17, _range, ordered("start_no"), rank=2),
    Column("next", 9, plain_cell("next_no"), ordered("next_no"), rank=3),
    Column("left", 7, amount_cell("left"), ordered("left"), right=True),
    Column("gauge", 8, _gauge, rank=2),
    Column("terminal", 8, plain_cell("terminal_code"), ordered("terminal_code"), rank=1),
    Column("state", 10, state_cell("state.segments"), ordered("state")),
    Column("received", 10, plain_cell("received_on", "dim"), ordered("received_on"), grow=1, rank=4),
)


def _name(record: Record) -> str:
    return " ".join(filter(None, (text(record, "invoice_code"), text(record, "start_no"))))


def _page(record: Record, view: View, related: Related) -> list[Line]:
    return known(
        [
            fact(view, "device", text(record, "device_no")),
            fact(view, "taxpayer", text(record, "taxpayer_id")),
            cell_fact(view, "kind", cell_of_kind(record, view)),
            fact(view, "invoice_code", text(record, "invoice_code")),
            cell_fact(view, "range", _range(record, view)),
            fact(view, "next", text(record, "next_no")),
            fact(view, "left", f"{_gauge(record, view).text} {text(record, 'left')} / {_size(record)}"),
            fact_if(view, "terminal", text(record, "terminal_code")),
            cell_fact(view, "state", state_cell("state.segments")(record, view)),
            fact(view, "received", text(record, "received_on")),
            fact_if(view, "grant", text(record, "grant_no")),
            fact_if(view, "id", text(record, "id")),
        ]
    )


def _depends(record: Record) -> Sequence[Relation]:
    own = (("device_id", text(record, "device_id")),)
    return (Relation("invoices", (("taxpayer_id", text(record, "taxpayer_id")), *own)), Relation("terminals", own))


NOUN = Noun(
    "segments",
    ("segments", "号段", "hd", "fphd", "sg"),
    COLUMNS,
    _name,
    _page,
    _verdict,
    lambda record: (text(record, "device_no"), text(record, "kind"), text(record, "start_no")),
    depends=_depends,
    watched=frozenset({"invoices"}),
)
