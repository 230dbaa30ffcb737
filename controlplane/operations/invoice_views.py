"""Invoices and orders as the API shows them."""

from __future__ import annotations

from typing import Any

import msgspec

from controlplane.domain import choice
from controlplane.domain.money import yuan
from controlplane.operations import jobs
from controlplane.store import devices, invoices, offsets, orders
from controlplane.store import jobs as job_store
from controlplane.store.statement import Connection, Row

_PLAIN = (
    "id", "version", "taxpayer_id", "request_id", "order_no", "order_id", "state", "upload_status", "upload_message",
    "kind", "direction", "created_at", "updated_at", "segment_id", "terminal_code", "invoice_code", "invoice_no",
    "check_code", "issued_at", "uploaded_at", "upload_receipt_no", "red_offset_by", "issuer", "payee", "reviewer",
    "remark", "device_id", "original_id", "red_form_no", "red_reason", "voided_at", "voided_by", "void_reason",
)  # fmt: skip


def brief(hand: Connection, row: Row) -> dict[str, Any]:
    """An invoice in a list: everything but lines, attempts and jobs."""
    shown: dict[str, Any] = {name: row[name] for name in _PLAIN}
    shown |= {
        name: yuan(row[f"{name.removesuffix('_total')}_fen"]) for name in ("net_total", "tax_total", "gross_total")
    }
    red_net_fen, red_tax_fen = row["red_net_fen"], row["red_tax_fen"]
    shown |= {"red_net_total": yuan(red_net_fen), "red_tax_total": yuan(red_tax_fen)}
    shown["red_gross_total"] = yuan(red_net_fen + red_tax_fen)
    shown |= _original(hand, row)
    for name in ("seller", "buyer", "waiting_reason", "refusal"):
        shown[name] = msgspec.json.decode(row[name]) if row[name] else None
    device = devices.find(hand, row["device_id"]) if row["device_id"] else None
    shown["device_no"] = device["device_no"] if device else None
    shown["virtual_device_no"] = device["device_no"] if device and device["tax_server_id"] else None
    shown["choice"] = _choice(row["choice"])
    shown["open_job"] = {"id": row["open_job_id"]} if row["open_job_id"] else None
    return shown


def _original(hand: Connection, row: Row) -> dict[str, Any]:
    """Code and number of the blue invoice that a red one offsets."""
    blue = invoices.find(hand, row["taxpayer_id"], row["original_id"]) if row["original_id"] else None
    names = ("invoice_code", "invoice_no")
    return {f"original_{name.removeprefix('invoice_')}": blue[name] if blue else None for name in names}


def _choice(kept: str) -> dict[str, Any] | None:
    found: dict[str, Any] = msgspec.json.decode(kept)
    if not found:
        return None
    params = found.pop("params")
    told: dict[str, Any] = {
        "text": choice.told(found["reason"], params),
        "text_en": choice.told(found["reason"], params, "en"),
    }
    return told | found


def whole(hand: Connection, row: Row, trail: bool = False) -> dict[str, Any]:
    """An invoice with its lines and the attempts of its order; ``trail`` adds its jobs with what happened to them."""
    shown = brief(hand, row)
    taxpayer_id = row["taxpayer_id"]
    shown["lines"] = [_line(line) for line in invoices.lines(hand, taxpayer_id, row["id"])]
    shown["attempts"] = [_attempt(one) for one in invoices.attempts(hand, taxpayer_id, row["order_no"])]
    shown["red_offsets"] = [] if row["original_id"] else [_red(one) for one in offsets.reds_of(hand, row)]
    if trail:
        shown["jobs"] = [jobs.view(job) for job in job_store.of_subject(hand, row["id"])]
        order = orders.find(hand, taxpayer_id, row["order_id"])
        shown["order"] = order_view(hand, order) if order else None
    return shown


def taken(hand: Connection, row: Row, lines: list[Row], first: bool) -> dict[str, Any]:
    """The same of an invoice just taken in, from what was written; ``first``: its order knows no other attempt."""
    shown = brief(hand, row)
    shown["lines"] = [_line(line) for line in lines]
    if first:
        attempts = [{"invoice_id": row["id"]} | {name: row[name] for name in _ATTEMPT}]
    else:
        attempts = invoices.attempts(hand, row["taxpayer_id"], row["order_no"])
    shown["attempts"] = [_attempt(one) for one in attempts]
    shown["red_offsets"] = []
    return shown


_ATTEMPT = ("request_id", "state", "refusal", "created_at")


def _line(row: Row) -> dict[str, Any]:
    shown = {name: value for name, value in row.items() if name not in ("taxpayer_id", "invoice_id")}
    shown["amount"], shown["tax"] = yuan(shown.pop("amount_fen")), yuan(shown.pop("tax_fen"))
    return shown


def _red(row: Row) -> dict[str, Any]:
    names = ("request_id", "state", "upload_status", "kind", "invoice_code", "invoice_no", "red_form_no")
    totals = {f"{name}_total": yuan(row[f"{name}_fen"]) for name in ("net", "tax", "gross")}
    return {"invoice_id": row["id"]} | {name: row[name] for name in names} | totals


def _attempt(row: Row) -> dict[str, Any]:
    refusal = msgspec.json.decode(row["refusal"]) if row["refusal"] else None
    return row | {"refusal": refusal["code"] if refusal else None}


def order_view(hand: Connection, row: Row) -> dict[str, Any]:
    """An order as received, with the invoice it became."""
    shown = {name: value for name, value in row.items() if name not in ("body", "digest")}
    lines = orders.lines(hand, row["taxpayer_id"], row["id"])
    invoice = invoices.by_request(hand, row["taxpayer_id"], row["request_id"])
    return shown | {
        "lines": [msgspec.json.decode(line["body"]) | {"line_no": line["line_no"]} for line in lines],
        "invoice_id": invoice["id"] if invoice else None,
        "invoice_state": invoice["state"] if invoice else None,
    }
