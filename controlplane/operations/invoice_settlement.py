"""What an issue job's outcome does to its invoice."""

from __future__ import annotations

from typing import Any

import msgspec

from controlplane.domain import money
from controlplane.domain.refusals import Refusal, from_device, refuse
from controlplane.operations import jobs, offset_sums
from controlplane.store import devices, invoices, orders, segments, terminals
from controlplane.store.invoices import InvoiceFactsRow
from controlplane.store.statement import Row
from controlplane.store.transaction import Event, Transaction, row_of
from controlplane.wire import agents as wire
from controlplane.wire import evidence


def settle(tx: Transaction, job: Row, outcome: wire.Outcome) -> None:
    """done: the journal's invoice is taken over. refused: the invoice ends, or waits when time or an operator cures it.
    unknown: it goes on waiting and says so."""
    invoice = invoices.find(tx, job["taxpayer_id"], job["subject_id"], lock=True)
    device = devices.find(tx, job["target_id"])
    assert invoice is not None and device is not None
    if invoice["state"] != "waiting":
        return
    if outcome.result == "unknown":
        tell(tx, invoice, refuse("outcome_unknown", device_no=device["device_no"]))
    elif outcome.result == "refused":
        refusal = from_device(outcome.code, outcome.message, device_no=device["device_no"], kind=invoice["kind"])
        _refused(tx, invoice, refusal)
        if refusal.waits:
            # Tried again later, on this device or another: not at once, or a broken device would be asked all day.
            jobs.rest(tx, device["id"])
    else:
        _issued(tx, invoice, device, outcome)


def contradiction(tx: Transaction, job: Row, outcome: wire.Outcome) -> str:
    """Why this evidence cannot be of this order: another kind of evidence, another request, other totals."""
    found = outcome.evidence
    if not isinstance(found, evidence.IssuedInvoice):
        return "no invoice in the evidence"
    invoice = invoices.find(tx, job["taxpayer_id"], job["subject_id"])
    if invoice is None or (found.request_id, found.kind) != (invoice["request_id"], invoice["kind"]):
        return f"the device's invoice is of request {found.request_id}"
    if not found.invoice_no.isdigit():
        return "the invoice number is no number"
    try:
        totals = _totals(found)
    except Refusal:
        totals = (-1, -1, -1)
    if totals != (invoice["net_fen"], invoice["tax_fen"], invoice["gross_fen"]):
        return f"the device's totals {found.net_total} + {found.tax_total} differ from the order's"
    return ""


def waits(tx: Transaction, job: Row, reason: Refusal) -> None:
    """The job is still queued; the invoice tells why it does not move."""
    invoice = invoices.find(tx, job["taxpayer_id"], job["subject_id"], lock=True)
    if invoice is not None and invoice["state"] == "waiting":
        tell(tx, invoice, reason)


def told(reason: Refusal) -> str:
    """A reason as it stands on an invoice."""
    return msgspec.json.encode(reason.as_dict()).decode()


def tell(tx: Transaction, invoice: Row, reason: Refusal, keep_job: bool = True) -> None:
    """Say on the invoice why it waits; ``keep_job`` False takes its job away."""
    said = told(reason)
    if invoice["waiting_reason"] == said and (keep_job or invoice["open_job_id"] is None):
        return
    values = {name: invoice[name] for name in ("taxpayer_id", "id", "device_id", "terminal_code", "choice")}
    values |= {"open_job_id": invoice["open_job_id"] if keep_job else None, "waiting_reason": said, "now": tx.now}
    invoices.place(tx, values)
    tx.raise_event(Event("invoices", invoice["id"], invoice["taxpayer_id"], "waiting", invoice["version"] + 1))


def _refused(tx: Transaction, invoice: Row, refusal: Refusal) -> None:
    terminals.release(tx, place_of(invoice))
    if refusal.waits:
        if refusal.code == "no_stock":
            terminals.emptied(tx, place_of(invoice))
        tell(tx, invoice, refusal, keep_job=False)
    else:
        refuse_invoice(tx, invoice, refusal)


def refuse_invoice(tx: Transaction, invoice: Row, refusal: Refusal) -> None:
    """End a waiting invoice; its order may be requested again."""
    said = told(refusal)
    invoices.refuse(tx, {"taxpayer_id": invoice["taxpayer_id"], "id": invoice["id"], "refusal": said, "now": tx.now})
    tx.raise_event(Event("invoices", invoice["id"], invoice["taxpayer_id"], "refused", invoice["version"] + 1))


def _issued(tx: Transaction, invoice: Row, device: Row, outcome: wire.Outcome) -> None:
    found = outcome.evidence
    assert isinstance(found, evidence.IssuedInvoice)
    number = int(found.invoice_no)
    place = {"taxpayer_id": invoice["taxpayer_id"], "device_id": device["id"], "invoice_code": found.invoice_code}
    segment = segments.holding(tx, place, number)
    if segment is not None:
        segments.forward(tx, segment["taxpayer_id"], segment["id"], number + 1, tx.now)
    terminals.used(tx, {**place_of(invoice), "device_id": device["id"], "terminal_code": found.terminal_code})
    values = {name: getattr(found, name) for name in _TAKEN}
    values |= {
        "taxpayer_id": invoice["taxpayer_id"],
        "id": invoice["id"],
        "device_id": device["id"],
        "device_index": found.index,
        "segment_id": segment["id"] if segment else None,
        "now": tx.now,
    }
    invoices.issue(tx, values)
    tx.add_rows(InvoiceFactsRow, [_facts(tx, invoice, device, found)])
    tx.raise_event(Event("invoices", invoice["id"], invoice["taxpayer_id"], "issued", invoice["version"] + 1))
    if invoice["original_id"] is not None:
        offset_sums.red_issued(tx, invoice)


_TAKEN = (
    "terminal_code",
    "invoice_code",
    "invoice_no",
    "check_code",
    "cipher",
    "signature",
    "payload_hash",
    "issued_at",
)


def _totals(found: evidence.IssuedInvoice) -> tuple[int, int, int]:
    return money.fen_of(found.net_total), money.fen_of(found.tax_total), money.fen_of(found.gross_total)


def _facts(tx: Transaction, invoice: Row, device: Row, found: evidence.IssuedInvoice) -> Row:
    order = orders.find(tx, invoice["taxpayer_id"], invoice["order_id"])
    return row_of(
        InvoiceFactsRow,
        taxpayer_id=invoice["taxpayer_id"],
        invoice_id=invoice["id"],
        day=found.issued_at[:10],
        device_id=device["id"],
        terminal_code=found.terminal_code,
        business_type=order["business_type"] if order else "",
        kind=invoice["kind"],
        direction=invoice["direction"],
        net_fen=invoice["net_fen"],
        tax_fen=invoice["tax_fen"],
        gross_fen=invoice["gross_fen"],
    )


def place_of(invoice: Row) -> dict[str, Any]:
    """The stock row an invoice draws on."""
    return {name: invoice[name] for name in ("taxpayer_id", "device_id", "terminal_code", "kind")}
