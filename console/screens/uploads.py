"""Upload results (上传结果): what the bureau said of each issued invoice."""

from __future__ import annotations

from collections.abc import Sequence

from console.records import Record, text
from console.screens.cells import cell_of_kind, ordered, plain_cell, signed, state_cell, time_cell
from console.screens.noun import Noun, Related, Relation
from console.screens.page_lines import cell_fact, fact, fact_if, known
from console.theme import Verdict
from console.times import stamp
from console.widgets.columns import Column, View
from console.widgets.ink import Line

_VERDICTS: dict[str, Verdict] = {
    "uploaded": "ok", "not_uploaded": "warn", "failed": "stopped", "signature_rejected": "stopped",
}  # fmt: skip


def _verdict(record: Record) -> Verdict:
    return _VERDICTS.get(text(record, "status"), "unknown")


COLUMNS = (
    signed(_verdict),
    Column("device_no", 13, plain_cell("device_no", "strong"), ordered("device_no")),
    Column("kind", 12, cell_of_kind, ordered("kind"), rank=2),
    Column("invoice_code", 12, plain_cell("invoice_code"), ordered("invoice_code"), rank=1),
    Column("next", 9, plain_cell("invoice_no"), ordered("invoice_no")),
    Column("upload", 10, state_cell("upload", "status"), ordered("status")),
    Column("code", 6, plain_cell("code"), ordered("code"), rank=2),
    Column("settled", 11, time_cell("at"), ordered("at"), rank=1),
    Column("receipt", 32, plain_cell("receipt_no", "dim"), ordered("receipt_no"), rank=4),
    Column("message", 16, plain_cell("text"), ordered("text"), grow=1, rank=3),
)


def _name(record: Record) -> str:
    return " ".join(filter(None, (text(record, "invoice_code"), text(record, "invoice_no"))))


def _page(record: Record, view: View, related: Related) -> list[Line]:
    return known(
        [
            fact(view, "device", text(record, "device_no")),
            fact(view, "taxpayer", text(record, "taxpayer_id")),
            cell_fact(view, "kind", cell_of_kind(record, view)),
            fact(view, "invoice_code", text(record, "invoice_code")),
            fact(view, "invoice_no", text(record, "invoice_no")),
            fact(view, "issued_at", text(record, "issued_at")),
            cell_fact(view, "upload", state_cell("upload", "status")(record, view)),
            fact_if(view, "code", text(record, "code")),
            fact_if(view, "message", text(record, "text")),
            fact_if(view, "settled", stamp(record, "at")),
            fact_if(view, "receipt", text(record, "receipt_no")),
        ]
    )


def _depends(record: Record) -> Sequence[Relation]:
    return (Relation("invoices", (("id", text(record, "id")),)),)


NOUN = Noun(
    "uploads",
    ("uploads", "上传结果", "scjg"),
    COLUMNS,
    _name,
    _page,
    _verdict,
    newest_first=True,
    depends=_depends,
    watched=frozenset({"invoices"}),
)
