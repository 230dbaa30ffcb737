"""Certificates of tax servers and virtual devices: as they are shown, renewed in time, and told before they end."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from controlplane.domain import certificate, tax_server, virtual_device
from controlplane.domain.certificate import Life
from controlplane.domain.issuing_rules import IssuingRules
from controlplane.operations import device_steps, jobs
from controlplane.operations.acts import Viewer
from controlplane.operations.principals import SYSTEM
from controlplane.store import devices, slots, tax_servers, times
from controlplane.store import jobs as job_store
from controlplane.store.slots import SlotRow
from controlplane.store.statement import Connection, Row
from controlplane.store.transaction import Entry, Event, Transaction
from controlplane.wire import work

Due = tuple[str, str]
"""(noun, id) of a record whose certificate wants looking after."""


def view(row: Row, viewer: Viewer) -> dict[str, Any]:
    """What the clock makes of a certificate: status, days left, step of the ladder, when renewal is due."""
    life = _life(row)
    rule = certificate.rule_at(viewer.rules.certificates, viewer.now)
    status = certificate.status_at(row.get("certificate_status") or "", life.not_after if life else None, viewer.now)
    shown: dict[str, Any] = {"status": status, "days_left": None, "step": None, "renewal_due_at": None}
    shown["renewal_due"] = False
    if life is not None and rule is not None:
        due_at = certificate.renewal_due_at(life, rule)
        shown["days_left"] = max(0, (life.not_after - viewer.now).days)
        shown["step"] = certificate.step_at(life.not_after, viewer.now, rule)
        shown |= {"renewal_due_at": times.utc_text(due_at), "renewal_due": due_at <= viewer.now}
    return shown


def wanting(hand: Connection, now: datetime, rules: IssuingRules) -> list[Due]:
    """Records whose certificate is due for renewal or stands on a step of the ladder."""
    rule = certificate.rule_at(rules.certificates, now)
    if rule is None:
        return []
    found: list[Due] = []
    for noun, rows in (
        ("tax-servers", tax_servers.with_certificates(hand)),
        ("virtual-devices", devices.with_certificates(hand)),
    ):
        for row in rows:
            life = _life(row)
            assert life is not None
            near = certificate.step_at(life.not_after, now, rule) is not None
            if near or certificate.renewal_due_at(life, rule) <= now:
                found.append((noun, row["id"]))
    return found


def look_after(tx: Transaction, due: Due, rules: IssuingRules) -> None:
    """Open the renewal of one certificate that is due, and tell each step of the ladder once.

    Several servers do this side by side: who inserts the slot's row does it. A renewal that came to nothing is opened
    again the next day.
    """
    noun, record_id = due
    store: Any = tax_servers if noun == "tax-servers" else devices
    row = store.find(tx, record_id, lock=True)
    life = _life(row) if row is not None else None
    rule = certificate.rule_at(rules.certificates, tx.moment)
    if row is None or life is None or rule is None:
        return
    step = certificate.step_at(life.not_after, tx.moment, rule)
    if step is not None and _claim(tx, record_id, f"{row['certificate_not_after']} step {step}"):
        _tell(tx, noun, row, step)
    if certificate.renewal_due_at(life, rule) <= tx.moment:
        _renew(tx, noun, row)


def _renew(tx: Transaction, noun: str, row: Row) -> None:
    server = noun == "tax-servers"
    machine, verb = (tax_server.MACHINE, "renew") if server else (virtual_device.MACHINE, "certify")
    if not machine.may(row["state"], verb) or job_store.open_of(tx, row["id"]) is not None:
        return
    if server and not certificate.MACHINE.may(row["certificate_stage"], verb):
        return
    if not _claim(tx, row["id"], f"{row['certificate_not_after']} renew {tx.now[:10]}"):
        return
    _log(tx, noun, row, {"not_after": row["certificate_not_after"]}, "renewal")
    if server:
        jobs.open_job(tx, (noun, row["id"]), (noun, row["id"], jobs.PLATFORM), work.RenewServer(), SYSTEM)
    else:
        device_steps.open_step(tx, row, verb, {}, SYSTEM)


def _tell(tx: Transaction, noun: str, row: Row, step: int) -> None:
    _log(tx, noun, row, {"days": step, "not_after": row["certificate_not_after"]}, "certificate")
    verb = f"certificate_ends_{step}" if step else "certificate_expired"
    tx.raise_event(Event(noun, row["id"], row.get("taxpayer_id") or jobs.PLATFORM, verb, row["version"]))


def _log(tx: Transaction, noun: str, row: Row, detail: dict[str, Any], what: str) -> None:
    entry = Entry(SYSTEM.id, SYSTEM.name, SYSTEM.kind, f"{noun}.{what}", noun, row["id"], detail=detail)
    entry.taxpayer_id = row.get("taxpayer_id") or ""
    tx.begin_entry(entry)


def _claim(tx: Transaction, record_id: str, slot: str) -> bool:
    return slots.claim(tx, SlotRow(work=f"certificate/{record_id}", slot=slot, holder="timetable", at=tx.now))


def _life(row: Row) -> Life | None:
    if not row["certificate_not_after"]:
        return None
    issued_at = row["certificate_issued_at"]
    return Life(times.from_text(issued_at) if issued_at else None, times.from_text(row["certificate_not_after"]))
