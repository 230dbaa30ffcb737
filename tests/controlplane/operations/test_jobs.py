"""Leases: order per device, a limit, a new session takes over, and what was lost on its way is sent again."""

from __future__ import annotations

import pytest

from controlplane.domain.refusals import Refusal
from controlplane.operations import jobs, tax_servers, virtual_devices
from controlplane.store.engine import Ledger
from controlplane.wire import agents as wire
from controlplane.wire import work
from tests.controlplane.operations.paper_devices import Paper
from tests.controlplane.operations.scene import Agent, Clock, Scene, body


@pytest.fixture
def owner(scene: Scene) -> str:
    return scene.taxpayer(1)


@pytest.fixture
def papers(scene: Scene, agent: Agent, owner: str) -> list[Paper]:
    """Two ready devices of the taxpayer."""
    server_id = scene.server(agent)
    return [scene.ready(agent, owner, server_id) for _ in range(2)]


def ask(scene: Scene, owner: str, paper: Paper, *requests: str) -> list[str]:
    """Requests that name the device; the ids of their invoices."""
    return [scene.request(body(owner, one, device_no=paper.device_no))[0] for one in requests]


def names(orders: list[wire.Order]) -> list[str]:
    return [order.work.request_id for order in orders if isinstance(order.work, work.IssueInvoice)]


def test_orders_come_in_order_per_device(scene: Scene, agent: Agent, owner: str, papers: list[Paper]) -> None:
    for number in range(6):
        ask(scene, owner, papers[number % 2], f"r{number}")
    orders = agent.lease()
    by_device = {
        paper.device_no: names([order for order in orders if order.address.device_no == paper.device_no])
        for paper in papers
    }
    assert list(by_device.values()) == [["r0", "r2", "r4"], ["r1", "r3", "r5"]]
    assert {(order.redelivered, len(order.serial)) for order in orders} == {(False, 32)}
    assert agent.lease(orders) == []


def test_no_more_than_the_limit_is_in_hand_per_device(
    scene: Scene, agent: Agent, owner: str, papers: list[Paper]
) -> None:
    ask(scene, owner, papers[0], *(f"a{number}" for number in range(7)))
    ask(scene, owner, papers[1], *(f"b{number}" for number in range(2)))
    first = agent.lease(limit=3)
    assert sorted(names(first)) == ["a0", "a1", "a2", "b0", "b1"]
    assert agent.lease(first, limit=3) == []
    done = next(order for order in first if names([order]) == ["a0"])
    agent.settle(agent.done(done))
    rest = [order for order in first if order is not done]
    assert names(agent.lease(rest, limit=3)) == ["a3"]


def test_an_agent_gets_nothing_of_devices_it_does_not_serve(
    scene: Scene, agent: Agent, owner: str, papers: list[Paper]
) -> None:
    ask(scene, owner, papers[0], "r1")
    stranger = Agent(scene, host_id="host-2")
    assert stranger.lease() == []
    assert names(agent.lease()) == ["r1"]


def test_a_new_session_takes_over_what_the_one_before_held(
    scene: Scene, agent: Agent, owner: str, papers: list[Paper]
) -> None:
    ids = ask(scene, owner, papers[0], "held", "unknown", "done")
    first = agent.lease()
    agent.settle(agent.answer(first[1], "unknown"))
    agent.settle(agent.done(first[2]))
    ask(scene, owner, papers[0], "new")
    agent.session = "session-2"
    second = agent.lease()
    assert names(second) == ["held", "unknown", "new"]
    assert [order.redelivered for order in second] == [True, True, False]
    assert {order.epoch for order in second} == {first[0].epoch + 1}
    assert [one.serial for one in second[:2]] == [one.serial for one in first[:2]], "the serial stays for ever"
    assert [scene.jobs_of(one)[0]["state"] for one in ids] == ["leased", "unknown", "done"]
    agent.session = "session-1"
    assert agent.settle(agent.done(first[0])) == "stale", "the old session's epoch is over"


def test_an_ended_job_the_agent_still_names_does_not_hide_a_lost_one(
    scene: Scene, agent: Agent, owner: str, papers: list[Paper]
) -> None:
    ask(scene, owner, papers[0], "r1", "r2")
    first = agent.lease()
    agent.settle(agent.done(first[0]))
    assert names(agent.lease(holding=first[:1])) == ["r2"]


def test_orders_whose_answer_was_lost_are_sent_again(
    scene: Scene, agent: Agent, owner: str, papers: list[Paper]
) -> None:
    ask(scene, owner, papers[0], "r1", "r2")
    first = agent.lease()
    again = agent.lease(holding=first[:1])
    assert names(again) == ["r2"] and again[0].redelivered
    assert again[0].epoch == first[0].epoch
    assert agent.lease(holding=[first[0], again[0]]) == []
    assert scene.rows("SELECT attempts FROM jobs WHERE kind = 'invoice.issue' ORDER BY id") == [
        {"attempts": 1}, {"attempts": 2},
    ]  # fmt: skip


def test_two_servers_never_hand_out_an_order_twice(scene: Scene, agent: Agent, owner: str, papers: list[Paper]) -> None:
    for paper in papers:
        ask(scene, owner, paper, *(f"{paper.device_no}-{number}" for number in range(12)))
    other = Ledger(scene.ledger.url, scene.ledger.clock)
    held: list[str] = []
    asked = wire.LeaseRequest(session=agent.session, limit=4)
    agent.lease(limit=1)
    # Held by nobody's word: of two that ask at the same time only one may get what is queued.
    futures = [
        ledger.submit(lambda tx: jobs.lease(tx, agent.id, asked)) for _ in range(5) for ledger in (scene.ledger, other)
    ]
    for future in futures:
        held += [order.job_id for order in future.result(20) if not order.redelivered]
    other.close()
    assert len(held) == len(set(held)) == 6


def test_a_device_has_one_open_job_beside_issuing(scene: Scene, agent: Agent, papers: list[Paper]) -> None:
    device_id = scene.id_of(papers[0])
    scene.act(virtual_devices, device_id, "calibrate")
    with pytest.raises(Refusal, match="open_job"):
        scene.act(virtual_devices, device_id, "read")
    scene.act(virtual_devices, scene.id_of(papers[1]), "read")
    agent.work_off()
    scene.act(virtual_devices, device_id, "read")


def test_a_tax_server_has_one_open_job(scene: Scene, agent: Agent, papers: list[Paper]) -> None:
    server_id = scene.device(scene.id_of(papers[0]))["tax_server_id"]
    scene.act(tax_servers, server_id, "synchronise")
    with pytest.raises(Refusal, match="open_job"):
        scene.act(tax_servers, server_id, "calibrate")
    order = agent.lease()[0]
    assert order.address.device_no is None and order.taxpayer_id == "-"


def test_a_lane_that_rests_is_passed_over(
    scene: Scene, agent: Agent, owner: str, papers: list[Paper], clock: Clock
) -> None:
    ask(scene, owner, papers[0], "r1")
    ask(scene, owner, papers[1], "r2")
    orders = agent.lease()
    agent.settle(agent.answer(orders[0], "unreachable", code="connect"))
    assert agent.lease(orders[1:]) == []
    clock.forward(seconds=2)
    assert names(agent.lease(orders[1:])) == names(orders[:1])
