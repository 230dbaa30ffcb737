"""What agents read between jobs: device readings, segments, upload results."""

from __future__ import annotations

from typing import Any

import msgspec

from controlplane.domain import invoice_segment, money, virtual_device
from controlplane.domain.issuing_rules import IssuingRules
from controlplane.domain.refusals import refuse
from controlplane.operations import device_words, jobs, placement
from controlplane.store import devices, invoices, segments, terminals, times
from controlplane.store import jobs as job_store
from controlplane.store.segments import SegmentRow
from controlplane.store.statement import Row
from controlplane.store.transaction import Entry, Event, Transaction
from controlplane.wire.agents import Observation, UploadFacts
from controlplane.wire.evidence import SegmentFacts

_READING = (
    "reachable", "unreachable_message", "bureau_online", "bureau_message", "offline_since", "offline_count",
    "offline_fen", "last_index", "kinds",
)  # fmt: skip
CLOCK_STEP = 5.0
"""Seconds a device's clock must move before followers are told of it."""


def take(tx: Transaction, agent_id: str, seen: Observation, rules: IssuingRules) -> tuple[str, int] | None:
    """Record one reading; returns (device_no, upload cursor), or None when the agent does not serve this device.

    ``field_invalid`` when something in it cannot be: the reading before stands, and grows old.
    """
    problem = device_words.flaw(seen)
    if problem:
        raise refuse("field_invalid", "observations", problem=problem)
    device = devices.by_number(tx, seen.device_no)
    if device is None:
        return None
    binding = job_store.binding(tx, device["id"])
    if binding is None or binding["agent_id"] != agent_id:
        return None
    before = devices.find(tx, device["id"], lock=True)
    assert before is not None
    if before["read_at"] and seen.read_at < before["read_at"]:
        return seen.device_no, int(before["upload_cursor"])
    values, cursor = _values(before, seen), int(before["upload_cursor"])
    if seen.reachable:
        if before["reachable"] == 0:
            jobs.wake(tx, before["id"])
        take_segments(tx, before, seen.segments, seen.read_at)
        values["upload_cursor"] = cursor = _uploads(tx, before, seen.uploads)
    changed = any(values[name] != before[name] for name in _READING if name in values) or _moved(before, seen)
    mark(tx, before["id"], values, tell=changed)
    placement.device_changed(tx, before["id"], rules)
    return seen.device_no, cursor


def _values(before: Row, seen: Observation) -> dict[str, Any]:
    values: dict[str, Any] = {"reachable": int(seen.reachable), "unreachable_message": "", "read_at": seen.read_at}
    if not seen.reachable:
        return values | {"unreachable_message": seen.message[:200]}
    values |= {
        "clock_offset_seconds": seen.clock_offset_seconds,
        "bureau_online": None if seen.bureau_online is None else int(seen.bureau_online),
        "bureau_message": seen.bureau_message[:200],
        "offline_since": seen.offline_since,
        "offline_count": seen.offline_count,
        "offline_fen": money.fen_of(seen.offline_amount),
        "last_index": seen.last_index,
    }
    if seen.kinds and before["kinds"] != "[]":
        values["kinds"] = msgspec.json.encode(seen.kinds).decode()
    return values


def _moved(before: Row, seen: Observation) -> bool:
    old, new = before["clock_offset_seconds"], seen.clock_offset_seconds
    return new is not None and (old is None or abs(new - old) > CLOCK_STEP)


def mark(tx: Transaction, device_id: str, values: dict[str, Any], tell: bool = True) -> None:
    """Write what was read from a device. A reading is no change of the record: its version stays."""
    devices.read(tx, device_id, values)
    device = devices.find(tx, device_id)
    if tell and device is not None:
        tx.raise_event(Event("virtual-devices", device_id, device["taxpayer_id"], "read", device["version"]))


def take_segments(tx: Transaction, device: Row, seen: list[SegmentFacts], told_at: str) -> None:
    """Bring the ledger's segments of a device to what the device held at ``told_at``; the next number never goes back.

    What was told before the segments on record were is left alone: it would bring back numbers that have gone since,
    and that may be somebody else's by now.
    """
    taxpayer_id, device_id = device["taxpayer_id"], device["id"]
    if device["segments_at"] and told_at < device["segments_at"]:
        return
    devices.read(tx, device_id, {"segments_at": told_at})
    known = {(row["invoice_code"], row["start_no"]): row for row in segments.of_device(tx, taxpayer_id, device_id)}
    changed = False
    for facts in seen:
        row = known.pop((facts.invoice_code, int(facts.start_no)), None)
        if (row is None or int(facts.end_no) > row["end_no"]) and not _claimed(tx, device, facts):
            continue
        if row is None:
            _new_segment(tx, device, facts)
        elif _differs(row, facts):
            segments.move(tx, {**_held(facts), "taxpayer_id": taxpayer_id, "id": row["id"], "now": tx.now})
        else:
            continue
        changed = True
    for row in known.values():
        if row["next_no"] == row["start_no"]:
            segments.drop(tx, taxpayer_id, row["id"])
            changed = True
    terminals.recount(tx, taxpayer_id, device_id, tx.now)
    if changed:
        tx.raise_event(Event("segments", device_id, taxpayer_id, "changed", device["version"]))


def _held(facts: SegmentFacts) -> dict[str, Any]:
    end_no = int(facts.end_no)
    next_no = end_no + 1 if facts.left == 0 else int(facts.next_no)
    state = invoice_segment.state_of(facts.left, facts.terminal_code)
    return {"end_no": end_no, "next_no": next_no, "terminal_code": facts.terminal_code or "", "state": state}


def _differs(row: Row, facts: SegmentFacts) -> bool:
    held = _held(facts)
    if held["next_no"] < row["next_no"]:
        held["next_no"], held["state"] = row["next_no"], row["state"]
    return any(row[name] != value for name, value in held.items())


def _claimed(tx: Transaction, device: Row, facts: SegmentFacts) -> bool:
    wanted = {
        "invoice_code": facts.invoice_code,
        "start_no": int(facts.start_no),
        "end_no": int(facts.end_no),
        "taxpayer_id": device["taxpayer_id"],
        "device_id": device["id"],
    }
    holder = segments.claim(tx, wanted)
    if holder is None:
        return True
    if job_store.leaving(tx, holder["device_id"]):
        # The bureau has them back from there, and we do not know it yet: they are taken up with the next reading.
        return False
    suspend(tx, device["id"], _overlap(facts))
    return False


def _new_segment(tx: Transaction, device: Row, facts: SegmentFacts) -> None:
    row = SegmentRow(
        taxpayer_id=device["taxpayer_id"],
        id=times.new_id(),
        device_id=device["id"],
        kind=facts.kind,
        invoice_code=facts.invoice_code,
        start_no=int(facts.start_no),
        grant_no=facts.grant_no,
        received_on=facts.received_on,
        created_at=tx.now,
        updated_at=tx.now,
        **_held(facts),
    )
    tx.add(row)


def suspend(tx: Transaction, device_id: str, reason: str) -> None:
    """Something cannot be as the device tells it: the device stops until people have looked and resume it."""
    device = devices.find(tx, device_id, lock=True)
    if device is None or not virtual_device.MACHINE.may(device["state"], "suspend"):
        return
    values = {"state": virtual_device.MACHINE.after(device["state"], "suspend"), "held_reason": reason}
    devices.change(tx, "devices", device_id, values, tx.now)
    tx.raise_event(Event("virtual-devices", device_id, device["taxpayer_id"], "suspend", device["version"] + 1))


def _overlap(facts: SegmentFacts) -> str:
    return refuse(
        "segment_overlaps", invoice_code=facts.invoice_code, start_no=facts.start_no, end_no=facts.end_no
    ).message


def _uploads(tx: Transaction, device: Row, seen: list[UploadFacts]) -> int:
    foreign: set[int] = set()
    for upload in seen:
        values = {
            "device_id": device["id"],
            "device_index": upload.index,
            "invoice_no": upload.invoice_no,
            "status": upload.status,
            "receipt_no": upload.receipt_no,
            "uploaded_at": upload.at if upload.status == "uploaded" else None,
            "message": upload.message[:200],
            "code": upload.code,
            "told_at": upload.at,
            "now": tx.now,
        }
        if invoices.upload(tx, values):
            row = invoices.by_index(tx, device["id"], upload.index)
            assert row is not None
            tx.raise_event(Event("invoices", row["id"], row["taxpayer_id"], upload.status, row["version"]))
        elif upload.status == "uploaded" and invoices.by_index(tx, device["id"], upload.index) is None:
            foreign.add(upload.index)
    if foreign and job_store.held_on(tx, device["id"]):
        # It may be ours, signed a moment ago, with its outcome still on the way.
        foreign.clear()
    for index in sorted(foreign):
        detail = {"device_no": device["device_no"], "index": index}
        entry = Entry("system", "taxplane", "system", "invoices.found_on_device", "invoices", detail=detail)
        entry.taxpayer_id = device["taxpayer_id"]
        tx.begin_entry(entry)
    return invoices.uploaded_up_to(tx, device["id"], device["upload_cursor"], foreign)
