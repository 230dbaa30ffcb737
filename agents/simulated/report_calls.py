"""The calls that report a period (抄报), ask what became of it, and clear the device (清零)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from agents.simulated import void_memory
from agents.simulated.calendar import day, read_stamp
from agents.simulated.device import Device, KindFacts
from agents.simulated.device_memory import device_row
from agents.simulated.issuing import Record
from agents.simulated.numbers import fen, yuan
from agents.simulated.refusals import TEXTS, Refusal
from agents.simulated.tax_server import Ask, Call, Done

ZOMBIE_DAYS = 90
"""A device that has not reported for longer cannot be cleared from afar."""
_VERDICTS = {"processing": 0, "accepted": 1, "refused": 2}


async def report(ask: Ask) -> Done:
    """GP_HZSJCB: sum the open period up and send it; 0002 when the kind was never used."""
    device = ask.on
    kind, period = _wanted(ask)
    _check_day(device, kind)
    if _waiting(ask, kind):
        raise Refusal("09d12a", f"{_waiting(ask, kind)} 张")
    summary, used = _summary(ask, kind)
    wish = {"kind": kind.kind, "period": period, "summary": summary}
    answer = await _bureau(ask, "POST", f"/devices/{device.device_no}/reports", wish)
    if not used:
        return Done({"CODE": "0002", "MSG": TEXTS["0002"]})
    return Done({"SLXLH": answer["report_no"], "SSQ": period, **summary})


async def verdict(ask: Ask) -> Done:
    """TP_CBJGCX: what the bureau says of the summary, and whether it wants the return filed before it clears."""
    kind, period = _asked(ask)
    answer = await _bureau(ask, "GET", f"/devices/{ask.on.device_no}/reports/{period}/{kind.kind}")
    return Done(
        {
            "CLZT": _VERDICTS[answer["verdict"]],
            "CLMS": answer["message"],
            "XSB": int(answer["needs_return"]),
            "YSB": int(answer["return_filed"]),
        }
    )


async def clear(ask: Ask) -> Done:
    """GP_JKHC: the bureau's monitor data for the next period, written to the device."""
    device = ask.on
    kind, period = _wanted(ask)
    path = f"/devices/{device.device_no}/reports/{period}/{kind.kind}/clear"
    facts = await _bureau(ask, "POST", path, {"deadline": kind.issue_deadline})
    kind.issue_deadline, kind.last_report_date = facts["issue_deadline"], facts["last_report_date"]
    kind.report_from, kind.report_to = facts["report_from"], facts["report_to"]
    kind.upload_deadline_day = facts["upload_deadline_day"]
    return Done({"KPJZSJ": kind.issue_deadline, "ZXBSRQ": kind.last_report_date}, [device_row(device)])


def _asked(ask: Ask) -> tuple[KindFacts, str]:
    return ask.on.kind(ask.text("FPLXDM")), ask.text("SSQ", 6)


def _wanted(ask: Ask) -> tuple[KindFacts, str]:
    """The kind and period named, which must be the one the device has open."""
    if not ask.on.certified():
        raise Refusal("09c001")
    kind, period = _asked(ask)
    if period != kind.report_from[:6]:
        raise Refusal("092400", f"SSQ {period}，设备当前属期 {kind.report_from[:6]}")
    return kind, period


def _check_day(device: Device, kind: KindFacts) -> None:
    """The period is over, or the device is locked; and the last report is not too long ago."""
    today = day(device.now())
    if today <= min(kind.report_to, kind.issue_deadline):
        raise Refusal("09d12c", f"属期至 {kind.report_to}")
    last = read_stamp(f"{kind.last_report_date}000000")
    if device.now() - last > timedelta(days=ZOMBIE_DAYS + 1):
        raise Refusal("09d12b", kind.last_report_date)


def _codes(device: Device, kind: KindFacts) -> set[str]:
    return {segment.code for segment in device.segments if segment.kind == kind.kind}


def _waiting(ask: Ask, kind: KindFacts) -> int:
    return ask.server.around.store.waiting_of(ask.on.device_no, _codes(ask.on, kind))


def _summary(ask: Ask, kind: KindFacts) -> tuple[dict[str, Any], bool]:
    """The period in the dialect's fields, from the device's own journal; False when the kind never had a number."""
    device, store = ask.on, ask.server.around.store
    before = day(read_stamp(f"{kind.report_from}000000") - timedelta(days=1))
    held = [segment for segment in device.segments if segment.kind == kind.kind]
    codes = _codes(device, kind)
    # What went back since was here when the period began, or came with it.
    runs = [(s.end - s.start + 1, s.received_on, "") for s in held] + store.returned(device.device_no, kind.kind)
    there = [run for run in runs if not run[2] or run[2] > before]
    opening = sum(count for count, came, _ in there if came <= before) - _used(ask, codes, before)
    received = sum(count for count, came, _ in there if before < came <= kind.report_to)
    returned = sum(count for count, _, went in there if went and went <= kind.report_to)
    records = store.issued_between(device.device_no, kind.report_from, kind.report_to)
    own = [record for record in records if record.kind == kind.kind]
    gone = void_memory.voided(store.memory, device.device_no)
    blue = [record for record in own if record.direction == "blue" and record.index not in gone]
    red = [record for record in own if record.direction == "red" and record.index not in gone]
    summary = {
        "QCKC": opening,
        "LGFS": received,
        "THFS": returned,
        "QMKC": opening + received - returned - len(own),
        **_sums("Z", blue),
        **_sums("F", red),
        "ZFFS": sum(record.index in gone for record in own),
    }
    return summary, bool(held)


def _used(ask: Ask, codes: set[str], last: str) -> int:
    used = ask.server.around.store.used_until(ask.on.device_no, last)
    return sum(count for code, count in used.items() if code in codes)


def _sums(sign: str, records: Iterable[Record]) -> dict[str, Any]:
    """ZSFS, ZSJE, ZSSE of blue, FSFS, FSJE, FSSE of red invoices; red amounts are negative."""
    found = list(records)
    net, tax = (sum(fen(getattr(one, name)) or 0 for one in found) for name in ("net_total", "tax_total"))
    return {f"{sign}SFS": len(found), f"{sign}SJE": yuan(net), f"{sign}SSE": yuan(tax)}


async def _bureau(ask: Ask, method: str, path: str, body: Any = None) -> dict[str, Any]:
    """A call to the bureau; its refusals keep their code."""
    status, answer = await ask.server.line.exchange(method, path, body)
    if status != 200:
        code = str(answer.get("code", ""))
        raise Refusal(code if code in TEXTS else "300002", str(answer.get("message", status)))
    found: dict[str, Any] = answer
    return found


CALLS: dict[str, Call] = {
    "GP_HZSJCB": Call(report, changing=True),
    "TP_CBJGCX": Call(verdict),
    "GP_JKHC": Call(clear, changing=True),
}
