"""Alert rules (预警配置): list and page."""

from __future__ import annotations

from console.screens.noun import Relation
from console.screens.plainly import Show, plain_noun

NOUN = plain_noun(
    "alert-rules",
    ("alerts", "alert-rules", "预警", "预警配置", "yj", "yjpz"),
    (
        Show("name", column=18, strong=True, grow=1),
        Show("state", "state", column=8),
        Show("scope", "choice", column=10),
        Show("scope_values", "list", column=14, rank=1),
        Show("recipients", "list", column=24, grow=1),
        Show("open_after", "count", column=5, rank=2),
        Show("close_after", "count", column=5, rank=2),
        Show("open_alerts", "count", column=5),
        Show("created", "time", path="created_at"),
        Show("id"),
    ),
    verdict=lambda record: "stopped" if record.get("open_alerts") else "ok",
    depends=lambda record: (Relation("alert-flips", (("rule_id", record["id"]),)),),
)
