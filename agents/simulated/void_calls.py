"""The calls that void an invoice and handle red forms, and what a device checks before it signs a red invoice."""

from __future__ import annotations

import re
from typing import Any

import msgspec

from agents.simulated import void_memory
from agents.simulated.calendar import read_stamp
from agents.simulated.device_memory import REJECTED
from agents.simulated.numbers import fen
from agents.simulated.refusals import Refusal
from agents.simulated.tax_server import Ask, Call, Done

PAPER = frozenset({"004", "005", "006", "007", "025"})
SPECIAL = frozenset({"004", "028"})
"""Kinds whose red invoices need a form."""
FAMILIES = ({"007", "025", "026"}, {"004"}, {"005"}, {"006"}, {"028"})
"""Kinds that may red-offset each other."""
_APPLICANTS = ("0000000100", "1010000000", "1100000000")
_FORM_NO = re.compile(r"[0-9]{24}")
_RED_FORM_NO = re.compile(r"[0-9]{16}")


async def void(ask: Ask) -> Done:
    """GP_FPZF: void an invoice of this device; electronic kinds only after their signature was rejected."""
    device, around = ask.on, ask.server.around
    if not device.certified():
        raise Refusal("09c001")
    code, no = ask.text("FPDM", 12), ask.text("FPHM", 8)
    found = void_memory.known(around.store.memory, device.device_no, code, no)
    if found is None:
        raise Refusal("09d106", f"{code} {no}")
    record = found.record
    if (ask.text("FPLXDM"), fen(ask.text("JSHJ"))) != (record.kind, fen(record.gross_total)):
        raise Refusal("092400", "FPLXDM, JSHJ")
    if found.voided:
        raise Refusal("09d11e", f"{code} {no}")
    _check_void(ask, record.kind, record.issued_at, found.state)
    at = device.now().replace(microsecond=0).isoformat()
    who, why = ask.text("ZFR", 40), str(ask.body.get("ZFYY", ""))
    event = {
        "event": "voided",
        "index": record.index,
        "device_no": device.device_no,
        "serial": ask.text("LSH"),
        "invoice_code": code,
        "invoice_no": no,
        "voided_at": at,
        "voided_by": who,
        "reason": why,
    }
    _end, remembered, line = around.journals.place(device.device_no, msgspec.json.encode(event))
    kept = void_memory.void_row(record, ask.text("LSH"), at, (who, why))
    stamp = at[:19].translate({ord(mark): None for mark in "-:T"})
    return Done({"XH": record.index, "FPDM": code, "FPHM": no, "ZFSJ": stamp}, [remembered, kept], [line])


def _check_void(ask: Ask, kind: str, issued_at: str, state: int) -> None:
    device = ask.on
    if kind not in PAPER:
        if state != REJECTED:
            raise Refusal("09d11d", "电子发票仅验签失败后可作废")
        return
    issued_on = issued_at[:10].replace("-", "")
    if issued_on[:6] != device.now().strftime("%Y%m"):
        raise Refusal("09d11d", "仅限开具当月")
    if issued_on < device.kind(kind).report_from:
        raise Refusal("09d11c")


# --- red invoices


async def check_red(ask: Ask) -> None:
    """What a device verifies before it signs a red invoice; nothing for a blue one. Raises Refusal."""
    body, device = ask.body, ask.on
    if str(body.get("KPLX", "0")) != "1":
        return
    code, no, kind = ask.text("YFPDM", 12), ask.text("YFPHM", 8), ask.text("FPLXDM")
    if str(body.get("CHYY", "")) not in ("1", "2", "3", "4"):
        raise Refusal("092400", "CHYY")
    limits = device.kind(kind)
    found = void_memory.known(ask.server.around.store.memory, device.device_no, code, no)
    if found is None and limits.red_needs_original:
        raise Refusal("09d106", f"{code} {no}")
    if found is not None:
        blue = found.record
        if blue.direction != "blue" or found.voided or not any({kind, blue.kind} <= family for family in FAMILIES):
            raise Refusal("092400", "YFPDM, YFPHM")
        issued = read_stamp(blue.issued_at[:19].translate({ord(mark): None for mark in "-:T"}))
        if limits.red_max_days and (device.now() - issued).days > limits.red_max_days:
            raise Refusal("09d11b", f"{limits.red_max_days} 天")
    _check_remark(str(body.get("BZ", "")), (code, no), str(body.get("XXBBH", "")), kind)
    if kind in SPECIAL:
        await _check_form(ask, (code, no))


def _check_remark(remark: str, blue: tuple[str, str], number: str, kind: str) -> None:
    wanted = f"信息表编号{number}" if kind in SPECIAL else f"对应正数发票代码:{blue[0]}号码:{blue[1]}"
    if wanted not in remark:
        raise Refusal("092400", "BZ")


async def _check_form(ask: Ask, blue: tuple[str, str]) -> None:
    """The form is approved, unused, and over just this invoice and these totals."""
    number = str(ask.body.get("XXBBH", ""))
    if not _RED_FORM_NO.fullmatch(number):
        raise Refusal("092400", "XXBBH")
    form = await ask.server.line.call("GET", f"/redforms?red_form_no={number}")
    totals = (fen(str(ask.body["HJJE"])), fen(str(ask.body["HJSE"])))
    if (form["code"], form["no"]) != blue or (fen(form["net"]), fen(form["tax"])) != totals:
        raise Refusal("092400", "XXBBH 与红字发票不符")
    if form["status"] not in ("TZD0000", "TZD1000", "TZD0075"):
        raise Refusal("300002", f"信息表状态 {form['status']}")


# --- red forms


async def apply_form(ask: Ask) -> Done:
    """GP_HZXXBSQ: upload a form to the bureau; our own number makes it one form however often it comes."""
    device = ask.on
    if not device.certified():
        raise Refusal("09c001")
    number = ask.text("SQDH", 24)
    if not _FORM_NO.fullmatch(number) or str(ask.body.get("SQSM", "")) not in _APPLICANTS:
        raise Refusal("092400", "SQDH, SQSM")
    lines = ask.body.get("FYXM")
    if not isinstance(lines, list) or not 0 < len(lines) <= 8:
        raise Refusal("092400", "FYXM")
    totals = {name: fen(ask.text(name)) for name in ("HJJE", "HJSE")}
    sums = [sum(fen(str(line.get(name, ""))) or 0 for line in lines) for name in ("JE", "SE")]
    if list(totals.values()) != sums or (totals["HJJE"] or 0) > 0:
        raise Refusal("092400", "合计与明细不符")
    wish = {
        "form_no": number,
        "kind": device.kind(ask.text("FPLXDM")).kind,
        "code": ask.text("YFPDM", 12),
        "no": ask.text("YFPHM", 8),
        "applicant": ask.body["SQSM"],
        "net": ask.text("HJJE"),
        "tax": ask.text("HJSE"),
    }
    form = await ask.server.line.call("POST", f"/devices/{device.device_no}/redforms", wish)
    return Done(_shown(form))


async def query_form(ask: Ask) -> Done:
    """GP_HZXXBXXCX: what the bureau says of a form now."""
    number = ask.text("SQDH", 24)
    return Done(_shown(await ask.server.line.call("GET", f"/devices/{ask.on.device_no}/redforms/{number}")))


async def cancel_form(ask: Ask) -> Done:
    """GP_HZXXBCX: take a form back that was not used."""
    path = f"/devices/{ask.on.device_no}/redforms/{ask.text('SQDH', 24)}/cancel"
    return Done(_shown(await ask.server.line.call("POST", path, {})))


def _shown(form: dict[str, Any]) -> dict[str, Any]:
    return {
        "SQDH": form["form_no"],
        "XXBBH": form["red_form_no"],
        "XXBZT": form["status"],
        "XXBMS": form["message"],
    }


CALLS: dict[str, Call] = {
    "GP_FPZF": Call(void, changing=True),
    "GP_HZXXBSQ": Call(apply_form, changing=True),
    "GP_HZXXBXXCX": Call(query_form),
    "GP_HZXXBCX": Call(cancel_form, changing=True),
}
