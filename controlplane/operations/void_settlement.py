"""What an agent's outcome changes on voiding and red forms."""

from __future__ import annotations

from controlplane.domain import invoice as rules_of_invoice
from controlplane.domain import red_form
from controlplane.operations import offset_sums
from controlplane.operations.fleet_settlement import Settle
from controlplane.store import invoices, offsets, red_forms
from controlplane.store.statement import Row
from controlplane.store.transaction import Event, Transaction
from controlplane.wire import agents as wire
from controlplane.wire import evidence
from controlplane.wire.work import ORDERS, VoidInvoice


def contradiction(tx: Transaction, job: Row, outcome: wire.Outcome) -> str:
    """Why this evidence cannot be of this job: another invoice, another form; empty when it can."""
    found = outcome.evidence
    if isinstance(found, evidence.Voided):
        invoice = invoices.find(tx, job["taxpayer_id"], job["subject_id"])
        ours = (invoice["invoice_code"], invoice["invoice_no"], invoice["device_index"]) if invoice else None
        if ours != (found.invoice_code, found.invoice_no, found.index):
            return f"the device voided {found.invoice_code} {found.invoice_no}"
    if isinstance(found, evidence.RedFormFacts):
        form = red_forms.find(tx, job["subject_id"])
        if form is None or form["form_no"] != found.form_no:
            return f"the device speaks of form {found.form_no}"
        if form["red_form_no"] and found.red_form_no not in ("", form["red_form_no"]):
            return f"the form was {form['red_form_no']} and is {found.red_form_no} now"
        if not found.red_form_no and red_form.MOVES_BY_STATUS.get(found.status) == "approve":
            return "an approved form without its number"
    return ""


def _voided(tx: Transaction, job: Row, outcome: wire.Outcome) -> None:
    found, work = outcome.evidence, ORDERS.decode(job["work"])
    assert isinstance(found, evidence.Voided) and isinstance(work, VoidInvoice)
    invoice = invoices.find(tx, job["taxpayer_id"], job["subject_id"], lock=True)
    assert invoice is not None
    if not rules_of_invoice.MACHINE.may(invoice["state"], "void"):
        return
    values = {"voided_at": found.voided_at, "voided_by": work.voided_by, "void_reason": work.reason, "now": tx.now}
    offsets.void(tx, invoice, values)
    offsets.void_facts(tx, invoice, found.voided_at[:10])
    tx.raise_event(Event("invoices", invoice["id"], invoice["taxpayer_id"], "voided", invoice["version"] + 1))
    if invoice["original_id"] is not None:
        offset_sums.red_voided(tx, invoice)


def _not_voided(tx: Transaction, job: Row, _outcome: wire.Outcome) -> None:
    """The device said no: the invoice stands as it stood; the job tells why."""
    invoice = invoices.find(tx, job["taxpayer_id"], job["subject_id"], lock=True)
    assert invoice is not None
    offsets.hold(tx, invoice, None, tx.now)
    tx.raise_event(Event("invoices", invoice["id"], invoice["taxpayer_id"], "not_voided", invoice["version"] + 1))
    if invoice["original_id"] is not None:
        offset_sums.sum_up(tx, invoice)


def _form(tx: Transaction, job: Row, outcome: wire.Outcome) -> None:
    """Take over what the bureau says of a form: its status always, its state where the status moves it."""
    found = outcome.evidence
    assert isinstance(found, evidence.RedFormFacts)
    form = red_forms.find(tx, job["subject_id"], lock=True)
    assert form is not None
    if form["state"] == "draft":
        offset_sums.move_form(tx, form, "upload", {})
        form = red_forms.find(tx, job["subject_id"], lock=True)
        assert form is not None
    move = red_form.MOVES_BY_STATUS.get(found.status, "query")
    if move in ("use", "release") or not red_form.MACHINE.may(form["state"], move):
        # Used is what our own red invoice makes of it; what the bureau calls written off shows in its status.
        move = "query"
    values = {"status": found.status, "message": found.message[:200]}
    values["red_form_no"] = found.red_form_no or form["red_form_no"]
    if red_form.MACHINE.may(form["state"], move):
        offset_sums.move_form(tx, form, move, values)
    else:
        red_forms.change(tx, form, values, tx.now)
        tx.raise_event(Event("red-forms", form["id"], form["taxpayer_id"], "read", form["version"] + 1))


def _form_refused(tx: Transaction, job: Row, outcome: wire.Outcome) -> None:
    """Device or bureau refused the call: the form stays as it is and tells why."""
    form = red_forms.find(tx, job["subject_id"], lock=True)
    assert form is not None
    red_forms.change(tx, form, {"message": f"{outcome.code} {outcome.message}".strip()[:200]}, tx.now)
    tx.raise_event(Event("red-forms", form["id"], form["taxpayer_id"], "not_taken", form["version"] + 1))


DONE: dict[str, Settle] = {
    "invoice.void": _voided,
    "redform.upload": _form,
    "redform.query": _form,
    "redform.cancel": _form,
}
"""Job kind → what its outcome ``done`` changes."""

REFUSED: dict[str, Settle] = {
    "invoice.void": _not_voided,
    "redform.upload": _form_refused,
    "redform.query": _form_refused,
    "redform.cancel": _form_refused,
}
"""Job kind → what its outcome ``refused`` changes, where anything remembers the refusal."""

EVIDENCE: dict[str, type] = {
    "invoice.void": evidence.Voided,
    "redform.upload": evidence.RedFormFacts,
    "redform.query": evidence.RedFormFacts,
    "redform.cancel": evidence.RedFormFacts,
}
"""Job kind → the evidence a done job must bring."""
