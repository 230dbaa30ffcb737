"""Reporting by the clock: schedules, where it stops and why, asking again, and what was cleared elsewhere."""

from __future__ import annotations

import pytest

from controlplane.operations import report_schedules
from controlplane.operations.acts import Act
from controlplane.wire import work
from tests.controlplane.operations.reporting_stage import AFTER, Stage, cleared, summary, verdict
from tests.controlplane.operations.scene import ADMIN, Agent, Clock, Scene


@pytest.fixture
def stage(scene: Scene, agent: Agent, clock: Clock) -> Stage:
    return Stage(scene, agent, clock)


def test_by_the_clock_from_due_to_cleared(stage: Stage) -> None:
    """A platform schedule; every turn of every replica twice over opens one job."""
    stage.read()
    stage.opened()
    stage.turn()
    assert stage.agent.lease() == [], "without a schedule nothing goes by itself"
    stage.schedule(days_before=9)
    stage.turn()
    assert stage.agent.lease() == [], "not before its day"
    stage.schedule(days_before=11)
    stage.clock.forward(hours=-4)
    stage.turn()
    assert stage.agent.lease() == [], "not before its hour: it is 07:00"
    stage.clock.forward(hours=2)
    stage.read()
    answers = {
        work.ReportKind: lambda kind: summary(kind),
        work.VerifyReport: lambda kind: verdict(kind),
        work.ClearKind: lambda kind: cleared(stage, kind),
    }
    for step in answers:
        stage.turn()
        stage.turn()
        orders = stage.agent.lease()
        assert [type(order.work) for order in orders] == [step, step]
        for order in orders:
            found = answers[step](order.work.kind)  # type: ignore[union-attr]
            stage.agent.settle(stage.agent.answer(order, "done", evidence=found))
    assert {row["state"] for row in stage.rows().values()} == {"cleared"}
    stage.turn()
    assert stage.agent.lease() == []


def test_the_clock_says_once_why_it_stops_and_goes_on_when_the_reason_is_gone(stage: Stage) -> None:
    stage.read(uploaded=False)
    stage.opened()
    stage.schedule(stage.owner)
    stage.turn()
    stopped = stage.shown()["stopped"]
    assert stopped["code"] == "uploads_waiting" and stopped["remedy"] and stopped["runbook"] == "upload-waiting"
    version = stage.row()["version"]
    stage.turn()
    assert stage.row()["version"] == version, "said once"
    stage.read()
    stage.turn()
    assert [order.work.kind for order in stage.agent.lease()] == ["026", "028"]  # type: ignore[union-attr]
    assert stage.shown()["stopped"] == {}


def test_a_taxpayers_own_schedule_goes_before_the_platforms(stage: Stage) -> None:
    stage.read()
    stage.opened()
    stage.schedule()
    own = stage.schedule(stage.owner)
    row = stage.scene.one("SELECT * FROM report_schedules WHERE id = :id", id=own)
    stage.scene.ledger.write_now(
        lambda tx: report_schedules.act(tx, Act(ADMIN, "disable", own, row["version"], "by hand here", {}))
    )
    stage.turn()
    assert stage.agent.lease() == []


def test_a_refused_step_is_taken_again_after_a_while(stage: Stage) -> None:
    stage.read()
    stage.opened()
    stage.schedule()
    stage.scene.change("UPDATE reports SET next_try_at = '2099-01-01T00:00:00.000Z' WHERE kind = '028'")
    for seconds in (60, 120, 240):
        stage.turn()
        stage.settle("refused", code="300001", message="无法连接税局")
        stage.turn()
        assert stage.agent.lease() == [], "not at once"
        stage.clock.forward(seconds=seconds + 1)
        stage.read()
    assert stage.row()["tries"] == 3


def test_a_bureau_that_still_looks_is_asked_again_whoever_began(stage: Stage) -> None:
    stage.read()
    stage.opened()
    stage.act("report")
    stage.settle(found=summary())
    stage.act("verify")
    stage.settle(found=verdict(status="processing"))
    assert stage.row()["state"] == "reported"
    stage.turn()
    assert stage.agent.lease() == []
    stage.clock.forward(seconds=5)
    stage.turn()
    stage.settle(found=verdict())
    assert stage.row()["state"] == "verified"


def test_what_was_cleared_elsewhere_is_found(stage: Stage) -> None:
    """At the tax hall: the device shows its new deadline, and the report ends without our doing."""
    stage.read(last_report_date="20260801")
    stage.opened()
    stage.read(**AFTER)
    stage.turn()
    assert {(row["state"], row["cleared_by"], row["new_deadline"]) for row in stage.rows().values()} == {
        ("cleared", "elsewhere", "2027-01-18")
    }
