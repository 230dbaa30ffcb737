"""Virtual devices: registering them on a tax server and the verbs of their life."""

from __future__ import annotations

from typing import Any

from controlplane.domain import virtual_device
from controlplane.domain.issuing_rules import IssuingRules
from controlplane.domain.principal import Principal
from controlplane.domain.refusals import refuse
from controlplane.operations import acts, device_steps, jobs, placement, quota, things_left
from controlplane.operations.acts import Act
from controlplane.store import devices, tax_servers, taxpayers, times
from controlplane.store import jobs as job_store
from controlplane.store.devices import DeviceRow
from controlplane.store.statement import Row
from controlplane.store.transaction import Entry, Event, Transaction

KIND = "new_tax_server"


def register(tx: Transaction, caller: Principal, values: dict[str, Any]) -> str:
    """A new virtual device for a taxpayer on a tax server, without a number until it is commissioned; its id.

    Refused with ``quota_used_up`` when no place is free by our books and the server's own word: the server's row is
    locked, so racers queue.
    """
    taxpayer_id, server_id = values["taxpayer_id"], values["tax_server_id"]
    entry = Entry(caller.id, caller.name, caller.kind, "virtual-devices.register", "virtual-devices")
    entry.taxpayer_id = taxpayer_id
    tx.begin_entry(entry)
    server = tax_servers.find(tx, server_id, lock=True)
    if server is None or not caller.sees_record(server):
        raise refuse("not_found")
    if not caller.sees(taxpayer_id) or taxpayers.find(tx, taxpayer_id) is None:
        raise refuse("not_found")
    if server["state"] != "certified":
        raise refuse("server_stopped", device_no=values["name"], state=server["state"])
    if not quota.places(tx, server).free:
        raise refuse("quota_used_up")
    entry.subject_id = add(tx, values)
    return entry.subject_id


def add(tx: Transaction, values: dict[str, Any]) -> str:
    """The row of a new device, its place on the tax server being taken already; its id."""
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
    tx.raise_event(Event("virtual-devices", row.id, values["taxpayer_id"], "registered", 1))
    return row.id


def act(tx: Transaction, wanted: Act, rules: IssuingRules) -> str | None:
    """Do one verb; returns the id of the job it opened, if any."""
    entry = acts.begin(tx, wanted, "virtual-devices")
    device = acts.check(devices.find(tx, wanted.record_id, lock=True), wanted, virtual_device.MACHINE)
    entry.taxpayer_id = device["taxpayer_id"]
    if wanted.verb == "cancel":
        return _cancel(tx, device, wanted)
    if wanted.verb == "commission_fully":
        job_id = device_steps.next_step(tx, device, wanted.caller)
        _change(tx, device, wanted.verb, {"to_ready": 1})
        return job_id
    if wanted.verb in device_steps.WORK:
        return device_steps.open_step(tx, device, wanted.verb, wanted.arguments, wanted.caller)
    reason = wanted.reason if wanted.verb == "suspend" else ""
    state = virtual_device.MACHINE.after(device["state"], wanted.verb)
    _change(tx, device, wanted.verb, {"state": state, "held_reason": reason})
    if wanted.verb == "resume":
        jobs.wake(tx, device["id"], resumed=True)
    placement.device_changed(tx, device["id"], rules)
    return None


def _cancel(tx: Transaction, device: Row, wanted: Act) -> str | None:
    """End a device for ever, if nothing is left on it. One that no tax server knows yet ends at once.

    A ready one stops issuing with the job, so that nothing new comes to it; should the bureau refuse, it stays
    suspended and can be resumed.
    """
    held = job_store.open_of(tx, device["id"])
    if held is not None:
        raise refuse("open_job", kind=held["kind"], job_id=held["id"])
    left = things_left.of_device(tx, device).refusal(device)
    if left is not None:
        raise left
    if device["device_no"] is None:
        state = virtual_device.MACHINE.after(device["state"], "cancel")
        _change(tx, device, "cancel", {"state": state, "to_ready": 0, "held_reason": wanted.reason})
        return None
    job_id = device_steps.open_step(tx, device, "cancel", {}, wanted.caller)
    if virtual_device.MACHINE.may(device["state"], "suspend"):
        state = virtual_device.MACHINE.after(device["state"], "suspend")
        _change(tx, device, "suspend", {"state": state, "held_reason": wanted.reason})
    return job_id


def _change(tx: Transaction, device: Row, verb: str, values: dict[str, Any]) -> None:
    devices.change(tx, "devices", device["id"], values, tx.now)
    tx.raise_event(Event("virtual-devices", device["id"], device["taxpayer_id"], verb, device["version"] + 1))
