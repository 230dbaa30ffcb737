"""From a request to the order a device gets: the seller's and buyer's data, the priced lines, the totals."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

import msgspec

from controlplane.domain.invoice_request import Original, PricedInvoice, PricedLine, RequestedBuyer, RequestedInvoice
from controlplane.domain.money import yuan
from controlplane.store import devices, invoices, orders
from controlplane.store.invoices import InvoiceLineRow
from controlplane.store.statement import Connection, Row
from controlplane.store.transaction import row_of
from controlplane.wire.invoices import BODIES, InvoiceBody, requested
from controlplane.wire.work import IssueInvoice, IssueLine, Party

DEFAULT_ISSUER = "管理员"
"""开票人 where neither request nor taxpayer names one: a device signs no invoice without."""


@dataclass(frozen=True, slots=True)
class IssueOrder:
    """Everything a device needs to issue one invoice, but the terminal."""

    request_id: str
    order_no: str
    seller: Party
    issuer: str
    payee: str
    reviewer: str
    priced: PricedInvoice


def seller_of(taxpayer: Row) -> Party:
    """The taxpayer as printed on its invoices."""
    return Party(
        tax_id=taxpayer["taxpayer_id"],
        name=taxpayer["name"],
        address_phone=taxpayer["address_phone"],
        bank_account=taxpayer["bank_account"],
    )


def prepare(body: InvoiceBody, priced: PricedInvoice, taxpayer: Row) -> IssueOrder:
    """The order for a request that was just priced."""
    return IssueOrder(
        request_id=body.request_id,
        order_no=body.order_no or body.request_id,
        seller=seller_of(taxpayer),
        issuer=body.issuer or taxpayer["issuer"] or DEFAULT_ISSUER,
        payee=body.payee or "",
        reviewer=body.reviewer or "",
        priced=priced,
    )


def load(hand: Connection, invoice: Row) -> IssueOrder:
    """The order of an invoice that waits, from what was kept of it."""
    lines = tuple(priced_line(row) for row in invoices.lines(hand, invoice["taxpayer_id"], invoice["id"]))
    rates = frozenset(line.rate for line in lines)
    totals = (invoice["net_fen"], invoice["tax_fen"], invoice["gross_fen"])
    return IssueOrder(
        request_id=invoice["request_id"],
        order_no=invoice["order_no"],
        seller=msgspec.json.decode(invoice["seller"], type=Party),
        issuer=invoice["issuer"],
        payee=invoice["payee"],
        reviewer=invoice["reviewer"],
        priced=PricedInvoice(_requested(hand, invoice), lines, *totals, rates),
    )


def _requested(hand: Connection, invoice: Row) -> RequestedInvoice:
    if invoice["original_id"] is not None:
        blue = invoices.find(hand, invoice["taxpayer_id"], invoice["original_id"])
        assert blue is not None
        return red_request(hand, invoice, blue)
    order = orders.find(hand, invoice["taxpayer_id"], invoice["order_id"])
    assert order is not None
    return requested(BODIES.decode(order["body"]))


def red_request(hand: Connection, invoice: Row, blue: Row) -> RequestedInvoice:
    """What a red invoice asks for: buyer and texts of its own row, device and number of the blue one."""
    device = devices.find(hand, blue["device_id"])
    assert device is not None
    original = Original(
        invoice_code=blue["invoice_code"],
        invoice_no=blue["invoice_no"],
        device_no=device["device_no"] or "",
        issued_on=date.fromisoformat(blue["issued_at"][:10]),
        red_reason=invoice["red_reason"],
        red_form_no=invoice["red_form_no"],
    )
    buyer = msgspec.json.decode(invoice["buyer"])
    return RequestedInvoice(
        kind=invoice["kind"],
        buyer=RequestedBuyer(**{name: value or "" for name, value in buyer.items()}),
        lines=(),
        direction="red",
        issuer=invoice["issuer"],
        payee=invoice["payee"],
        reviewer=invoice["reviewer"],
        remark=invoice["remark"],
        original=original,
    )


def work(order: IssueOrder, terminal_code: str) -> IssueInvoice:
    """The work an agent is given."""
    priced, buyer, original = order.priced, order.priced.request.buyer, order.priced.request.original
    return IssueInvoice(
        kind=priced.kind,
        direction="blue" if original is None else "red",
        request_id=order.request_id,
        order_no=order.order_no,
        terminal_code=terminal_code,
        seller=order.seller,
        buyer=Party(
            tax_id=buyer.tax_id, name=buyer.name, address_phone=buyer.address_phone, bank_account=buyer.bank_account
        ),
        lines=[_issue_line(line) for line in priced.lines],
        net_total=yuan(priced.net_fen),
        tax_total=yuan(priced.tax_fen),
        gross_total=yuan(priced.gross_fen),
        issuer=order.issuer,
        payee=order.payee,
        reviewer=order.reviewer,
        remark=priced.request.remark,
        original_code=original.invoice_code if original else "",
        original_no=original.invoice_no if original else "",
        red_form_no=original.red_form_no if original else "",
        red_reason=original.red_reason if original else "",
    )


_ALIKE = (
    "nature", "item_name", "tax_class_code", "rate", "quantity", "unit_price", "unit", "spec", "preference_flag",
    "preference_note", "zero_rate_kind",
)  # fmt: skip


def _issue_line(line: PricedLine) -> IssueLine:
    alike: dict[str, Any] = {name: getattr(line, name) for name in _ALIKE}
    return IssueLine(amount=yuan(line.amount_fen), tax=yuan(line.tax_fen), **alike)


def line_rows(taxpayer_id: str, invoice_id: str, priced: PricedInvoice) -> list[Row]:
    """The lines as they are kept, rows of InvoiceLineRow."""
    return [
        row_of(
            InvoiceLineRow,
            taxpayer_id=taxpayer_id,
            invoice_id=invoice_id,
            line_no=number,
            order_line=line.order_line,
            amount_fen=line.amount_fen,
            tax_fen=line.tax_fen,
            own_code=line.own_code,
            original_line_no=line.original_line_no,
            **{name: getattr(line, name) for name in _ALIKE},
        )
        for number, line in enumerate(priced.lines, 1)
    ]


def priced_line(row: Row) -> PricedLine:
    """A kept line as the rules see it."""
    return PricedLine(**{name: row[name] for name in (*_ALIKE, *_KEPT)})


_KEPT = ("own_code", "order_line", "original_line_no", "amount_fen", "tax_fen")
