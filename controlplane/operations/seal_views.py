"""Seals as the API shows them: where each stands, what depends on it, who asked for what, and what may be done."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import msgspec

from controlplane import data
from controlplane.domain import seal
from controlplane.domain.dated import DEVICE_ZONE
from controlplane.domain.refusals import refuse
from controlplane.domain.registry import acts_of
from controlplane.operations import acts, seals
from controlplane.operations.acts import Viewer
from controlplane.store import jobs as job_store
from controlplane.store import seals as store
from controlplane.store import times
from controlplane.store.statement import Connection, Row

_DAYS = 7
"""Days, ending yesterday, over which the invoices that depend on a seal are averaged."""
_KEPT_BACK = (
    "test_cause", "test_passed", "request_kind", "request_by", "request_by_name", "request_at", "request_reason",
)  # fmt: skip


def views(hand: Connection, rows: Sequence[Row], viewer: Viewer) -> list[dict[str, Any]]:
    """Seals as shown to one caller."""
    per_day = _per_day(hand, rows, viewer)
    return [_view(hand, row, viewer, per_day.get((row["tax_server_id"], row["area_code"]), 0)) for row in rows]


def _per_day(hand: Connection, rows: Sequence[Row], viewer: Viewer) -> dict[tuple[str, str], int]:
    """Electronic invoices a day, rounded up, per tax server and area: the ones a seal goes on."""
    today = viewer.now.astimezone(DEVICE_ZONE).date()
    kinds = [kind.code for kind in data.kinds().on_day(today) if not kind.paper]
    servers = sorted({row["tax_server_id"] for row in rows if row["state"] in seal.LIVE})
    span = ((today - timedelta(days=_DAYS)).isoformat(), today.isoformat())
    counted = store.issued(hand, servers, kinds, span)
    return {(row["tax_server_id"], row["region"]): -(-int(row["n"]) // _DAYS) for row in counted}


def _view(hand: Connection, row: Row, viewer: Viewer, per_day: int) -> dict[str, Any]:
    not_after = times.from_text(row["not_after"]) if row["not_after"] else None
    standing = seal.standing(not_after, viewer.now, seals.rules_at(viewer.now))
    held = job_store.open_of(hand, row["id"])
    following = store.successor(hand, row["id"]) if row["state"] == "in_use" else None
    used = row["state"] == "in_use"
    shown = {name: value for name, value in row.items() if name not in _KEPT_BACK} | _handler(row, viewer)
    return shown | {
        "condition": _condition(row, standing.expiry),
        "usable": used and standing.expiry != "expired" and row["test_passed"] == 1,
        "expiry": standing.expiry,
        "expires_in_days": standing.days,
        "expiry_rung": standing.rung,
        "invoices_per_day": per_day if used else 0,
        "test": _test(row),
        "request": _request(row, viewer),
        "successor_id": following["id"] if following else None,
        "open_job": held,
        "allowed": _allowed(hand, row, viewer, held),
    }


def _condition(row: Row, expiry: str) -> str:
    """The state, or what the clock or the last canary made of it."""
    if row["state"] not in seal.LIVE:
        return str(row["state"])
    if expiry == "expired":
        return "expired"
    return "test_failed" if row["test_passed"] == 0 else str(row["state"])


def _handler(row: Row, viewer: Viewer) -> dict[str, str]:
    if viewer.caller.role in seal.FULL_VIEW_ROLES:
        return {}
    names = ("handler_name", "handler_mobile", "handler_id")
    return {name: seals.masked(name, row[name]) for name in names}


def _test(row: Row) -> dict[str, Any] | None:
    if row["tested_at"] is None:
        return None
    cause = None
    if row["test_cause"]:
        kept = msgspec.json.decode(row["test_cause"])
        found = refuse(kept["code"], "", **kept["details"])
        cause = found.as_dict() | {"message_en": found.message_en, "remedy_en": found.remedy_en}
    return {"at": row["tested_at"], "passed": row["test_passed"] == 1, "cause": cause}


def _request(row: Row, viewer: Viewer) -> dict[str, Any] | None:
    """The request that a second person may approve now, and until when."""
    asked = seals.request_at(row, viewer.now)
    ends = seal.approval_ends(asked, seals.rules_at(viewer.now))
    if ends is None:
        return None
    return {
        "kind": row["request_kind"],
        "by": row["request_by_name"],
        "at": row["request_at"],
        "reason": row["request_reason"],
        "ends_at": times.utc_text(ends),
    }


def _allowed(hand: Connection, row: Row, viewer: Viewer, held: Row | None) -> list[dict[str, Any]]:
    found = []
    for spec in acts_of("seals"):
        why = acts.why_not(spec, row["state"], seal.MACHINE, held, viewer.caller)
        if why is None:
            problem = seals.gate(hand, row, spec.verb, viewer.caller, viewer.now)
            why = problem.message if problem is not None else None
        found.append(acts.verdict(spec, why))
    return found
