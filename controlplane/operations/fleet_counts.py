"""Virtual devices added up by tax server or by taxpayer."""

from __future__ import annotations

from typing import Any

from controlplane.domain import money
from controlplane.domain.dated import DEVICE_ZONE
from controlplane.operations import quota
from controlplane.operations.acts import Viewer
from controlplane.store import fleet_counts as store
from controlplane.store.fleet_counts import By
from controlplane.store.statement import Connection, Row


def summary(hand: Connection, by: By, rows: list[Row], viewer: Viewer) -> list[dict[str, Any]]:
    """One line per tax server (``by`` tax_server) or taxpayer: places, devices by state, issuable and issued counts."""
    key = "id" if by == "tax_server" else "taxpayer_id"
    places = [row[key] for row in rows]
    states: dict[str, dict[str, int]] = {place: {} for place in places}
    journals = dict.fromkeys(places, 0)
    for row in store.devices(hand, by, places):
        states[row["place"]][row["state"]] = int(row["n"])
        journals[row["place"]] += int(row["issued"] or 0)
    issuable = {row["place"]: int(row["n"] or 0) for row in store.issuable(hand, by, places)}
    day = viewer.now.astimezone(DEVICE_ZONE).date().isoformat()
    today = {row["place"]: row for row in store.issued(hand, by, places, day)}
    return [
        _named(hand, by, row)
        | {
            "devices": states[row[key]],
            "issuable": issuable.get(row[key], 0),
            "issued_total": journals[row[key]],
            "issued_today": int(today[row[key]]["n"]) if row[key] in today else 0,
            "gross_today": money.yuan(int(today[row[key]]["gross_fen"]) if row[key] in today else 0),
        }
        for row in rows
    ]


def _named(hand: Connection, by: By, row: Row) -> dict[str, Any]:
    if by == "taxpayer":
        return {"id": row["taxpayer_id"], "taxpayer_id": row["taxpayer_id"], "name": row["name"]}
    shown = {name: row[name] for name in ("id", "tax_server_no", "name", "state", "quota_total", "quota_left")}
    return shown | {"quota_free": quota.places(hand, row).free}
