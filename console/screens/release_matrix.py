"""Which version runs where (版本分布): list and page."""

from __future__ import annotations

from console.records import Record, text
from console.screens.plainly import Show, plain_noun
from console.theme import Verdict

_STANDS: dict[str, Verdict] = {"overdue": "stopped", "update_available": "warn", "unknown": "unknown"}


def _verdict(record: Record) -> Verdict:
    return _STANDS.get(text(record, "status"), "ok")


NOUN = plain_noun(
    "releases/matrix",
    ("matrix", "版本分布", "bbfb"),
    (
        Show("server", path="tax_server_no", column=14, strong=True),
        Show("product", "product", column=14),
        Show("running", column=14),
        Show("status", "release_status", column=12),
        Show("newest", column=14, rank=1),
        Show("due_on", "day", column=18, rank=1),
    ),
    verdict=_verdict,
    has_page=False,
)
