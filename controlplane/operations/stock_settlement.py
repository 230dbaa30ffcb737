"""What an agent's outcome changes on numbers: applications, receive, distribute, reclaim, return."""

from __future__ import annotations

from typing import TypeVar

import msgspec

from controlplane.operations import applications, fleet_settlement, numbers, observations
from controlplane.operations.fleet_settlement import Settle
from controlplane.store import applications as store
from controlplane.store import devices, segments
from controlplane.store.statement import Row
from controlplane.store.transaction import Transaction
from controlplane.wire import agents as wire
from controlplane.wire import evidence, work

T = TypeVar("T")


def _asked(job: Row, shape: type[T]) -> T:
    return msgspec.json.decode(job["work"], type=shape)


def _device(tx: Transaction, job: Row) -> Row:
    device = devices.find(tx, job["target_id"], lock=True)
    assert device is not None
    return device


def contradiction(tx: Transaction, job: Row, outcome: wire.Outcome) -> str:
    """Why this evidence cannot be of this job; empty when it can."""
    found = outcome.evidence
    if job["kind"] != "segment.return" or not isinstance(found, evidence.Segments):
        return ""
    there = numbers.still_there(_asked(job, work.ReturnSegment), found.segments)
    return "the device still holds the numbers it says it returned" if there else ""


def _applied(tx: Transaction, job: Row, outcome: wire.Outcome) -> None:
    assert isinstance(outcome.evidence, evidence.Applied)
    applications.applied(tx, job, outcome.evidence.application_no)
    fleet_settlement.device_settled(tx, job, {})


def _segments(tx: Transaction, job: Row, outcome: wire.Outcome) -> None:
    found = outcome.evidence
    assert isinstance(found, evidence.Segments)
    device = _device(tx, job)
    observations.take_segments(tx, device, found.segments, outcome.at)
    applications.take_grants(tx, device, found.grants, found.stopped_by)
    fleet_settlement.device_settled(tx, job, {})


def _reclaimed(tx: Transaction, job: Row, outcome: wire.Outcome) -> None:
    numbers.let_go(tx, _device(tx, job), _asked(job, work.ReclaimSegment))
    _segments(tx, job, outcome)


def _kept(tx: Transaction, job: Row, _outcome: wire.Outcome) -> None:
    """The terminal keeps its numbers."""
    numbers.let_go(tx, _device(tx, job), _asked(job, work.ReclaimSegment))


def _returned(tx: Transaction, job: Row, outcome: wire.Outcome) -> None:
    asked, device = _asked(job, work.ReturnSegment), _device(tx, job)
    place = {"taxpayer_id": device["taxpayer_id"], "device_id": device["id"], "invoice_code": asked.invoice_code}
    run = segments.holding(tx, place, int(asked.start_no))
    numbers.returned(tx, device, asked, run["grant_no"] if run else "")
    _segments(tx, job, outcome)


def _queried(tx: Transaction, job: Row, outcome: wire.Outcome) -> None:
    found = outcome.evidence
    assert isinstance(found, evidence.Applications)
    device = _device(tx, job)
    applications.take(tx, device, _asked(job, work.QueryApplications).kind, found.applications)
    applications.take_grants(tx, device, found.grants)


def _cancelled(tx: Transaction, job: Row, _outcome: wire.Outcome) -> None:
    row = store.find(tx, job["subject_id"], lock=True)
    assert row is not None
    applications.moved(tx, row, "cancel")


def _not_cancelled(tx: Transaction, job: Row, outcome: wire.Outcome) -> None:
    """The bureau has decided, or is not to be reached: the record says what it said."""
    row = store.find(tx, job["subject_id"], lock=True)
    assert row is not None
    applications.noted(tx, row, f"{outcome.code} {outcome.message}".strip())


DONE: dict[str, Settle] = {
    "segment.apply": _applied,
    "segment.receive": _segments,
    "segment.distribute": _segments,
    "segment.reclaim": _reclaimed,
    "segment.return": _returned,
    "segment.query": _queried,
    "segment.cancel": _cancelled,
}
"""Job kind → what its outcome ``done`` changes."""

REFUSED: dict[str, Settle] = {"segment.reclaim": _kept, "segment.cancel": _not_cancelled}
"""Job kind → what its outcome ``refused`` changes, where anything remembers the refusal."""

EVIDENCE: dict[str, type] = {
    "segment.apply": evidence.Applied,
    "segment.receive": evidence.Segments,
    "segment.distribute": evidence.Segments,
    "segment.reclaim": evidence.Segments,
    "segment.return": evidence.Segments,
    "segment.query": evidence.Applications,
}
"""Job kind → the evidence a done job must bring."""
