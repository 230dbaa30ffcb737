"""Stock alerts (库存余量预警): list and page."""

from __future__ import annotations

from collections.abc import Sequence

from console.records import Record, text, whole
from console.screens.noun import Relation
from console.screens.plainly import Sheet, Show, plain_noun
from console.theme import Verdict


def _verdict(record: Record) -> Verdict:
    if text(record, "state") != "enabled":
        return "unknown"
    return "warn" if whole(record, "low") else "ok"


def _depends(record: Record) -> Sequence[Relation]:
    return (Relation("stock", (("taxpayer_id", text(record, "taxpayer_id")),)),)


NOUN = plain_noun(
    "stock-alerts",
    ("stock-alerts", "库存预警", "余量预警", "kcyj", "sa"),
    (
        Show("taxpayer_id", column=20, strong=True),
        Show("device_no", column=13, rank=1),
        Show("kind", "kind", column=12),
        Show("threshold", "count", column=9),
        Show("low", "count", column=6, rank=2),
        Show("state", "state", column=8),
        Show("recipients", "list", column=20, grow=1, rank=1),
    ),
    verdict=_verdict,
    sheets=(
        Sheet(
            "levels",
            (
                Show("device_id", column=36),
                Show("kind", "kind", column=12),
                Show("level", "stock_level", column=8),
                Show("left", "count", column=8),
                Show("at", "time", column=11),
            ),
        ),
    ),
    depends=_depends,
    watched=frozenset({"segments"}),
)
