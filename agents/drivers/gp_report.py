"""Reporting and clearing in the GP dialect."""

from __future__ import annotations

from typing import Any, Final, Literal

from agents.drivers import gp_replies as gp
from agents.drivers.gp_call import Call, Reading, given
from agents.drivers.gp_calls import GpCalls
from agents.drivers.gp_transport import Unanswered
from agents.plain_text import plain
from controlplane.wire.agents import DeviceAddress, Order
from controlplane.wire.evidence import Cleared, Evidence, ReportVerdict, Summary
from controlplane.wire.work import ClearKind, ReportKind, VerifyReport

NOTHING_TO_REPORT: Final = "0002"
"""无报税资料: the kind was never used. Good news: there is nothing left to send."""

_STATUS: Final[dict[int, Literal["accepted", "processing", "refused"]]] = {
    0: "processing",
    1: "accepted",
    2: "refused",
}


def _named(work: Any) -> dict[str, Any]:
    return {"FPLXDM": work.kind, "SSQ": work.period.replace("-", "")}


def _summary(calls: GpCalls, order: Order, reply: gp.Change) -> Evidence:
    work = order.work
    assert isinstance(work, ReportKind)
    sums = reply.summary()
    if sums is None:
        return Summary(kind=work.kind, period=work.period, report_no="", **gp.NOTHING)
    return Summary(kind=work.kind, period=work.period, report_no=given(reply.SLXLH, "SLXLH"), **sums)


def _cleared(calls: GpCalls, order: Order, reply: gp.Change) -> Evidence:
    """The device is asked for its monitor data: its own new deadline is the proof."""
    work = order.work
    assert isinstance(work, ClearKind)
    monitor = calls.ask_after_change(order.address, "GP_JKXX", gp.Monitor)
    told = {kind.FPLXDM: kind.facts() for kind in monitor.JKSJ}
    if work.kind not in told:
        raise Unanswered("damaged", f"monitor data without kind {work.kind}")
    return Cleared(kind=work.kind, period=work.period, facts=told[work.kind])


def _verdict(calls: GpCalls, address: DeviceAddress, work: VerifyReport) -> Evidence:
    reply = calls.ask(address, "TP_CBJGCX", _named(work), gp.VerdictReply)
    status = _STATUS.get(reply.CLZT)
    if status is None:
        raise Unanswered("damaged", f"no such CLZT: {reply.CLZT}")
    return ReportVerdict(
        kind=work.kind,
        period=work.period,
        status=status,
        code=str(reply.CLZT),
        message=plain(reply.CLMS, 200),
        clear_needs_return=reply.XSB == 1,
        return_filed=reply.YSB == 1,
    )


CALLS: dict[type, Call] = {
    ReportKind: Call("GP_HZSJCB", _summary, _named, good_news=NOTHING_TO_REPORT),
    ClearKind: Call("GP_JKHC", _cleared, _named),
}
"""Work that changes something → its call."""

READS: dict[type, Reading] = {VerifyReport: _verdict}
"""Work that only reads → how it is read."""
