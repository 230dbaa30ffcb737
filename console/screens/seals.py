"""Supervision seals (监制章): list and page."""

from __future__ import annotations

from console.records import Record, text
from console.screens.plainly import Show, plain_noun
from console.theme import Verdict

_BAD = {"expired": "stopped", "test_failed": "stopped"}


def _verdict(record: Record) -> Verdict:
    bad = _BAD.get(text(record, "condition"))
    if bad == "stopped":
        return "stopped"
    return "warn" if text(record, "expiry") not in ("", "ok", "valid") else "ok"


NOUN = plain_noun(
    "seals",
    ("seals", "seal", "印章", "监制章", "yz", "jzz"),
    (
        Show("seal_name", column=18, strong=True, grow=1),
        Show("area_code", column=6),
        Show("condition", "condition", column=12),
        Show("usable", "flag", column=6, rank=1),
        Show("expires_in_days", "count", column=6),
        Show("invoices_per_day", "count", column=8, rank=1),
        Show("handler_name", column=10, rank=2),
        Show("key_index", rank=2),
        Show("application_no"),
        Show("public_key"),
        Show("not_after", "day"),
        Show("tax_server_id"),
        Show("message", path="bureau_message"),
        Show("id"),
    ),
    verdict=_verdict,
    name=lambda record: text(record, "seal_name") or text(record, "area_code"),
    trouble=lambda record, related: {"code": "seal_expired"} if record.get("condition") == "expired" else {},
)
