"""What a done job changes on tax servers and virtual devices."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import msgspec

from controlplane.domain import certificate, tax_server, virtual_device
from controlplane.domain.lifecycle import Machine
from controlplane.domain.refusals import Refusal
from controlplane.operations import device_steps, jobs
from controlplane.operations.principals import SYSTEM
from controlplane.store import devices, tax_servers, times
from controlplane.store import jobs as job_store
from controlplane.store.statement import Row
from controlplane.store.terminals import TerminalRow
from controlplane.store.transaction import Event, Transaction
from controlplane.wire import agents as wire
from controlplane.wire import evidence, work

T = TypeVar("T")
STEPS = tuple(virtual_device.NEXT_STEP.values())
Settle = Callable[[Transaction, Row, wire.Outcome], None]


def contradiction(tx: Transaction, job: Row, outcome: wire.Outcome) -> str:
    """Why this evidence cannot be of this job; empty when it can."""
    found = outcome.evidence
    other: Row | None = None
    if isinstance(found, evidence.DeviceCommissioned):
        other = devices.by_number(tx, found.device_no)
    elif isinstance(found, evidence.ServerFacts):
        other = tax_servers.by_number(tx, found.tax_server_no)
    return "its number is on record for another" if other is not None and other["id"] != job["subject_id"] else ""


def _evidence(outcome: wire.Outcome, expected: type[T]) -> T:
    assert isinstance(outcome.evidence, expected)
    return outcome.evidence


def _after(machine: Machine, record: Row, verb: str) -> str:
    """The state a done verb leads to; a record that was moved on while the work was under way stays where it is."""
    state: str = record["state"]
    return machine.after(state, verb) if machine.may(state, verb) else state


# --- tax servers


def _server(tx: Transaction, job: Row, outcome: wire.Outcome) -> None:
    facts = _evidence(outcome, evidence.ServerFacts)
    server = tax_servers.find(tx, job["subject_id"], lock=True)
    assert server is not None
    verb = job["kind"].removeprefix("server.")
    values = {
        "state": _after(tax_server.MACHINE, server, verb),
        "tax_server_no": facts.tax_server_no,
        "quota_total": facts.quota_total,
        "quota_left": facts.quota_left,
        "kernel_version": facts.kernel_version,
        "clock_offset_seconds": facts.clock_offset_seconds,
        "certificate_not_after": facts.certificate_not_after,
        "tax_authority_code": facts.tax_authority_code,
        "tax_authority_name": facts.tax_authority_name,
        "read_at": outcome.at,
        **_certificate(server, verb, facts, outcome.at),
    }
    devices.change(tx, "tax_servers", server["id"], values, tx.now)
    tx.raise_event(Event("tax-servers", server["id"], jobs.PLATFORM, verb, server["version"] + 1))


def _certificate(server: Row, verb: str, facts: evidence.ServerFacts, at: str) -> dict[str, Any]:
    """Columns of the certificate: what the server tells of it counts; what it does not tell, follows from the verb."""
    stage = facts.certificate_stage or _after(certificate.MACHINE, {"state": server["certificate_stage"]}, verb)
    issued_at = facts.certificate_issued_at or (at if verb in _ISSUES else server["certificate_issued_at"])
    values: dict[str, Any] = {
        "certificate_stage": stage,
        "certificate_status": facts.certificate_status,
        "certificate_issued_at": issued_at,
        "formal_requested_at": facts.formal_requested_at or server["formal_requested_at"],
        "formal_synced_at": facts.formal_synced_at or server["formal_synced_at"],
    }
    reached = certificate.DATES.get(stage)
    if reached is not None and not values.get(reached, server[reached]):
        values[reached] = at
    return values


_ISSUES = frozenset({"certify", "sync_formal", "renew"})
"""Verbs that bring a new certificate."""


# --- virtual devices


def device_settled(tx: Transaction, job: Row, values: dict[str, Any]) -> None:
    """Write what a done job told of its virtual device, and the state its verb leads to."""
    device = devices.find(tx, job["subject_id"], lock=True)
    assert device is not None
    verb = next(verb for verb, kind in virtual_device.JOB_KINDS.items() if kind == job["kind"])
    values["state"] = _after(virtual_device.MACHINE, device, verb)
    follows = bool(device["to_ready"]) and values["state"] in virtual_device.NEXT_STEP
    if device["to_ready"] and not follows:
        values["to_ready"] = 0
    devices.change(tx, "devices", device["id"], values, tx.now)
    tx.raise_event(Event("virtual-devices", device["id"], device["taxpayer_id"], verb, device["version"] + 1))
    if follows:
        _next_step(tx, device | values)


def _next_step(tx: Transaction, device: Row) -> None:
    """The step after the one that settled; a step that cannot be opened ends the row of them, the reason on record."""
    try:
        device_steps.next_step(tx, device, SYSTEM)
    except Refusal:
        _stop_steps(tx, device["id"])


def _stop_steps(tx: Transaction, device_id: str) -> None:
    device = devices.find(tx, device_id, lock=True)
    if device is not None and device["to_ready"]:
        devices.change(tx, "devices", device_id, {"to_ready": 0}, tx.now)
        tx.raise_event(Event("virtual-devices", device_id, device["taxpayer_id"], "stopped", device["version"] + 1))


def _step_refused(tx: Transaction, job: Row, outcome: wire.Outcome) -> None:
    """A step the device or bureau refused: the device stays where it was, and the steps stop there."""
    _stop_steps(tx, job["subject_id"])
    if outcome.code != _NO_PLACE:
        return
    server = tax_servers.find(tx, job["target_id"], lock=True)
    if server is not None and server["quota_left"]:
        tax_servers.read(tx, server["id"], {"quota_left": 0})
        tx.raise_event(Event("tax-servers", server["id"], jobs.PLATFORM, "quota_used_up", server["version"]))


_NO_PLACE = "200002"
"""The server's own word that its quota is used up, whatever was read before."""


def _commissioned(tx: Transaction, job: Row, outcome: wire.Outcome) -> None:
    facts = _evidence(outcome, evidence.DeviceCommissioned)
    device = devices.find(tx, job["subject_id"])
    assert device is not None and device["tax_server_id"] is not None
    server = job_store.binding(tx, device["tax_server_id"])
    tx.add(
        job_store.BindingRow(
            target_id=device["id"],
            target_noun="devices",
            agent_id=server["agent_id"] if server else None,
            updated_at=tx.now,
        )
    )
    device_settled(tx, job, {"device_no": facts.device_no})
    _took_place(tx, device["tax_server_id"], facts.quota_left)
    if server and server["agent_id"]:
        tx.raise_event(Event("agents", server["agent_id"], jobs.PLATFORM, "serves", topic=server["target_id"]))


def _took_place(tx: Transaction, server_id: str, told: int | None) -> None:
    server = tax_servers.find(tx, server_id, lock=True)
    assert server is not None
    left = max(0, server["quota_left"] - 1) if told is None else told
    if left != server["quota_left"]:
        tax_servers.read(tx, server_id, {"quota_left": left})
        tx.raise_event(Event("tax-servers", server_id, jobs.PLATFORM, "quota", server["version"]))


def _company(tx: Transaction, job: Row, outcome: wire.Outcome) -> None:
    facts = _evidence(outcome, evidence.Company)
    device_settled(tx, job, {"company": msgspec.json.encode(facts).decode()})


def _certified(tx: Transaction, job: Row, outcome: wire.Outcome) -> None:
    facts = _evidence(outcome, evidence.Certified)
    issued_at = facts.issued_at or outcome.at
    device_settled(tx, job, {"certificate_not_after": facts.not_after, "certificate_issued_at": issued_at})


def _kinds(tx: Transaction, job: Row, outcome: wire.Outcome) -> None:
    facts = _evidence(outcome, evidence.Kinds)
    device_settled(tx, job, {"kinds": msgspec.json.encode(facts.kinds).decode()})


def _rates(tx: Transaction, job: Row, outcome: wire.Outcome) -> None:
    facts = _evidence(outcome, evidence.Rates)
    device_settled(tx, job, {"rates": msgspec.json.encode(facts.rates).decode()})


def _terminal(tx: Transaction, job: Row, _outcome: wire.Outcome) -> None:
    asked = msgspec.json.decode(job["work"], type=work.AddTerminal)
    terminal = TerminalRow(
        taxpayer_id=job["taxpayer_id"],
        id=times.new_id(),
        device_id=job["subject_id"],
        terminal_code=asked.terminal_code,
        terminal_name=asked.terminal_name,
        created_at=tx.now,
        updated_at=tx.now,
    )
    tx.add(terminal)
    device_settled(tx, job, {})
    tx.raise_event(Event("terminals", terminal.id, job["taxpayer_id"], "added", 1))


def _settled(tx: Transaction, job: Row, _outcome: wire.Outcome) -> None:
    device_settled(tx, job, {})


def _cancelled(tx: Transaction, job: Row, _outcome: wire.Outcome) -> None:
    """The device is no more: its agent forgets it, too."""
    device_settled(tx, job, {"to_ready": 0})
    binding = job_store.glance(tx, job["subject_id"])
    if binding is not None and binding["agent_id"]:
        tx.raise_event(Event("agents", binding["agent_id"], jobs.PLATFORM, "serves", topic=binding["agent_id"]))


DONE: dict[str, Settle] = {
    "server.synchronise": _server,
    "server.calibrate": _server,
    "server.commission": _server,
    "server.certify": _server,
    "server.request_formal": _server,
    "server.sync_formal": _server,
    "server.renew": _server,
    "device.cancel": _cancelled,
    "device.commission": _commissioned,
    "device.fetch_company": _company,
    "device.certify": _certified,
    "device.fetch_kinds": _kinds,
    "device.fetch_rates": _rates,
    "device.calibrate": _settled,
    "device.read": _settled,
    "terminal.add": _terminal,
}
"""Job kind → what its outcome ``done`` changes."""

REFUSED: dict[str, Settle] = {virtual_device.JOB_KINDS[step]: _step_refused for step in STEPS}
"""Job kind → what its outcome ``refused`` changes, where anything remembers the refusal."""

EVIDENCE: dict[str, type] = {
    "server.synchronise": evidence.ServerFacts,
    "server.calibrate": evidence.ServerFacts,
    "server.commission": evidence.ServerFacts,
    "server.certify": evidence.ServerFacts,
    "server.request_formal": evidence.ServerFacts,
    "server.sync_formal": evidence.ServerFacts,
    "server.renew": evidence.ServerFacts,
    "device.commission": evidence.DeviceCommissioned,
    "device.fetch_company": evidence.Company,
    "device.certify": evidence.Certified,
    "device.fetch_kinds": evidence.Kinds,
    "device.fetch_rates": evidence.Rates,
}
"""Job kind → the evidence a done job must bring."""
