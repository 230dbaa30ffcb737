"""Emergency stops (紧急停止): list and page."""

from __future__ import annotations

from console.screens.plainly import Show, plain_noun

NOUN = plain_noun(
    "stops",
    ("stops", "stop", "紧急停止", "jjtz"),
    (
        Show("state", "state", column=8),
        Show("target_kind", "choice", path="target_noun", column=10),
        Show("target", path="target_name", column=24, strong=True, grow=1),
        Show("reason", column=24, grow=1, rank=1),
        Show("stopped_by", column=10, rank=1),
        Show("stopped_at", "time", path="created_at", column=11),
        Show("resumed_by", column=10, rank=2),
        Show("resumed_at", "time", column=11, rank=2),
        Show("resume_reason"),
        Show("id"),
    ),
    {"active": "stopped"},
    trouble=lambda record, related: {"code": "emergency_stop"} if record.get("state") == "active" else {},
)
