"""Outcomes: each result in each state of a job, repeats, other epochs, lanes that rest, and evidence that cannot be."""

from __future__ import annotations

import itertools
import json
from typing import Any

import msgspec
import pytest

from controlplane.domain.refusals import Refusal
from controlplane.operations import tax_servers, virtual_devices
from controlplane.store.times import from_text
from controlplane.wire import agents as wire
from controlplane.wire import evidence
from tests.controlplane.operations.paper_devices import Paper
from tests.controlplane.operations.scene import START, Agent, Clock, Scene, body

RESULTS = ("done", "refused", "unreachable", "unknown")
LATER = {"operation_log", "ledger_head", "events", "evidence"}


@pytest.fixture
def owner(scene: Scene) -> str:
    return scene.taxpayer(1)


@pytest.fixture
def paper(scene: Scene, agent: Agent, owner: str) -> Paper:
    return scene.ready(agent, owner, scene.server(agent))


@pytest.fixture
def order(scene: Scene, agent: Agent, owner: str, paper: Paper) -> wire.Order:
    """One leased order to issue."""
    scene.request(body(owner, "r1"))
    return agent.lease()[0]


def outcome(agent: Agent, order: wire.Order, result: str) -> wire.Outcome:
    if result == "done":
        return agent.done(order)
    codes = {"refused": "09d116", "unreachable": "connect", "unknown": "timeout"}
    return agent.answer(order, result, code=codes[result], message="in the device's words")


def job_of(scene: Scene, order: wire.Order) -> dict[str, Any]:
    return scene.one("SELECT * FROM jobs WHERE id = :id", id=order.job_id)


def invoice_of(scene: Scene, order: wire.Order) -> dict[str, Any]:
    return scene.invoice(job_of(scene, order)["subject_id"])


def reason(scene: Scene, order: wire.Order, column: str = "waiting_reason") -> str | None:
    told = invoice_of(scene, order)[column]
    return json.loads(told)["code"] if told else None


def set_aside(scene: Scene) -> list[dict[str, Any]]:
    return scene.rows("SELECT * FROM evidence ORDER BY id")


ENDS = {"done": ("done", "issued"), "refused": ("refused", "refused"), "unreachable": ("queued", "waiting"),
        "unknown": ("unknown", "waiting")}  # fmt: skip


@pytest.mark.parametrize("result", RESULTS)
def test_each_result_of_a_leased_job(scene: Scene, agent: Agent, order: wire.Order, paper: Paper, result: str) -> None:
    assert agent.settle(outcome(agent, order, result)) == "settled"
    assert (job_of(scene, order)["state"], invoice_of(scene, order)["state"]) == ENDS[result]
    left = {"done": (99, 0), "refused": (100, 0)}.get(result, (100, 1))
    assert scene.stock(scene.id_of(paper)) == left
    reasons = {"unreachable": "device_unreachable", "unknown": "outcome_unknown"}
    assert reason(scene, order) == reasons.get(result)
    row = scene.log()[-1]
    assert (row["action"], row["actor_id"], row["outcome"]) == (f"invoice.issue.{result}", agent.id, "allowed")
    assert set_aside(scene) == []


@pytest.mark.parametrize("result", RESULTS)
def test_a_repeat_changes_nothing(scene: Scene, agent: Agent, order: wire.Order, result: str) -> None:
    said = outcome(agent, order, result)
    agent.settle(said)
    before = scene.dump(but=()), scene.log()
    for _ in range(3):
        assert agent.settle(said) == "settled"
    assert (scene.dump(but=()), scene.log()) == before


@pytest.mark.parametrize(("first", "second"), list(itertools.permutations(RESULTS, 2)))
def test_every_pair_of_results(scene: Scene, agent: Agent, order: wire.Order, first: str, second: str) -> None:
    """A final word stands; after unknown only done or refused end it, and nothing brings it back to the queue."""
    agent.settle(outcome(agent, order, first))
    before = job_of(scene, order)["state"], invoice_of(scene, order)["state"]
    assert agent.settle(outcome(agent, order, second)) == "settled"
    after = job_of(scene, order)["state"], invoice_of(scene, order)["state"]
    if first == "unknown" and second in ("done", "refused"):
        assert after == ENDS[second]
    else:
        assert after == before
        if first == "unknown":
            assert reason(scene, order) == "outcome_unknown", "it goes on saying so"


@pytest.mark.parametrize("result", RESULTS)
@pytest.mark.parametrize("state", ["leased", "unknown", "done"])
def test_another_epoch_changes_nothing_and_is_kept(
    scene: Scene, agent: Agent, order: wire.Order, state: str, result: str
) -> None:
    if state != "leased":
        agent.settle(outcome(agent, order, state))
    said = msgspec.structs.replace(outcome(agent, order, result), epoch=order.epoch + 1)
    before = scene.dump(LATER)
    for _ in range(2):
        assert agent.settle(said) == "stale"
    assert scene.dump(LATER) == before
    (kept,) = set_aside(scene)
    assert msgspec.json.decode(kept["outcome"], type=wire.Outcome) == said


def test_what_another_agent_says_changes_nothing_and_is_kept(scene: Scene, agent: Agent, order: wire.Order) -> None:
    stranger = Agent(scene, host_id="host-2")
    stranger.papers = agent.papers
    said = stranger.done(order)
    before = scene.dump(LATER)
    assert stranger.settle(said) == "stale"
    missing = msgspec.structs.replace(said, job_id="00000000-0000-7000-8000-000000000000")
    assert stranger.settle(missing) == "stale", "a foreign job is answered like a missing one"
    assert scene.dump(LATER) == before and len(set_aside(scene)) == 2
    assert agent.settle(said) == "settled"


def test_a_second_invoice_proved_after_the_end_is_kept(
    scene: Scene, agent: Agent, order: wire.Order, paper: Paper
) -> None:
    stale = agent.done(order)
    agent.session = "session-2"
    again = agent.lease()[0]
    assert again.redelivered and agent.settle(agent.done(again)) == "settled"
    assert agent.settle(stale) == "stale"
    assert invoice_of(scene, order)["invoice_no"] == "00010002"
    (kept,) = set_aside(scene)
    assert json.loads(kept["outcome"])["evidence"]["invoice_no"] == "00010001"


def test_unknown_then_done_takes_the_journals_invoice(scene: Scene, agent: Agent, order: wire.Order) -> None:
    agent.settle(agent.answer(order, "unknown"))
    agent.settle(agent.done(order))
    assert (invoice_of(scene, order)["state"], reason(scene, order)) == ("issued", None)
    trail = [step["what"] for step in json.loads(job_of(scene, order)["trail"])]
    assert trail == ["queued", "leased", "unknown", "done"]


# --- refused: ends, or waits


@pytest.mark.parametrize("code", ["09d116", "something new"])
def test_a_device_that_refuses_the_data_ends_the_request(
    scene: Scene, agent: Agent, order: wire.Order, code: str
) -> None:
    agent.settle(agent.answer(order, "refused", code=code, message="税率未授权"))
    refusal = json.loads(invoice_of(scene, order)["refusal"])
    assert refusal["details"]["native_code"] == code and refusal["remedy"] and refusal["runbook"]
    assert refusal["code"] == {"09d116": "rate_not_authorised"}.get(code, "device_refused")


def test_a_device_without_numbers_makes_it_wait(
    scene: Scene, agent: Agent, order: wire.Order, paper: Paper, clock: Clock
) -> None:
    agent.settle(agent.answer(order, "refused", code="1002"))
    assert (invoice_of(scene, order)["state"], reason(scene, order)) == ("waiting", "no_stock")
    assert invoice_of(scene, order)["open_job_id"] is None
    assert scene.stock(scene.id_of(paper)) == (0, 0), "it offers none until it is read again"
    agent.observe(paper)
    clock.forward(seconds=5)
    assert [one.work.request_id for one in agent.work_off()] == ["r1"]  # type: ignore[union-attr]
    assert invoice_of(scene, order)["state"] == "issued"


# --- unreachable


def test_a_lane_rests_longer_each_time_and_wakes_when_the_device_works(
    scene: Scene, agent: Agent, order: wire.Order, paper: Paper, clock: Clock
) -> None:
    device_id, pauses = scene.id_of(paper), []
    for _ in range(8):
        agent.settle(agent.answer(order, "unreachable", code="connect", message="no route"))
        binding = scene.one("SELECT * FROM bindings WHERE target_id = :id", id=device_id)
        pauses.append((from_text(binding["rest_until"]) - clock()).total_seconds())
        assert agent.lease() == []
        clock.forward(seconds=pauses[-1])
        (order,) = agent.lease()
    assert pauses == [1, 2, 4, 8, 16, 30, 30, 30]
    assert scene.device(device_id)["reachable"] == 0
    agent.settle(agent.answer(order, "unreachable", code="connect"))
    agent.observe(paper)
    (order,) = agent.lease()
    agent.settle(agent.done(order))
    assert scene.one("SELECT * FROM bindings WHERE target_id = :id", id=device_id)["failures"] == 0


def test_given_back_unstarted_says_nothing_about_the_device(
    scene: Scene, agent: Agent, order: wire.Order, paper: Paper
) -> None:
    agent.settle(agent.answer(order, "unreachable", code="not_started"))
    assert job_of(scene, order)["state"] == "queued"
    assert scene.device(scene.id_of(paper))["reachable"] == 1
    assert len(agent.lease()) == 1


def test_unreachable_proves_nothing_about_a_time_nobody_reported_on(
    scene: Scene, agent: Agent, order: wire.Order
) -> None:
    agent.session = "session-2"
    (again,) = agent.lease()
    agent.settle(agent.answer(again, "unreachable", code="connect"))
    assert job_of(scene, order)["state"] == "unknown", "the session before may have signed"


# --- evidence that cannot be


@pytest.mark.parametrize(
    "changes",
    [{"gross_total": "21.81"}, {"net_total": "2.00"}, {"tax_total": "x"}, {"request_id": "r2"}, {"kind": "028"},
     {"invoice_no": "1O"}],
)  # fmt: skip
def test_an_invoice_that_is_not_the_ordered_one_is_not_taken_over(
    scene: Scene, agent: Agent, order: wire.Order, paper: Paper, changes: dict[str, str]
) -> None:
    said = agent.done(order)
    assert isinstance(said.evidence, evidence.IssuedInvoice)
    said = msgspec.structs.replace(said, evidence=msgspec.structs.replace(said.evidence, **changes))
    assert agent.settle(said) == "settled"
    assert invoice_of(scene, order)["state"] == "waiting" and reason(scene, order) == "outcome_unknown"
    assert job_of(scene, order)["state"] == "unknown"
    assert scene.device(scene.id_of(paper))["state"] == "suspended"
    assert len(set_aside(scene)) == 1 and agent.lease() == []
    agent.settle(said)
    assert len(set_aside(scene)) == 1


def test_a_lane_that_stands_still_goes_on_when_somebody_resumes_the_device(
    scene: Scene, agent: Agent, order: wire.Order, paper: Paper, clock: Clock
) -> None:
    said = agent.done(order)
    agent.settle(msgspec.structs.replace(said, evidence=evidence.Nothing()))
    agent.observe(paper)
    clock.forward(hours=1)
    agent.observe(paper)
    assert agent.lease() == []
    scene.act(virtual_devices, scene.id_of(paper), "resume")
    (again,) = agent.lease()
    assert again.redelivered
    assert agent.settle(msgspec.structs.replace(said, epoch=again.epoch)) == "settled"
    assert invoice_of(scene, order)["state"] == "issued"


# --- the fleet's jobs


def test_work_under_way_when_its_server_is_suspended_can_still_end(scene: Scene, agent: Agent, paper: Paper) -> None:
    server_id = scene.device(scene.id_of(paper))["tax_server_id"]
    scene.act(tax_servers, server_id, "certify")
    orders = agent.lease()
    scene.act(tax_servers, server_id, "suspend")
    assert agent.settle(agent.done(orders[0])) == "settled"
    assert job_of(scene, orders[0])["state"] == "done"
    assert scene.one("SELECT state FROM tax_servers WHERE id = :id", id=server_id) == {"state": "suspended"}


def test_a_refused_fleet_job_leaves_the_record_and_may_be_done_again(scene: Scene, agent: Agent, owner: str) -> None:
    server_id = scene.server(agent)
    device_id = scene.registered(owner, server_id)
    for _ in range(2):
        scene.act(virtual_devices, device_id, "commission")
        (order,) = agent.lease()
        agent.settle(agent.answer(order, "refused", code="200002"))
        assert scene.device(device_id)["state"] == "registered"
        with pytest.raises(Refusal, match="quota_used_up"):
            scene.act(virtual_devices, device_id, "commission")
        scene.act(tax_servers, server_id, "synchronise")
        agent.work_off()
    scene.act(virtual_devices, device_id, "commission")
    agent.work_off()
    assert scene.device(device_id)["state"] == "commissioned"


def test_a_device_number_given_twice_does_not_move_the_second_device(scene: Scene, agent: Agent, owner: str) -> None:
    server_id = scene.server(agent)
    ids = [scene.registered(owner, server_id, name) for name in ("a", "b")]
    for device_id in ids:
        scene.act(virtual_devices, device_id, "commission")
    first, second = agent.lease()
    said = evidence.DeviceCommissioned(device_no="499900000001")
    agent.settle(agent.answer(first, "done", evidence=said))
    assert agent.settle(agent.answer(second, "done", evidence=said)) == "settled"
    states = {scene.device(device_id)["state"] for device_id in ids}
    assert states == {"commissioned", "registered"} and len(set_aside(scene)) == 1


def test_the_clock_is_the_passed_one(scene: Scene, agent: Agent, order: wire.Order) -> None:
    agent.settle(agent.done(order))
    assert from_text(job_of(scene, order)["settled_at"]) == START


def test_a_refusal_of_the_settlement_itself_leaves_everything(scene: Scene, agent: Agent, order: wire.Order) -> None:
    scene.change("DELETE FROM invoices")
    before = scene.dump()
    with pytest.raises((AssertionError, Refusal)):
        agent.settle(agent.answer(order, "refused", code="09d116"))
    assert scene.dump() == before
