"""Tax servers: registering them and the verbs of their life."""

from __future__ import annotations

from typing import Any

from controlplane.domain import tax_server
from controlplane.domain.health import ServerFacts, server_health
from controlplane.domain.issuing_rules import IssuingRules
from controlplane.domain.principal import Principal
from controlplane.domain.refusals import refuse
from controlplane.operations import acts, jobs, placement
from controlplane.operations.acts import Act, Viewer
from controlplane.operations.board import health_view
from controlplane.store import devices, tax_servers, times
from controlplane.store import jobs as job_store
from controlplane.store.statement import Connection, Row
from controlplane.store.tax_servers import TaxServerRow
from controlplane.store.transaction import Entry, Event, Transaction
from controlplane.wire import work

_WORK: dict[str, work.Work] = {
    "synchronise": work.SynchroniseServer(),
    "calibrate": work.CalibrateServer(),
    "commission": work.CommissionServer(),
    "certify": work.CertifyServer(),
}


def register(tx: Transaction, caller: Principal, values: dict[str, Any]) -> str:
    """A new tax server, registered and not yet read; its id, ``already_exists`` when its number is on record."""
    entry = tx.begin_entry(Entry(caller.id, caller.name, caller.kind, "tax-servers.register", "tax-servers"))
    if tax_servers.by_number(tx, values["tax_server_no"]) is not None:
        raise refuse("already_exists", "tax_server_no", name=values["tax_server_no"])
    row = TaxServerRow(id=times.new_id(), state="registered", created_at=tx.now, updated_at=tx.now, **values)
    tx.add(row)
    tx.add(job_store.BindingRow(target_id=row.id, target_noun="tax-servers", updated_at=tx.now))
    entry.subject_id = row.id
    tx.raise_event(Event("tax-servers", row.id, jobs.PLATFORM, "registered", 1))
    return row.id


def act(tx: Transaction, wanted: Act, rules: IssuingRules) -> str | None:
    """Do one verb; returns the id of the job it opened, if any."""
    acts.begin(tx, wanted, "tax-servers")
    row = acts.check(tax_servers.find(tx, wanted.record_id, lock=True), wanted, tax_server.MACHINE)
    work = _WORK.get(wanted.verb)
    if work is not None:
        subject = ("tax-servers", row["id"], jobs.PLATFORM)
        return jobs.open_job(tx, ("tax-servers", row["id"]), subject, work, wanted.caller)
    state = tax_server.MACHINE.after(row["state"], wanted.verb)
    devices.change(tx, "tax_servers", row["id"], {"state": state}, tx.now)
    tx.raise_event(Event("tax-servers", row["id"], jobs.PLATFORM, wanted.verb, row["version"] + 1))
    if wanted.verb == "resume":
        jobs.wake(tx, row["id"], resumed=True)
    for device in devices.of_server(tx, row["id"]):
        placement.device_changed(tx, device["id"], rules)
    return None


def view(hand: Connection, row: Row, viewer: Viewer) -> dict[str, Any]:
    """A tax server as the API shows it, with the verbs that are allowed now."""
    binding = job_store.glance(hand, row["id"])
    held = job_store.open_of(hand, row["id"])
    return row | {
        "agent_id": binding["agent_id"] if binding else None,
        "open_job": held,
        "health": health_view(server_health(_facts(row), viewer.now, viewer.rules)),
        "allowed": acts.allowed(hand, row, "tax-servers", tax_server.MACHINE, viewer.caller),
    }


def _facts(row: Row) -> ServerFacts:
    not_after = row["certificate_not_after"]
    return ServerFacts(
        state=row["state"],
        read_at=times.from_text(row["read_at"]) if row["read_at"] else None,
        clock_offset_seconds=row["clock_offset_seconds"],
        certificate_not_after=times.from_text(not_after) if not_after else None,
    )
