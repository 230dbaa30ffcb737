"""Grants (领票): runs the bureau granted, and what became of their numbers: list and page."""

from __future__ import annotations

from collections.abc import Sequence

from console.records import Record, text
from console.screens.applications import RUN
from console.screens.noun import Relation
from console.screens.plainly import Show, plain_noun
from console.theme import Verdict


def _depends(record: Record) -> Sequence[Relation]:
    return (Relation("segments", (("device_id", text(record, "device_id")),)),)


def _verdict(record: Record) -> Verdict:
    return "warn" if text(record, "state") == "written" or record.get("unaccounted") else "ok"


NOUN = plain_noun(
    "grants",
    ("grants", "领票", "领票记录", "lp", "gr"),
    (
        *RUN,
        Show("device_no", column=13),
        Show("kind", "kind", column=12, rank=1),
        Show("state", "state", column=10),
        Show("count", "count", column=7),
        Show("used", "count", column=7, rank=2),
        Show("returned", "count", column=7, rank=1),
        Show("unused", "count", column=7, rank=1),
        Show("unaccounted", "count", column=7, rank=1),
        Show("application_no", column=14, rank=3),
        Show("taxpayer_id", column=20, rank=4),
        Show("message", column=10, grow=1, rank=2),
    ),
    {"written": "warn"},
    verdict=_verdict,
    depends=_depends,
    watched=frozenset({"segments", "invoices"}),
)
