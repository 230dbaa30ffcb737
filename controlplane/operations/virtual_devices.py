"""Virtual devices: registering them on a tax server and the verbs of their life."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from controlplane.domain import virtual_device
from controlplane.domain.issuing_rules import IssuingRules
from controlplane.domain.principal import Principal
from controlplane.domain.refusals import refuse
from controlplane.operations import acts, jobs, placement
from controlplane.operations.acts import Act
from controlplane.store import devices, tax_servers, taxpayers, times
from controlplane.store.devices import DeviceRow
from controlplane.store.statement import Row
from controlplane.store.transaction import Entry, Event, Transaction
from controlplane.wire import work

KIND = "new_tax_server"


def register(tx: Transaction, caller: Principal, values: dict[str, Any]) -> str:
    """A new virtual device for a taxpayer on a tax server, without a number until it is commissioned; its id.

    Refused with ``quota_used_up`` when the server's quota is taken by devices registered here: the server's row is
    locked, so racers queue.
    """
    taxpayer_id, server_id = values["taxpayer_id"], values["tax_server_id"]
    entry = Entry(caller.id, caller.name, caller.kind, "virtual-devices.register", "virtual-devices")
    entry.taxpayer_id = taxpayer_id
    tx.begin_entry(entry)
    server = tax_servers.find(tx, server_id, lock=True)
    if server is None or not caller.sees(taxpayer_id) or taxpayers.find(tx, taxpayer_id) is None:
        raise refuse("not_found")
    if server["state"] != "certified":
        raise refuse("server_stopped", device_no=values["name"], state=server["state"])
    if devices.count_of_server(tx, server_id) >= server["quota_total"]:
        raise refuse("quota_used_up")
    row = DeviceRow(
        id=times.new_id(),
        device_kind=KIND,
        custody="tax_server",
        medium="none",
        state="registered",
        created_at=tx.now,
        updated_at=tx.now,
        **values,
    )
    tx.add(row)
    entry.subject_id = row.id
    tx.raise_event(Event("virtual-devices", row.id, taxpayer_id, "registered", 1))
    return row.id


def _commission(tx: Transaction, device: Row, _arguments: dict[str, Any]) -> work.Work:
    taxpayer = taxpayers.find(tx, device["taxpayer_id"])
    assert taxpayer is not None
    return work.CommissionDevice(
        taxpayer_id=taxpayer["taxpayer_id"], taxpayer_name=taxpayer["name"], region=taxpayer["region"]
    )


_WORK: dict[str, Callable[[Transaction, Row, dict[str, Any]], work.Work]] = {
    "commission": _commission,
    "fetch_company": lambda tx, device, arguments: work.FetchCompany(),
    "certify": lambda tx, device, arguments: work.CertifyDevice(),
    "fetch_kinds": lambda tx, device, arguments: work.FetchKinds(),
    "fetch_rates": lambda tx, device, arguments: work.FetchRates(),
    "calibrate": lambda tx, device, arguments: work.CalibrateDevice(),
    "read": lambda tx, device, arguments: work.ReadDevice(),
    "add_terminal": lambda tx, device, arguments: work.AddTerminal(**arguments),
    "apply": lambda tx, device, arguments: work.ApplySegment(**arguments),
    "receive": lambda tx, device, arguments: work.ReceiveSegments(**arguments),
    "distribute": lambda tx, device, arguments: work.DistributeSegment(**arguments),
}


def act(tx: Transaction, wanted: Act, rules: IssuingRules) -> str | None:
    """Do one verb; returns the id of the job it opened, if any."""
    entry = acts.begin(tx, wanted, "virtual-devices")
    device = acts.check(devices.find(tx, wanted.record_id, lock=True), wanted, virtual_device.MACHINE)
    entry.taxpayer_id = device["taxpayer_id"]
    make = _WORK.get(wanted.verb)
    if make is not None:
        # Until it has a number of its own, a device is reached through its tax server.
        target = ("tax-servers", device["tax_server_id"]) if wanted.verb == "commission" else ("devices", device["id"])
        subject = ("virtual-devices", device["id"], device["taxpayer_id"])
        return jobs.open_job(tx, target, subject, make(tx, device, wanted.arguments), wanted.caller)
    state = virtual_device.MACHINE.after(device["state"], wanted.verb)
    reason = wanted.reason if wanted.verb == "suspend" else ""
    devices.change(tx, "devices", device["id"], {"state": state, "held_reason": reason}, tx.now)
    tx.raise_event(Event("virtual-devices", device["id"], device["taxpayer_id"], wanted.verb, device["version"] + 1))
    if wanted.verb == "resume":
        jobs.wake(tx, device["id"], resumed=True)
    placement.device_changed(tx, device["id"], rules)
    return None
