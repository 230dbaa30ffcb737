"""Stock of invoice numbers (库存) by device, terminal and kind: list and page."""

from __future__ import annotations

from collections.abc import Sequence

from console.records import Record, text, whole
from console.screens.cells import STOCK_LOW, amount_cell, cell_of_kind, ordered, plain_cell, signed, time_cell
from console.screens.noun import Noun, Related, Relation
from console.screens.page_lines import cell_fact, fact, known
from console.theme import SEVERITY, Verdict
from console.times import stamp
from console.widgets.columns import Cell, Column, View
from console.widgets.gauge import gauge
from console.widgets.ink import Line

_FULL = 1000


def _verdict(record: Record) -> Verdict:
    available = whole(record, "available")
    if available is None:
        return "unknown"
    return "stopped" if available <= 0 else "warn" if available < STOCK_LOW else "ok"


def _gauge(record: Record, view: View) -> Cell:
    available = whole(record, "available")
    return Cell("" if available is None else gauge(available, _FULL, 10), _verdict(record))


def _order(record: Record) -> tuple[int, str, str]:
    """Worst first; what is well keeps its place while numbers move."""
    return SEVERITY[_verdict(record)], text(record, "device_no"), text(record, "kind")


COLUMNS = (
    signed(_verdict),
    Column("taxpayer_id", 20, plain_cell("taxpayer_id"), ordered("taxpayer_id"), rank=1),
    Column("device_no", 13, plain_cell("device_no", "strong"), ordered("device_no")),
    Column("terminal", 8, plain_cell("terminal_code"), ordered("terminal_code"), rank=1),
    Column("kind", 12, cell_of_kind, ordered("kind")),
    Column("available", 8, amount_cell("available"), ordered("available"), right=True),
    Column("gauge", 10, _gauge, rank=2),
    Column("left", 8, amount_cell("left"), ordered("left"), right=True, rank=2),
    Column("waiting", 6, amount_cell("waiting", 0), ordered("waiting"), right=True),
    Column("read_at", 11, time_cell("read_at"), ordered("read_at"), grow=1, rank=3),
)


def _page(record: Record, view: View, related: Related) -> list[Line]:
    return known(
        [
            fact(view, "taxpayer", text(record, "taxpayer_id")),
            fact(view, "device", text(record, "device_no")),
            fact(view, "terminal", text(record, "terminal_code")),
            cell_fact(view, "kind", cell_of_kind(record, view)),
            fact(view, "available", f"{_gauge(record, view).text} {text(record, 'available')}", _verdict(record)),
            fact(view, "left", text(record, "left")),
            fact(view, "waiting", text(record, "waiting")),
            fact(view, "read_at", stamp(record, "read_at")),
        ]
    )


def _depends(record: Record) -> Sequence[Relation]:
    own = (("device_id", text(record, "device_id")),)
    sold = (("taxpayer_id", text(record, "taxpayer_id")), ("state", "waiting"), *own)
    return (Relation("segments", own), Relation("invoices", sold))


NOUN = Noun(
    "stock",
    ("stock", "库存", "发票库存", "kc", "fpkc", "st"),
    COLUMNS,
    lambda record: " ".join(filter(None, (text(record, "device_no"), text(record, "kind")))),
    _page,
    _verdict,
    _order,
    depends=_depends,
    has_page=False,
    watched=frozenset({"invoices", "segments"}),
)
