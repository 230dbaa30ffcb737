"""Red-offset of a blue invoice (冲红): a red invoice is requested, and issued like any other."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec

from controlplane.domain import invoice as rules_of_invoice
from controlplane.domain import red_form, red_offset
from controlplane.domain.dated import DEVICE_ZONE
from controlplane.domain.invoice_request import PricedInvoice
from controlplane.domain.issuing_rules import IssuingRules
from controlplane.domain.offset_rule import OffsetRule, red_kinds, remark_of, rule_of
from controlplane.domain.red_offset import Taken, WantedLine
from controlplane.domain.refusals import Refusal, refuse
from controlplane.operations import acts, issue_orders, jobs, offset_sums, placement
from controlplane.operations.acts import Act
from controlplane.operations.offset_sums import Offsets
from controlplane.operations.placement import Placed
from controlplane.operations.principals import SYSTEM
from controlplane.store import invoices, offsets, orders, red_forms, taxpayers, times
from controlplane.store import jobs as job_store
from controlplane.store.invoices import InvoiceLineRow, InvoiceRow
from controlplane.store.orders import OrderLineRow
from controlplane.store.statement import Connection, Row
from controlplane.store.transaction import Event, Transaction, row_of
from controlplane.wire.invoices import differing_fields, digest
from controlplane.wire.work import Party


@dataclass(frozen=True, slots=True)
class RedAsked:
    """What a red-offset asks for, in the one spelling that its request id stands for."""

    act: Act
    canonical: bytes

    @property
    def arguments(self) -> dict[str, Any]:
        """The fields of the body."""
        return self.act.arguments

    @property
    def request_id(self) -> str:
        """The caller's key: same key and same content is the same red invoice for ever."""
        return str(self.arguments["request_id"])


def ask(act: Act) -> RedAsked:
    """A red-offset as asked for. The version is where the caller stood, not what it wants: it does not count."""
    said = {name: _meant(value) for name, value in act.arguments.items() if value not in (None, "")}
    said |= {"original_id": act.record_id, "direction": "red", "reason": act.reason}
    return RedAsked(act, msgspec.json.encode(said, order="sorted"))


def _meant(value: Any) -> Any:
    """A list of lines without what their members leave out."""
    if not isinstance(value, list):
        return value
    return [{name: kept for name, kept in line.items() if kept is not None} for line in value]


def request(tx: Transaction, asked: RedAsked, rules: IssuingRules) -> tuple[str, str | None]:
    """Take a red-offset in, or find it again: (id of the red invoice, id of the job that was opened for it).

    The blue row is locked from here on: of two red-offsets of the same rest, or of one and a void, one wins.
    """
    wanted = asked.act
    entry = acts.begin(tx, wanted, "invoices")
    entry.request_id = asked.request_id
    found = invoices.by_id(tx, wanted.record_id)
    if found is None or not wanted.caller.sees(found["taxpayer_id"]):
        raise refuse("not_found")
    blue = invoices.find(tx, found["taxpayer_id"], found["id"], lock=True)
    assert blue is not None
    entry.taxpayer_id = blue["taxpayer_id"]
    known = orders.by_request(tx, blue["taxpayer_id"], asked.request_id)
    if known is not None:
        return _again(tx, asked, known), None
    acts.check(blue, wanted, rules_of_invoice.MACHINE)
    return _open(tx, asked, blue, rules)


def _again(tx: Transaction, asked: RedAsked, known: Row) -> str:
    if known["digest"] != digest(asked.canonical):
        fields = ", ".join(differing_fields(known["body"].encode(), asked.canonical))
        raise refuse("request_body_differs", request_id=asked.request_id, fields=fields)
    tx.no_entry()
    invoice = invoices.by_request(tx, known["taxpayer_id"], asked.request_id)
    assert invoice is not None
    return str(invoice["id"])


def refusal_of(hand: Connection, blue: Row, now: datetime, rules: IssuingRules) -> Refusal | None:
    """Why an invoice cannot be red-offset now, whatever of it is wanted; None when some of it may be."""
    try:
        rule = _rule(blue, now, rules)
        if rule.needs_form:
            forms = red_forms.of_invoice(hand, blue["taxpayer_id"], blue["id"])
            if not any(form["state"] == "approved" for form in forms):
                raise refuse("red_form_needed", "red_form_no", kind=blue["kind"])
        elif red_offset.total_left(offset_sums.of(hand, blue).left) == (0, 0):
            raise refuse("red_nothing_left")
    except Refusal as refusal:
        return refusal
    return None


def _rule(blue: Row, now: datetime, rules: IssuingRules) -> OffsetRule:
    """The rule an issued blue invoice is red-offset by."""
    if blue["direction"] == "red":
        raise refuse("red_of_red")
    rule = rule_of(rules.offsets, blue["kind"], now.astimezone(DEVICE_ZONE).date())
    if rule.needs_upload and blue["upload_status"] != "uploaded":
        raise refuse("red_not_uploaded", upload_status=blue["upload_status"])
    return rule


def may_offset(tx: Transaction, blue: Row, rules: IssuingRules) -> OffsetRule:
    """The rule by which a locked, issued invoice may be offset now; refuses while it is being voided."""
    held = job_store.open_of(tx, blue["id"])
    if held is not None:
        raise refuse("open_job", kind=held["kind"], job_id=held["id"])
    return _rule(blue, tx.moment, rules)


def _open(tx: Transaction, asked: RedAsked, blue: Row, rules: IssuingRules) -> tuple[str, str | None]:
    rule = may_offset(tx, blue, rules)
    today = tx.moment.astimezone(DEVICE_ZONE).date()
    kind = asked.arguments.get("kind") or blue["kind"]
    allowed = red_kinds(rules.offsets, blue["kind"], today)
    if kind not in allowed:
        raise refuse("red_kind_differs", "kind", blue=blue["kind"], kind=kind, allowed=", ".join(allowed))
    held, parts = _wanted(tx, asked, blue, rule, rules)
    row = _row(tx, asked, blue, rule)
    priced = _priced(tx, row, blue, rules, (held, parts))
    pool = placement.pool_of(tx, blue["taxpayer_id"], kind)
    return _take(tx, asked, row, priced, placement.settle_on(tx, priced, pool, blue["taxpayer_id"], rules))


def _wanted(
    tx: Transaction, asked: RedAsked, blue: Row, rule: OffsetRule, rules: IssuingRules
) -> tuple[Offsets, list[Taken]]:
    """What offsets the blue invoice already, and what this red one shall: its form, the lines named, or the rest."""
    number, lines = asked.arguments.get("red_form_no") or "", asked.arguments.get("lines")
    if not rule.needs_form:
        if number:
            raise refuse("red_form_unexpected", "red_form_no", kind=rule.kind)
        held = offset_sums.of(tx, blue)
        wishes = None if lines is None else [WantedLine(**line) for line in lines]
        return held, red_offset.parts(held.left, wishes, rules.tolerance(tx.moment.astimezone(DEVICE_ZONE).date()))
    if not number:
        raise refuse("red_form_needed", "red_form_no", kind=rule.kind)
    if lines is not None:
        raise refuse("red_form_sets_lines", "lines")
    form = _form(tx, blue, number)
    return offset_sums.of(tx, blue, but_form=form["id"]), offset_sums.parts_of(form)


def _form(tx: Transaction, blue: Row, number: str) -> Row:
    """The approved, unused form of that number, locked."""
    form = red_forms.by_number(tx, blue["taxpayer_id"], number)
    if form is None or form["invoice_id"] != blue["id"]:
        raise refuse("red_form_unknown", "red_form_no", red_form_no=number)
    red_id = offsets.red_of_form(tx, blue["taxpayer_id"], number)
    if red_id is not None:
        raise refuse("red_form_taken", "red_form_no", red_form_no=number, invoice_id=red_id)
    if not red_form.MACHINE.may(form["state"], "use"):
        raise refuse("red_form_not_approved", "red_form_no", red_form_no=number, state=form["state"])
    job = job_store.open_of(tx, form["id"])
    if job is not None and job["kind"] == "redform.cancel":
        raise refuse("open_job", kind=job["kind"], job_id=job["id"])
    return form


def _row(tx: Transaction, asked: RedAsked, blue: Row, rule: OffsetRule) -> Row:
    """The red invoice's own part of its row; totals and place come later."""
    said = asked.arguments
    taxpayer = taxpayers.find(tx, blue["taxpayer_id"])
    assert taxpayer is not None
    if not taxpayer["may_issue"]:
        raise refuse("taxpayer_may_not_issue", taxpayer_id=blue["taxpayer_id"])
    form_no = said.get("red_form_no") or ""
    remark = remark_of(rule, (blue["invoice_code"], blue["invoice_no"]), form_no, said.get("remark") or "")
    return {
        "taxpayer_id": blue["taxpayer_id"],
        "id": times.new_id(),
        "request_id": asked.request_id,
        "order_no": blue["order_no"],
        "live": 0,
        "kind": said.get("kind") or blue["kind"],
        "direction": "red",
        "seller": blue["seller"],
        "buyer": blue["buyer"],
        "issuer": said.get("issuer") or taxpayer["issuer"] or issue_orders.DEFAULT_ISSUER,
        "payee": said.get("payee") or "",
        "reviewer": said.get("reviewer") or "",
        "remark": remark,
        "original_id": blue["id"],
        "red_form_no": form_no,
        "red_reason": said["red_reason"],
        "created_at": tx.now,
        "updated_at": tx.now,
    }


def _priced(
    tx: Transaction, row: Row, blue: Row, rules: IssuingRules, offset: tuple[Offsets, list[Taken]]
) -> PricedInvoice:
    held, parts = offset
    today = tx.moment.astimezone(DEVICE_ZONE).date()
    tolerances, kind = rules.tolerance(today), rules.kinds.find(row["kind"], today)
    if kind is None:
        raise refuse("kind_unknown", "kind", kind=row["kind"], allowed=blue["kind"])
    wish = issue_orders.red_request(tx, row, blue)
    flaw = red_offset.text_refusal(wish, wish.remark.partition(" ")[0], kind)
    if flaw is not None:
        raise flaw
    return red_offset.priced(wish, red_offset.red_lines(held.left, parts, tolerances), tolerances)


def _take(
    tx: Transaction, asked: RedAsked, row: Row, priced: PricedInvoice, placed: Placed
) -> tuple[str, str | None]:
    """Keep order, invoice and lines; open the issue job, or say why it waits."""
    if placed.refusal is not None and not placed.refusal.waits:
        raise placed.refusal
    taxpayer_id, invoice_id = row["taxpayer_id"], row["id"]
    order = _order(tx, asked, row)
    job_id = None
    if placed.choice is not None and placed.device_id is not None:
        work = issue_orders.work(_issue_order(row, priced), placed.choice.terminal_code)
        subject = ("invoices", invoice_id, taxpayer_id)
        job_id = jobs.open_job(tx, ("devices", placed.device_id), subject, work, SYSTEM)
    told = placed.refusal.as_dict() if placed.refusal is not None else None
    whole = row | {
        "order_id": order["id"],
        "state": "waiting",
        "net_fen": priced.net_fen,
        "tax_fen": priced.tax_fen,
        "gross_fen": priced.gross_fen,
        "device_id": placed.device_id,
        "terminal_code": placed.choice.terminal_code if placed.choice else None,
        "choice": placement.choice_text(placed.choice) if placed.choice else "{}",
        "open_job_id": job_id,
        "waiting_reason": msgspec.json.encode(told).decode() if told else None,
    }
    if not invoices.add(tx, row_of(InvoiceRow, **whole)):
        raise refuse("red_form_taken", "red_form_no", red_form_no=row["red_form_no"], invoice_id="—")
    tx.add_rows(InvoiceLineRow, issue_orders.line_rows(taxpayer_id, invoice_id, priced))
    tx.raise_event(Event("invoices", invoice_id, taxpayer_id, "waiting", 1))
    return invoice_id, job_id


def _issue_order(row: Row, priced: PricedInvoice) -> issue_orders.IssueOrder:
    return issue_orders.IssueOrder(
        request_id=row["request_id"],
        order_no=row["order_no"],
        seller=msgspec.json.decode(row["seller"], type=Party),
        issuer=row["issuer"],
        payee=row["payee"],
        reviewer=row["reviewer"],
        priced=priced,
    )


def _order(tx: Transaction, asked: RedAsked, row: Row) -> Row:
    """Keep what was asked for as a further attempt of the blue invoice's order, and of its business."""
    blue = invoices.find(tx, row["taxpayer_id"], row["original_id"])
    first = orders.find(tx, row["taxpayer_id"], blue["order_id"]) if blue else None
    values = {
        "taxpayer_id": row["taxpayer_id"],
        "request_id": asked.request_id,
        "order_no": row["order_no"],
        "source": "",
        "business_type": first["business_type"] if first else "",
        "digest": digest(asked.canonical),
        "body": asked.canonical.decode(),
        "received_at": tx.now,
    }
    # A racing attempt of the same order may take this attempt's number: count again, but not for ever.
    for _ in range(4):
        kept = orders.take(tx, {**values, "id": times.new_id()})
        if kept is not None:
            lines = asked.arguments.get("lines") or []
            rows = [
                row_of(
                    OrderLineRow, taxpayer_id=row["taxpayer_id"], order_id=kept["id"], line_no=number,
                    body=msgspec.json.encode(line).decode(),
                )
                for number, line in enumerate(lines, 1)
            ]  # fmt: skip
            tx.add_rows(OrderLineRow, rows)
            return kept
        if orders.by_request(tx, row["taxpayer_id"], asked.request_id) is not None:
            break
    raise refuse("service_unavailable")
