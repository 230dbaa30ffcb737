"""Stock as a tree: taxpayer → device → terminal → segment, with sums per kind at each level and the age of readings."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from controlplane.operations.acts import Viewer
from controlplane.store import segments, terminals, times
from controlplane.store.statement import Connection, Row

MOST_DEVICES = 1000
MOST_SEGMENTS = 10_000
"""Of one tree; what is beyond is left out, and the tree says that it is not complete."""

Sums = dict[str, dict[str, int]]
"""Kind → left, undistributed, waiting, available."""


def tree(hand: Connection, taxpayer_id: str, viewer: Viewer) -> dict[str, Any]:
    """Stock of a taxpayer. ``age_seconds``: of the oldest reading, None when a device was never read."""
    devices = segments.devices_of(hand, taxpayer_id, MOST_DEVICES)
    held = segments.held_by(hand, taxpayer_id, MOST_SEGMENTS)
    runs: dict[tuple[str, str], list[Row]] = {}
    for row in held:
        runs.setdefault((row["device_id"], row["terminal_code"]), []).append(row)
    waiting: dict[tuple[str, str], dict[str, int]] = {}
    for row in terminals.reserved_of(hand, taxpayer_id):
        waiting.setdefault((row["device_id"], row["terminal_code"]), {})[row["kind"]] = int(row["reserved"])
    shown = [_device(row, runs, waiting, viewer) for row in devices]
    ages = [one["age_seconds"] for one in shown]
    return {
        "taxpayer_id": taxpayer_id,
        "kinds": _added(one["kinds"] for one in shown),
        "age_seconds": None if not ages or None in ages else max(ages),
        "complete": len(devices) < MOST_DEVICES and len(held) < MOST_SEGMENTS,
        "devices": shown,
    }


def _device(
    row: Row,
    runs: dict[tuple[str, str], list[Row]],
    waiting: dict[tuple[str, str], dict[str, int]],
    viewer: Viewer,
) -> dict[str, Any]:
    device_id = row["device_id"]
    codes = sorted({code for held, code in runs.keys() | waiting.keys() if held == device_id and code})
    terminals_shown = [
        {"terminal_code": code, **_place(runs.get((device_id, code), []), waiting.get((device_id, code), {}), code)}
        for code in codes
    ]
    undistributed = _place(runs.get((device_id, ""), []), {}, "")
    age = (viewer.now - times.from_text(row["read_at"])).total_seconds() if row["read_at"] else None
    return row | {
        "age_seconds": None if age is None else max(0, int(age)),
        "kinds": _added([undistributed["kinds"], *(one["kinds"] for one in terminals_shown)]),
        "undistributed": undistributed,
        "terminals": terminals_shown,
    }


def _place(runs: list[Row], waiting: dict[str, int], terminal_code: str) -> dict[str, Any]:
    """One terminal, or what is not distributed (no code), with its segments."""
    kinds: Sums = {}
    for kind in sorted({row["kind"] for row in runs} | waiting.keys()):
        left = sum(row["end_no"] - row["next_no"] + 1 for row in runs if row["kind"] == kind)
        due = waiting.get(kind, 0)
        kinds[kind] = {
            "left": left,
            "undistributed": 0 if terminal_code else left,
            "waiting": due,
            "available": max(0, left - due) if terminal_code else 0,
        }
    return {"kinds": kinds, "segments": [_segment(row) for row in runs]}


def _segment(row: Row) -> dict[str, Any]:
    shown = {name: row[name] for name in ("id", "kind", "invoice_code", "state", "grant_no", "received_on")}
    numbers = {name: f"{row[name]:08d}" for name in ("start_no", "end_no", "next_no")}
    return shown | numbers | {"left": row["end_no"] - row["next_no"] + 1}


def _added(parts: Iterable[Sums]) -> Sums:
    total: Sums = {}
    for part in parts:
        for kind, sums in part.items():
            so_far = total.setdefault(kind, dict.fromkeys(sums, 0))
            for name, value in sums.items():
                so_far[name] += value
    return dict(sorted(total.items()))
