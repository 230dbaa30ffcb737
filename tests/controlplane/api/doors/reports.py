"""Reports, schedules of reporting, upload results."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from controlplane.domain.report import ACTS
from controlplane.wire.agents import Order
from controlplane.wire.evidence import Cleared, Evidence, ReportVerdict, Summary
from controlplane.wire.work import ClearKind, ReportKind, VerifyReport
from tests.controlplane.api.doors import OPERATORS, Maker, Valid
from tests.controlplane.operations.paper_devices import kind_facts
from tests.controlplane.operations.scene import START

if TYPE_CHECKING:
    from tests.controlplane.api.house import House

_COLUMNS = (
    "taxpayer_id, id, device_id, kind, period, state, report_from, report_to, deadline, report_no, summary, "
    "ledger_totals, differences, totals_accepted, verdict_code, verdict_message, clear_needs_return, return_filed_by, "
    "cleared_by, new_deadline, refusals, stopped, tries, version, created_at, updated_at"
)
_STATES = {"report": "report_due", "verify": "reported"}
_DIFFERING = (
    '{"blue_count": 999, "blue_net": "1.00", "blue_tax": "0.00", "red_count": 0, "red_net": "0.00", '
    '"red_tax": "0.00", "void_count": 0, "opening": 1000, "received": 0, "returned": 0, "closing": 1}'
)


class Desk:
    """Answers orders of reporting as a device would, so that its lane goes on."""

    def evidence(self, order: Order) -> Evidence | None:
        asked = order.work
        if isinstance(asked, ReportKind):
            nothing = dict.fromkeys(("opening", "received", "returned", "closing"), 0)
            counts = dict.fromkeys(("blue_count", "red_count", "void_count"), 0)
            sums = dict.fromkeys(("blue_net", "blue_tax", "red_net", "red_tax"), "0.00")
            return Summary(kind=asked.kind, period=asked.period, report_no="R1", **nothing, **counts, **sums)
        if isinstance(asked, VerifyReport):
            said = {"status": "accepted", "code": "1", "message": "", "clear_needs_return": False, "return_filed": False}
            return ReportVerdict(kind=asked.kind, period=asked.period, **said)
        if isinstance(asked, ClearKind):
            facts = kind_facts(asked.kind, START, issue_deadline="20991215")
            return Cleared(kind=asked.kind, period=asked.period, facts=facts)
        return None


def a_report(house: House, number: int, state: str, summary: str = "{}") -> str:
    """A report in a state of our choice, on a device with everything uploaded; its id.

    Its period lies far ahead, so that the clock does not find it cleared by the device's own deadline.
    """
    if not any(isinstance(desk, Desk) for desk in house.agent.desks):
        house.agent.desks.append(Desk())
    report_id = f"01a20000-0000-7000-8000-{number:012d}"
    house.agent.observe(house.paper, uploads=house.paper.uploads())
    house.scene.change("UPDATE devices SET last_index = upload_cursor")
    house.scene.change("UPDATE invoices SET upload_status = 'uploaded' WHERE state = 'issued'")
    house.scene.change(
        f"INSERT INTO reports ({_COLUMNS}) VALUES (:owner, :id, :device_id, '026', :period, :state, :first, :first, "
        "'2026-11-16', '', :summary, '{}', '[]', '{}', '', '', 0, '', '', '', '[]', '{}', 0, 1, :at, :at)",
        owner=house.owner, id=report_id, device_id=house.device_id, period=f"{2030 + number // 12}-{number % 12 + 1:02d}",
        state=state, first=f"{2030 + number // 12}-01-01", summary=summary, at="2026-11-22T03:00:00.000Z",
    )  # fmt: skip
    return report_id


def _verb(verb: str, house: House, number: int) -> Valid:
    summary = _DIFFERING if verb == "accept_totals" else "{}"
    report_id = a_report(house, number, _STATES.get(verb, "verified"), summary)
    return f"/v1/reports/{report_id}/{verb}", {"reason": "for the test", "version": 1}, "operator"


def _set(house: House, number: int) -> Valid:
    """For a taxpayer without devices: what it sets off is not of this test."""
    owner = house.scene.taxpayer(number + 1000)
    body = {"taxpayer_id": owner, "hour": 8, "minute": 30, "days_before": 5}
    return "/v1/report-schedules/set", body, "operator"


def _switch(verb: str, house: House, number: int) -> Valid:
    path, body, role = _set(house, number)
    row = house.post(path, body, role)[1]
    state = "enabled" if verb == "disable" else "disabled"
    house.scene.change("UPDATE report_schedules SET state = :state WHERE id = :id", state=state, id=row["id"])
    return f"/v1/report-schedules/{row['id']}/{verb}", {"reason": "x", "version": row["version"]}, "operator"


_REPORT = "/v1/reports/{record_id}/"
_SCHEDULE = "/v1/report-schedules/"
VALID: dict[str, Maker] = {
    **{_REPORT + spec.verb: partial(_verb, spec.verb) for spec in ACTS},
    _SCHEDULE + "set": _set,
    **{_SCHEDULE + "{record_id}/" + verb: partial(_switch, verb) for verb in ("enable", "disable")},
}
ALLOWED: dict[tuple[str, str], set[str]] = {
    **{
        ("post", _REPORT + verb): OPERATORS
        for verb in ("report", "verify", "file_return", "clear", "accept_totals")
    },
    ("post", _SCHEDULE + "set"): OPERATORS,
    **{("post", _SCHEDULE + "{record_id}/" + verb): OPERATORS for verb in ("enable", "disable")},
}
