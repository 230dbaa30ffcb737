"""Requests: one outcome per request for ever, one live invoice per order, attempts, cancelling, and waiting."""

from __future__ import annotations

import json

import pytest

from controlplane.domain.refusals import Refusal
from controlplane.operations import invoices, virtual_devices
from controlplane.store.engine import Ledger
from controlplane.wire.invoices import BuyerBody, LineBody
from tests.controlplane.operations.paper_devices import Paper
from tests.controlplane.operations.scene import ADMIN, RICE, RULES, Agent, Clock, Scene, body, front_end


@pytest.fixture
def owner(scene: Scene) -> str:
    return scene.taxpayer(1)


@pytest.fixture
def paper(scene: Scene, agent: Agent, owner: str) -> Paper:
    """The taxpayer's ready device, with 100 numbers of each kind."""
    return scene.ready(agent, owner, scene.server(agent))


def code_of(scene: Scene, invoice_id: str, column: str = "waiting_reason") -> str | None:
    told = scene.invoice(invoice_id)[column]
    return json.loads(told)["code"] if told else None


def refused(scene: Scene, *arguments: object) -> Refusal:
    with pytest.raises(Refusal) as caught:
        scene.request(*arguments)  # type: ignore[arg-type]
    return caught.value


# --- one request, one outcome


def test_a_request_becomes_an_invoice_with_one_job(scene: Scene, agent: Agent, owner: str, paper: Paper) -> None:
    invoice_id, state = scene.request(body(owner, "r1", order_no="o1"))
    assert state == "waiting" and scene.stock(scene.id_of(paper)) == (100, 1)
    (job,) = scene.jobs_of(invoice_id)
    assert job["state"] == "queued" and job["target_id"] == scene.id_of(paper)
    agent.work_off()
    row = scene.invoice(invoice_id)
    assert (row["state"], row["invoice_no"], row["net_fen"], row["tax_fen"]) == ("issued", "00010001", 2000, 180)
    assert row["open_job_id"] is None and row["segment_id"] is not None
    assert scene.stock(scene.id_of(paper)) == (99, 0)
    fact = scene.one("SELECT * FROM invoice_facts WHERE invoice_id = :id", id=invoice_id)
    assert (fact["day"], fact["gross_fen"]) == ("2026-11-22", 2180)


@pytest.mark.parametrize("when", ["waiting", "issued", "refused"])
def test_the_same_request_is_the_same_invoice_for_ever(
    scene: Scene, agent: Agent, owner: str, paper: Paper, clock: Clock, when: str
) -> None:
    changes = {"kind": "099"} if when == "refused" else {}
    first = scene.request(body(owner, "r1", **changes))
    if when == "issued":
        agent.work_off()
    before, log = scene.dump(but={"operation_log"}), scene.log()
    for days in (0, 1, 4000):
        clock.forward(days=days)
        assert scene.request(body(owner, "r1", **changes)) == (first[0], when)
    same = body(owner, "r1", remark="", payee=None, tax_inclusive=False, **changes)
    assert scene.request(same) == (first[0], when), "what says nothing makes no difference"
    assert scene.dump(but={"operation_log"}) == before and scene.log() == log, "a replay leaves no trace"


def test_another_body_under_the_same_request_is_refused_and_named(scene: Scene, owner: str, paper: Paper) -> None:
    scene.request(body(owner, "r1"))
    before = scene.dump()
    refusal = refused(scene, body(owner, "r1", remark="x", buyer=BuyerBody(name="另一家")))
    assert refusal.code == "request_body_differs" and refusal.details["fields"] == "buyer.name, remark"
    assert scene.dump() == before
    row = scene.log()[-1]
    assert (row["action"], row["outcome"], row["request_id"]) == ("invoices.request", "refused", "r1")


@pytest.mark.parametrize("servers", [1, 2])
def test_one_request_sent_many_times_at_once_is_one_invoice(
    scene: Scene, agent: Agent, owner: str, paper: Paper, servers: int
) -> None:
    other = Ledger(scene.ledger.url, scene.ledger.clock)
    asked = invoices.ask(body(owner, "r1"), scene.ledger.clock(), RULES)
    ledgers = [scene.ledger, other][:servers]
    futures = [
        ledgers[number % servers].submit(lambda tx: invoices.request(tx, ADMIN, asked, RULES)) for number in range(40)
    ]
    answers = [future.result(20) for future in futures]
    assert answers.count(answers[0]) == 40, "the first answer is made of what was written, the others of what was read"
    other.close()
    assert len(scene.rows("SELECT id FROM jobs WHERE kind = 'invoice.issue'")) == 1
    assert len(scene.rows("SELECT id FROM orders")) == 1
    assert scene.stock(scene.id_of(paper)) == (100, 1)


# --- one order, one live invoice


@pytest.mark.parametrize("state", ["waiting", "issued"])
def test_an_order_with_a_live_invoice_takes_no_other(
    scene: Scene, agent: Agent, owner: str, paper: Paper, state: str
) -> None:
    invoice_id, _ = scene.request(body(owner, "r1", order_no="o1"))
    if state == "issued":
        agent.work_off()
    before = scene.dump()
    refusal = refused(scene, body(owner, "r2", order_no="o1"))
    assert refusal.code == "order_has_live_invoice" and refusal.details["invoice_id"] == invoice_id
    assert scene.dump() == before
    assert scene.request(body(owner, "r1", order_no="o1"))[0] == invoice_id


def test_orders_of_two_taxpayers_may_carry_one_number(scene: Scene, agent: Agent, owner: str, paper: Paper) -> None:
    first = scene.request(body(owner, "r1", order_no="o1"))[0]
    second = scene.request(body(scene.taxpayer(2), "r1", order_no="o1"))[0]
    assert first != second


@pytest.mark.parametrize("servers", [1, 2])
def test_racing_requests_for_one_order_leave_one_live(scene: Scene, owner: str, paper: Paper, servers: int) -> None:
    other = Ledger(scene.ledger.url, scene.ledger.clock)
    ledgers = [scene.ledger, other][:servers]
    futures = []
    for number in range(20):
        asked = invoices.ask(body(owner, f"r{number}", order_no="o1"), scene.ledger.clock(), RULES)
        ledger = ledgers[number % servers]
        futures.append(ledger.submit(lambda tx, asked=asked: invoices.request(tx, ADMIN, asked, RULES)))
    faults = [future.exception(20) for future in futures]
    other.close()
    assert faults.count(None) == 1
    assert {getattr(fault, "code", fault) for fault in faults if fault} <= {"order_has_live_invoice"}
    assert len(scene.rows("SELECT id FROM invoices")) == len(scene.rows("SELECT id FROM orders")) == 1


def test_a_refused_request_is_kept_and_may_be_corrected(scene: Scene, agent: Agent, owner: str, paper: Paper) -> None:
    wrong, state = scene.request(body(owner, "r1", order_no="o1", kind="099"))
    assert state == "refused" and code_of(scene, wrong, "refusal") == "kind_unknown"
    right, _ = scene.request(body(owner, "r2", order_no="o1"))
    agent.work_off()
    assert [row["state"] for row in scene.rows("SELECT state FROM invoices ORDER BY id")] == ["refused", "issued"]
    attempts = scene.rows("SELECT request_id, attempt FROM orders ORDER BY attempt")
    assert [(row["request_id"], row["attempt"]) for row in attempts] == [("r1", 1), ("r2", 2)]
    assert scene.invoice(right)["live"] == 1 and scene.invoice(wrong)["live"] == 0


def test_over_the_single_limit_names_the_excess(scene: Scene, owner: str, paper: Paper) -> None:
    line = LineBody(item_name="稻谷", tax_class_code=RICE, rate="0.09", amount="100000.00")
    invoice_id, state = scene.request(body(owner, "r1", lines=[line]))
    assert state == "refused"
    refusal = json.loads(scene.invoice(invoice_id)["refusal"])
    assert (refusal["code"], refusal["details"]["excess"]) == ("over_single_limit", "9000.00")


def test_a_taxpayer_that_may_not_issue_waits_by_name(scene: Scene, owner: str, paper: Paper) -> None:
    scene.change("UPDATE taxpayers SET may_issue = 0")
    invoice_id, state = scene.request(body(owner, "r1"))
    assert (state, code_of(scene, invoice_id, "waiting_reason")) == ("waiting", "taxpayer_may_not_issue")


def test_foreign_and_missing_taxpayers_are_the_same(scene: Scene, owner: str, paper: Paper) -> None:
    stranger = front_end("91990000MA0000099X")
    scene.request(body(owner, "known"))
    before = scene.dump()
    told = {refused(scene, body(one, request), stranger) for one in (owner, "9" * 18) for request in ("new", "known")}
    assert {(one.code, one.field, str(one.details)) for one in told} == {("not_found", "taxpayer_id", "{}")}
    assert scene.dump() == before


# --- waiting, suspending, resuming


def test_without_stock_it_waits_and_goes_on_when_numbers_come(scene: Scene, agent: Agent, owner: str) -> None:
    paper = scene.ready(agent, owner, scene.server(agent), numbers=0)
    invoice_id, state = scene.request(body(owner, "r1"))
    assert (state, code_of(scene, invoice_id), scene.jobs_of(invoice_id)) == ("waiting", "no_stock", [])
    paper.stock("026", 1, 1)
    agent.observe(paper)
    assert code_of(scene, invoice_id) is None and len(scene.jobs_of(invoice_id)) == 1
    agent.work_off()
    assert scene.invoice(invoice_id)["state"] == "issued"


def test_oldest_first_when_numbers_are_short(scene: Scene, agent: Agent, owner: str) -> None:
    paper = scene.ready(agent, owner, scene.server(agent), numbers=0)
    ids = [scene.request(body(owner, f"r{number}"))[0] for number in range(5)]
    paper.stock("026", 1, 3)
    agent.observe(paper)
    agent.work_off()
    assert [scene.invoice(one)["state"] for one in ids] == ["issued"] * 3 + ["waiting"] * 2
    assert {code_of(scene, one) for one in ids[3:]} == {"no_stock"}
    assert scene.stock(scene.id_of(paper)) == (0, 0)


def test_suspending_takes_back_what_nobody_holds_and_resuming_places_it_again(
    scene: Scene, agent: Agent, owner: str, paper: Paper
) -> None:
    device_id = scene.id_of(paper)
    held = scene.request(body(owner, "held"))[0]
    orders = agent.lease()
    queued = scene.request(body(owner, "queued"))[0]
    scene.act(virtual_devices, device_id, "suspend")
    assert [job["state"] for job in scene.jobs_of(queued)] == ["refused"]
    assert (code_of(scene, queued), scene.invoice(queued)["open_job_id"]) == ("device_stopped", None)
    assert [job["state"] for job in scene.jobs_of(held)] == ["leased"], "what an agent holds is left to it"
    assert scene.stock(device_id) == (100, 1)
    assert agent.lease(orders) == []
    scene.act(virtual_devices, device_id, "resume")
    assert [job["state"] for job in scene.jobs_of(queued)] == ["refused", "queued"]
    assert scene.stock(device_id) == (100, 2)
    agent.settle(agent.done(orders[0]))
    agent.work_off()
    assert {scene.invoice(one)["state"] for one in (held, queued)} == {"issued"}
    assert scene.stock(device_id) == (98, 0)


def test_what_a_device_cannot_issue_goes_to_another(scene: Scene, agent: Agent, owner: str, paper: Paper) -> None:
    second = scene.ready(agent, owner, scene.device(scene.id_of(paper))["tax_server_id"], numbers=50)
    invoice_id = scene.request(body(owner, "r1"))[0]
    assert scene.invoice(invoice_id)["device_id"] == scene.id_of(paper), "the one with more numbers"
    scene.act(virtual_devices, scene.id_of(paper), "suspend")
    assert scene.invoice(invoice_id)["device_id"] == scene.id_of(second)
    assert scene.stock(scene.id_of(paper)) == (100, 0) and scene.stock(scene.id_of(second)) == (50, 1)


def test_old_readings_prove_nothing(scene: Scene, agent: Agent, owner: str, paper: Paper, clock: Clock) -> None:
    clock.forward(minutes=11)
    invoice_id = scene.request(body(owner, "r1"))[0]
    assert code_of(scene, invoice_id) == "device_facts_old"
    agent.observe(paper)
    assert len(scene.jobs_of(invoice_id)) == 1


def test_a_named_device_is_the_one(scene: Scene, agent: Agent, owner: str, paper: Paper) -> None:
    second = scene.ready(agent, owner, scene.device(scene.id_of(paper))["tax_server_id"], numbers=5)
    invoice_id = scene.request(body(owner, "r1", device_no=second.device_no))[0]
    row = scene.invoice(invoice_id)
    assert row["device_id"] == scene.id_of(second) and json.loads(row["choice"])["reason"] == "named_device"
    unknown, state = scene.request(body(owner, "r2", device_no="499900009999"))
    assert (state, code_of(scene, unknown, "refusal")) == ("refused", "device_unknown")


# --- cancelling


def test_cancelling_gives_the_number_back_and_frees_the_order(
    scene: Scene, agent: Agent, owner: str, paper: Paper
) -> None:
    invoice_id = scene.request(body(owner, "r1", order_no="o1"))[0]
    assert scene.cancel(invoice_id) == invoice_id
    row = scene.invoice(invoice_id)
    assert (row["state"], row["live"], code_of(scene, invoice_id, "refusal")) == ("refused", 0, "cancelled_by_caller")
    assert [job["state"] for job in scene.jobs_of(invoice_id)] == ["refused"] and agent.lease() == []
    assert scene.stock(scene.id_of(paper)) == (100, 0)
    assert scene.request(body(owner, "r1", order_no="o1")) == (invoice_id, "refused")
    assert scene.request(body(owner, "r2", order_no="o1"))[1] == "waiting"


def test_what_an_agent_holds_cannot_be_cancelled(scene: Scene, agent: Agent, owner: str, paper: Paper) -> None:
    invoice_id = scene.request(body(owner, "r1"))[0]
    orders = agent.lease()
    before = scene.dump()
    for outcome in (None, agent.answer(orders[0], "unknown")):
        if outcome is not None:
            agent.settle(outcome)
            before = scene.dump()
        with pytest.raises(Refusal, match="job_held_by_agent"):
            scene.cancel(invoice_id)
        assert scene.dump() == before
    agent.settle(agent.done(orders[0]))
    with pytest.raises(Refusal, match="move_not_allowed"):
        scene.cancel(invoice_id)


def test_one_without_a_job_can_be_cancelled(scene: Scene, owner: str) -> None:
    invoice_id = scene.request(body(owner, "r1"))[0]
    assert code_of(scene, invoice_id) == "no_device"
    scene.cancel(invoice_id)
    assert scene.invoice(invoice_id)["state"] == "refused"


def test_cancelling_needs_the_version_that_was_seen_and_the_right_caller(
    scene: Scene, owner: str, paper: Paper
) -> None:
    invoice_id = scene.request(body(owner, "r1"))[0]
    before = scene.dump()
    with pytest.raises(Refusal, match="version_differs"):
        scene.cancel(invoice_id, version=99)
    for stranger in (front_end("91990000MA0000099X"), front_end()):
        with pytest.raises(Refusal, match="not_found"):
            scene.cancel(invoice_id, stranger)
    assert scene.dump() == before
    assert [row["outcome"] for row in scene.log()[-3:]] == ["refused"] * 3
    scene.cancel(invoice_id, front_end(owner))
