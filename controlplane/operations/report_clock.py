"""Reporting by the clock: reports come into being when they are due, and go on by themselves where a schedule says so.

Every replica runs this. A report is opened by inserting its unique row and stepped under its row's lock, so that doing
it twice does nothing.
"""

from __future__ import annotations

from datetime import date, time, timedelta
from typing import Any

import msgspec

from controlplane.domain import report, report_schedule
from controlplane.domain.dated import day_of
from controlplane.domain.issuing_rules import IssuingRules
from controlplane.domain.refusals import Refusal
from controlplane.domain.report import KindPeriod
from controlplane.operations import jobs
from controlplane.operations.principals import SYSTEM
from controlplane.operations.reports import When, begin_step, move, periods, refusal_of, text_of
from controlplane.store import devices, report_schedules, reports, times
from controlplane.store import jobs as job_store
from controlplane.store.reports import ReportRow
from controlplane.store.statement import Connection, Row
from controlplane.store.transaction import Entry, Event, Transaction

RETRY_FIRST = 60.0
RETRY_MOST = 3600.0
"""Seconds after which the clock takes a refused step again: doubled from the first to the most."""
PROCESSING_AGAIN = 3.0
"""Seconds after which a bureau that is still looking at a report is asked again."""
_OPENS = ("due", "locked", "zombie")
_MONTHS_BACK = timedelta(days=400)


def to_open(hand: Connection, when: When) -> list[str]:
    """Devices with a kind that is due, locked or silent for too long, and has no report yet."""
    since = f"{when.today - _MONTHS_BACK:%Y-%m}"
    known = reports.known(hand, since)
    return [
        row["id"]
        for row in reports.reporting_devices(hand)
        if any(_opens(one, when) and (row["id"], one.kind, one.period) not in known for one in periods(row["kinds"]))
    ]


def _opens(told: KindPeriod, when: When) -> bool:
    complete = told.first is not None and told.last is not None and told.deadline is not None
    return complete and report.standing(told, when.today, when.silent_days) in _OPENS


def open_due(tx: Transaction, device_id: str, rules: IssuingRules) -> None:
    """Reports for the kinds of a device that are due and have none."""
    device = devices.find(tx, device_id)
    if device is None:
        return
    when = When(tx.moment, rules)
    for told in periods(device["kinds"]):
        if _opens(told, when):
            _open(tx, device, told)


def _open(tx: Transaction, device: Row, told: KindPeriod) -> None:
    assert told.first is not None and told.last is not None and told.deadline is not None
    row = ReportRow(
        taxpayer_id=device["taxpayer_id"],
        id=times.new_id(),
        device_id=device["id"],
        kind=told.kind,
        period=told.period,
        state=report.MACHINE.initial,
        report_from=told.first.isoformat(),
        report_to=told.last.isoformat(),
        deadline=told.deadline.isoformat(),
        created_at=tx.now,
        updated_at=tx.now,
    )
    if reports.add(tx, row):
        tx.raise_event(Event("reports", row.id, row.taxpayer_id, "opened", 1))


def to_step(hand: Connection, when: When) -> list[str]:
    """Reports the clock has something to do with now, oldest first."""
    schedules = report_schedules.by_taxpayer(hand)
    now = times.utc_text(when.now)
    found = []
    for row in reports.to_look_at(hand):
        may_go_on = (row["next_try_at"] or "") <= now and (_asks_again(row) or _by_schedule(row, schedules, when))
        if may_go_on or _moved_on(row, row["device_kinds"]) is not None:
            found.append(row["id"])
    return found


def step(tx: Transaction, report_id: str, rules: IssuingRules) -> None:
    """The next step of one report, if it is still its turn; why not, if it may not be taken."""
    row = reports.find(tx, report_id, lock=True)
    if row is None or row["state"] == "cleared" or job_store.open_of(tx, report_id) is not None:
        return
    device = devices.find(tx, row["device_id"])
    assert device is not None
    new_deadline = _moved_on(row, device["kinds"])
    if new_deadline is not None:
        _found_cleared(tx, row, new_deadline)
        return
    when = When(tx.moment, rules)
    if (row["next_try_at"] or "") > tx.now:
        return
    if not _asks_again(row) and not _by_schedule(row, report_schedules.by_taxpayer(tx), when):
        return
    verb = report.next_step(row["state"], bool(row["clear_needs_return"]) and row["return_filed_at"] is None)
    if verb is None:
        return
    refusal = refusal_of(tx, row, device, verb, when)
    if refusal is not None:
        _stop(tx, row, refusal)
        return
    _log(tx, row, f"reports.{verb}")
    begin_step(tx, row, verb, SYSTEM)


def _asks_again(row: Row) -> bool:
    """The verdict was asked for and is still to come: asked again whoever began it."""
    return row["state"] == "reported" and row["next_try_at"] is not None


def _by_schedule(row: Row, schedules: dict[str, Row], when: When) -> bool:
    chosen = schedules.get(row["taxpayer_id"]) or schedules.get(jobs.PLATFORM)
    if chosen is None or chosen["state"] != "enabled":
        return False
    at = time(chosen["hour"], chosen["minute"])
    return when.now >= report_schedule.starts_at(day_of(row["deadline"]), chosen["days_before"], at)


def _moved_on(row: Row, kinds: str) -> date | None:
    """The device's own later deadline for a report's kind; None while it stands where it stood."""
    before = day_of(row["deadline"])
    later = (one.deadline for one in periods(kinds) if one.kind == row["kind"] and one.period > row["period"])
    return next((deadline for deadline in later if deadline is not None and deadline > before), None)


def _found_cleared(tx: Transaction, row: Row, new_deadline: date) -> None:
    _log(tx, row, "reports.find_cleared")
    values = {"cleared_at": tx.now, "cleared_by": "elsewhere", "new_deadline": new_deadline.isoformat()}
    move(tx, row, "find_cleared", values | {"stopped": "{}", "next_try_at": None})


def _stop(tx: Transaction, row: Row, refusal: Refusal) -> None:
    """Say once why the clock does not go on; it looks again at every turn."""
    said = {**refusal.as_dict(), "message_en": refusal.message_en, "remedy_en": refusal.remedy_en}
    before: dict[str, Any] = msgspec.json.decode(row["stopped"])
    if {name: value for name, value in before.items() if name != "at"} == said:
        return
    reports.change(tx, row, {"stopped": text_of({**said, "at": tx.now})}, tx.now)
    tx.raise_event(Event("reports", row["id"], row["taxpayer_id"], "stopped", row["version"] + 1))


def _log(tx: Transaction, row: Row, action: str) -> None:
    entry = Entry(SYSTEM.id, SYSTEM.name, SYSTEM.kind, action, "reports", row["id"])
    entry.taxpayer_id = row["taxpayer_id"]
    tx.begin_entry(entry)


def try_again_at(tx: Transaction, tries: int) -> str:
    """When the clock takes a refused step again."""
    seconds = min(RETRY_FIRST * 2 ** min(tries, 10), RETRY_MOST)
    return times.utc_text(tx.moment + timedelta(seconds=seconds))
