"""What an agent's outcome changes on reporting and clearing."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import msgspec

from controlplane import data
from controlplane.domain.dated import day_of
from controlplane.domain.refusals import Refusal, from_device, refuse
from controlplane.operations import observations, placement, report_clock, reports
from controlplane.operations.fleet_settlement import Settle
from controlplane.store import devices, times
from controlplane.store import reports as store
from controlplane.store.statement import Row
from controlplane.store.transaction import Transaction
from controlplane.wire import agents as wire
from controlplane.wire import evidence

MOST_REFUSALS = 50
"""Refusals kept on one report; the oldest go."""
_FORWARD: dict[str, Any] = {"tries": 0, "next_try_at": None, "stopped": "{}"}
_STEPS = {"report.send": "report", "report.verify": "verify", "report.clear": "clear"}


def contradiction(job: Row, outcome: wire.Outcome) -> str:
    """Why this evidence cannot be of this order; empty when it can, or is of no report."""
    found = outcome.evidence
    if job["kind"] not in _STEPS or not isinstance(
        found, evidence.Summary | evidence.ReportVerdict | evidence.Cleared
    ):
        return ""
    asked = msgspec.json.decode(job["work"])
    if (found.kind, found.period) != (asked["kind"], asked["period"]):
        return f"it speaks of kind {found.kind}, period {found.period}"
    if isinstance(found, evidence.Cleared) and found.facts.kind != found.kind:
        return f"its facts are of kind {found.facts.kind}"
    return ""


def _row(tx: Transaction, job: Row) -> Row:
    row = store.find(tx, job["subject_id"], lock=True)
    assert row is not None
    return row


def _reported(tx: Transaction, job: Row, outcome: wire.Outcome) -> None:
    """The summary is with the bureau; it is kept beside what the ledger adds up to."""
    row, found = _row(tx, job), outcome.evidence
    assert isinstance(found, evidence.Summary)
    told = {name: value for name, value in msgspec.to_builtins(found).items() if name not in _NAMES}
    row["summary"] = reports.text_of(told)
    values = {
        "summary": row["summary"],
        "report_no": found.report_no,
        "reported_at": tx.now,
        "totals_accepted": "{}",
        "verdict_code": "",
        "verdict_message": "",
        **reports.kept(tx, row),
    }
    reports.move(tx, row, "report", values | _FORWARD)


_NAMES = ("type", "tag", "kind", "period", "report_no")


def _verified(tx: Transaction, job: Row, outcome: wire.Outcome) -> None:
    """accepted: on to clearing. refused: to be reported anew. processing: asked again by the clock."""
    row, found = _row(tx, job), outcome.evidence
    assert isinstance(found, evidence.ReportVerdict)
    values: dict[str, Any] = {
        "verdict_code": found.code,
        "verdict_message": found.message[:200],
        "clear_needs_return": int(found.clear_needs_return),
        **reports.kept(tx, row),
    }
    if found.status == "refused":
        refusal = refuse("report_refused", native_code=found.code, native_message=found.message)
        reports.move(tx, row, "refuse", values | _noted(tx, row, "verify", (found.code, found.message), refusal))
        return
    if found.status == "processing":
        again = times.utc_text(tx.moment + timedelta(seconds=report_clock.PROCESSING_AGAIN))
        store.change(tx, row, {**values, "next_try_at": again}, tx.now)
        return
    values |= _FORWARD | {"verified_at": row["verified_at"] or tx.now}
    if found.clear_needs_return and not found.return_filed and row["return_filed_at"] is None:
        values["next_try_at"] = report_clock.try_again_at(tx, 0)
    reports.move(tx, row, "verify", values)
    if found.return_filed and row["return_filed_at"] is None:
        filed = {"return_filed_at": tx.now, "return_filed_by": "bureau", "next_try_at": None}
        reports.move(tx, _row(tx, job), "file_return", filed)


def _cleared(tx: Transaction, job: Row, outcome: wire.Outcome) -> None:
    """Cleared is only what the device itself proves: its new deadline lies behind the one before."""
    row, found = _row(tx, job), outcome.evidence
    assert isinstance(found, evidence.Cleared)
    device = devices.find(tx, row["device_id"], lock=True)
    assert device is not None
    deadline = found.facts.issue_deadline
    if not deadline or day_of(deadline) <= day_of(row["deadline"]):
        refusal = refuse(
            "deadline_not_moved", device_no=device["device_no"], kind=row["kind"], deadline=row["deadline"]
        )
        store.change(tx, row, _noted(tx, row, "clear", ("", refusal.message), refusal), tx.now)
        return
    new = day_of(deadline).isoformat()
    values = {"cleared_at": tx.now, "cleared_by": "us", "new_deadline": new, **reports.kept(tx, row)}
    reports.move(tx, row, "clear", values | _FORWARD)
    _tell_device(tx, device, found.facts, outcome.at)


def _tell_device(tx: Transaction, device: Row, facts: evidence.KindFacts, at: str) -> None:
    """The device's new facts count at once; a reading that was taken before is not to bring the old ones back."""
    kinds = msgspec.json.decode(device["kinds"], type=list[evidence.KindFacts])
    kept = [facts if one.kind == facts.kind else one for one in kinds]
    values: dict[str, Any] = {"kinds": msgspec.json.encode(kept).decode()}
    if device["read_at"] and at > device["read_at"]:
        values["read_at"] = at
    observations.mark(tx, device["id"], values)
    placement.device_changed(tx, device["id"], data.issuing_rules())


def _refused(tx: Transaction, job: Row, outcome: wire.Outcome) -> None:
    """The device or bureau said no: kept with code, text and time; the clock tries again later."""
    row = _row(tx, job)
    device = devices.find(tx, row["device_id"])
    named = {"device_no": (device or {}).get("device_no") or "—", "kind": row["kind"], "period": row["period"]}
    refusal = from_device(outcome.code, outcome.message, **named)
    values = _noted(tx, row, _STEPS[job["kind"]], (outcome.code, outcome.message), refusal)
    if refusal.code == "return_not_filed":
        values["clear_needs_return"] = 1
    store.change(tx, row, values, tx.now)


def _noted(tx: Transaction, row: Row, step: str, said: tuple[str, str], refusal: Refusal) -> dict[str, Any]:
    """Columns with one more refusal."""
    code, text = said
    known = msgspec.json.decode(row["refusals"])
    one = {"at": tx.now, "step": step, "code": code, "text": text[:300], "reason": refusal.code}
    told = {**refusal.as_dict(), "message_en": refusal.message_en, "remedy_en": refusal.remedy_en, "at": tx.now}
    return {
        "refusals": reports.text_of([*known, one][-MOST_REFUSALS:]),
        "stopped": reports.text_of(told),
        "next_try_at": report_clock.try_again_at(tx, row["tries"]),
        "tries": row["tries"] + 1,
    }


DONE: dict[str, Settle] = {"report.send": _reported, "report.verify": _verified, "report.clear": _cleared}
"""Job kind → what its outcome ``done`` changes."""

REFUSED: dict[str, Settle] = dict.fromkeys(_STEPS, _refused)
"""Job kind → what its outcome ``refused`` changes, where anything remembers the refusal."""

EVIDENCE: dict[str, type] = {
    "report.send": evidence.Summary,
    "report.verify": evidence.ReportVerdict,
    "report.clear": evidence.Cleared,
}
"""Job kind → the evidence a done job must bring."""
