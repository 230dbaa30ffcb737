"""Tax servers: registering them and the verbs of their life."""

from __future__ import annotations

from typing import Any

from controlplane.domain import certificate, release, tax_server
from controlplane.domain.health import ServerFacts, server_health
from controlplane.domain.issuing_rules import IssuingRules
from controlplane.domain.principal import Principal
from controlplane.domain.refusals import Refusal, refuse
from controlplane.operations import acts, certificates, facts, jobs, placement, quota, releases
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
    "request_formal": work.RequestFormal(),
    "sync_formal": work.SynchroniseFormal(),
    "renew": work.RenewServer(),
}
_SHOWN_DEVICES = 10


def register(tx: Transaction, caller: Principal, values: dict[str, Any]) -> str:
    """A new tax server, registered and not yet read; its id, ``already_exists`` when its number is on record."""
    entry = tx.begin_entry(Entry(caller.id, caller.name, caller.kind, "tax-servers.register", "tax-servers"))
    if not caller.sees_region(values["region"]):
        raise refuse("not_found", "region")
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
    if wanted.verb in release.JOB_KINDS:
        return releases.act_on_server(tx, wanted)
    acts.begin(tx, wanted, "tax-servers")
    row = acts.check(tax_servers.find(tx, wanted.record_id, lock=True), wanted, tax_server.MACHINE)
    held = _gate(tx, row, wanted.verb)
    if held is not None:
        raise held
    if wanted.verb == "change":
        return _change_attributes(tx, row, wanted)
    if wanted.verb in _WORK:
        return _open(tx, row, _WORK[wanted.verb], wanted.caller)
    if wanted.verb == "retire":
        _no_open_job(tx, row["id"])
    state = tax_server.MACHINE.after(row["state"], wanted.verb)
    _change(tx, row, wanted.verb, {"state": state})
    if wanted.verb == "resume":
        jobs.wake(tx, row["id"], resumed=True)
    for device in devices.of_server(tx, row["id"]):
        placement.device_changed(tx, device["id"], rules)
    return None


def _gate(hand: Connection, row: Row, verb: str) -> Refusal | None:
    """What besides the server's state keeps a verb from being done: the certificate's stage, devices left on it."""
    stage = row["certificate_stage"]
    if verb in certificate.MACHINE.moves and not certificate.MACHINE.may(stage, verb):
        return certificate.MACHINE.not_allowed(stage, verb)
    if verb != "retire":
        return None
    left = devices.left_on(hand, row["id"])
    if not left:
        return None
    named = ", ".join(device["device_no"] or device["name"] for device in left[:_SHOWN_DEVICES])
    more = ", …" if len(left) > _SHOWN_DEVICES else ""
    return refuse("devices_left", tax_server_no=row["tax_server_no"], count=len(left), devices=named + more)


def _change_attributes(tx: Transaction, row: Row, wanted: Act) -> str | None:
    """Write what was given; a new address is tried at once, by the job that is open or by one that reads the server."""
    given = {name: value for name, value in wanted.arguments.items() if value is not None}
    if not given:
        raise refuse("field_invalid", problem="nothing to change was given")
    _change(tx, row, wanted.verb, given)
    moved = any(row[name] != given[name] for name in tax_server.ADDRESS & given.keys())
    if not moved:
        return None
    jobs.wake(tx, row["id"])
    if not tax_server.MACHINE.may(row["state"], "synchronise") or job_store.open_of(tx, row["id"]) is not None:
        return None
    return _open(tx, row, _WORK["synchronise"], wanted.caller)


def _open(tx: Transaction, row: Row, wanted: work.Work, caller: Principal) -> str:
    return jobs.open_job(tx, ("tax-servers", row["id"]), ("tax-servers", row["id"], jobs.PLATFORM), wanted, caller)


def _no_open_job(tx: Transaction, server_id: str) -> None:
    held = job_store.open_of(tx, server_id)
    if held is not None:
        raise refuse("open_job", kind=held["kind"], job_id=held["id"])


def _change(tx: Transaction, row: Row, verb: str, values: dict[str, Any]) -> None:
    devices.change(tx, "tax_servers", row["id"], values, tx.now)
    tx.raise_event(Event("tax-servers", row["id"], jobs.PLATFORM, verb, row["version"] + 1))


def view(hand: Connection, row: Row, viewer: Viewer) -> dict[str, Any]:
    """A tax server as the API shows it, with the verbs that are allowed now."""
    binding = job_store.glance(hand, row["id"])
    held = job_store.open_of(hand, row["id"])
    possible = acts.allowed(hand, row, "tax-servers", tax_server.MACHINE, viewer.caller)
    return row | {
        "agent_id": binding["agent_id"] if binding else None,
        "open_job": held,
        "health": health_view(server_health(_facts(hand, row), viewer.now, viewer.rules)),
        "certificate": certificates.view(row, viewer),
        "quota_free": quota.places(hand, row).free,
        "allowed": [_gated(hand, row, one, viewer) for one in possible],
    }


def _gated(hand: Connection, row: Row, allowed: dict[str, Any], viewer: Viewer) -> dict[str, Any]:
    if not allowed["enabled"]:
        return allowed
    verb = allowed["verb"]
    of_releases = verb in release.JOB_KINDS
    held = releases.server_gate(hand, row, verb, viewer) if of_releases else _gate(hand, row, verb)
    return allowed if held is None else {**allowed, "enabled": False, "why": held.message}


def _facts(hand: Connection, row: Row) -> ServerFacts:
    not_after, issued_at = row["certificate_not_after"], row["certificate_issued_at"]
    return ServerFacts(
        state=row["state"],
        read_at=times.from_text(row["read_at"]) if row["read_at"] else None,
        clock_offset_seconds=row["clock_offset_seconds"],
        certificate_not_after=times.from_text(not_after) if not_after else None,
        certificate_issued_at=times.from_text(issued_at) if issued_at else None,
        certificate_status=row["certificate_status"],
        stop=facts.holding_server(hand, row["id"], row["region"]),
    )
