"""Report, verdict and clear: the driver and the simulated tax server and bureau understand each other."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from agents.drivers.contract import Answer, Done, Found, NeverExecuted, NoAnswer, Refused
from agents.simulated.calendar import CHINA, filing_deadline, now_utc
from controlplane.wire.evidence import Cleared, ReportVerdict, Summary
from controlplane.wire.work import ClearKind, FetchKinds, ReportKind, VerifyReport, VoidInvoice
from tests.agents import orders
from tests.agents.drivers.test_against_simulator import Bench, Catalog, Patience
from tests.agents.simulated.practice import Practice, ask_http, until


class Desk(Bench):
    """A bench that puts its device into a period that can be reported, and asks for the three steps."""

    def due(self, late: bool = True) -> str:
        """Today's invoices are the period's; its deadline was yesterday. The period."""
        today = now_utc().astimezone(CHINA).date()
        wish = {"report_from": f"{today:%Y%m%d}", "report_to": f"{today:%Y%m%d}"}
        wish["issue_deadline"] = f"{today - timedelta(days=1) if late else today:%Y%m%d}"
        self.put_period(**wish)
        return f"{today:%Y-%m}"

    def put_period(self, **wish: str) -> None:
        port = self.practice.devices_facts["control_port"]
        assert ask_http(port, "PUT", f"/devices/{self.device_no}/period", wish)[0] == 200

    def answer(self, work: Any) -> Answer:
        return self.perform(self.order(work))

    def accepted(self, period: str, kind: str = "026") -> ReportVerdict:
        def look() -> ReportVerdict | None:
            found = self.done(VerifyReport(kind=kind, period=period))
            assert isinstance(found, ReportVerdict)
            return found if found.status != "processing" else None

        found: ReportVerdict = until(look)
        return found

    def deadline(self, kind: str = "026") -> str:
        kinds: Any = self.done(FetchKinds())
        return str(next(one.issue_deadline for one in kinds.kinds if one.kind == kind))

    def bureau(self, path: str, **wish: str) -> None:
        assert ask_http(self.practice.bureau_facts["control_port"], "PUT", path, wish)[0] == 200


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Any]:
    opened: list[Any] = []

    def start(**bureau: Any) -> Desk:
        practice = Practice(tmp_path, **bureau)
        catalog = Catalog(Patience(connect=2.0, read=2.0), now_utc)
        opened.extend([catalog, practice])
        desk = Desk(catalog.driver("new_tax_server"), practice)
        desk.ready()
        return desk

    yield start
    for one in opened:
        one.close()


def next_deadline(period: str) -> str:
    """The deadline that the bureau gives after this period: two months on, moved by holidays."""
    first = date.fromisoformat(f"{period}-01")
    for _ in range(2):
        first = (first + timedelta(days=32)).replace(day=1)
    return f"{filing_deadline(first.year, first.month):%Y%m%d}"


def test_locked_reported_cleared_and_issuing_again(make: Any) -> None:
    desk = make()
    asked = desk.order(orders.invoice())
    assert isinstance(desk.perform(asked), Done)
    until(lambda: desk.driver.observe(asked.address, 0).uploads)
    period = desk.due()
    locked = desk.answer(orders.invoice())
    assert isinstance(locked, Refused) and locked.code == "09d109"
    early = desk.answer(ClearKind(kind="026", period=period))
    assert isinstance(early, Refused) and early.code == "300004", early
    told = desk.done(ReportKind(kind="026", period=period))
    assert isinstance(told, Summary) and told.report_no
    assert (told.blue_count, told.red_count, told.void_count) == (1, 0, 0)
    work = orders.invoice()
    assert (told.blue_net, told.blue_tax) == (work.net_total, work.tax_total)
    used = told.blue_count + told.red_count + told.void_count
    assert told.opening + told.received - told.returned - used == told.closing == 49
    again = desk.done(ReportKind(kind="026", period=period))
    assert again == told, "a second report of the same period is the same report"
    verdict = desk.accepted(period)
    assert (verdict.status, verdict.clear_needs_return) == ("accepted", False)
    cleared = desk.done(ClearKind(kind="026", period=period))
    assert isinstance(cleared, Cleared) and cleared.facts.issue_deadline == next_deadline(period) == desk.deadline()
    assert isinstance(desk.answer(orders.invoice()), Done)
    behind = desk.answer(ClearKind(kind="026", period=period))
    assert isinstance(behind, Refused) and behind.code == "092400", "the device has another period open"


def test_a_voided_invoice_is_counted_and_not_summed(make: Any) -> None:
    """One whose signature the bureau rejected: it holds the report up until it is voided."""
    desk = make()
    desk.practice.faults(str(desk.device_no), {"kind": "signature_rejected", "times": 1})
    first, second = desk.order(orders.invoice()), desk.order(orders.invoice())
    made = [desk.perform(asked) for asked in (first, second)]
    until(lambda: len(desk.driver.observe(first.address, 0).uploads) == 2)
    period = desk.due()
    held = desk.answer(ReportKind(kind="026", period=period))
    assert isinstance(held, Refused) and held.code == "09d12a"
    bad: Any = made[0].evidence  # type: ignore[union-attr]
    desk.done(
        VoidInvoice(
            kind="026",
            invoice_code=bad.invoice_code,
            invoice_no=bad.invoice_no,
            gross_total=bad.gross_total,
            voided_by="李四",
            reason="验签失败",
        )
    )
    told = desk.done(ReportKind(kind="026", period=period))
    assert isinstance(told, Summary) and (told.blue_count, told.void_count, told.closing) == (1, 1, 48)
    assert told.blue_net == orders.invoice().net_total


def test_a_kind_never_used_has_nothing_to_report(make: Any) -> None:
    desk = make()
    period = desk.due()
    asked = desk.order(ReportKind(kind="028", period=period))
    answer = desk.perform(asked)
    assert isinstance(answer, Done) and isinstance(answer.evidence, Summary)
    assert (answer.evidence.report_no, answer.evidence.blue_count, answer.evidence.closing) == ("", 0, 0)
    assert desk.driver.recall(asked) == Found(answer.evidence)
    assert desk.accepted(period, "028").status == "accepted"
    assert isinstance(desk.done(ClearKind(kind="028", period=period)), Cleared)


def test_not_while_uploads_wait_nor_too_early_nor_for_a_zombie(make: Any) -> None:
    desk = make()
    desk.due(late=False)
    today = now_utc().astimezone(CHINA).date()
    early = desk.answer(ReportKind(kind="026", period=f"{today:%Y-%m}"))
    assert isinstance(early, Refused) and early.code == "09d12c"
    desk.practice.bureau_is("down")
    assert isinstance(desk.answer(orders.invoice()), Done)
    period = desk.due()
    waiting = desk.answer(ReportKind(kind="026", period=period))
    assert isinstance(waiting, Refused) and waiting.code == "09d12a", waiting
    desk.practice.bureau_is("up")
    until(lambda: desk.practice.state(str(desk.device_no))["waiting_uploads"] == 0)
    assert isinstance(desk.done(ReportKind(kind="026", period=period)), Summary)
    long_ago = f"{today - timedelta(days=95):%Y%m%d}"
    desk.put_period(report_from=f"{today:%Y%m%d}", report_to=f"{today:%Y%m%d}",
                    issue_deadline=f"{today - timedelta(days=1):%Y%m%d}", last_report_date=long_ago)  # fmt: skip
    zombie = desk.answer(ReportKind(kind="026", period=period))
    assert isinstance(zombie, Refused) and zombie.code == "09d12b"


def test_the_bureau_may_want_the_return_first_and_may_refuse_a_report(make: Any) -> None:
    desk = make(clear_needs_return=True)
    period = desk.due()
    native = period.replace("-", "")
    desk.done(ReportKind(kind="026", period=period))
    verdict = desk.accepted(period)
    assert (verdict.clear_needs_return, verdict.return_filed) == (True, False)
    unfiled = desk.answer(ClearKind(kind="026", period=period))
    assert isinstance(unfiled, Refused) and unfiled.code == "300005"
    named = {"device_no": str(desk.device_no), "kind": "026", "period": native}
    desk.bureau("/verdicts", **named, verdict="refused", message="比对不符")
    refused = desk.accepted(period)
    assert (refused.status, refused.message) == ("refused", "比对不符")
    desk.done(ReportKind(kind="026", period=period))
    assert desk.accepted(period).status == "accepted", "reported anew after the refusal"
    desk.bureau("/returns", taxpayer_id=orders.TAXPAYER, period=native)
    assert desk.accepted(period).return_filed
    desk.practice.restart_bureau()
    desk.practice.restart_devices()
    desk.port = int(desk.practice.devices_facts["tax_servers"][0]["port"])
    assert isinstance(desk.done(ClearKind(kind="026", period=period)), Cleared), "bureau and device remember"


@pytest.mark.parametrize("step", ["report", "clear"])
@pytest.mark.parametrize("kind", ["answer_lost", "sent_not_executed"])
def test_a_lost_answer_is_recalled_by_its_serial(make: Any, step: str, kind: str) -> None:
    desk = make()
    period = desk.due()
    work: Any = ReportKind(kind="026", period=period)
    if step == "clear":
        desk.done(work)
        desk.accepted(period)
        work = ClearKind(kind="026", period=period)
    code = {"report": "GP_HZSJCB", "clear": "GP_JKHC"}[step]
    desk.practice.faults(str(desk.device_no), {"kind": kind, "calls": [code], "times": 1})
    asked = desk.order(work)
    assert isinstance(desk.perform(asked), NoAnswer)
    time.sleep(0.1)
    if kind == "sent_not_executed":
        assert isinstance(desk.driver.recall(asked), NeverExecuted)
        assert isinstance(desk.perform(asked), Done)
    found = desk.driver.recall(asked)
    assert isinstance(found, Found) and isinstance(found.evidence, Summary | Cleared)
