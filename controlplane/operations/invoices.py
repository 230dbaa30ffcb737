"""Invoices: a request taken in, checked, cancelled, and shown."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec

from controlplane.domain.choice import choose
from controlplane.domain.dated import DEVICE_ZONE
from controlplane.domain.issuing import Examined, examine
from controlplane.domain.issuing_rules import IssuingRules
from controlplane.domain.principal import Principal
from controlplane.domain.refusals import Refusal, refuse, summed_up
from controlplane.operations import invoice_views, issue_orders, issuing_rights, jobs, placement
from controlplane.operations.acts import Act
from controlplane.operations.invoice_settlement import refuse_invoice
from controlplane.operations.placement import Placed
from controlplane.operations.principals import SYSTEM
from controlplane.store import invoices, orders, taxpayers, times
from controlplane.store import jobs as job_store
from controlplane.store.invoices import InvoiceLineRow, InvoiceRow
from controlplane.store.orders import OrderLineLinkRow, OrderLineRow
from controlplane.store.statement import Connection, Row
from controlplane.store.transaction import Entry, Event, Transaction, row_of
from controlplane.wire.invoices import ChoiceAnswer, InvoiceBody, canonical, differing_fields, digest, requested


@dataclass(frozen=True, slots=True)
class Asked:
    """A request as far as it can be taken without the ledger: canonical form, digest, and what the rules say of it."""

    body: InvoiceBody
    canonical: bytes
    digest: str
    examined: Examined


def ask(body: InvoiceBody, now: datetime, rules: IssuingRules) -> Asked:
    """Examine a request before it is brought to the writer."""
    spelled = canonical(body)
    examined = examine(requested(body), rules, now.astimezone(DEVICE_ZONE).date())
    return Asked(body, spelled, digest(spelled), examined)


def request(tx: Transaction, caller: Principal, asked: Asked, rules: IssuingRules) -> dict[str, Any]:
    """Take a request in, or find it again; returns the invoice as the API shows it.

    The same canonical body gets the same invoice for ever; another body under the same request id is refused
    (``request_body_differs``); an order with a live invoice refuses another (``order_has_live_invoice``).
    """
    body = asked.body
    taxpayer_id, order_no = body.taxpayer_id, body.order_no or body.request_id
    entry = Entry(caller.id, caller.name, caller.kind, "invoices.request", "invoices", "", taxpayer_id)
    entry.request_id = body.request_id
    tx.begin_entry(entry)
    known = orders.by_request(tx, taxpayer_id, body.request_id)
    if known is None:
        taxpayer = taxpayers.find(tx, taxpayer_id)
        if taxpayer is None or not caller.sees(taxpayer_id):
            raise refuse("not_found", "taxpayer_id")
        order = _take(tx, asked, order_no)
        if order is not None:
            shown = _open(tx, asked, order, taxpayer, rules)
            entry.subject_id = shown["id"]
            return shown
        known = orders.by_request(tx, taxpayer_id, body.request_id)
        assert known is not None
    return _again(tx, caller, asked, known)


def _again(tx: Transaction, caller: Principal, asked: Asked, known: Row) -> dict[str, Any]:
    if not caller.sees(known["taxpayer_id"]):
        raise refuse("not_found", "taxpayer_id")
    if known["digest"] != asked.digest:
        fields = ", ".join(differing_fields(known["body"].encode(), asked.canonical))
        raise refuse("request_body_differs", request_id=known["request_id"], fields=fields)
    tx.no_entry()
    invoice = invoices.by_request(tx, known["taxpayer_id"], known["request_id"])
    assert invoice is not None
    return invoice_views.whole(tx, invoice)


def _take(tx: Transaction, asked: Asked, order_no: str) -> Row | None:
    """Keep the order as received: its id, order_no, attempt. None: another replica took the same request just now."""
    body = asked.body
    values = {
        "taxpayer_id": body.taxpayer_id,
        "request_id": body.request_id,
        "order_no": order_no,
        "source": body.source or "",
        "business_type": body.business_type or "",
        "digest": asked.digest,
        "body": asked.canonical.decode(),
        "received_at": tx.now,
    }
    # A racing attempt of the same order may take this attempt's number: count again, but not for ever.
    for _ in range(4):
        kept = orders.take(tx, {**values, "id": times.new_id()})
        if kept is not None:
            return kept
        if orders.by_request(tx, body.taxpayer_id, body.request_id) is not None:
            return None
    raise refuse("service_unavailable")


def _open(tx: Transaction, asked: Asked, order: Row, taxpayer: Row, rules: IssuingRules) -> dict[str, Any]:
    taxpayer_id, invoice_id = taxpayer["taxpayer_id"], times.new_id()
    priced = asked.examined.invoice
    placed = Placed(refusal=summed_up(asked.examined.refusals)) if priced is None else None
    right = issuing_rights.refusal(taxpayer, asked.body.kind, asked.body.special_type or "", rules, tx.moment)
    if right is not None and placed is None:
        placed = Placed(refusal=right)
    if placed is None and priced is not None:
        pool = placement.pool_of(tx, taxpayer_id, priced.kind)
        placed = placement.settle_on(tx, priced, pool, taxpayer_id, rules)
    assert placed is not None
    job_id = _queue(tx, asked, placed, taxpayer, invoice_id)
    ids = (invoice_id, order["id"], order["order_no"])
    row = _row(tx, asked, ids, taxpayer, placed) | {"open_job_id": job_id}
    if not invoices.add(tx, row):
        live = invoices.live_of(tx, taxpayer_id, order["order_no"])
        raise refuse("order_has_live_invoice", order_no=order["order_no"], invoice_id=live["id"] if live else "")
    lines = _keep_lines(tx, asked, order["id"], invoice_id)
    tx.raise_event(Event("invoices", invoice_id, taxpayer_id, row["state"], 1))
    return invoice_views.taken(tx, row, lines, first=order["attempt"] == 1)


def _queue(tx: Transaction, asked: Asked, placed: Placed, taxpayer: Row, invoice_id: str) -> str | None:
    """Open the issue job of an invoice about to be inserted, if it has a place; the job's id."""
    priced = asked.examined.invoice
    if priced is None or placed.choice is None or placed.device_id is None:
        return None
    work = issue_orders.work(issue_orders.prepare(asked.body, priced, taxpayer), placed.choice.terminal_code)
    subject = ("invoices", invoice_id, taxpayer["taxpayer_id"])
    return jobs.open_job(tx, ("devices", placed.device_id), subject, work, SYSTEM)


def _row(tx: Transaction, asked: Asked, ids: tuple[str, str, str], taxpayer: Row, placed: Placed) -> Row:
    invoice_id, order_id, order_no = ids
    body, priced, refusal = asked.body, asked.examined.invoice, placed.refusal
    ended = refusal is not None and not refusal.waits
    told = msgspec.json.encode(refusal.as_dict()).decode() if refusal is not None else None
    return row_of(
        InvoiceRow,
        taxpayer_id=taxpayer["taxpayer_id"],
        id=invoice_id,
        order_id=order_id,
        request_id=body.request_id,
        order_no=order_no,
        state="refused" if ended else "waiting",
        live=0 if ended else 1,
        kind=body.kind,
        direction=body.direction,
        seller=msgspec.json.encode(issue_orders.seller_of(taxpayer)).decode(),
        buyer=msgspec.json.encode(body.buyer).decode(),
        issuer=body.issuer or taxpayer["issuer"] or issue_orders.DEFAULT_ISSUER,
        payee=body.payee or "",
        reviewer=body.reviewer or "",
        remark=body.remark or "",
        net_fen=priced.net_fen if priced else 0,
        tax_fen=priced.tax_fen if priced else 0,
        gross_fen=priced.gross_fen if priced else 0,
        device_id=placed.device_id,
        terminal_code=placed.choice.terminal_code if placed.choice else None,
        choice=placement.choice_text(placed.choice) if placed.choice else "{}",
        waiting_reason=None if ended else told,
        refusal=told if ended else None,
        created_at=tx.now,
        updated_at=tx.now,
    )


def _keep_lines(tx: Transaction, asked: Asked, order_id: str, invoice_id: str) -> list[Row]:
    """Keep the lines as received and as priced; the latter."""
    taxpayer_id, priced = asked.body.taxpayer_id, asked.examined.invoice
    order = {"taxpayer_id": taxpayer_id, "order_id": order_id}
    kept = [
        row_of(OrderLineRow, line_no=number, body=msgspec.json.encode(line).decode(), **order)
        for number, line in enumerate(asked.body.lines, 1)
    ]
    tx.add_rows(OrderLineRow, kept)
    if priced is None:
        return []
    lines = issue_orders.line_rows(taxpayer_id, invoice_id, priced)
    tx.add_rows(InvoiceLineRow, lines)
    links = [
        row_of(
            OrderLineLinkRow,
            order_line_no=line.order_line + 1,
            invoice_id=invoice_id,
            invoice_line_no=number,
            quantity=line.quantity,
            amount_fen=line.amount_fen,
            **order,
        )
        for number, line in enumerate(priced.lines, 1)
    ]
    tx.add_rows(OrderLineLinkRow, links)
    return lines


def check(hand: Connection, caller: Principal, asked: Asked, now: datetime, rules: IssuingRules) -> Placed:
    """What a request would come to, without taking it in: the same rules and the same choice."""
    taxpayer = taxpayers.find(hand, asked.body.taxpayer_id)
    if taxpayer is None or not caller.sees(taxpayer["taxpayer_id"]):
        raise refuse("not_found", "taxpayer_id")
    live = invoices.live_of(hand, taxpayer["taxpayer_id"], asked.body.order_no or asked.body.request_id)
    if live is not None:
        return Placed(refusal=refuse("order_has_live_invoice", order_no=live["order_no"], invoice_id=live["id"]))
    if asked.examined.invoice is None:
        return Placed(refusal=summed_up(asked.examined.refusals))
    right = issuing_rights.refusal(taxpayer, asked.body.kind, asked.body.special_type or "", rules, now)
    if right is not None:
        return Placed(refusal=right)
    pool = placement.pool_of(hand, taxpayer["taxpayer_id"], asked.examined.invoice.kind)
    found = choose(asked.examined.invoice, pool.candidates, now, rules)
    return Placed(refusal=found) if isinstance(found, Refusal) else Placed(pool.ids[found.device_no], found)


def choice_answer(placed: Placed) -> ChoiceAnswer | None:
    """A choice as a check answers it."""
    found = placed.choice
    if found is None:
        return None
    return ChoiceAnswer(
        device_no=found.device_no,
        terminal_code=found.terminal_code,
        reason=found.reason,
        text=found.told(),
        text_en=found.told("en"),
    )


def cancel(tx: Transaction, wanted: Act) -> str:
    """Withdraw a request that no agent holds yet; it ends refused, and the order may be requested again."""
    entry = Entry(
        wanted.caller.id, wanted.caller.name, wanted.caller.kind, "invoices.cancel", "invoices", wanted.record_id
    )
    entry.reason = wanted.reason
    tx.begin_entry(entry)
    row = invoices.by_id(tx, wanted.record_id)
    if row is None or not wanted.caller.sees(row["taxpayer_id"]):
        raise refuse("not_found")
    invoice = invoices.find(tx, row["taxpayer_id"], row["id"], lock=True)
    assert invoice is not None
    entry.taxpayer_id = invoice["taxpayer_id"]
    if invoice["state"] != "waiting":
        raise refuse("move_not_allowed", noun="invoice", state=invoice["state"], move="cancel", allowed="—")
    if invoice["version"] != wanted.version:
        raise refuse("version_differs", "version", current=invoice["version"], given=wanted.version)
    reason = refuse("cancelled_by_caller", actor=wanted.caller.name, reason=wanted.reason)
    if invoice["open_job_id"] is not None:
        job = job_store.find(tx, invoice["taxpayer_id"], invoice["open_job_id"])
        if job is not None and job["state"] != "queued":
            raise refuse("job_held_by_agent")
        if job is not None:
            placement.withdraw(tx, job, invoice, reason)
    refuse_invoice(tx, invoice, reason)
    return str(invoice["id"])
