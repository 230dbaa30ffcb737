"""Schedules of automatic reporting: set for a taxpayer or as the platform's default, switched on and off."""

from __future__ import annotations

from typing import Any

from controlplane.domain import report_schedule
from controlplane.domain.principal import Principal
from controlplane.domain.refusals import refuse
from controlplane.operations import acts
from controlplane.operations.acts import Act, Viewer
from controlplane.operations.jobs import PLATFORM
from controlplane.store import report_schedules, taxpayers, times
from controlplane.store.report_schedules import ReportScheduleRow
from controlplane.store.statement import Connection, Row
from controlplane.store.transaction import Entry, Event, Transaction


def set_times(tx: Transaction, caller: Principal, values: dict[str, Any]) -> str:
    """Make or change the schedule of a taxpayer, or of the platform when none is named; its id."""
    owner = values.pop("taxpayer_id") or PLATFORM
    entry = Entry(caller.id, caller.name, caller.kind, "report-schedules.set", "report-schedules", detail=dict(values))
    entry.taxpayer_id = owner
    tx.begin_entry(entry)
    if not caller.sees(owner) or (owner != PLATFORM and taxpayers.find(tx, owner) is None):
        raise refuse("not_found")
    known = report_schedules.of_taxpayer(tx, owner)
    if known is not None:
        report_schedules.change(tx, known, values, tx.now)
    else:
        row = ReportScheduleRow(
            taxpayer_id=owner,
            id=times.new_id(),
            state=report_schedule.MACHINE.initial,
            created_at=tx.now,
            updated_at=tx.now,
            **values,
        )
        tx.add(row)
    schedule = report_schedules.of_taxpayer(tx, owner)
    assert schedule is not None
    entry.subject_id = schedule["id"]
    tx.raise_event(Event("report-schedules", schedule["id"], owner, "set", schedule["version"]))
    return str(schedule["id"])


def act(tx: Transaction, wanted: Act) -> None:
    """``enable`` or ``disable``."""
    entry = acts.begin(tx, wanted, "report-schedules")
    row = acts.check(report_schedules.find(tx, wanted.record_id), wanted, report_schedule.MACHINE)
    entry.taxpayer_id = row["taxpayer_id"]
    state = report_schedule.MACHINE.after(row["state"], wanted.verb)
    report_schedules.change(tx, row, {"state": state}, tx.now)
    tx.raise_event(Event("report-schedules", row["id"], row["taxpayer_id"], wanted.verb, row["version"] + 1))


def view(hand: Connection, row: Row, viewer: Viewer) -> dict[str, Any]:
    """A schedule as the API shows it; the platform's own has no taxpayer."""
    shown = row | {"taxpayer_id": None if row["taxpayer_id"] == PLATFORM else row["taxpayer_id"]}
    shown["at"] = f"{row['hour']:02d}:{row['minute']:02d}"
    shown["allowed"] = acts.allowed(hand, row, "report-schedules", report_schedule.MACHINE, viewer.caller)
    return shown
