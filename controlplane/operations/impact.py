"""What stops if this stops: everything that hangs on a tax server or on one virtual device."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from controlplane.domain import money
from controlplane.domain.dated import DEVICE_ZONE
from controlplane.domain.readiness import blocks
from controlplane.operations import facts
from controlplane.operations.acts import Viewer
from controlplane.store import board, devices, fleet_counts
from controlplane.store.fleet_counts import On
from controlplane.store.statement import Connection, Row


def of(hand: Connection, noun: On, row: Row, viewer: Viewer) -> dict[str, Any]:
    """Taxpayers, devices, terminals, lines of business, what waits, what went through today; who could take over."""
    found = fleet_counts.on(hand, noun, row["id"])
    waiting = {one["device_id"]: int(one["n"]) for one in fleet_counts.waiting_on(hand, noun, row["id"])}
    terminals = fleet_counts.terminals_on(hand, noun, row["id"])
    day = viewer.now.astimezone(DEVICE_ZONE).date().isoformat()
    issued: dict[str, int] = defaultdict(int)
    gross: dict[str, int] = defaultdict(int)
    types = {one["business_type"] for one in terminals}
    for one in fleet_counts.issued_on(hand, noun, row["id"], day):
        issued[one["device_id"]] += int(one["n"])
        gross[one["device_id"]] += int(one["gross_fen"])
        types.add(one["business_type"])
    shown = [
        one
        | {
            "waiting_invoices": waiting.get(one["id"], 0),
            "issued_today": issued[one["id"]],
            "gross_today": money.yuan(gross[one["id"]]),
        }
        for one in found
    ]
    return {
        "id": row["id"],
        "noun": noun,
        "state": row["state"],
        "taxpayers": _taxpayers(hand, shown, gross, viewer),
        "devices": shown,
        "terminals": terminals,
        "business_types": sorted(filter(None, types)),
        "waiting_invoices": sum(waiting.values()),
        "issued_today": sum(issued.values()),
        "gross_today": money.yuan(sum(gross.values())),
    }


def _taxpayers(hand: Connection, shown: list[Row], gross: dict[str, int], viewer: Viewer) -> list[dict[str, Any]]:
    stopped = {one["id"] for one in shown}
    by_taxpayer: dict[str, list[Row]] = defaultdict(list)
    for one in shown:
        by_taxpayer[one["taxpayer_id"]].append(one)
    found = []
    for taxpayer_id, mine in sorted(by_taxpayer.items()):
        take_over = _take_over(hand, taxpayer_id, stopped, viewer)
        found.append(
            {
                "taxpayer_id": taxpayer_id,
                "name": mine[0]["taxpayer_name"],
                "devices": [one["device_no"] or one["name"] for one in mine],
                "waiting_invoices": sum(one["waiting_invoices"] for one in mine),
                "issued_today": sum(one["issued_today"] for one in mine),
                "gross_today": money.yuan(sum(gross[one["id"]] for one in mine)),
                "take_over": take_over,
                "stops": sorted(kind for kind, others in take_over.items() if not others),
            }
        )
    return found


def _take_over(hand: Connection, taxpayer_id: str, stopped: set[str], viewer: Viewer) -> dict[str, list[str]]:
    """Kind held on what stops → numbers of the taxpayer's other devices that could issue it right now."""
    rows = devices.of_taxpayer(hand, taxpayer_id)
    stock: dict[str, dict[str, int]] = defaultdict(dict)
    for row in board.stock(hand, [row["id"] for row in rows]):
        stock[row["device_id"]][row["kind"]] = int(row["remaining"]) - int(row["reserved"])
    kinds = sorted({kind for device_id in stopped for kind in stock.get(device_id, ())})
    others = [facts.of_device(row, stock[row["id"]]) for row in rows if row["id"] not in stopped]
    return {
        kind: [one.device_no for one in others if not blocks(one, kind, 1, viewer.now, viewer.rules)] for kind in kinds
    }
