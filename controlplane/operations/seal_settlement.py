"""What an agent's outcome changes on seals; releases and secure proxies are settled by their own file."""

from __future__ import annotations

from typing import Any

import msgspec

from controlplane.domain import seal
from controlplane.domain.refusals import Refusal, refuse
from controlplane.operations import jobs, release_settlement, seal_signatures
from controlplane.operations.fleet_settlement import Settle
from controlplane.store import devices, seals, times
from controlplane.store.statement import Row
from controlplane.store.transaction import Event, Transaction
from controlplane.wire import agents as wire
from controlplane.wire import evidence, work

_STEPS = {
    "seal.fetch_key": {"key_fetched"},
    "seal.apply": {"applied"},
    "seal.download": {"applied", "downloaded"},
    "seal.upload": {"uploaded"},
}
"""Job kind → steps its evidence may tell of; after a download asked for too early the seal is still applied."""
_MOST_MESSAGE = 200


def contradiction(tx: Transaction, job: Row, outcome: wire.Outcome) -> str:
    """Why this evidence cannot be of this job; empty when it can."""
    told = outcome.evidence
    if not isinstance(told, evidence.SealFacts):
        return release_settlement.contradiction(job, outcome)
    if told.step not in _STEPS[job["kind"]]:
        return f"{told.step} is no step of {job['kind']}"
    if told.step == "key_fetched" and not (told.key_index and told.public_key):
        return "a key without index or public key"
    if job["kind"] == "seal.apply" and not told.application_no:
        return "an application without its number"
    if told.step == "downloaded" and not told.not_after:
        return "a seal without its last day"
    return ""


def _row(tx: Transaction, job: Row) -> Row:
    row = seals.find(tx, job["subject_id"], lock=True)
    assert row is not None
    return row


def _after(row: Row, verb: str) -> str:
    """The state a done verb leads to; a seal that was moved on while the work was under way stays where it is."""
    state: str = row["state"]
    return seal.MACHINE.after(state, verb) if seal.MACHINE.may(state, verb) else state


def _write(tx: Transaction, row: Row, verb: str, values: dict[str, Any]) -> None:
    devices.change(tx, "seals", row["id"], values, tx.now)
    tx.raise_event(Event("seals", row["id"], jobs.PLATFORM, verb, row["version"] + 1))


def _facts(outcome: wire.Outcome) -> evidence.SealFacts:
    assert isinstance(outcome.evidence, evidence.SealFacts)
    return outcome.evidence


def _key(tx: Transaction, job: Row, outcome: wire.Outcome) -> None:
    told, row = _facts(outcome), _row(tx, job)
    state = _after(row, "fetch_key")
    values = {"state": state, "key_index": told.key_index, "public_key": told.public_key, "bureau_message": ""}
    _write(tx, row, "fetch_key", values)


def _applied(tx: Transaction, job: Row, outcome: wire.Outcome) -> None:
    told, row = _facts(outcome), _row(tx, job)
    asked = msgspec.json.decode(job["work"], type=work.SealApply)
    values = {
        "state": _after(row, "apply"),
        "application_no": told.application_no,
        "bureau_status": "applied",
        "bureau_message": told.message[:_MOST_MESSAGE],
        "handler_name": asked.handler_name,
        "handler_mobile": asked.handler_mobile,
        "handler_id": asked.handler_id,
    }
    _write(tx, row, "apply", values)


def _downloaded(tx: Transaction, job: Row, outcome: wire.Outcome) -> None:
    """Granted: the seal is on the server. Refused: it may be applied for again. Else the bureau has not decided."""
    told, row = _facts(outcome), _row(tx, job)
    values: dict[str, Any] = {"bureau_status": told.bureau_status, "bureau_message": told.message[:_MOST_MESSAGE]}
    verb = "waiting"
    if told.step == "downloaded":
        verb = "download"
        values |= {"state": _after(row, "download"), "not_after": told.not_after}
    elif told.bureau_status == "refused":
        verb = "decline"
        values |= {"state": _after(row, "decline"), "application_no": ""}
    _write(tx, row, verb, values)


def _uploaded(tx: Transaction, job: Row, _outcome: wire.Outcome) -> None:
    row = _row(tx, job)
    _write(tx, row, "upload", {"state": _after(row, "upload")})


def _tested(tx: Transaction, job: Row, outcome: wire.Outcome) -> None:
    """Only a canary that we ourselves find in order puts a seal to use; then the one it replaces is out of use."""
    told, row = outcome.evidence, _row(tx, job)
    assert isinstance(told, evidence.SealTested)
    asked = msgspec.json.decode(job["work"], type=work.SealTest)
    problem = seal_signatures.fault(row["public_key"], asked.document, told) or _ended(row, tx.now)
    values: dict[str, Any] = {"tested_at": tx.now, "test_passed": int(problem is None), "test_cause": _kept(problem)}
    if problem is not None:
        _write(tx, row, "test_failed", values)
        return
    values["algorithm"] = told.algorithm
    if row["state"] == "uploaded":
        values |= {"state": _after(row, "test"), "place": "current", "used_since": tx.now}
        _replace(tx, row["replaces"])
    _write(tx, row, "test", values)


def _replace(tx: Transaction, replaced_id: str | None) -> None:
    old = seals.find(tx, replaced_id, lock=True) if replaced_id else None
    if old is not None and seal.MACHINE.may(old["state"], "replace"):
        _write(tx, old, "replace", {"state": seal.MACHINE.after(old["state"], "replace")})


def _ended(row: Row, now: str) -> Refusal | None:
    ended = row["not_after"] is not None and times.from_text(row["not_after"]) <= times.from_text(now)
    return refuse("seal_expired", not_after=row["not_after"][:10]) if ended else None


def _kept(problem: Refusal | None) -> str:
    return msgspec.json.encode({"code": problem.code, "details": problem.details}).decode() if problem else ""


def _refused(tx: Transaction, job: Row, outcome: wire.Outcome) -> None:
    """Device or bureau said no: the step is as it was, and what they said is kept with the seal."""
    row = _row(tx, job)
    _write(tx, row, "refused", {"bureau_message": outcome.message[:_MOST_MESSAGE]})


DONE: dict[str, Settle] = {
    "seal.fetch_key": _key,
    "seal.apply": _applied,
    "seal.download": _downloaded,
    "seal.upload": _uploaded,
    "seal.test": _tested,
    **release_settlement.DONE,
}
"""Job kind → what its outcome ``done`` changes."""

REFUSED: dict[str, Settle] = dict.fromkeys((*_STEPS, "seal.test"), _refused)
"""Job kind → what its outcome ``refused`` changes, where anything remembers the refusal."""

EVIDENCE: dict[str, type] = {
    **dict.fromkeys(_STEPS, evidence.SealFacts),
    "seal.test": evidence.SealTested,
    **release_settlement.EVIDENCE,
}
"""Job kind → the evidence a done job must bring."""
