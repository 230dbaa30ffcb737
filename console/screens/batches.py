"""Batches of virtual devices (批量发行): list and page."""

from __future__ import annotations

from console.screens.plainly import Sheet, Show, plain_noun

NOUN = plain_noun(
    "batches",
    ("batches", "批量发行", "plfx"),
    (
        Show("created", "time", path="created_at", column=11, strong=True),
        Show("progress", "progress", column=24),
        Show("ready", "count", column=6),
        Show("stopped_rows", "count", path="stopped", column=6),
        Show("requested_by", column=12, rank=1),
        Show("id", column=36, rank=3),
    ),
    verdict=lambda record: "warn" if record.get("stopped") else "ok",
    order=lambda record: str(record.get("id", "")),
    newest_first=True,
    sheets=(
        Sheet(
            "rows",
            (
                Show("name", column=18, strong=True, grow=1),
                Show("taxpayer_id", column=20),
                Show("device_state", "state.virtual-devices", path="state", column=14),
                Show("last_refusal", path="last_refusal.message", column=24, grow=1),
            ),
        ),
    ),
)
