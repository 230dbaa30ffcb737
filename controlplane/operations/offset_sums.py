"""What a blue invoice's red invoices and red forms come to, and what an issued or voided red one changes on it."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import msgspec

from controlplane.domain import red_form
from controlplane.domain.invoice import live
from controlplane.domain.red_offset import Left, Taken, left_of
from controlplane.operations import issue_orders
from controlplane.store import invoices, offsets, red_forms
from controlplane.store.statement import Connection, Row
from controlplane.store.transaction import Event, Transaction

UNDER_WAY = ("waiting", "issued")
"""States of a red invoice that count against its blue one."""


@dataclass(frozen=True, slots=True)
class Offsets:
    """The red invoices of a blue one, its open forms, and what is left of each line besides both."""

    reds: list[Row]
    forms: list[Row]
    left: list[Left]


def of(hand: Connection, blue: Row, but_form: str = "") -> Offsets:
    """All that offsets a blue invoice; ``but_form``: the id of a form that shall not count, since it is to be used."""
    taxpayer_id = blue["taxpayer_id"]
    reds = [row for row in offsets.reds_of(hand, blue) if row["state"] in UNDER_WAY]
    used = {row["red_form_no"] for row in reds if row["red_form_no"]}
    forms = [
        form
        for form in red_forms.of_invoice(hand, taxpayer_id, blue["id"])
        # A form with a red invoice under way is counted by its red invoice.
        if form["state"] in red_form.OPEN and form["id"] != but_form and (form["red_form_no"] or "-") not in used
    ]
    taken = [_taken(row) for row in offsets.taken_of(hand, blue)]
    taken += [part for form in forms for part in parts_of(form)]
    lines = [issue_orders.priced_line(row) for row in invoices.lines(hand, taxpayer_id, blue["id"])]
    return Offsets(reds, forms, left_of(lines, taken))


def _taken(row: Row) -> Taken:
    quantity = None if row["quantity"] is None else -Decimal(row["quantity"])
    return Taken(row["original_line_no"], -row["amount_fen"], -row["tax_fen"], quantity)


def parts_of(form: Row) -> list[Taken]:
    """What a form offsets of each line."""
    return [_part(part) for part in msgspec.json.decode(form["lines"])]


def _part(kept: dict[str, Any]) -> Taken:
    quantity = Decimal(kept["quantity"]) if kept["quantity"] else None
    return Taken(kept["line_no"], kept["net_fen"], kept["tax_fen"], quantity)


def kept(parts: list[Taken]) -> str:
    """The parts as a form keeps them."""
    rows: list[dict[str, Any]] = [
        {
            "line_no": part.line_no,
            "net_fen": part.net_fen,
            "tax_fen": part.tax_fen,
            "quantity": None if part.quantity is None else f"{part.quantity:f}",
        }
        for part in parts
    ]
    return msgspec.json.encode(rows).decode()


def red_issued(tx: Transaction, red: Row) -> None:
    """A red invoice was issued: its form is used, its blue invoice knows it."""
    if red["red_form_no"]:
        form = red_forms.by_number(tx, red["taxpayer_id"], red["red_form_no"])
        if form is not None and red_form.MACHINE.may(form["state"], "use"):
            move_form(tx, form, "use", {"red_invoice_id": red["id"]})
    sum_up(tx, red)


def red_voided(tx: Transaction, red: Row) -> None:
    """A red invoice was voided: its form may be used again, its blue invoice counts again."""
    if red["red_form_no"]:
        form = red_forms.by_number(tx, red["taxpayer_id"], red["red_form_no"])
        if form is not None and red_form.MACHINE.may(form["state"], "release"):
            move_form(tx, form, "release", {"red_invoice_id": None})
    sum_up(tx, red)


def move_form(tx: Transaction, form: Row, move: str, values: dict[str, Any]) -> None:
    """Move a red form and tell followers."""
    state = red_form.MACHINE.after(form["state"], move)
    red_forms.change(tx, form, {**values, "state": state}, tx.now)
    tx.raise_event(Event("red-forms", form["id"], form["taxpayer_id"], move, form["version"] + 1))


def sum_up(tx: Transaction, red: Row) -> None:
    """Write on the blue invoice what its issued red ones come to. Fully offset, its order may be requested again."""
    blue = invoices.find(tx, red["taxpayer_id"], red["original_id"], lock=True)
    assert blue is not None
    issued = [row for row in offsets.reds_of(tx, blue) if row["state"] == "issued"]
    net_fen, tax_fen = -sum(row["net_fen"] for row in issued), -sum(row["tax_fen"] for row in issued)
    whole = (net_fen, tax_fen) == (blue["net_fen"], blue["tax_fen"])
    values = {
        "red_net_fen": net_fen,
        "red_tax_fen": tax_fen,
        "red_offset_by": red["id"] if whole else None,
        "live": int(live(blue["state"], whole)),
        "now": tx.now,
    }
    offsets.sum_up(tx, blue, values)
    tx.raise_event(Event("invoices", blue["id"], blue["taxpayer_id"], "red_offset", blue["version"] + 1))
