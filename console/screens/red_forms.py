"""Red forms (红字信息表): list, and a page with what each is over, the bureau's word, and who must act next."""

from __future__ import annotations

from collections.abc import Sequence

from console.records import Record, text
from console.screens.noun import Relation
from console.screens.plainly import Sheet, Show, plain_noun


def _depends(record: Record) -> Sequence[Relation]:
    owner = ("taxpayer_id", text(record, "taxpayer_id"))
    found = [Relation("invoices", (owner, ("invoice_no", text(record, "invoice_no"))))]
    return [*found, Relation("jobs", (("subject_id", record["id"]),))]


NOUN = plain_noun(
    "red-forms",
    ("red-forms", "red-form", "红字信息表", "信息表", "hzxxb", "rf"),
    (
        Show("form_no", column=24, strong=True, rank=1),
        Show("state", "state", column=10),
        Show("red_form_no", column=16),
        Show("next_actor", "next_actor", column=8, rank=1),
        Show("days_waited", "count", column=5, rank=2),
        Show("kind", "kind", column=10, rank=3),
        Show("original_no", path="invoice_no", column=9, rank=2),
        Show("form_net", path="net_total", column=12, rank=3),
        Show("form_tax", path="tax_total"),
        Show("applicant", "choice", column=10, rank=4),
        Show("bureau_status", path="status_text"),
        Show("bureau_message", path="message", column=14, grow=1, rank=4),
        Show("taxpayer_id"),
        Show("created", "time", "created_at"),
    ),
    {"draft": "warn", "uploaded": "warn", "refused": "stopped"},
    (
        Sheet(
            "lines",
            (
                Show("line_no", "count", column=5),
                Show("amount", column=14),
                Show("tax_amount", path="tax", column=12),
                Show("count", path="quantity", column=10),
            ),
        ),
    ),
    depends=_depends,
    watched=frozenset({"invoices"}),
)
