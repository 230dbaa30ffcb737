"""Applications for numbers (申领): list and page."""

from __future__ import annotations

from collections.abc import Sequence

from console.records import Record, text
from console.screens.noun import Relation
from console.screens.plainly import Sheet, Show, plain_noun

RUN = (
    Show("grant_no", column=14, strong=True),
    Show("invoice_code", column=12, rank=3),
    Show("start_no", column=9, rank=1),
    Show("end_no", column=9, rank=2),
)


def _depends(record: Record) -> Sequence[Relation]:
    return (Relation("segments", (("device_id", text(record, "device_id")),)),)


NOUN = plain_noun(
    "applications",
    ("applications", "申领", "申领记录", "sl", "ap"),
    (
        Show("application_no", column=14, strong=True),
        Show("device_no", column=13),
        Show("kind", "kind", column=12),
        Show("count", "count", column=7),
        Show("state", "state", column=8),
        Show("taxpayer_id", column=20, rank=2),
        Show("requested_by", column=10, rank=3),
        Show("created", "time", "created_at", column=11, rank=2),
        Show("queried_at", "time"),
        Show("decided_at", "time"),
        Show("message", column=20, grow=1, rank=1),
    ),
    {"applied": "warn", "refused": "stopped"},
    (Sheet("grants", (*RUN, Show("state", "state", column=8))),),
    depends=_depends,
    order=lambda record: text(record, "id"),
    newest_first=True,
    watched=frozenset({"grants"}),
)
