"""Where a waiting invoice goes: device and terminal chosen, its job queued; taken back when the device cannot issue."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, time
from typing import Any

import msgspec

from controlplane.domain.agent import heartbeat
from controlplane.domain.choice import Candidate, Choice, choose
from controlplane.domain.dated import DEVICE_ZONE
from controlplane.domain.invoice_request import PricedInvoice
from controlplane.domain.issuing_rules import IssuingRules
from controlplane.domain.readiness import DeviceFacts, device_blocks
from controlplane.domain.refusals import Refusal, refuse
from controlplane.operations import facts, invoice_settlement, issue_orders, issuing_rights, jobs
from controlplane.operations.principals import SYSTEM
from controlplane.store import agents, devices, invoices, taxpayers, terminals
from controlplane.store import jobs as job_store
from controlplane.store.statement import Connection, Row
from controlplane.store.times import from_text, utc_text
from controlplane.store.transaction import Event, Transaction

MOST_AT_ONCE = 1000
"""Waiting invoices looked at in one go; the clock's next sweep takes the rest."""


@dataclass(slots=True)
class Pool:
    """The terminals of a taxpayer that may take an invoice of one kind, with what each still has."""

    candidates: list[Candidate]
    ids: dict[str, str]
    """Device number → device id."""

    def took(self, chosen: Choice) -> None:
        """One number of a terminal is spoken for."""
        for index, one in enumerate(self.candidates):
            if (one.facts.device_no, one.terminal_code) == (chosen.device_no, chosen.terminal_code):
                self.candidates[index] = replace(one, available=one.available - 1)


def pool_of(hand: Connection, taxpayer_id: str, kind: str) -> Pool:
    """The candidates of a taxpayer for one kind. A device without terminals stands with none to offer."""
    rows = devices.of_taxpayer(hand, taxpayer_id)
    stocks = terminals.stock_of(hand, taxpayer_id, kind)
    stopped = facts.holding(hand, [row["id"] for row in rows])
    candidates: list[Candidate] = []
    ids: dict[str, str] = {}
    for row in rows:
        held = [one for one in stocks if one["device_id"] == row["id"]]
        left = {kind: sum(one["remaining"] - one["reserved"] for one in held)}
        known = facts.of_device(row, left, stopped.get(row["id"]))
        ids[known.device_no] = row["id"]
        candidates += [_candidate(known, one) for one in held]
        if not held and row["state"] != "cancelled":
            candidates.append(Candidate(known, "", 0))
    return Pool(candidates, ids)


def _candidate(known: DeviceFacts, stock: Row) -> Candidate:
    bound = frozenset({stock["business_type"]}) if stock["business_type"] else frozenset()
    return Candidate(known, stock["terminal_code"], stock["remaining"] - stock["reserved"], bound)


@dataclass(frozen=True, slots=True)
class Placed:
    """Where an invoice stands now: with a job on a terminal, waiting with a reason, or refused."""

    device_id: str | None = None
    choice: Choice | None = None
    refusal: Refusal | None = None


def settle_on(tx: Transaction, invoice: PricedInvoice, pool: Pool, taxpayer_id: str, rules: IssuingRules) -> Placed:
    """Choose and reserve. A terminal whose last number went to another replica meanwhile is passed over."""
    while True:
        found = choose(invoice, pool.candidates, tx.moment, rules)
        if isinstance(found, Refusal):
            # A device that was named is shown what waits for it, though it has no job yet.
            return Placed(pool.ids.get(invoice.request.device_no), refusal=found)
        device_id = pool.ids[found.device_no]
        place = {"taxpayer_id": taxpayer_id, "device_id": device_id, "terminal_code": found.terminal_code}
        reserved = terminals.reserve(tx, {**place, "kind": invoice.kind})
        pool.took(found)
        if reserved:
            return Placed(device_id, found)


def choice_text(found: Choice) -> str:
    """A choice as kept on the invoice."""
    kept = {"device_no": found.device_no, "terminal_code": found.terminal_code, "reason": found.reason}
    return msgspec.json.encode(kept | {"params": found.params}).decode()


def device_changed(tx: Transaction, device_id: str, rules: IssuingRules) -> None:
    """A device's facts or state changed: take back what it cannot issue, place what now can be placed."""
    device = devices.find(tx, device_id)
    if device is None:
        return
    withdraw_blocked(tx, device, rules)
    place_waiting(tx, device["taxpayer_id"], rules)


def withdraw_blocked(tx: Transaction, device: Row, rules: IssuingRules) -> None:
    """Take queued issue jobs back from a device that may not sign; what an agent already holds is left to it."""
    largest = job_store.largest_queued(tx, device["id"])
    if not largest:
        return
    row = next(row for row in devices.of_taxpayer(tx, device["taxpayer_id"]) if row["id"] == device["id"])
    known = facts.of_device(row, {}, facts.holding(tx, [device["id"]]).get(device["id"]))
    # What does not stop the largest stops none: a long queue is not gone through for nothing at every reading.
    if not any(device_blocks(known, one["kind"], one["gross_fen"], tx.moment, rules) for one in largest):
        return
    for queued in job_store.queued_issues(tx, device["id"]):
        invoice = invoices.find(tx, queued["taxpayer_id"], queued["subject_id"], lock=True)
        job = job_store.find(tx, queued["taxpayer_id"], queued["id"])
        # Looked at again under its lock: another replica may have handed it to an agent meanwhile, or ended it.
        if invoice is None or job is None or job["state"] != "queued":
            continue
        found = device_blocks(known, invoice["kind"], invoice["gross_fen"], tx.moment, rules)
        if found and invoice["state"] == "waiting":
            withdraw(tx, job, invoice, found[0])


def withdraw(tx: Transaction, job: Row, invoice: Row, reason: Refusal) -> None:
    """End a queued job without any device; its invoice waits on with the reason."""
    values = {
        "taxpayer_id": job["taxpayer_id"],
        "id": job["id"],
        "state": "refused",
        "code": reason.code,
        "message": reason.message,
        "trail": jobs.trail(job["trail"], tx.now, "withdrawn", reason.message),
        "settled_at": tx.now,
        "now": tx.now,
    }
    job_store.settle(tx, values)
    tx.raise_event(Event("jobs", job["id"], job["taxpayer_id"], "refused", job["version"] + 1))
    terminals.release(tx, invoice_settlement.place_of(invoice))
    invoice_settlement.tell(tx, invoice, reason, keep_job=False)


def place_waiting(tx: Transaction, taxpayer_id: str, rules: IssuingRules) -> None:
    """Give jobs to waiting invoices that have none, oldest first.

    Once an invoice finds no place, later ones that ask for the same are not tried in this go.
    """
    pools: dict[str, Pool] = {}
    hopeless: dict[tuple[str, ...], Refusal] = {}
    waiting = invoices.unplaced(tx, taxpayer_id, MOST_AT_ONCE)
    taxpayer = taxpayers.find(tx, taxpayer_id) if waiting else None
    for invoice in waiting:
        order = issue_orders.load(tx, invoice)
        wish = order.priced.request
        found = issuing_rights.against(taxpayer, invoice, order, rules, tx.moment)
        if found is not None:
            _stays_or_ends(tx, invoice, found)
            continue
        group = (wish.kind, wish.device_no, wish.terminal_code, wish.business_type)
        if group in hopeless:
            invoice_settlement.tell(tx, invoice, hopeless[group], keep_job=False)
            continue
        pool = pools.setdefault(wish.kind, pool_of(tx, taxpayer_id, wish.kind))
        placed = settle_on(tx, order.priced, pool, taxpayer_id, rules)
        if placed.refusal is None:
            queue(tx, invoice, order, placed)
        else:
            if placed.refusal.waits:
                hopeless[group] = placed.refusal
            _stays_or_ends(tx, invoice, placed.refusal)


def _stays_or_ends(tx: Transaction, invoice: Row, found: Refusal) -> None:
    if found.waits:
        invoice_settlement.tell(tx, invoice, found, keep_job=False)
    else:
        invoice_settlement.refuse_invoice(tx, invoice, found)


def taxpayer_changed(tx: Transaction, taxpayer_id: str, rules: IssuingRules) -> None:
    """A taxpayer's rights changed: take back what it may no longer issue, place what it now may."""
    for device in devices.of_taxpayer(tx, taxpayer_id):
        withdraw_unlawful(tx, taxpayer_id, job_store.queued_issues(tx, device["id"]), rules)
    place_waiting(tx, taxpayer_id, rules)


def withdraw_unlawful(tx: Transaction, taxpayer_id: str, queued: list[Row], rules: IssuingRules) -> None:
    """Take back the queued jobs whose invoices may not be issued by right or by code table."""
    taxpayer = taxpayers.find(tx, taxpayer_id)
    for job in queued:
        invoice = invoices.find(tx, taxpayer_id, job["subject_id"], lock=True)
        if invoice is None or invoice["state"] != "waiting":
            continue
        found = issuing_rights.against(taxpayer, invoice, issue_orders.load(tx, invoice), rules, tx.moment)
        if found is not None:
            withdraw(tx, job, invoice, found)


def queue(tx: Transaction, invoice: Row, order: issue_orders.IssueOrder, placed: Placed) -> None:
    """Open the issue job of a waiting invoice on the chosen terminal."""
    assert placed.choice is not None and placed.device_id is not None
    work = issue_orders.work(order, placed.choice.terminal_code)
    subject = ("invoices", invoice["id"], invoice["taxpayer_id"])
    job_id = jobs.open_job(tx, ("devices", placed.device_id), subject, work, SYSTEM)
    values: dict[str, Any] = {
        "taxpayer_id": invoice["taxpayer_id"],
        "id": invoice["id"],
        "device_id": placed.device_id,
        "terminal_code": placed.choice.terminal_code,
        "choice": choice_text(placed.choice),
        "open_job_id": job_id,
        "waiting_reason": None,
        "now": tx.now,
    }
    invoices.place(tx, values)
    tx.raise_event(Event("invoices", invoice["id"], invoice["taxpayer_id"], "placed", invoice["version"] + 1))


def look_after(tx: Transaction, device_id: str, rules: IssuingRules) -> None:
    """The clock's own look at a device with issue jobs: take back what it can no longer sign, say who keeps silent."""
    device = devices.find(tx, device_id)
    if device is None:
        return
    withdraw_blocked(tx, device, rules)
    _withdraw_of_older_table(tx, device, rules)
    binding = job_store.glance(tx, device_id)
    agent = agents.find(tx, binding["agent_id"]) if binding and binding["agent_id"] else None
    if agent is None:
        reason = refuse("no_agent", device_no=device["device_no"])
    elif agent["state"] != "active" or heartbeat(_moment(agent["last_seen"]), tx.moment) == "lost":
        reason = refuse("agent_lost", device_no=device["device_no"])
    else:
        return
    for job in job_store.untold_issues(tx, device_id, invoice_settlement.told(reason), MOST_AT_ONCE):
        invoice_settlement.waits(tx, job, reason)


def _withdraw_of_older_table(tx: Transaction, device: Row, rules: IssuingRules) -> None:
    """Invoices that were queued before another code table came into force go through it once more."""
    edition = rules.codes.edition_on(tx.moment.astimezone(DEVICE_ZONE).date())
    if edition is None:
        return
    switch = utc_text(datetime.combine(edition.valid_from, time(), DEVICE_ZONE))
    queued = job_store.queued_issues(tx, device["id"], switch)
    if queued:
        withdraw_unlawful(tx, device["taxpayer_id"], queued, rules)
        place_waiting(tx, device["taxpayer_id"], rules)


def _moment(text: str | None) -> datetime | None:
    return from_text(text) if text else None
