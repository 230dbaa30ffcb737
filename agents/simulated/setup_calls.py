"""The calls that bring a tax server and its virtual devices into service: TP_*."""

from __future__ import annotations

from datetime import datetime

import msgspec

from agents.simulated import calendar, certificate_calls
from agents.simulated.device import CLOCK_LIMIT, Company, DeviceFacts, KindFacts, Pacing
from agents.simulated.device_memory import device_row
from agents.simulated.numbers import yuan
from agents.simulated.refusals import TEXTS, Refusal
from agents.simulated.tax_server import Ask, Call, Done, TaxServer

_BUREAU_TIME_WITHIN = 1.5


async def server_information(ask: Ask) -> Done:
    """TP_FWQXX: number, quota, clock, what is done already, and the bureau's time if it can be had."""
    server = ask.server
    return Done(
        {
            "SWUKBH": server.tax_server_no,
            "XNSBZS": server.quota,
            "SYKFXSL": server.places_left(),
            "FWQSJ": calendar.stamp(server.now()),
            "LJNH": server.kernel_version,
            "FXZT": 1 if server.facts.commissioned_at else 0,
            "ZZZT": 1 if server.facts.not_after else 0,
            "JZYXQZ": server.facts.not_after,
            "ZGSWJGDM": server.facts.authority_code,
            "ZGSWJGMC": server.facts.authority_name,
            "ZSJD": str(server.facts.stage),
            "ZSZT": _status(server),
            "JZQSSJ": server.facts.issued_at,
            "ZSSQSJ": server.facts.requested_at,
            "ZSTBSJ": server.facts.synced_at,
            "JDSJ": await server.line.time(_BUREAU_TIME_WITHIN),
        }
    )


def _status(server: TaxServer) -> str:
    """证书状态: 00 in force, 03 expired by the server's own clock, empty without a certificate."""
    if not server.facts.not_after:
        return ""
    return "00" if server.facts.not_after >= calendar.day(server.now()) else "03"


async def calibrate(ask: Ask) -> Done:
    """TP_SZJZ: set the server's clock, or the named device's, to the bureau's if it is off by 30 minutes or more."""
    server, device = ask.server, ask.device
    bureau = calendar.read_stamp(str((await server.line.call("GET", "/clock"))["now"]))
    own: datetime = device.now() if device else server.now()
    off = round((bureau - own.replace(microsecond=0)).total_seconds())
    if abs(off) < CLOCK_LIMIT:
        return Done({"CODE": "99800011", "MSG": TEXTS["99800011"], "FWQSJ": calendar.stamp(own), "SJC": 0})
    server.around.faults.drop(ask.owner, "clock_drift")
    if device:
        device.facts.clock_offset += off
    else:
        server.facts.clock_offset += off
    now = device.now() if device else server.now()
    row = device_row(device) if device else server.row()
    return Done({"FWQSJ": calendar.stamp(now), "SJC": off}, [row])


async def commission_server(ask: Ask) -> Done:
    """TP_FWQFX: register the server at the bureau."""
    server = ask.server
    path = f"/servers/{server.tax_server_no}/commission"
    server.facts.commissioned_at = str(
        (await server.line.call("POST", path, {"area": server.facts.area}))["commissioned_at"]
    )
    return Done({"FXSJ": server.facts.commissioned_at}, [server.row()])


async def certify_server(ask: Ask) -> Done:
    """TP_FWQZZ: fetch the server's certificate; commissioning comes first."""
    server = ask.server
    if not server.facts.commissioned_at:
        raise Refusal("200001", "税控服务器未发行")
    answer = await server.line.call("POST", f"/servers/{server.tax_server_no}/certify", {})
    server.facts.not_after, server.facts.issued_at = answer["not_after"], answer["issued_at"]
    server.facts.stage = server.facts.stage or 1
    server.facts.authority_code, server.facts.authority_name = answer["authority_code"], answer["authority_name"]
    return Done(
        {
            "JZYXQZ": server.facts.not_after,
            "ZGSWJGDM": server.facts.authority_code,
            "ZGSWJGMC": server.facts.authority_name,
        },
        [server.row()],
    )


async def commission_device(ask: Ask) -> Done:
    """TP_XNSBFX: a new virtual device for one taxpayer; the server must be certified and have quota left."""
    server = ask.server
    if not server.facts.not_after:
        raise Refusal("200001", "税控服务器未制证")
    if not server.places_left():
        raise Refusal("200002")
    facts = DeviceFacts(ask.text("NSRSBH", 20), ask.text("NSRMC"), ask.text("SF", 4))
    wish = {
        "tax_server_no": server.tax_server_no,
        "request": ask.text("LSH"),
        "taxpayer_id": facts.taxpayer_id,
        "taxpayer_name": facts.taxpayer_name,
        "area": facts.area,
    }
    device_no = str((await server.line.call("POST", "/devices", wish))["device_no"])
    device = server.add_device(device_no, facts)
    return Done({"XNSBH": device_no, "SYKFXSL": server.places_left()}, [device_row(device)])


async def company(ask: Ask) -> Done:
    """TP_QYXX: 企业信息 from the bureau, kept on the device; its own copy while the bureau is out of reach."""
    server, device = ask.server, ask.on
    try:
        answer = await server.line.call("GET", f"/devices/{device.device_no}/company")
    except Refusal:
        if device.facts.company is None:
            raise
    else:
        device.facts.company = msgspec.convert(answer, Company)
        await server.around.store.memory.write([device_row(device)])
    known = device.facts.company
    assert known is not None
    return Done(
        {
            "NSRSBH": known.taxpayer_id,
            "NSRMC": known.taxpayer_name,
            "QYLX": known.taxpayer_kind,
            "SWJGDM": known.authority_code,
            "SWJGMC": known.authority_name,
            "KPBZ": "00" if known.may_issue else "01",
            "BZ": known.flags,
        }
    )


async def certify_device(ask: Ask) -> Done:
    """TP_XNSBZZ: certificate, kinds with their limits, rates and pace; company information comes first."""
    server, device = ask.server, ask.on
    if device.facts.company is None:
        raise Refusal("200001", "未获取企业信息")
    answer = await server.line.call("POST", f"/devices/{device.device_no}/certify", {})
    facts = device.facts
    facts.certificate_not_after, facts.key = answer["not_after"], answer["key"]
    facts.certificate_issued_at = answer["issued_at"]
    known = {kind.kind: kind for kind in facts.kinds}
    facts.kinds = [_renewed(known.get(kind.kind), kind) for kind in msgspec.convert(answer["kinds"], list[KindFacts])]
    facts.rates = msgspec.convert(answer["rates"], list[str])
    facts.pacing = msgspec.convert(answer["pacing"], Pacing)
    dates = {"JZQSSJ": facts.certificate_issued_at, "JZYXQZ": facts.certificate_not_after}
    return Done(dates, [device_row(device)])


def _renewed(before: KindFacts | None, granted: KindFacts) -> KindFacts:
    """A new certificate brings new limits, but does not report: the open period and its deadline stay."""
    if before is not None:
        granted.issue_deadline, granted.last_report_date = before.issue_deadline, before.last_report_date
        granted.report_from, granted.report_to = before.report_from, before.report_to
    return granted


async def monitor(ask: Ask) -> Done:
    """GP_JKXX: the device's clock, limits per kind (none before it is certified), and its standing with the bureau."""
    device, line = ask.on, ask.server.line
    offline = bool(device.facts.offline_since)
    return Done(
        {
            "SBSJ": calendar.stamp(device.now()),
            "JKSJ": [
                {
                    "FPLXDM": kind.kind,
                    "KPJZSJ": kind.issue_deadline,
                    "BSQSRQ": kind.report_from,
                    "BSZZRQ": kind.report_to,
                    "ZXBSRQ": kind.last_report_date,
                    "DZKPXE": kind.single_limit,
                    "SCJZRQ": kind.upload_deadline_day,
                    "LXKPSC": kind.offline_max_hours,
                    "LXKPZS": kind.offline_max_count,
                    "LXZSLJJE": kind.offline_max_amount,
                    "FSFPBZ": kind.red_needs_original,
                    "FSFPTS": kind.red_max_days,
                }
                for kind in device.facts.kinds
            ],
            "LXQSSJ": device.facts.offline_since,
            "LXZS": device.waiting_count if offline else 0,
            "LXJE": yuan(device.waiting_fen if offline else 0),
            "JDZT": 1 if device.trouble or not line.up else 0,
            "JDMS": line.message or device.trouble,
            "ZDXH": device.last_index,
        }
    )


async def rates(ask: Ask) -> Done:
    """TP_SQSL: authorised rates; the device must be certified."""
    if not ask.on.facts.certificate_not_after:
        raise Refusal("200001", "虚拟设备未制证")
    return Done({"SL": ask.on.facts.rates})


async def add_terminal(ask: Ask) -> Done:
    """TP_ZDXZ: a terminal, or a new name for one that is there."""
    device = ask.on
    code = ask.text("KPZDDM", 20)
    device.facts.terminals = {**device.facts.terminals, code: ask.text("KPZDMC")}
    return Done({"KPZDDM": code}, [device_row(device)])


CALLS: dict[str, Call] = {
    **certificate_calls.CALLS,
    "TP_FWQXX": Call(server_information, for_server=True),
    "TP_SZJZ": Call(calibrate, changing=True, for_server=True),
    "TP_FWQFX": Call(commission_server, changing=True, for_server=True),
    "TP_FWQZZ": Call(certify_server, changing=True, for_server=True),
    "TP_XNSBFX": Call(commission_device, changing=True, for_server=True),
    "TP_QYXX": Call(company),
    "TP_XNSBZZ": Call(certify_device, changing=True),
    "GP_JKXX": Call(monitor),
    "TP_SQSL": Call(rates),
    "TP_ZDXZ": Call(add_terminal, changing=True),
}
