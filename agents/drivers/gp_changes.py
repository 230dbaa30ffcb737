"""The changing calls of the GP dialect other than issue and receive: body, and evidence from the reply."""

from __future__ import annotations

from typing import Any

from agents.drivers import gp_replies as gp
from agents.drivers.gp_call import Call, Reading, given
from agents.drivers.gp_calls import GpCalls
from controlplane.wire.agents import DeviceAddress, Order
from controlplane.wire.evidence import Applied, Certified, DeviceCommissioned, Evidence, Nothing, Segments, ServerFacts
from controlplane.wire.work import (
    AddTerminal,
    ApplySegment,
    CalibrateDevice,
    CalibrateServer,
    CancelDevice,
    CertifyDevice,
    CertifyServer,
    CommissionDevice,
    CommissionServer,
    DistributeSegment,
    RenewServer,
    RequestFormal,
    SynchroniseFormal,
)


def server_facts(calls: GpCalls, address: DeviceAddress, after_change: bool) -> ServerFacts:
    """TP_FWQXX, with the server's clock compared to ours."""
    asked_at = calls.clock()
    if after_change:
        server = calls.ask_after_change(address, "TP_FWQXX", gp.Server)
    else:
        server = calls.ask(address, "TP_FWQXX", {}, gp.Server)
    took = (calls.clock() - asked_at).total_seconds()
    return ServerFacts(
        tax_server_no=server.SWUKBH,
        quota_total=server.XNSBZS,
        quota_left=server.SYKFXSL,
        kernel_version=server.LJNH,
        clock_offset_seconds=gp.clock_offset(server.FWQSJ, asked_at, took),
        commissioned=server.FXZT == 1,
        certified=server.ZZZT == 1,
        certificate_not_after=gp.maybe_utc(server.JZYXQZ),
        tax_authority_code=server.ZGSWJGDM,
        tax_authority_name=server.ZGSWJGMC,
        certificate_issued_at=gp.maybe_utc(server.JZQSSJ),
        certificate_stage=gp.STAGES.get(server.ZSJD, ""),
        certificate_status=gp.STATUS.get(server.ZSZT, ""),
        formal_requested_at=gp.maybe_utc(server.ZSSQSJ),
        formal_synced_at=gp.maybe_utc(server.ZSTBSJ),
    )


def _server(calls: GpCalls, order: Order, reply: gp.Change) -> Evidence:
    return server_facts(calls, order.address, after_change=True)


def _nothing(calls: GpCalls, order: Order, reply: gp.Change) -> Evidence:
    return Nothing()


def _device(calls: GpCalls, order: Order, reply: gp.Change) -> Evidence:
    return DeviceCommissioned(device_no=given(reply.XNSBH, "XNSBH"), quota_left=reply.SYKFXSL)


def _certified(calls: GpCalls, order: Order, reply: gp.Change) -> Evidence:
    return Certified(
        not_after=gp.utc_text(given(reply.JZYXQZ, "JZYXQZ")), issued_at=gp.maybe_utc(reply.JZQSSJ)
    )


def _applied(calls: GpCalls, order: Order, reply: gp.Change) -> Evidence:
    return Applied(application_no=given(reply.SLXH, "SLXH"))


def segments(calls: GpCalls, order: Order, reply: gp.Change) -> Evidence:
    """All segments, from the reply or, when it is silent on them, read from the device."""
    found = reply.LGXX
    if found is None:
        found = calls.ask_after_change(order.address, "GP_LGXXCX", gp.SegmentsReply).LGXX
    return Segments(segments=[segment.facts() for segment in found])


def _commission(work: CommissionDevice) -> dict[str, Any]:
    return {"NSRSBH": work.taxpayer_id, "NSRMC": work.taxpayer_name, "SF": work.region}


def _terminal(work: AddTerminal) -> dict[str, Any]:
    return {"KPZDDM": work.terminal_code, "KPZDMC": work.terminal_name}


def _apply(work: ApplySegment) -> dict[str, Any]:
    return {"FPLXDM": work.kind, "SLSL": work.count}


def _distribute(work: DistributeSegment) -> dict[str, Any]:
    return {
        "FPLXDM": work.kind,
        "FPDM": work.invoice_code,
        "QSHM": work.start_no,
        "FPFS": work.count,
        "KPZDDM": work.terminal_code,
    }


CALLS: dict[type, Call] = {
    RequestFormal: Call("TP_ZSSQ", _server),
    SynchroniseFormal: Call("TP_ZSTB", _server),
    RenewServer: Call("TP_ZSGX", _server),
    CancelDevice: Call("TP_XNSBZX", _nothing),
    CalibrateServer: Call("TP_SZJZ", _server, good_news=gp.NO_CALIBRATION_NEEDED),
    CommissionServer: Call("TP_FWQFX", _server),
    CertifyServer: Call("TP_FWQZZ", _server),
    CommissionDevice: Call("TP_XNSBFX", _device, _commission),
    CertifyDevice: Call("TP_XNSBZZ", _certified),
    CalibrateDevice: Call("TP_SZJZ", _nothing, good_news=gp.NO_CALIBRATION_NEEDED),
    AddTerminal: Call("TP_ZDXZ", _nothing, _terminal),
    ApplySegment: Call("GP_FPSG", _applied, _apply),
    DistributeSegment: Call("GP_FPFF", segments, _distribute),
}

READS: dict[type, Reading] = {}
"""Work that only reads → how it is read."""
