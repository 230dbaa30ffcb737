"""GP_FPKJ: what a device checks before it signs, and the journal record it makes when it does."""

from __future__ import annotations

import hashlib
import json
import re
from decimal import Decimal
from typing import Any

from msgspec import Struct

from agents.simulated import calendar, numbers
from agents.simulated.device import CLOCK_LIMIT, Device, Segment
from agents.simulated.refusals import Refusal

_LINE_TAX_TOLERANCE = 6
"""Fen that amount × rate may differ from a line's tax."""
_TAX_TOLERANCE = 127
"""Fen that the lines' taxes may differ from the total tax."""
_RATE = re.compile(r"[0-9](?:\.[0-9]{1,6})?")
_NOT_HASHED = ("LSH", "DQFPDM", "DQFPHM")


class Record(Struct):
    """One invoice as the journal keeps it, for ever; ``issued_at`` is device time with its zone."""

    event: str
    index: int
    device_no: str
    taxpayer_id: str
    serial: str
    request_id: str
    order_no: str
    kind: str
    direction: str
    terminal_code: str
    invoice_code: str
    invoice_no: str
    issued_at: str
    check_code: str
    cipher: str
    signature: str
    net_total: str
    tax_total: str
    gross_total: str
    payload_hash: str
    buyer: dict[str, str]
    lines: list[dict[str, Any]]
    original_code: str = ""
    original_no: str = ""
    """Of a red invoice: the blue one."""
    red_form_no: str = ""

    def shown(self) -> dict[str, Any]:
        """As GP_FPKJ and GP_FPCX tell it."""
        return {
            "XH": self.index,
            "LSH": self.serial,
            "FPQQLSH": self.request_id,
            "DDH": self.order_no,
            "FPLXDM": self.kind,
            "KPZDDM": self.terminal_code,
            "FPDM": self.invoice_code,
            "FPHM": self.invoice_no,
            "KPRQ": _compact(self.issued_at),
            "JYM": self.check_code,
            "SKM": self.cipher,
            "QMZ": self.signature,
            "HJJE": self.net_total,
            "HJSE": self.tax_total,
            "JSHJ": self.gross_total,
            "BWZY": self.payload_hash,
        }

    def submitted(self) -> dict[str, str]:
        """As the device uploads it."""
        return {
            "invoice_code": self.invoice_code,
            "invoice_no": self.invoice_no,
            "kind": self.kind,
            "issued_at": _compact(self.issued_at),
            "net_total": self.net_total,
            "tax_total": self.tax_total,
            "gross_total": self.gross_total,
            "payload_hash": self.payload_hash,
            "serial": self.serial,
            "signature": self.signature,
            "direction": self.direction,
            "original_code": self.original_code,
            "original_no": self.original_no,
            "red_form_no": self.red_form_no,
        }


def _compact(moment: str) -> str:
    return moment[:19].translate({ord(mark): None for mark in "-:T"})


def body_hash(body: dict[str, Any]) -> str:
    """BWZY: SHA-256 of the canonical JSON of a body without its serial and expected number."""
    kept = {name: value for name, value in body.items() if name not in _NOT_HASHED}
    canonical = json.dumps(kept, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()


def check(device: Device, body: dict[str, Any]) -> Segment:
    """All the device verifies before signing; the segment it would sign from. Raises Refusal, having done nothing."""
    if not device.certified():
        raise Refusal("09c001")
    if device.facts.company is None or not device.facts.company.may_issue:
        raise Refusal("300002", "开票标志为禁止开票")
    if abs(device.facts.clock_offset) > CLOCK_LIMIT:
        raise Refusal("09e105", f"相差 {device.facts.clock_offset:.0f} 秒")
    kind = device.kind(str(body.get("FPLXDM", "")))
    if calendar.day(device.now()) > kind.issue_deadline:
        raise Refusal("09d109", kind.issue_deadline)
    gross = _check_amounts(device, body)
    net, limit = numbers.fen(str(body["HJJE"])) or 0, numbers.fen(kind.single_limit) or 0
    if limit and abs(net) > limit:
        raise Refusal("09d115", f"限额 {kind.single_limit}，超出 {numbers.yuan(abs(net) - limit)}")
    _check_offline(device, kind.kind, gross)
    segment = device.current(kind.kind, str(body.get("KPZDDM", "")))
    expected = (str(body.get("DQFPDM") or ""), str(body.get("DQFPHM") or ""))
    if all(expected) and expected != (segment.code, numbers.number(segment.next)):
        raise Refusal("1003", f"当前 {segment.code} {numbers.number(segment.next)}")
    return segment


def _check_amounts(device: Device, body: dict[str, Any]) -> int:
    """Lines, totals and rates fit together; the gross total in fen."""
    net, tax, gross = (_fen(body, name) for name in ("HJJE", "HJSE", "JSHJ"))
    lines = body.get("FYXM")
    if not isinstance(lines, list) or not lines or not all(isinstance(line, dict) for line in lines):
        raise Refusal("092400", "FYXM")
    if str(body.get("XFSH", "")) != device.facts.taxpayer_id:
        raise Refusal("092400", "销方税号与设备不一致")
    if net + tax != gross or (gross <= 0) != (str(body.get("KPLX", "0")) == "1"):
        raise Refusal("092400", "价税合计不符")
    rates = {Decimal(rate) for rate in device.facts.rates}
    amounts = taxes = 0
    for line in lines:
        amount, line_tax, rate = _fen(line, "JE"), _fen(line, "SE"), _rate(line)
        if rate not in rates:
            raise Refusal("09d116", str(line.get("SL")))
        if abs(amount * rate - line_tax) > _LINE_TAX_TOLERANCE:
            raise Refusal("092400", "项目税额误差大于0.06")
        amounts += amount
        taxes += line_tax
    if amounts != net or abs(taxes - tax) > _TAX_TOLERANCE:
        raise Refusal("092400", "合计与明细不符")
    return gross


def _fen(body: dict[str, Any], name: str) -> int:
    value = numbers.fen(str(body.get(name, "")))
    if value is None:
        raise Refusal("092400", name)
    return value


def _rate(line: dict[str, Any]) -> Decimal:
    text = str(line.get("SL", ""))
    if _RATE.fullmatch(text) is None:
        raise Refusal("092400", "SL")
    return Decimal(text)


def _check_offline(device: Device, kind: str, gross: int) -> None:
    if not device.facts.offline_since:
        return
    limits = device.kind(kind)
    if limits.offline_max_hours and device.offline_hours() > limits.offline_max_hours:
        raise Refusal("09d11f", f"{limits.offline_max_hours} 小时")
    if limits.offline_max_count and device.waiting_count >= limits.offline_max_count:
        raise Refusal("09d120", f"{limits.offline_max_count} 张")
    most = numbers.fen(limits.offline_max_amount) or 0
    if most and device.waiting_fen + gross > most:
        raise Refusal("09d121", limits.offline_max_amount)


def check_upload_day(device: Device, kind: str, oldest: str) -> None:
    """Refuse 09d122 when ``oldest`` (yyyyMMdd, waiting for upload) is of an earlier month, past the upload day."""
    last_day, now = device.kind(kind).upload_deadline_day, device.now()
    if oldest and last_day and now.day > last_day and oldest[:6] < now.strftime("%Y%m"):
        raise Refusal("09d122", f"每月 {last_day} 日")


def sign(device: Device, segment: Segment, body: dict[str, Any]) -> Record:
    """Make the record of the segment's next number; nothing is kept until its caller has stored it."""
    issued_at = device.now().replace(microsecond=0).isoformat()
    payload_hash = body_hash(body)
    totals = [numbers.yuan(_fen(body, name)) for name in ("HJJE", "HJSE", "JSHJ")]
    code, no, key = segment.code, numbers.number(segment.next), device.facts.key
    facts = [code, no, segment.kind, _compact(issued_at), *totals, payload_hash]
    return Record(
        event="issued",
        index=device.last_index + 1,
        device_no=device.device_no,
        taxpayer_id=device.facts.taxpayer_id,
        serial=str(body["LSH"]),
        request_id=str(body.get("FPQQLSH", "")),
        order_no=str(body.get("DDH", "")),
        kind=segment.kind,
        direction="red" if str(body.get("KPLX", "0")) == "1" else "blue",
        terminal_code=segment.terminal,
        invoice_code=code,
        invoice_no=no,
        issued_at=issued_at,
        check_code=numbers.check_code(key, facts),
        cipher=numbers.cipher(key, facts),
        signature=numbers.signature(key, device.device_no, facts),
        net_total=totals[0],
        tax_total=totals[1],
        gross_total=totals[2],
        payload_hash=payload_hash,
        buyer={"tax_id": str(body.get("GFSH", "")), "name": str(body.get("GFMC", ""))},
        lines=body["FYXM"],
        original_code=str(body.get("YFPDM", "")),
        original_no=str(body.get("YFPHM", "")),
        red_form_no=str(body.get("XXBBH", "")),
    )
