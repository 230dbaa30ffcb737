"""Applications for numbers and the grants made of them: kept as device and bureau tell of them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import msgspec

from controlplane.domain import application, invoice_segment
from controlplane.domain.refusals import refuse
from controlplane.operations import acts, jobs
from controlplane.operations.acts import Act, Viewer
from controlplane.operations.principals import SYSTEM
from controlplane.store import applications, devices, segments, times
from controlplane.store import jobs as job_store
from controlplane.store.applications import ApplicationRow, GrantRow
from controlplane.store.statement import Connection, Row
from controlplane.store.transaction import Entry, Event, Transaction
from controlplane.wire import evidence, work

NOUN = "applications"
FIRST_PAUSE = timedelta(seconds=30)
LONGEST_PAUSE = timedelta(minutes=15)
"""Between two goes at a grant that is written and not confirmed: doubled from the first to the longest."""


def refuse_second(hand: Connection, device: Row, kind: str) -> None:
    """``application_open`` while an application of this device for this kind is undecided; it names it."""
    held = applications.in_state(hand, device["id"], kind, application.OPEN)
    if held is not None:
        number = held["application_no"]
        raise refuse("application_open", "kind", kind=kind, application_no=number, device_no=device["device_no"])


def act(tx: Transaction, wanted: Act) -> str | None:
    """``query`` or ``cancel``, by a job in the lane of the device; its id."""
    entry = acts.begin(tx, wanted, NOUN)
    row = acts.check(applications.find(tx, wanted.record_id, lock=True), wanted, application.MACHINE)
    entry.taxpayer_id = row["taxpayer_id"]
    asked: work.Work = work.QueryApplications(kind=row["kind"])
    if wanted.verb == "cancel":
        asked = work.CancelApplication(application_no=row["application_no"])
    subject = (NOUN, row["id"], row["taxpayer_id"])
    return jobs.open_job(tx, ("devices", row["device_id"]), subject, asked, wanted.caller)


def view(hand: Connection, row: Row, viewer: Viewer) -> dict[str, Any]:
    """An application as the API shows it, with its grants and the verbs that are allowed now."""
    granted = [one for one in applications.grants_of(hand, row["device_id"]) if _answers(one, row)]
    return row | {
        "open_job": job_store.open_of(hand, row["id"]),
        "grants": [_numbers(one) for one in granted],
        "allowed": acts.allowed(hand, row, NOUN, application.MACHINE, viewer.caller),
    }


def _answers(grant: Row, row: Row) -> bool:
    return bool(grant["application_no"]) and grant["application_no"] == row["application_no"]


# --- what is told of applications


def applied(tx: Transaction, job: Row, application_no: str) -> None:
    """A device applied: the record of it."""
    asked = msgspec.json.decode(job["work"], type=work.ApplySegment)
    device = {"taxpayer_id": job["taxpayer_id"], "id": job["subject_id"]}
    facts = evidence.ApplicationFacts(
        application_no=application_no, kind=asked.kind, count=asked.count, status="waiting"
    )
    _add(tx, device, facts, job["requested_by"])


def take(tx: Transaction, device: Row, kind: str, told: list[evidence.ApplicationFacts]) -> None:
    """Bring the records of a device's applications for a kind to what the bureau says; unknown ones are taken up."""
    known = {row["application_no"]: row for row in applications.of_kind(tx, device["id"], kind)}
    for facts in told:
        row = known.get(facts.application_no)
        if row is None and facts.kind == kind:
            row = _add(tx, device, facts, "")
        if row is None:
            continue
        move = application.move_of(row["state"], facts.status)
        values: dict[str, Any] = {"message": facts.message[:200], "queried_at": tx.now}
        _change(tx, row, values, move)


def moved(tx: Transaction, row: Row, move: str, message: str = "") -> None:
    """One move of an application, if its state still allows it."""
    if application.MACHINE.may(row["state"], move):
        _change(tx, row, {"message": message[:200]}, move)


def noted(tx: Transaction, row: Row, message: str) -> None:
    """What the device or the bureau said of an application, without a move."""
    _change(tx, row, {"message": message[:200]}, None)


def _change(tx: Transaction, row: Row, values: dict[str, Any], move: str | None) -> None:
    if move is not None:
        state = application.MACHINE.after(row["state"], move)
        values = {**values, "state": state, "decided_at": row["decided_at"] or tx.now}
    elif values.get("message", row["message"]) == row["message"]:
        # Nothing new: the time of the question is kept, and nobody needs to look.
        applications.asked(tx, row["id"], tx.now)
        return
    applications.change(tx, row, values, tx.now)
    tx.raise_event(Event(NOUN, row["id"], row["taxpayer_id"], move or "told", row["version"] + 1))


def _add(tx: Transaction, device: Row, facts: evidence.ApplicationFacts, requested_by: str) -> Row:
    row = ApplicationRow(
        taxpayer_id=device["taxpayer_id"],
        id=times.new_id(),
        device_id=device["id"],
        kind=facts.kind,
        count=facts.count,
        application_no=facts.application_no,
        state=application.MACHINE.initial,
        requested_by=requested_by,
        created_at=tx.now,
        updated_at=tx.now,
    )
    tx.add(row)
    tx.raise_event(Event(NOUN, row.id, row.taxpayer_id, "applied", 1))
    return row.model_dump()


# --- what is told of grants


def take_grants(tx: Transaction, device: Row, told: list[evidence.GrantFacts], stopped_by: str = "") -> None:
    """Bring the records of a device's grants to what is told, and the applications they answer."""
    known = {row["grant_no"]: row for row in applications.grants_of(tx, device["id"])}
    for facts in told:
        row = known.get(facts.grant_no)
        state = invoice_segment.grant_after(row["state"] if row else None, facts.status)
        message = stopped_by[:200] if state == "written" else ""
        if row is None:
            _add_grant(tx, device, facts, message)
        elif (state, message) != (row["state"], row["message"]):
            values = {
                "state": state,
                "message": message,
                "application_no": facts.application_no or row["application_no"],
            }
            applications.move_grant(tx, row, values, tx.now)
            tx.raise_event(Event("grants", row["id"], row["taxpayer_id"], state, row["version"] + 1))
    _follow(tx, device["id"])


def _add_grant(tx: Transaction, device: Row, facts: evidence.GrantFacts, message: str) -> None:
    row = GrantRow(
        taxpayer_id=device["taxpayer_id"],
        id=times.new_id(),
        device_id=device["id"],
        grant_no=facts.grant_no,
        application_no=facts.application_no,
        kind=facts.kind,
        invoice_code=facts.invoice_code,
        start_no=int(facts.start_no),
        end_no=int(facts.end_no),
        state=facts.status,
        message=message,
        created_at=tx.now,
        updated_at=tx.now,
    )
    tx.add(row)
    tx.raise_event(Event("grants", row.id, row.taxpayer_id, facts.status, 1))


def _follow(tx: Transaction, device_id: str) -> None:
    """An application whose grants are there is granted; once all of them are confirmed, it is received."""
    by_number: dict[str, list[Row]] = {}
    for grant in applications.grants_of(tx, device_id):
        by_number.setdefault(grant["application_no"], []).append(grant)
    for row in applications.undone(tx, device_id):
        grants = by_number.get(row["application_no"])
        if not grants:
            continue
        moved(tx, row, "grant", row["message"])
        if all(grant["state"] == "confirmed" for grant in grants):
            fresh = applications.find(tx, row["id"])
            assert fresh is not None
            moved(tx, fresh, "receive", row["message"])


def grant_view(hand: Connection, row: Row) -> dict[str, Any]:
    """A grant with what became of its numbers: used + returned + unused + unaccounted = count."""
    place = {name: row[name] for name in ("taxpayer_id", "device_id", "grant_no")}
    sums = {"used": 0, "returned": 0, "unused": 0}
    for part in segments.of_grant(hand, place):
        size = part["end_no"] - part["start_no"] + 1
        if part["state"] == "returned":
            sums["returned"] += size
            continue
        used = part["next_no"] - part["start_no"]
        sums["used"] += used
        sums["unused"] += size - used
    count = row["end_no"] - row["start_no"] + 1
    told = dict(segments.told_of(hand, row))
    return (
        _numbers(row)
        | sums
        | {
            "count": count,
            "unaccounted": count - sum(sums.values()),
            "issued": told.get("issued", 0),
            "voided": told.get("voided", 0),
        }
    )


def _numbers(row: Row) -> dict[str, Any]:
    return row | {name: f"{row[name]:08d}" for name in ("start_no", "end_no")}


# --- what the clock does


def unconfirmed(hand: Connection, now: str) -> list[tuple[str, str]]:
    """(device id, kind) with a grant written and not confirmed that is due to be taken up again."""
    return [(row["device_id"], row["kind"]) for row in applications.unconfirmed(hand, now)]


def reconcile(tx: Transaction, device_id: str, kind: str) -> str | None:
    """Open a receive job that confirms what was written; the job's id, None when somebody is at it already.

    Replicas queue on the device's row, so that one of them opens the job and the others find it open.
    """
    device = devices.find(tx, device_id, lock=True)
    if device is None or device["state"] not in ("ready", "suspended") or job_store.open_of(tx, device_id):
        return None
    binding = job_store.glance(tx, device_id)
    due = [one for one in applications.grants_of(tx, device_id) if _due(one, kind, tx.now)]
    if not due or binding is None or binding["agent_id"] is None:
        return None
    for grant in due:
        pause = min(FIRST_PAUSE * 2 ** min(grant["tries"], 10), LONGEST_PAUSE)
        applications.tried(tx, grant["id"], times.utc_text(tx.moment + pause))
    entry = Entry(SYSTEM.id, SYSTEM.name, SYSTEM.kind, "grants.reconcile", "virtual-devices", device_id)
    entry.taxpayer_id, entry.detail = device["taxpayer_id"], {"kind": kind, "grants": len(due)}
    tx.begin_entry(entry)
    subject = ("virtual-devices", device_id, device["taxpayer_id"])
    return jobs.open_job(tx, ("devices", device_id), subject, work.ReceiveSegments(kind=kind, patient=False), SYSTEM)


def _due(grant: Row, kind: str, now: str) -> bool:
    return bool(grant["kind"] == kind and grant["state"] == "written" and grant["next_try_at"] <= now)
