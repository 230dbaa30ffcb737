"""Reports (抄报清零): the steps people take, the gates before each, and a report as it is shown."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import msgspec

from controlplane.domain import money, report
from controlplane.domain.dated import DEVICE_ZONE, day_of
from controlplane.domain.device_kind import reports_all_first
from controlplane.domain.issuing_rules import IssuingRules
from controlplane.domain.principal import Principal
from controlplane.domain.refusals import Refusal, refuse
from controlplane.domain.registry import acts_of
from controlplane.domain.report import Gate, KindPeriod, Standing, Totals
from controlplane.operations import acts, jobs
from controlplane.operations.acts import Act, Viewer
from controlplane.store import devices, reports
from controlplane.store import jobs as job_store
from controlplane.store.statement import Connection, Row
from controlplane.store.transaction import Event, Transaction
from controlplane.wire import evidence, work

_WORK: dict[str, type[work.ReportKind | work.VerifyReport | work.ClearKind]] = {
    "report": work.ReportKind,
    "verify": work.VerifyReport,
    "clear": work.ClearKind,
}
_KINDS = msgspec.json.Decoder(list[evidence.KindFacts])
_JSON = ("summary", "ledger_totals", "differences", "totals_accepted", "refusals", "stopped")
_NO_TRIES = {"tries": 0, "next_try_at": None, "stopped": "{}"}


@dataclass(frozen=True, slots=True)
class When:
    """The day of the device zone a report is looked at, and the rules in force."""

    now: datetime
    rules: IssuingRules

    @property
    def today(self) -> date:
        """The day in the device zone."""
        return self.now.astimezone(DEVICE_ZONE).date()

    @property
    def silent_days(self) -> int:
        """Days without a report after which a device is cleared at the tax hall only."""
        return report.zombie_days(self.rules.reporting, self.today)


def periods(kinds: str) -> list[KindPeriod]:
    """The open periods of a device's kinds (column ``kinds``)."""

    def day(text: str) -> date | None:
        return day_of(text) if text else None

    return [
        KindPeriod(
            one.kind,
            day(one.report_from),
            day(one.report_to),
            day(one.issue_deadline),
            day(one.last_report_date),
        )
        for one in _KINDS.decode(kinds)
    ]


def period_of(row: Row, device: Row) -> KindPeriod:
    """What the device says of a report's kind now, as far as it still speaks of the same period; else as kept."""
    for one in periods(device["kinds"]):
        if one.kind == row["kind"] and one.period == row["period"]:
            return one
    first, last, deadline = (day_of(row[name]) for name in ("report_from", "report_to", "deadline"))
    return KindPeriod(row["kind"], first, last, deadline, None)


# --- gates


def gate_of(hand: Connection, row: Row, device: Row, when: When) -> Gate:
    """Everything that decides about the next steps of a report, read now."""
    told = period_of(row, device)
    others: list[str] = []
    if reports_all_first(device["device_kind"], device["medium"]):
        others = [
            one["kind"]
            for one in reports.open_of_device(hand, device["id"])
            if one["id"] != row["id"] and one["state"] in ("report_due", "reported")
        ]
    return Gate(
        device_no=device["device_no"] or device["name"],
        kind=row["kind"],
        period=row["period"],
        standing=_standing(told, when),
        deadline=row["deadline"],
        last_report=told.last_report.isoformat() if told.last_report else "",
        silent_days=when.silent_days,
        period_over=when.today > day_of(row["report_to"]),
        waiting_uploads=reports.waiting_uploads(hand, device["id"], row["kind"]),
        device_waiting=max(0, int(device["last_index"]) - int(device["upload_cursor"])),
        kinds_to_report=tuple(others),
        needs_return=bool(row["clear_needs_return"]),
        return_filed=row["return_filed_at"] is not None,
        differences=tuple(compare(hand, row)["differences"]),
        totals_accepted=row["totals_accepted"] != "{}",
    )


def _standing(told: KindPeriod, when: When) -> Standing:
    return report.standing(told, when.today, when.silent_days)


def refusal_of(hand: Connection, row: Row, device: Row, verb: str, when: When) -> Refusal | None:
    """Why a step that the state allows may not be taken now."""
    if device["state"] == "cancelled":
        return refuse("device_cancelled", device_no=device["device_no"])
    if verb in report.JOB_KINDS:
        binding = job_store.glance(hand, device["id"])
        if binding is None or binding["agent_id"] is None:
            return refuse("no_agent", device_no=device["device_no"])
    return report.gate(verb, gate_of(hand, row, device, when))


def compare(hand: Connection, row: Row) -> dict[str, Any]:
    """The ledger's totals of a report's days, and in which the device's summary differs; none before it is sent."""
    found = dict.fromkeys(_TOTALS, 0)
    for one in reports.sums(hand, row):
        if one["state"] == "voided":
            found["void_count"] += int(one["n"])
            continue
        colour = one["direction"]
        found[f"{colour}_count"] += int(one["n"])
        found[f"{colour}_net"] += int(one["net"])
        found[f"{colour}_tax"] += int(one["tax"])
    if row["summary"] == "{}":
        return {"ledger": _told(found), "differences": []}
    device = _device_totals(row["summary"])
    names = report.differences(device, Totals(**found))
    if not report.numbers_add_up(msgspec.json.decode(row["summary"]), device):
        names.append("closing")
    return {"ledger": _told(found), "differences": names}


_TOTALS = tuple(Totals.__dataclass_fields__)


def _device_totals(summary: str) -> Totals:
    told = msgspec.json.decode(summary)
    values = {name: money.fen_of(told[name]) if isinstance(told[name], str) else told[name] for name in _TOTALS}
    return Totals(**values)


def _told(totals: dict[str, int]) -> dict[str, Any]:
    return {name: n if name.endswith("_count") else money.yuan(n) for name, n in totals.items()}


def kept(hand: Connection, row: Row) -> dict[str, str]:
    """Columns of a fresh comparison."""
    found = compare(hand, row)
    return {"ledger_totals": text_of(found["ledger"]), "differences": text_of(found["differences"])}


def text_of(value: Any) -> str:
    """JSON text as it stands in a column."""
    return msgspec.json.encode(value).decode()


# --- acts


def act(tx: Transaction, wanted: Act, rules: IssuingRules) -> str | None:
    """Do one verb; returns the id of the job it opened, if any."""
    entry = acts.begin(tx, wanted, "reports")
    row = acts.check(reports.find(tx, wanted.record_id, lock=True), wanted, report.STEPS)
    entry.taxpayer_id = row["taxpayer_id"]
    device = devices.find(tx, row["device_id"])
    assert device is not None
    held = job_store.open_of(tx, row["id"])
    if held is not None:
        raise refuse("open_job", kind=held["kind"], job_id=held["id"])
    refusal = refusal_of(tx, row, device, wanted.verb, When(tx.moment, rules))
    if refusal is not None:
        raise refusal
    if wanted.verb in report.JOB_KINDS:
        return begin_step(tx, row, wanted.verb, wanted.caller)
    values: dict[str, Any]
    if wanted.verb == "file_return":
        values = {"return_filed_at": tx.now, "return_filed_by": wanted.caller.name}
    else:
        accepted = {"by": wanted.caller.name, "reason": wanted.reason, "at": tx.now}
        values = {"totals_accepted": text_of(accepted), **kept(tx, row)}
    move(tx, row, wanted.verb, values | _NO_TRIES)
    return None


def begin_step(tx: Transaction, row: Row, verb: str, caller: Principal) -> str:
    """Open the job of a step whose gate is open; its id. What stopped the clock before is forgotten."""
    work_of = _WORK[verb](kind=row["kind"], period=row["period"])
    subject = ("reports", row["id"], row["taxpayer_id"])
    job_id = jobs.open_job(tx, ("devices", row["device_id"]), subject, work_of, caller)
    reports.change(tx, row, {"stopped": "{}", "next_try_at": None}, tx.now)
    tx.raise_event(Event("reports", row["id"], row["taxpayer_id"], verb, row["version"] + 1))
    return job_id


def move(tx: Transaction, row: Row, verb: str, values: dict[str, Any]) -> None:
    """Write the state a verb leads to with its values, and tell. A row moved on meanwhile stays where it is."""
    may = report.MACHINE.may(row["state"], verb)
    state = report.MACHINE.after(row["state"], verb) if may else row["state"]
    reports.change(tx, row, {**values, "state": state}, tx.now)
    tx.raise_event(Event("reports", row["id"], row["taxpayer_id"], verb, row["version"] + 1))


# --- views


def view(hand: Connection, row: Row, viewer: Viewer) -> dict[str, Any]:
    """A report as the API shows it; ``row`` is joined by :data:`SOURCE`."""
    when = When(viewer.now, viewer.rules)
    device = {name: row[f"device_{name}"] for name in _OF_DEVICE} | {"id": row["device_id"]}
    held = job_store.open_of(hand, row["id"])
    shown = {name: value for name, value in row.items() if name not in _HIDDEN}
    standing: str = "cleared" if row["state"] == "cleared" else _standing(period_of(row, device), when)
    return shown | {
        **{name: msgspec.json.decode(row[name]) for name in _JSON},
        "clear_needs_return": bool(row["clear_needs_return"]),
        "device_kind": device["device_kind"],
        "standing": standing,
        "days_left": (day_of(row["new_deadline"] or row["deadline"]) - when.today).days,
        "open_job": {"id": held["id"], "kind": held["kind"]} if held else None,
        "allowed": _allowed(hand, row, device, held, viewer),
    }


_OF_DEVICE = (
    "device_no", "name", "state", "device_kind", "medium", "kinds", "last_index", "upload_cursor",
)  # fmt: skip
_HIDDEN = tuple(f"device_{name}" for name in _OF_DEVICE if name != "device_no")
COLUMNS = "r.*, d.device_no, " + ", ".join(f"d.{name} AS device_{name}" for name in _OF_DEVICE)
SOURCE = "reports r JOIN devices d ON d.id = r.device_id"


def _allowed(hand: Connection, row: Row, device: Row, held: Row | None, viewer: Viewer) -> list[dict[str, Any]]:
    found = []
    for spec in acts_of("reports"):
        why = acts.why_not(spec, row["state"], report.STEPS, held, viewer.caller)
        if why is None:
            refusal = refusal_of(hand, row, device, spec.verb, When(viewer.now, viewer.rules))
            why = refusal.message if refusal else None
        found.append(acts.verdict(spec, why))
    return found
