"""The only place where an agent's outcome changes a record."""

from __future__ import annotations

import msgspec

from controlplane.domain import job as job_rules
from controlplane.domain.refusals import DEVICE_CODES, from_device, refuse
from controlplane.operations import (
    device_words,
    fleet_settlement,
    invoice_settlement,
    jobs,
    observations,
    report_settlement,
    seal_settlement,
    stock_settlement,
    table_settlement,
    void_settlement,
)
from controlplane.store import agents, devices, times
from controlplane.store import jobs as job_store
from controlplane.store.jobs import EvidenceRow
from controlplane.store.statement import Row
from controlplane.store.transaction import Entry, Event, Transaction
from controlplane.wire import agents as wire

_ROOMS = (
    fleet_settlement,
    stock_settlement,
    report_settlement,
    void_settlement,
    seal_settlement,
    table_settlement,
)
DONE = {kind: settled for room in _ROOMS for kind, settled in room.DONE.items()}
REFUSED = {kind: settled for room in _ROOMS for kind, settled in room.REFUSED.items()}
EVIDENCE = {kind: expected for room in _ROOMS for kind, expected in room.EVIDENCE.items()}

SETTLED = "settled"
STALE = "stale"


def settle(tx: Transaction, agent_id: str, outcome: wire.Outcome) -> str:
    """Apply one outcome; ``settled`` when it need not be sent again, ``stale`` when it is not of the job as it stands.

    A repeat changes nothing. What is not applied (another epoch, another agent, no such job) is kept as evidence, also
    when the job has its end: it may prove a second invoice.
    """
    job = job_store.find(tx, outcome.taxpayer_id, outcome.job_id)
    if job is None or job["epoch"] != outcome.epoch or job["agent_id"] != agent_id:
        _keep(tx, outcome, f"epoch is {job['epoch']}" if job else "no such job")
        return STALE
    if job["state"] not in job_rules.HELD:
        return SETTLED
    if outcome.result == "unknown" and job["state"] == "unknown":
        return SETTLED
    if outcome.result == "done" and (problem := _contradiction(tx, job, outcome)):
        _set_aside(tx, agent_id, job, outcome, problem)
        return SETTLED
    state = job_rules.MACHINE.after(job["state"], _move(job, outcome))
    _write(tx, job, state, outcome)
    if outcome.result == "done":
        jobs.wake(tx, job["target_id"])
    if outcome.result == "unreachable":
        _unreachable(tx, job, outcome)
    elif job["kind"] == "invoice.issue":
        invoice_settlement.settle(tx, job, outcome)
    elif outcome.result == "done":
        DONE[job["kind"]](tx, job, outcome)
    elif outcome.result == "refused" and job["kind"] in REFUSED:
        REFUSED[job["kind"]](tx, job, outcome)
    _log(tx, agent_id, job, outcome)
    return SETTLED


def _contradiction(tx: Transaction, job: Row, outcome: wire.Outcome) -> str:
    """What is wrong with the evidence of a done job; empty when it fits the order."""
    problem = device_words.flaw(outcome) or device_words.flaw(outcome.evidence)
    if problem:
        return problem
    if job["kind"] == "invoice.issue":
        return invoice_settlement.contradiction(tx, job, outcome)
    expected = EVIDENCE.get(job["kind"])
    if expected is not None and not isinstance(outcome.evidence, expected):
        return f"{expected.__name__} expected as evidence"
    return (
        report_settlement.contradiction(job, outcome)
        or fleet_settlement.contradiction(tx, job, outcome)
        or seal_settlement.contradiction(tx, job, outcome)
        or void_settlement.contradiction(tx, job, outcome)
        or stock_settlement.contradiction(tx, job, outcome)
    )


def _set_aside(tx: Transaction, agent_id: str, job: Row, outcome: wire.Outcome, problem: str) -> None:
    """The device tells something that cannot be: its lane stands still, and so does the device, until people looked."""
    _keep(tx, outcome, problem)
    doubtful = msgspec.structs.replace(outcome, result="unknown", code="evidence_differs", message=problem)
    _write(tx, job, "unknown", doubtful)
    jobs.stand_still(tx, job["target_id"])
    if job["target_noun"] == "devices":
        observations.suspend(tx, job["target_id"], problem)
    if job["kind"] == "invoice.issue":
        invoice_settlement.settle(tx, job, doubtful)
    _log(tx, agent_id, job, doubtful)


def _move(job: Row, outcome: wire.Outcome) -> str:
    """The result's move. Nothing was sent *this* time proves nothing about a time before that nobody reported on."""
    if outcome.result == "unreachable" and job["lost_sight"]:
        return "unknown"
    return job_rules.MOVES_BY_RESULT[outcome.result]


def _write(tx: Transaction, job: Row, state: str, outcome: wire.Outcome) -> None:
    values = {
        "taxpayer_id": job["taxpayer_id"],
        "id": job["id"],
        "state": state,
        "code": outcome.code,
        "message": outcome.message,
        "trail": jobs.trail(job["trail"], tx.now, outcome.result, f"{outcome.code} {outcome.message}".strip()),
        "settled_at": tx.now if state in ("done", "refused") else None,
        "now": tx.now,
    }
    job_store.settle(tx, values)
    topic = job["target_id"] if outcome.result == "unreachable" else None
    tx.raise_event(Event("jobs", job["id"], job["taxpayer_id"], state, job["version"] + 1, topic))


def _log(tx: Transaction, agent_id: str, job: Row, outcome: wire.Outcome) -> None:
    agent = agents.find(tx, agent_id)
    name = agent["name"] if agent else agent_id
    detail = {"job_id": job["id"], "result": outcome.result, "code": outcome.code}
    entry = Entry(agent_id, name, "agent", f"{job['kind']}.{outcome.result}", job["subject_noun"], job["subject_id"])
    entry.taxpayer_id, entry.detail = job["taxpayer_id"], detail
    tx.begin_entry(entry)


def _keep(tx: Transaction, outcome: wire.Outcome, reason: str) -> None:
    said = msgspec.json.encode(outcome).decode()
    if job_store.has_evidence(tx, outcome.job_id, outcome.epoch, said):
        return
    tx.add(
        EvidenceRow(
            id=times.new_id(),
            taxpayer_id=outcome.taxpayer_id,
            job_id=outcome.job_id,
            epoch=outcome.epoch,
            reason=reason,
            outcome=said,
            created_at=tx.now,
        )
    )


def _unreachable(tx: Transaction, job: Row, outcome: wire.Outcome) -> None:
    if outcome.code == "not_started":
        return
    jobs.rest(tx, job["target_id"])
    device_no = _device_no(tx, job)
    if outcome.code in DEVICE_CODES:
        # The device answered, and did not begin: it is reached, and its own word is the reason.
        reason = from_device(outcome.code, outcome.message, device_no=device_no)
    else:
        reason = refuse("device_unreachable", device_no=device_no)
        if job["target_noun"] == "devices":
            observations.mark(tx, job["target_id"], {"reachable": 0, "unreachable_message": outcome.message[:200]})
    if job["kind"] == "invoice.issue":
        unknown = job["state"] == "unknown" or job["lost_sight"]
        invoice_settlement.waits(tx, job, refuse("outcome_unknown", device_no=device_no) if unknown else reason)


def _device_no(tx: Transaction, job: Row) -> str:
    device = devices.find(tx, job["target_id"])
    return str((device or {}).get("device_no") or job["target_id"])
