"""Issuing in the GP dialect: the request's body, its digest, and the number the device is expected to give next."""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import Struct

from agents.digest import sha256_hex
from controlplane.wire.agents import Order
from controlplane.wire.evidence import IssuedInvoice
from controlplane.wire.work import IssueInvoice, IssueLine

NumberKey = tuple[str, str, str]
"""Device, terminal, kind."""


class NextNumber(Struct):
    """Code and number of the invoice to come, and how many numbers the run still has."""

    code: str
    number: str
    left: int

    def after(self) -> NextNumber | None:
        """What follows; None at the end of the run, where only the device knows."""
        if self.left <= 1:
            return None
        return NextNumber(self.code, f"{int(self.number) + 1:0{len(self.number)}d}", self.left - 1)


def content(order: Order, work: IssueInvoice) -> dict[str, Any]:
    """The request's body without serial and expected number: the part the device makes its digest of."""
    body: dict[str, Any] = {
        "XNSBH": order.address.device_no or "",
        "KPZDDM": work.terminal_code,
        "FPLXDM": work.kind,
        "KPLX": "1" if work.direction == "red" else "0",
        "FPQQLSH": work.request_id,
        "DDH": work.order_no,
        "XFSH": work.seller.tax_id,
        "XFMC": work.seller.name,
        "XFDZDH": work.seller.address_phone,
        "XFYHZH": work.seller.bank_account,
        "GFSH": work.buyer.tax_id,
        "GFMC": work.buyer.name,
        "GFDZDH": work.buyer.address_phone,
        "GFYHZH": work.buyer.bank_account,
        "FYXM": [line_body(line) for line in work.lines],
        "HJJE": work.net_total,
        "HJSE": work.tax_total,
        "JSHJ": work.gross_total,
        "KPR": work.issuer,
        "SKR": work.payee,
        "FHR": work.reviewer,
        "BZ": work.remark,
    }
    if work.direction == "red":
        body |= {"YFPDM": work.original_code, "YFPHM": work.original_no, "CHYY": work.red_reason}
        body["XXBBH"] = work.red_form_no
    return body


def digest(body: dict[str, Any]) -> str:
    """SHA-256 hex of the canonical JSON: keys sorted, no spaces, UTF-8 unescaped."""
    return sha256_hex(msgspec.json.encode(body, order="sorted"))


def differing(order: Order, work: IssueInvoice, found: IssuedInvoice) -> str:
    """Names of the facts in which an invoice found under our serial is not the invoice ordered; empty if none."""
    pairs = {
        "payload_hash": (digest(content(order, work)), found.payload_hash),
        "request_id": (work.request_id, found.request_id),
        "kind": (work.kind, found.kind),
        "terminal_code": (work.terminal_code, found.terminal_code),
        "net_total": (work.net_total, found.net_total),
        "tax_total": (work.tax_total, found.tax_total),
        "gross_total": (work.gross_total, found.gross_total),
    }
    return ", ".join(name for name, (ours, theirs) in pairs.items() if ours != theirs)


def line_body(line: IssueLine) -> dict[str, Any]:
    """One line as the dialect writes it."""
    return {
        "FPHXZ": str(line.nature),
        "SPMC": line.item_name,
        "SPBM": line.tax_class_code,
        "GGXH": line.spec,
        "DW": line.unit,
        "SPSL": line.quantity or "",
        "DJ": line.unit_price or "",
        "JE": line.amount,
        "SL": line.rate,
        "SE": line.tax,
        "YHZCBS": str(line.preference_flag),
        "ZZSTSGL": line.preference_note,
        "LSLBS": line.zero_rate_kind,
    }
