"""Bureau lines: the address book, slots claimed by probe clocks, samples, and the mail when a verdict flips."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Any

import msgspec

from controlplane.domain.line_watch import verdict
from controlplane.domain.principal import Principal
from controlplane.domain.refusals import refuse
from controlplane.mail.letter import Letter
from controlplane.mail.outbox import post
from controlplane.operations.acts import Act
from controlplane.operations.jobs import PLATFORM
from controlplane.store import lines, times
from controlplane.store.lines import BureauEndpointRow, SampleRow, SlotRow
from controlplane.store.statement import Connection, Row
from controlplane.store.transaction import Entry, Event, Transaction
from controlplane.wire.lines import ClaimSlot, SampleReport

WORK = "line-watch"
MOST_MISSED = 288
"""At most a day of missed slots is written down one by one."""
SHOWN_SAMPLES = 24


def add(tx: Transaction, caller: Principal, values: dict[str, Any]) -> Row:
    """A new address; ``already_exists`` when the same target is on record for the region and service."""
    entry = tx.begin_entry(Entry(caller.id, caller.name, caller.kind, "lines.add", "lines", detail=dict(values)))
    if lines.same(tx, values) is not None:
        raise refuse("already_exists", "target", name=values["target"])
    row = BureauEndpointRow(
        id=times.new_id(), created_at=tx.now, updated_at=tx.now, **{**values, "enabled": int(values["enabled"])}
    )
    tx.add(row)
    entry.subject_id = row.id
    tx.raise_event(Event("lines", row.id, PLATFORM, "added", 1))
    return row.model_dump()


def switch(tx: Transaction, wanted: Act) -> None:
    """``enable`` or ``disable`` the checking of an address."""
    entry = Entry(
        wanted.caller.id, wanted.caller.name, wanted.caller.kind, f"lines.{wanted.verb}", "lines", wanted.record_id
    )
    entry.reason = wanted.reason
    tx.begin_entry(entry)
    row = lines.find(tx, wanted.record_id)
    if row is None:
        raise refuse("not_found")
    if row["version"] != wanted.version:
        raise refuse("version_differs", "version", current=row["version"], given=wanted.version)
    lines.switch(tx, row["id"], int(wanted.verb == "enable"), tx.now)
    tx.raise_event(Event("lines", row["id"], PLATFORM, wanted.verb, row["version"] + 1))


def take_book(tx: Transaction, rows: Iterable[dict[str, Any]]) -> int:
    """Take an address book in: addresses that are not on record yet are added; returns how many."""
    added = 0
    for values in rows:
        if lines.same(tx, values) is None:
            tx.add(BureauEndpointRow(id=times.new_id(), created_at=tx.now, updated_at=tx.now, **values))
            added += 1
    if added:
        tx.begin_entry(Entry("system", "taxplane", "system", "lines.import", "lines", detail={"added": added}))
    return added


def claim(tx: Transaction, wanted: ClaimSlot) -> list[Row] | None:
    """The addresses to check when the slot is the asker's, else None. Slots passed over are written as missed."""
    if times.from_text(wanted.slot) > tx.moment + timedelta(seconds=wanted.period):
        # Every slot up to this one would be too late from then on.
        raise refuse("field_invalid", "slot", problem="it lies in the future")
    work = f"{WORK}/{wanted.vantage}"
    before = lines.last_slot(tx, work)
    if before is not None and before > wanted.slot:
        return None
    if not lines.claim_slot(tx, SlotRow(work=work, slot=wanted.slot, holder=wanted.holder, at=tx.now)):
        return None
    targets = lines.enabled(tx, tx.now)
    if before is not None:
        _write_missed(tx, wanted, before, targets)
    return targets


def _write_missed(tx: Transaction, wanted: ClaimSlot, before: str, targets: list[Row]) -> None:
    slot, period = times.from_text(before), timedelta(seconds=wanted.period)
    missed: list[str] = []
    while (slot := slot + period) < times.from_text(wanted.slot) and len(missed) < MOST_MISSED:
        missed.append(times.utc_text(slot))
    samples = [
        SampleRow(endpoint_id=target["id"], slot=at, vantage=wanted.vantage, at=tx.now, ok=None, failing_phase="",
                  reason="missed", duration_ms=None, phases="{}", address="")
        for at in missed
        for target in targets
    ]  # fmt: skip
    lines.add_samples(tx, samples)


def report(tx: Transaction, sent: SampleReport, recipients: Sequence[str]) -> None:
    """Store the samples of a slot; every verdict that flips goes into one letter per recipient."""
    flips: list[tuple[Row, str, str]] = []
    for sample in sent.samples:
        endpoint = lines.find(tx, sample.endpoint_id)
        if endpoint is None:
            continue
        before = _verdict(tx, endpoint["id"])
        lines.add_samples(tx, [_row(sent, sample.model_dump())])
        after = _verdict(tx, endpoint["id"])
        if after != before and not (before == "unknown" and after == "normal"):
            flips.append((endpoint, after, sample.failing_phase))
        tx.raise_event(Event("lines", endpoint["id"], PLATFORM, after, endpoint["version"]))
    if flips:
        letter_text = "\n".join(_told(*flip) for flip in flips)
        down = sum(1 for _, after, _ in flips if after == "abnormal")
        subject = f"[taxplane] 局端网络: {down} 条异常, {len(flips) - down} 条恢复"
        for recipient in recipients:
            post(tx, Letter(recipient, subject, letter_text), f"line-watch/{sent.slot}")


def _row(sent: SampleReport, values: dict[str, Any]) -> SampleRow:
    values["phases"] = msgspec.json.encode(values["phases"]).decode()
    values["ok"] = None if values["ok"] is None else int(values["ok"])
    return SampleRow(slot=sent.slot, vantage=sent.vantage, **values)


def _verdict(hand: Connection, endpoint_id: str) -> str:
    newest = lines.newest(hand, endpoint_id, SHOWN_SAMPLES)
    return verdict([None if row["ok"] is None else bool(row["ok"]) for row in newest])


def _told(endpoint: Row, after: str, failing_phase: str) -> str:
    state = "异常" if after == "abnormal" else "恢复正常"
    phase = f" (环节 {failing_phase})" if failing_phase else ""
    return f"{endpoint['region']} {endpoint['service']} {endpoint['target']}: {state}{phase}"


def view(hand: Connection, row: Row) -> dict[str, Any]:
    """An address with its verdict and latest samples."""
    newest = lines.newest(hand, row["id"], SHOWN_SAMPLES)
    history = [
        {"slot": one["slot"], "at": one["at"], "ok": None if one["ok"] is None else bool(one["ok"]),
         "failing_phase": one["failing_phase"], "reason": one["reason"], "duration_ms": one["duration_ms"],
         "phases": msgspec.json.decode(one["phases"]), "address": one["address"], "vantage": one["vantage"]}
        for one in newest
    ]  # fmt: skip
    latest: dict[str, Any] = history[0] if history else {}
    return row | {
        "enabled": bool(row["enabled"]),
        "verdict": verdict([one["ok"] for one in history]),
        "at": latest.get("at"),
        "address": latest.get("address", ""),
        "failing_phase": latest.get("failing_phase", ""),
        "reason": latest.get("reason", ""),
        "duration_ms": latest.get("duration_ms"),
        "history": history,
    }
