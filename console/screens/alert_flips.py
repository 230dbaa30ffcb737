"""Alerts as they opened and closed (预警记录): list and page."""

from __future__ import annotations

from console.screens.plainly import Sheet, Show, plain_noun

NOUN = plain_noun(
    "alert-flips",
    ("flips", "alert-flips", "预警记录", "yjjl"),
    (
        Show("created", "time", path="at", column=11),
        Show("move", "alert_move", column=6),
        Show("region", column=8, strong=True),
        Show("service", "service", column=14, rank=1),
        Show("phase", "phase", path="failing_phase", column=12),
        Show("reason", column=24, grow=1, rank=1),
        Show("rule", path="rule_name", column=14, rank=2),
        Show("address", path="target"),
        Show("vantage"),
        Show("slot", "time"),
    ),
    verdict=lambda record: "stopped" if record.get("move") == "opened" else "ok",
    order=lambda record: str(record.get("id", "")),
    newest_first=True,
    has_page=False,
    sheets=(Sheet("mails", (Show("recipient", column=28, strong=True), Show("state", "delivery", column=10))),),
)
