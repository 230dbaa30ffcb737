"""Devices as the board shows them: reading, stock, what waits, health, and the verbs that are allowed now."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime
from typing import Any

import msgspec

from controlplane.domain import virtual_device
from controlplane.domain.dated import DEVICE_ZONE
from controlplane.domain.health import Burn, Health, health
from controlplane.domain.principal import Principal
from controlplane.domain.refusals import from_device, refuse
from controlplane.domain.registry import acts_of
from controlplane.operations import acts, certificates, facts, things_left
from controlplane.operations.acts import Viewer
from controlplane.store import board
from controlplane.store.statement import Connection, Row

SOURCE = (
    "devices d LEFT JOIN tax_servers s ON s.id = d.tax_server_id "
    "LEFT JOIN taxpayers t ON t.taxpayer_id = d.taxpayer_id LEFT JOIN bindings b ON b.target_id = d.id "
    "LEFT JOIN agents a ON a.id = b.agent_id"
)
COLUMNS = (
    "d.*, s.tax_server_no, s.state AS server_state, s.certificate_not_after AS server_certificate_not_after, "
    "s.certificate_status AS server_certificate_status, "
    "t.name AS taxpayer_name, b.agent_id, b.epoch, a.name AS agent_name, a.last_seen AS agent_last_seen"
)
_HIDDEN = ("server_certificate_not_after", "server_certificate_status", "kinds", "rates", "company", "offline_fen")


class Sums:
    """What the board adds up over a page of devices."""

    def __init__(self, hand: Connection, rows: list[Row], now: datetime) -> None:
        ids = [row["id"] for row in rows]
        self.stopped = facts.holding(hand, ids)
        self.stock: dict[str, dict[str, int]] = defaultdict(dict)
        self.distributed: set[str] = set()
        for row in board.stock(hand, ids):
            self.stock[row["device_id"]][row["kind"]] = int(row["remaining"])
            if row["remaining"] > row["reserved"]:
                self.distributed.add(row["device_id"])
        self.undistributed = {row["device_id"] for row in board.undistributed(hand, ids)}
        self.waiting = {row["device_id"]: row["n"] for row in board.waiting(hand, ids)}
        self.to_upload = {row["device_id"]: row["n"] for row in board.to_upload(hand, ids)}
        self.issued: dict[str, dict[str, int]] = defaultdict(dict)
        self.gross: dict[str, int] = defaultdict(int)
        local = now.astimezone(DEVICE_ZONE)
        self.minutes = max(60, local.hour * 60 + local.minute)
        for row in board.issued(hand, ids, local.date().isoformat()):
            self.issued[row["device_id"]][row["kind"]] = int(row["n"])
            self.gross[row["device_id"]] += int(row["gross_fen"])
        self.left = things_left.of_devices(hand, rows)
        self.newest = {row["subject_id"]: row for row in board.newest_jobs(hand, ids)}
        self.jobs = {row["subject_id"]: {"id": row["id"], "kind": row["kind"]} for row in board.open_jobs(hand, ids)}

    def burn(self, device_id: str) -> Burn:
        """Numbers and fen per minute so far today."""
        numbers = {kind: n / self.minutes for kind, n in self.issued[device_id].items()}
        return Burn(numbers, self.gross[device_id] / self.minutes)


def views(hand: Connection, rows: list[Row], viewer: Viewer) -> list[dict[str, Any]]:
    """Virtual devices as the API shows them."""
    sums = Sums(hand, rows, viewer.now)
    return [_view(row, sums, viewer) for row in rows]


def _view(row: Row, sums: Sums, viewer: Viewer) -> dict[str, Any]:
    device_id = row["id"]
    known = facts.of_device(row, sums.stock[device_id], sums.stopped.get(device_id))
    shown = {name: value for name, value in row.items() if name not in _HIDDEN}
    return shown | {
        "reachable": None if row["reachable"] is None else bool(row["reachable"]),
        "bureau_online": None if row["bureau_online"] is None else bool(row["bureau_online"]),
        "kinds": msgspec.json.decode(row["kinds"]),
        "rates": msgspec.json.decode(row["rates"]),
        "company": msgspec.json.decode(row["company"]),
        "stock": sums.stock[device_id],
        "waiting_invoices": sums.waiting.get(device_id, 0),
        "waiting_uploads": sums.to_upload.get(device_id, 0),
        "issuable": sum(sums.stock[device_id].values()),
        "issued_today": sum(sums.issued[device_id].values()),
        "issued_total": row["last_index"],
        "open_job": sums.jobs.get(device_id),
        "last_refusal": last_refusal(row, sums.newest.get(device_id)),
        "certificate": certificates.view(row, viewer),
        "to_ready": bool(row["to_ready"]),
        "health": health_view(health(known, viewer.now, viewer.rules, sums.burn(device_id))),
        "allowed": _allowed(row, sums, viewer.caller),
    }


def health_view(found: Health) -> dict[str, Any]:
    """A verdict with its cause in words, and where to read on."""
    refusal = found.refusal
    return {
        "verdict": found.verdict,
        "cause": found.cause,
        "text": found.text,
        "text_en": found.told("en"),
        "minutes_until_stop": found.minutes_until_stop,
        "remedy": refusal.remedy if refusal else "",
        "remedy_en": refusal.remedy_en if refusal else "",
        "runbook": refusal.runbook if refusal else "",
    }


def last_refusal(device: Row, newest: Row | None) -> dict[str, Any] | None:
    """Why the newest job of a device was refused, as device or bureau said it; None when it was not."""
    if newest is None or newest["state"] != "refused":
        return None
    name = device["device_no"] or device["name"]
    said = from_device(newest["code"], newest["message"], device_no=name).as_dict()
    return said | {"job_kind": newest["kind"], "at": newest["settled_at"]}


def _allowed(row: Row, sums: Sums, caller: Principal) -> list[dict[str, Any]]:
    found, held = [], sums.jobs.get(row["id"])
    for spec in acts_of("virtual-devices"):
        why = acts.why_not(spec, row["state"], virtual_device.MACHINE, held, caller)
        if why is None and row["agent_id"] is None and spec.verb in virtual_device.JOB_KINDS and row["device_no"]:
            why = refuse("no_agent", device_no=row["device_no"]).message
        if why is None and spec.verb == "cancel":
            left = sums.left[row["id"]].refusal(row)
            why = left.message if left else None
        if why is None and spec.verb in _NEEDS_NUMBERS:
            why = _no_numbers(row["id"], sums, spec.verb)
        found.append(acts.verdict(spec, why))
    return found


_NEEDS_NUMBERS = ("distribute", "reclaim", "return")


def _no_numbers(device_id: str, sums: Sums, verb: str) -> str | None:
    """Why no number of the device could be moved; None when some could."""
    if verb == "reclaim":
        return None if device_id in sums.distributed else refuse("nothing_distributed").message
    return None if device_id in sums.undistributed else refuse("nothing_undistributed").message
