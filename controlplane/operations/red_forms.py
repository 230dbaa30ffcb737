"""Red forms (红字信息表): registered from a blue invoice, uploaded, queried, cancelled."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import msgspec

from controlplane.domain import invoice as rules_of_invoice
from controlplane.domain import red_form, red_offset
from controlplane.domain.dated import DEVICE_ZONE
from controlplane.domain.issuing_rules import IssuingRules
from controlplane.domain.money import yuan
from controlplane.domain.principal import Principal
from controlplane.domain.red_offset import Taken, WantedLine
from controlplane.domain.refusals import refuse
from controlplane.operations import acts, issue_orders, jobs, offset_sums, red_offsets
from controlplane.operations.acts import Act, Viewer
from controlplane.store import devices, invoices, offsets, red_forms, times
from controlplane.store.red_forms import RedFormRow
from controlplane.store.statement import Connection, Row
from controlplane.store.times import from_text
from controlplane.store.transaction import Entry, Event, Transaction
from controlplane.wire import work
from controlplane.wire.work import IssueLine

_NOUN = "red-forms"


def register(tx: Transaction, caller: Principal, values: dict[str, Any], rules: IssuingRules) -> str:
    """A new form for an issued, uploaded blue invoice: over some of its lines or all that is left; its id.

    What it is over is kept for it: other forms and red invoices only get the rest.
    """
    entry = Entry(caller.id, caller.name, caller.kind, "red-forms.register", _NOUN)
    tx.begin_entry(entry)
    found = invoices.by_id(tx, values["invoice_id"])
    if found is None or not caller.sees(found["taxpayer_id"]):
        raise refuse("not_found", "invoice_id")
    blue = invoices.find(tx, found["taxpayer_id"], found["id"], lock=True)
    assert blue is not None
    entry.taxpayer_id = blue["taxpayer_id"]
    if not rules_of_invoice.MACHINE.may(blue["state"], "red_offset"):
        raise rules_of_invoice.MACHINE.not_allowed(blue["state"], "red_offset")
    rule = red_offsets.may_offset(tx, blue, rules)
    if not rule.needs_form:
        raise refuse("red_form_unexpected", "invoice_id", kind=rule.kind)
    day = tx.moment.astimezone(DEVICE_ZONE).date()
    parts = red_offset.parts(offset_sums.of(tx, blue).left, _wishes(values), rules.tolerance(day))
    if len(parts) > rule.form_lines:
        raise refuse("red_form_too_many_lines", "lines", count=len(parts), limit=rule.form_lines)
    row = _row(tx, blue, values["applicant"], parts)
    tx.add(row)
    entry.subject_id = row.id
    tx.raise_event(Event(_NOUN, row.id, row.taxpayer_id, "draft", 1))
    return row.id


def _wishes(values: dict[str, Any]) -> list[WantedLine] | None:
    """Lines with amounts (from programs), line numbers (from people), or None for all that is left."""
    if values.get("lines") is not None:
        return [WantedLine(**line) for line in values["lines"]]
    if values.get("line_nos") is None:
        return None
    numbers = values["line_nos"]
    for index, number in enumerate(numbers):
        if not (number.isascii() and number.isdigit() and len(number) < 6):
            raise refuse("red_line_unknown", f"line_nos[{index}]", line_no=number)
    return [WantedLine(int(number)) for number in numbers]


def _row(tx: Transaction, blue: Row, applicant: str, parts: list[Taken]) -> RedFormRow:
    device = devices.find(tx, blue["device_id"])
    assert device is not None
    return RedFormRow(
        taxpayer_id=blue["taxpayer_id"],
        id=times.new_id(),
        form_no=_form_no(tx, blue["taxpayer_id"], device["device_no"] or ""),
        invoice_id=blue["id"],
        device_id=blue["device_id"],
        kind=blue["kind"],
        applicant=applicant,
        state="draft",
        net_fen=sum(part.net_fen for part in parts),
        tax_fen=sum(part.tax_fen for part in parts),
        lines=offset_sums.kept(parts),
        since=tx.now,
        created_at=tx.now,
        updated_at=tx.now,
    )


def _form_no(tx: Transaction, taxpayer_id: str, device_no: str) -> str:
    """申请单编号: device number (12) and yyMMddHHmmss; the next free second when several come at once."""
    at = tx.moment.astimezone(DEVICE_ZONE)
    while red_forms.knows(tx, taxpayer_id, number := f"{device_no[-12:]:0>12}{at:%y%m%d%H%M%S}"):
        at += timedelta(seconds=1)
    return number


def _upload(tx: Transaction, form: Row) -> work.Work:
    blue = invoices.find(tx, form["taxpayer_id"], form["invoice_id"])
    assert blue is not None
    return work.UploadRedForm(
        form_no=form["form_no"],
        kind=form["kind"],
        original_code=blue["invoice_code"],
        original_no=blue["invoice_no"],
        applicant=form["applicant"],
        net_total=yuan(-form["net_fen"]),
        tax_total=yuan(-form["tax_fen"]),
        lines=_issue_lines(tx, blue, form),
    )


def _issue_lines(hand: Connection, blue: Row, form: Row) -> list[IssueLine]:
    lines = [issue_orders.priced_line(row) for row in invoices.lines(hand, blue["taxpayer_id"], blue["id"])]
    parts = {part.line_no: part for part in offset_sums.parts_of(form)}
    return [
        IssueLine(
            nature=0,
            item_name=line.item_name,
            tax_class_code=line.tax_class_code,
            rate=line.rate,
            amount=yuan(-parts[number].net_fen),
            tax=yuan(-parts[number].tax_fen),
            quantity=f"{-(parts[number].quantity or 0):f}" if parts[number].quantity else None,
            unit_price=line.unit_price if parts[number].quantity else None,
            unit=line.unit,
            spec=line.spec,
        )
        for number, line in enumerate(lines, 1)
        if number in parts
    ]


_WORK: dict[str, Callable[[Transaction, Row], work.Work]] = {
    "upload": _upload,
    "query": lambda tx, form: work.QueryRedForm(form_no=form["form_no"]),
    "cancel": lambda tx, form: work.CancelRedForm(form_no=form["form_no"]),
}


def act(tx: Transaction, wanted: Act, _rules: IssuingRules) -> str | None:
    """Do one verb; the id of the job it opened. A draft is cancelled here and now."""
    entry = acts.begin(tx, wanted, _NOUN)
    form = acts.check(red_forms.find(tx, wanted.record_id, lock=True), wanted, red_form.MACHINE)
    entry.taxpayer_id = form["taxpayer_id"]
    if wanted.verb == "cancel":
        taken = _taken(tx, form)
        if taken is not None:
            raise refuse("red_form_taken", red_form_no=form["red_form_no"], invoice_id=taken)
        if form["state"] == "draft":
            offset_sums.move_form(tx, form, "cancel", {})
            return None
    subject = (_NOUN, form["id"], form["taxpayer_id"])
    return jobs.open_job(tx, ("devices", form["device_id"]), subject, _WORK[wanted.verb](tx, form), wanted.caller)


def _taken(hand: Connection, form: Row) -> str | None:
    """The red invoice, issued or under way, that uses the form."""
    return offsets.red_of_form(hand, form["taxpayer_id"], form["red_form_no"]) if form["red_form_no"] else None


def view(hand: Connection, form: Row, viewer: Viewer) -> dict[str, Any]:
    """A form as the API shows it: who must act next, since when, and what may be done now."""
    blue = invoices.find(hand, form["taxpayer_id"], form["invoice_id"])
    shown = {name: form[name] for name in _SHOWN}
    chinese, english = red_form.STATUS_LABELS.get(form["status"], (form["status"], form["status"]))
    waited = viewer.now - from_text(form["since"])
    shown |= {
        "net_total": yuan(form["net_fen"]),
        "tax_total": yuan(form["tax_fen"]),
        "lines": [_line(part) for part in msgspec.json.decode(form["lines"])],
        "invoice_code": blue["invoice_code"] if blue else None,
        "invoice_no": blue["invoice_no"] if blue else None,
        "status_text": chinese,
        "status_text_en": english,
        "next_actor": red_form.NEXT_ACTOR.get(form["state"], ""),
        "days_waited": max(0, waited.days) if form["state"] in red_form.NEXT_ACTOR else 0,
        "allowed": _allowed(hand, form, viewer),
    }
    return shown


_SHOWN = (
    "id", "taxpayer_id", "form_no", "red_form_no", "invoice_id", "device_id", "kind", "applicant", "state", "status",
    "message", "red_invoice_id", "since", "version", "created_at", "updated_at",
)  # fmt: skip


def _line(part: dict[str, Any]) -> dict[str, Any]:
    return {
        "line_no": part["line_no"],
        "amount": yuan(part["net_fen"]),
        "tax": yuan(part["tax_fen"]),
        "quantity": part["quantity"],
    }


def _allowed(hand: Connection, form: Row, viewer: Viewer) -> list[dict[str, Any]]:
    found = acts.allowed(hand, form, _NOUN, red_form.MACHINE, viewer.caller)
    taken = _taken(hand, form)
    for verdict in found:
        if verdict["verb"] == "cancel" and verdict["enabled"] and taken is not None:
            told = refuse("red_form_taken", red_form_no=form["red_form_no"], invoice_id=taken)
            verdict |= {"enabled": False, "why": told.message}
    return found
