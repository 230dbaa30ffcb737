"""Terminals (开票终端): list and page."""

from __future__ import annotations

from console.records import text
from console.screens.plainly import Show, plain_noun

NOUN = plain_noun(
    "terminals",
    ("terminals", "开票终端", "终端", "kpzd", "zd", "tm"),
    (
        Show("terminal", path="terminal_code", column=10, strong=True),
        Show("terminal_name", column=20, grow=1, rank=1),
        Show("device_no", column=13, rank=1),
        Show("taxpayer_id", column=20, rank=2),
        Show("enabled", "flag", column=7),
    ),
    name=lambda record: text(record, "terminal_name") or text(record, "terminal_code"),
    order=lambda record: (text(record, "device_no"), text(record, "terminal_code")),
    has_page=False,
)
