"""Applications, reclaim and return in the GP dialect."""

from __future__ import annotations

from typing import Any

from agents.drivers import gp_replies as gp
from agents.drivers.gp_call import Call, Reading
from agents.drivers.gp_calls import GpCalls
from agents.drivers.gp_changes import segments
from controlplane.wire.agents import DeviceAddress, Order
from controlplane.wire.evidence import Applications, Evidence, Nothing
from controlplane.wire.work import CancelApplication, QueryApplications, ReclaimSegment, ReturnSegment


def _nothing(calls: GpCalls, order: Order, reply: gp.Change) -> Evidence:
    return Nothing()


def _cancel(work: CancelApplication) -> dict[str, Any]:
    return {"SLXH": work.application_no}


def _run(work: ReclaimSegment | ReturnSegment) -> dict[str, Any]:
    body = {"FPLXDM": work.kind, "FPDM": work.invoice_code, "QSHM": work.start_no, "FPFS": work.count}
    return body | {"KPZDDM": work.terminal_code} if isinstance(work, ReclaimSegment) else body


def _applications(calls: GpCalls, address: DeviceAddress, work: QueryApplications) -> Evidence:
    body = {"FPLXDM": work.kind}
    found = calls.ask(address, "GP_SLXXCX", body, gp.ApplicationsReply).SLXX
    granted = calls.ask(address, "GP_FPDXCX", body, gp.GrantsReply).LPXX
    return Applications(
        applications=[application.facts() for application in found], grants=[grant.facts() for grant in granted]
    )


CALLS: dict[type, Call] = {
    CancelApplication: Call("GP_CXSL", _nothing, _cancel),
    ReclaimSegment: Call("GP_FPHS", segments, _run),
    ReturnSegment: Call("GP_FPTH", segments, _run),
}
"""Work that changes something → its call."""

READS: dict[type, Reading] = {QueryApplications: _applications}
"""Work that only reads → how it is read."""
