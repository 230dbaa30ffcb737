"""The calls about formal certificates, renewal, and the end of a virtual device."""

from __future__ import annotations

from agents.simulated import calendar
from agents.simulated.device_memory import device_row
from agents.simulated.refusals import Refusal
from agents.simulated.tax_server import Ask, Call, Done

TEMPORARY, REQUESTED, FORMAL = 1, 2, 3
"""ZSJD."""


async def request_formal(ask: Ask) -> Done:
    """TP_ZSSQ: ask the bureau for the formal certificate; there must be a temporary one."""
    server = ask.server
    if server.facts.stage not in (TEMPORARY, REQUESTED):
        raise Refusal("200001", "没有临时证书" if not server.facts.stage else "已有正式证书")
    answer = await server.line.call("POST", f"/servers/{server.tax_server_no}/formal", {})
    server.facts.stage, server.facts.requested_at = REQUESTED, answer["requested_at"]
    return Done({"ZSSQSJ": server.facts.requested_at}, [server.row()])


async def sync_formal(ask: Ask) -> Done:
    """TP_ZSTB: fetch and install the formal certificate once the bureau has signed it."""
    server = ask.server
    if server.facts.stage != REQUESTED:
        raise Refusal("200001", "未申请正式证书")
    answer = await server.line.call("POST", f"/servers/{server.tax_server_no}/formal/fetch", {})
    server.facts.stage, server.facts.synced_at = FORMAL, calendar.stamp(server.now())
    return _new_certificate(ask, answer)


async def renew(ask: Ask) -> Done:
    """TP_ZSGX: a new certificate of the same stage."""
    server = ask.server
    if not server.facts.stage:
        raise Refusal("200001", "税控服务器未制证")
    return _new_certificate(ask, await server.line.call("POST", f"/servers/{server.tax_server_no}/renew", {}))


def _new_certificate(ask: Ask, answer: dict[str, str]) -> Done:
    facts = ask.server.facts
    facts.not_after, facts.issued_at = answer["not_after"], answer["issued_at"]
    return Done({"JZQSSJ": facts.issued_at, "JZYXQZ": facts.not_after}, [ask.server.row()])


async def cancel(ask: Ask) -> Done:
    """TP_XNSBZX: nothing may be left on the device; bureau and device then forget it for ever."""
    server, device = ask.server, ask.on
    left = _left(ask)
    if left:
        raise Refusal("200004", ", ".join(left))
    answer = await server.line.call("POST", f"/devices/{device.device_no}/cancel", {"issued": device.last_index})
    device.facts.cancelled_at = str(answer["cancelled_at"])
    return Done({"ZXSJ": device.facts.cancelled_at, "SYKFXSL": server.places_left()}, [device_row(device)])


def _left(ask: Ask) -> list[str]:
    device, store = ask.on, ask.server.around.store
    today = calendar.day(device.now())
    numbers = sum(segment.left for segment in device.segments)
    unreported = [
        kind.kind
        for kind in device.facts.kinds
        if store.issued_between(device.device_no, kind.report_from, today)
    ]
    told = (
        (numbers, f"未用号码 {numbers} 份"),
        (device.waiting_count, f"未上传发票 {device.waiting_count} 张"),
        (len(unreported), f"未抄报 {' '.join(unreported)}"),
    )
    return [text for count, text in told if count]


CALLS: dict[str, Call] = {
    "TP_ZSSQ": Call(request_formal, changing=True, for_server=True),
    "TP_ZSTB": Call(sync_formal, changing=True, for_server=True),
    "TP_ZSGX": Call(renew, changing=True, for_server=True),
    "TP_XNSBZX": Call(cancel, changing=True),
}
