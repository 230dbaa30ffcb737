"""Voiding an issued invoice (作废): the rules of its kind, then the device's own act."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

import msgspec

from controlplane.domain import invoice as rules_of_invoice
from controlplane.domain.dated import DEVICE_ZONE, day_of
from controlplane.domain.issuing_rules import IssuingRules
from controlplane.domain.money import yuan
from controlplane.domain.offset_rule import rule_of
from controlplane.domain.refusals import Refusal, refuse
from controlplane.domain.void_rule import VoidFacts, void_refusals
from controlplane.operations import acts, jobs, offset_sums
from controlplane.operations.acts import Act
from controlplane.store import devices, invoices, offsets, reports
from controlplane.store import jobs as job_store
from controlplane.store.statement import Connection, Row
from controlplane.store.transaction import Event, Transaction
from controlplane.wire.evidence import KindFacts
from controlplane.wire.work import VoidInvoice

_DAY = timedelta(days=1)


def void(tx: Transaction, wanted: Act, rules: IssuingRules) -> str:
    """Have the device void an issued invoice; the id of the job. Refused by every rule of its kind, limits named.

    The row is locked: of a void and a red-offset at the same time one wins.
    """
    entry = acts.begin(tx, wanted, "invoices")
    invoice = acts.check(_locked(tx, wanted.record_id), wanted, rules_of_invoice.MACHINE)
    entry.taxpayer_id = invoice["taxpayer_id"]
    held = job_store.open_of(tx, invoice["id"])
    if held is not None:
        raise refuse("open_job", kind=held["kind"], job_id=held["id"])
    for refusal in refusals(tx, invoice, tx.moment, rules):
        raise refusal
    if invoice["original_id"] is not None:
        _bring_back(tx, invoice)
    work = VoidInvoice(
        kind=invoice["kind"],
        invoice_code=invoice["invoice_code"],
        invoice_no=invoice["invoice_no"],
        gross_total=yuan(invoice["gross_fen"]),
        voided_by=wanted.arguments["voided_by"],
        reason=wanted.reason,
    )
    subject = ("invoices", invoice["id"], invoice["taxpayer_id"])
    job_id = jobs.open_job(tx, ("devices", invoice["device_id"]), subject, work, wanted.caller)
    offsets.hold(tx, invoice, job_id, tx.now)
    tx.raise_event(Event("invoices", invoice["id"], invoice["taxpayer_id"], "void", invoice["version"] + 1))
    return job_id


def _locked(tx: Transaction, invoice_id: str) -> Row | None:
    row = invoices.by_id(tx, invoice_id)
    return None if row is None else invoices.find(tx, row["taxpayer_id"], row["id"], lock=True)


def refusals(hand: Connection, invoice: Row, now: datetime, rules: IssuingRules) -> list[Refusal]:
    """Every rule that keeps an issued invoice from being voided now."""
    today = now.astimezone(DEVICE_ZONE).date()
    try:
        rule = rule_of(rules.offsets, invoice["kind"], today)
    except Refusal as unruled:
        return [unruled]
    held = offset_sums.of(hand, invoice)
    facts = VoidFacts(
        issued_on=date.fromisoformat(invoice["issued_at"][:10]),
        upload_status=invoice["upload_status"],
        reported_before=_reported_before(hand, invoice),
        red_fen=-sum(row["gross_fen"] for row in held.reds),
        reds=len(held.reds),
        forms=len(held.forms),
    )
    return void_refusals(facts, rule, today)


def _reported_before(hand: Connection, invoice: Row) -> date | None:
    """First day of the period the device has not yet reported, by its monitor data and by what it reported since."""
    device = devices.find(hand, invoice["device_id"])
    kinds: list[Any] = msgspec.json.decode(device["kinds"], type=list[KindFacts]) if device else []
    day = next((kind.report_from for kind in kinds if kind.kind == invoice["kind"]), "")
    sent = reports.reported_until(hand, invoice["device_id"], invoice["kind"])
    known = ([day_of(day)] if day else []) + ([day_of(sent) + _DAY] if sent else [])
    return max(known, default=None)


def _bring_back(tx: Transaction, red: Row) -> None:
    """The blue invoice of a red one that is to be voided counts again from now on, so that nothing takes its order."""
    blue = invoices.find(tx, red["taxpayer_id"], red["original_id"], lock=True)
    assert blue is not None
    if blue["live"]:
        return
    other = invoices.live_of(tx, blue["taxpayer_id"], blue["order_no"])
    if other is not None:
        raise refuse("void_order_reissued", order_no=blue["order_no"], invoice_id=other["id"])
    values = {name: blue[name] for name in ("red_net_fen", "red_tax_fen", "red_offset_by")}
    offsets.sum_up(tx, blue, {**values, "live": 1, "now": tx.now})
