"""Reports on a real ledger: gates inside the transaction, outcomes, totals, the clock's steps and where it stops."""

from __future__ import annotations

import json

import pytest

from controlplane.domain.refusals import Refusal
from controlplane.operations import report_clock, reports, voids
from controlplane.operations.acts import Act
from controlplane.operations.reports import When
from controlplane.wire import evidence, work
from tests.controlplane.operations.paper_devices import KINDS, kind_facts
from tests.controlplane.operations.reporting_stage import AFTER, DUE, Stage, cleared, summary, verdict
from tests.controlplane.operations.scene import ADMIN, RULES, Agent, Clock, Scene, body, front_end


@pytest.fixture
def stage(scene: Scene, agent: Agent, clock: Clock) -> Stage:
    return Stage(scene, agent, clock)


# --- coming into being


def test_reports_come_into_being_when_they_are_due_and_once(stage: Stage) -> None:
    stage.read(**AFTER)
    assert stage.opened() == {}, "the period the device holds open is not over"
    stage.read()
    rows = stage.opened()
    assert {(row["kind"], row["period"], row["state"], row["deadline"]) for row in rows.values()} == {
        ("026", "2026-11", "report_due", "2026-12-15"),
        ("028", "2026-11", "report_due", "2026-12-15"),
    }
    stage.scene.ledger.write_now(lambda tx: report_clock.open_due(tx, stage.device_id, RULES))
    assert stage.opened() == rows, "another replica's look changes nothing"
    shown = stage.shown()
    assert (shown["standing"], shown["days_left"], shown["device_no"]) == ("due", 11, stage.paper.device_no)


# --- every step too early, by name


def test_steps_out_of_order_are_refused_by_the_table(stage: Stage) -> None:
    stage.read()
    stage.opened()
    for verb in ("verify", "file_return", "clear", "accept_totals"):
        assert stage.refused(verb) == "move_not_allowed"
        assert "report_due" in stage.allowed()[verb]


def test_not_before_everything_is_uploaded_and_the_device_says_so(stage: Stage) -> None:
    stage.read(uploaded=False)
    stage.opened()
    assert stage.refused("report") == "uploads_waiting" and "1 张" in stage.allowed()["report"]
    assert stage.refused("report", "028") == "device_uploads_waiting", "the device has not told the end of its journal"
    stage.read()
    assert stage.allowed()["report"] == ""
    stage.agent.observe(stage.paper, last_index=2, kinds=[kind_facts(kind, stage.clock(), **DUE) for kind in KINDS])
    assert stage.refused("report") == "device_uploads_waiting", "somebody issued by hand"


def test_the_period_must_be_over(stage: Stage) -> None:
    stage.read(report_from="20261201", report_to="20261231", issue_deadline="20261215")
    stage.opened()
    assert stage.refused("report") == "period_open"


def test_a_silent_device_is_sent_to_the_tax_hall(stage: Stage) -> None:
    stage.read(last_report_date="20260901")
    stage.opened()
    assert stage.shown()["standing"] == "zombie"
    assert stage.refused("report") == "device_zombie" and "办税厅" in stage.scene.ledger.read_now(
        lambda hand: reports.refusal_of(hand, stage.row(), stage.device(), "report", When(stage.clock(), RULES))
    ).remedy  # type: ignore[union-attr]


def test_without_an_agent_nothing_is_asked(stage: Stage) -> None:
    stage.read()
    stage.opened()
    stage.scene.change("UPDATE bindings SET agent_id = NULL WHERE target_id = :id", id=stage.device_id)
    assert stage.refused("report") == "no_agent"


def test_one_step_at_a_time_at_the_version_seen_in_the_callers_scope(stage: Stage) -> None:
    stage.read()
    stage.opened()
    stage.act("report")
    assert stage.refused("report") == "open_job"
    row = stage.row()
    stale = Act(ADMIN, "report", row["id"], row["version"] - 1, "x", {})
    foreign = Act(front_end("91990000MA0009999X"), "report", row["id"], row["version"], "x", {})
    codes = []
    for wanted in (stale, foreign):
        with pytest.raises(Refusal) as caught:
            stage.scene.ledger.write_now(lambda tx, one=wanted: reports.act(tx, one, RULES))
        codes.append(caught.value.code)
    assert codes == ["version_differs", "not_found"]


def test_where_the_dialect_wants_it_all_kinds_are_reported_before_any_clears(stage: Stage) -> None:
    stage.read()
    stage.opened()
    stage.through("026")
    assert stage.allowed("026")["clear"] == "", "a new tax server goes kind by kind"
    stage.scene.change("UPDATE devices SET device_kind = 'golden_disk_c48', medium = 'golden_disk'")
    assert stage.refused("clear", "026") == "kinds_to_report" and "028" in stage.allowed("026")["clear"]
    stage.through("028")
    assert stage.allowed("026")["clear"] == ""


# --- the way through


def test_from_locked_to_an_invoice_issued_again(stage: Stage) -> None:
    stage.clock.forward(days=12)
    stage.read()
    stage.opened()
    invoice_id, state = stage.scene.request(body(stage.owner, "december"))
    waiting = json.loads(stage.scene.invoice(invoice_id)["waiting_reason"])
    assert (state, waiting["code"]) == ("waiting", "issue_deadline")
    assert stage.shown()["standing"] == "locked" and stage.shown()["days_left"] == -1
    stage.act("report")
    order = stage.settle(found=summary())
    assert order.work == work.ReportKind(kind="026", period="2026-11")
    assert (stage.row()["state"], stage.row()["report_no"], stage.row()["differences"]) == ("reported", "CB1", "[]")
    assert stage.refused("clear") == "move_not_allowed"
    stage.act("verify")
    stage.settle(found=verdict())
    stage.act("clear")
    assert stage.scene.jobs_of(invoice_id) == []
    stage.settle(found=cleared(stage))
    row = stage.row()
    assert (row["state"], row["new_deadline"], row["cleared_by"]) == ("cleared", "2027-01-18", "us")
    (job,) = stage.scene.jobs_of(invoice_id)
    assert job["state"] == "queued", "it goes on at once, without another reading"
    stage.agent.work_off()
    assert stage.scene.invoice(invoice_id)["state"] == "issued"
    assert stage.row("028")["state"] == "report_due", "the other kind has its own way to go"
    assert all(why for why in stage.allowed().values()), "nothing more to do"
    log = [(row["action"], row["outcome"]) for row in stage.scene.log() if row["noun"] == "reports"]
    assert [entry for entry in log if entry[1] == "allowed"] == [
        ("reports.report", "allowed"), ("report.send.done", "allowed"), ("reports.verify", "allowed"),
        ("report.verify.done", "allowed"), ("reports.clear", "allowed"), ("report.clear.done", "allowed"),
    ]  # fmt: skip


def test_a_reading_from_before_the_clearing_does_not_lock_again(stage: Stage) -> None:
    stage.read()
    stage.opened()
    stage.through()
    late = stage.paper.reading(stage.clock(), kinds=[kind_facts(kind, stage.clock(), **DUE) for kind in KINDS])
    stage.clock.forward(seconds=2)
    stage.act("clear")
    stage.settle(found=cleared(stage))
    from controlplane.operations import observations

    stage.scene.ledger.write_now(lambda tx: observations.take(tx, stage.agent.id, late, RULES))
    kinds = {one["kind"]: one["issue_deadline"] for one in json.loads(stage.device()["kinds"])}
    assert kinds == {"026": "20270118", "028": "20261215"}


def test_cleared_is_only_what_the_devices_own_deadline_proves(stage: Stage) -> None:
    stage.read()
    stage.opened()
    stage.through()
    stage.act("clear")
    stage.settle(found=cleared(stage, issue_deadline="20261215"))
    row = stage.row()
    assert row["state"] == "verified" and json.loads(row["refusals"])[0]["reason"] == "deadline_not_moved"
    stage.act("clear")
    other = evidence.Cleared(kind="026", period="2026-10", facts=kind_facts("026", stage.clock(), **AFTER))
    stage.settle(found=other)
    assert stage.row()["state"] == "verified"
    held = stage.scene.one("SELECT * FROM evidence")
    assert "speaks of" in held["reason"] and stage.device()["state"] == "suspended", "a contradiction is set aside"


def test_what_was_reported_is_known_to_those_who_void(stage: Stage) -> None:
    """From the summary on, not only from the clearing on, the month's invoices are reported."""
    stage.read()
    stage.opened()
    invoice = stage.scene.one("SELECT * FROM invoices WHERE request_id = 'november'")

    def first_day() -> str:
        return str(stage.scene.ledger.read_now(lambda hand: voids._reported_before(hand, invoice)))

    assert first_day() == "2026-11-01"
    stage.act("report")
    stage.settle(found=summary())
    assert first_day() == "2026-12-01"


def test_nothing_to_report_is_a_success(stage: Stage) -> None:
    stage.read()
    stage.opened()
    stage.act("report", "028")
    stage.settle(found=summary("028", report_no="", opening=0, closing=0))
    assert (stage.row("028")["state"], stage.row("028")["differences"]) == ("reported", "[]")


# --- refusals of device and bureau


def test_refusals_are_kept_with_code_text_and_time(stage: Stage) -> None:
    stage.read()
    stage.opened()
    stage.act("report")
    stage.settle("refused", code="09d12a", message="已到上传截止日期，上月有已开未上传发票")
    stage.act("report")
    stage.settle(found=summary())
    stage.act("verify")
    stage.settle(found=verdict(status="refused"))
    row = stage.row()
    assert (row["state"], row["verdict_message"]) == ("report_due", "比对不符")
    kept = [(one["step"], one["code"], one["text"], one["reason"]) for one in stage.shown()["refusals"]]
    assert kept == [
        ("report", "09d12a", "已到上传截止日期，上月有已开未上传发票", "uploads_waiting"),
        ("verify", "1", "比对不符", "report_refused"),
    ]
    assert all(one["at"].startswith("2026-12-04T") for one in stage.shown()["refusals"])
    assert stage.allowed()["report"] == "", "it may be reported anew"


def test_the_return_is_waited_for_where_the_bureau_wants_it(stage: Stage) -> None:
    stage.read()
    stage.opened()
    stage.act("report")
    stage.settle(found=summary())
    stage.act("verify")
    stage.settle(found=verdict(wants=True))
    assert stage.refused("clear") == "return_not_filed" and "2026-11" in stage.allowed()["clear"]
    stage.act("file_return")
    row = stage.row()
    assert (row["state"], row["return_filed_by"]) == ("return_filed", "admin")
    assert stage.allowed()["clear"] == ""


def test_the_bureau_itself_may_say_that_the_return_is_filed(stage: Stage) -> None:
    stage.read()
    stage.opened()
    stage.act("report")
    stage.settle(found=summary())
    stage.act("verify")
    stage.settle(found=verdict(wants=True, filed=True))
    assert (stage.row()["state"], stage.row()["return_filed_by"]) == ("return_filed", "bureau")


def test_a_bureau_that_refuses_to_clear_before_the_return_is_believed(stage: Stage) -> None:
    stage.read()
    stage.opened()
    stage.through()
    stage.act("clear")
    stage.settle("refused", code="300005", message="未申报")
    assert stage.row()["state"] == "verified" and stage.refused("clear") == "return_not_filed"


# --- totals


def test_totals_that_differ_are_shown_and_stop_the_clearing_until_somebody_explains_them(stage: Stage) -> None:
    stage.read()
    stage.opened()
    stage.act("report")
    stage.settle(found=summary(blue_count=2, blue_net="40.00", red_count=1, red_net="-3.00", closing=97))
    stage.act("verify")
    stage.settle(found=verdict())
    shown = stage.shown()
    assert shown["differences"] == ["blue_count", "blue_net", "red_count", "red_net"]
    assert (shown["summary"]["blue_net"], shown["ledger_totals"]["blue_net"]) == ("40.00", "20.00")
    assert stage.refused("clear") == "totals_differ" and "blue_net" in stage.allowed()["clear"]
    stage.act("accept_totals", reason="one invoice was issued by hand")
    accepted = stage.shown()["totals_accepted"]
    assert (accepted["by"], accepted["reason"]) == ("admin", "one invoice was issued by hand")
    assert stage.allowed()["clear"] == "" and stage.shown()["differences"], "accepted, and still to be seen"


def test_numbers_that_do_not_add_up_are_a_difference_too(stage: Stage) -> None:
    stage.read()
    stage.opened()
    stage.act("report")
    stage.settle(found=summary(closing=98))
    assert stage.shown()["differences"] == ["closing"]


def test_totals_that_agree_have_nothing_to_accept(stage: Stage) -> None:
    stage.read()
    stage.opened()
    stage.through()
    assert stage.refused("accept_totals") == "totals_agree"
