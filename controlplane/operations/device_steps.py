"""The five steps that bring a virtual device into service: the job of a step, and one step after the other."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from controlplane.domain import virtual_device
from controlplane.domain.principal import Principal
from controlplane.operations import applications, jobs, numbers, quota
from controlplane.store import taxpayers
from controlplane.store.statement import Row
from controlplane.store.transaction import Transaction
from controlplane.wire import work


def _commission(tx: Transaction, device: Row, _arguments: dict[str, Any]) -> work.Work:
    quota.check_commissioning(tx, device)
    taxpayer = taxpayers.find(tx, device["taxpayer_id"])
    assert taxpayer is not None
    return work.CommissionDevice(
        taxpayer_id=taxpayer["taxpayer_id"], taxpayer_name=taxpayer["name"], region=taxpayer["region"]
    )


def _apply(tx: Transaction, device: Row, arguments: dict[str, Any]) -> work.Work:
    applications.refuse_second(tx, device, arguments["kind"])
    return work.ApplySegment(**arguments)


WORK: dict[str, Callable[[Transaction, Row, dict[str, Any]], work.Work]] = {
    "commission": _commission,
    "fetch_company": lambda tx, device, arguments: work.FetchCompany(),
    "certify": lambda tx, device, arguments: work.CertifyDevice(),
    "fetch_kinds": lambda tx, device, arguments: work.FetchKinds(),
    "fetch_rates": lambda tx, device, arguments: work.FetchRates(),
    "calibrate": lambda tx, device, arguments: work.CalibrateDevice(),
    "read": lambda tx, device, arguments: work.ReadDevice(),
    "add_terminal": lambda tx, device, arguments: work.AddTerminal(**arguments),
    "apply": _apply,
    "receive": lambda tx, device, arguments: work.ReceiveSegments(**arguments),
    "distribute": lambda tx, device, arguments: work.DistributeSegment(**arguments),
    "reclaim": numbers.reclaim,
    "return": numbers.give_back,
    "cancel": lambda tx, device, arguments: work.CancelDevice(),
}
"""Verb → the work an agent is given for it."""


def open_step(tx: Transaction, device: Row, verb: str, arguments: dict[str, Any], caller: Principal) -> str:
    """Open the job of a verb on a device; its id. Refuses ``open_job``, and ``quota_used_up`` for the first step."""
    # Until it has a number of its own, a device is reached through its tax server.
    target = ("tax-servers", device["tax_server_id"]) if verb == "commission" else ("devices", device["id"])
    subject = ("virtual-devices", device["id"], device["taxpayer_id"])
    return jobs.open_job(tx, target, subject, WORK[verb](tx, device, arguments), caller)


def next_step(tx: Transaction, device: Row, caller: Principal) -> str | None:
    """Open the job of the step that follows the device's state; None when it has come to the end of them."""
    verb = virtual_device.NEXT_STEP.get(device["state"])
    return None if verb is None else open_step(tx, device, verb, {}, caller)
