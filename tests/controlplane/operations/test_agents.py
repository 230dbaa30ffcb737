"""Agents: one-use tokens, binding, revoking."""

from __future__ import annotations

from typing import Any

import pytest

from controlplane.domain.refusals import Refusal
from controlplane.operations import agents, secrets
from controlplane.wire.agents import JoinRequest
from tests.controlplane.operations.paper_devices import Paper
from tests.controlplane.operations.scene import ADMIN, Agent, Clock, Scene, body


def token(scene: Scene, host_id: str = "host-1") -> str:
    return str(scene.ledger.write_now(lambda tx: agents.new_token(tx, ADMIN, host_id, "name"))["token"])


def join(scene: Scene, given: str, host_id: str = "host-1") -> Any:
    asked = JoinRequest(token=given, host_id=host_id, name="own-name", secret=secrets.new_secret(), version="1")
    return scene.ledger.write_now(lambda tx: agents.join(tx, asked))


def refused(scene: Scene, *arguments: str) -> None:
    before = scene.dump()
    with pytest.raises(Refusal, match="join_token_invalid"):
        join(scene, *arguments)
    assert scene.dump() == before
    assert (scene.log()[-1]["action"], scene.log()[-1]["outcome"]) == ("agents.join", "refused")


# --- joining


def test_a_token_joins_one_agent(scene: Scene) -> None:
    given = token(scene)
    answer = join(scene, given)
    row = scene.one("SELECT * FROM agents WHERE id = :id", id=answer.agent_id)
    assert (row["name"], row["host_id"], row["state"]) == ("name", "host-1", "active")
    refused(scene, given)


def test_of_many_that_use_a_token_at_once_one_joins(scene: Scene) -> None:
    given = token(scene)
    asked = [
        JoinRequest(token=given, host_id="host-1", name=f"n{number}", secret=secrets.new_secret(), version="1")
        for number in range(20)
    ]
    futures = [scene.ledger.submit(lambda tx, one=one: agents.join(tx, one)) for one in asked]
    assert [future.exception(20) for future in futures].count(None) == 1
    assert len(scene.rows("SELECT id FROM agents")) == 1


def test_a_token_ends_after_an_hour_of_the_passed_clock(scene: Scene, clock: Clock) -> None:
    in_time, late = token(scene), token(scene)
    clock.forward(minutes=59, seconds=59)
    join(scene, in_time)
    clock.forward(seconds=1)
    refused(scene, late)


def test_a_token_of_another_host_joins_nobody_and_stays_good(scene: Scene) -> None:
    given = token(scene)
    refused(scene, given, "host-2")
    join(scene, given, "host-1")
    join(scene, token(scene, ""), "any-host")


def test_a_guessed_token_joins_nobody(scene: Scene) -> None:
    token(scene)
    refused(scene, secrets.new_secret())


def test_neither_token_nor_secret_is_kept(scene: Scene) -> None:
    given, secret = token(scene), secrets.new_secret()
    asked = JoinRequest(token=given, host_id="host-1", name="n", secret=secret, version="1")
    scene.ledger.write_now(lambda tx: agents.join(tx, asked))
    kept = str(scene.dump(but=()))
    assert given not in kept and secret not in kept


# --- binding and revoking


@pytest.fixture
def owner(scene: Scene) -> str:
    return scene.taxpayer(1)


@pytest.fixture
def paper(scene: Scene, agent: Agent, owner: str) -> Paper:
    return scene.ready(agent, owner, scene.server(agent))


@pytest.fixture
def successor(scene: Scene, paper: Paper, agent: Agent) -> Agent:
    """A second agent that can reach the same devices."""
    second = Agent(scene, host_id="host-2", session="session-b")
    second.papers = agent.papers
    return second


def server_of(scene: Scene, paper: Paper) -> str:
    return str(scene.device(scene.id_of(paper))["tax_server_id"])


def test_binding_again_to_the_same_agent_is_no_move(scene: Scene, agent: Agent, paper: Paper) -> None:
    before = scene.rows("SELECT * FROM bindings ORDER BY target_id")
    agent.bind(server_of(scene, paper))
    assert scene.rows("SELECT * FROM bindings ORDER BY target_id") == before


@pytest.mark.parametrize("state", ["leased", "unknown"])
def test_a_move_is_refused_while_another_agent_holds_a_job(
    scene: Scene, agent: Agent, owner: str, paper: Paper, successor: Agent, state: str
) -> None:
    scene.request(body(owner, "r1"))
    (order,) = agent.lease()
    if state == "unknown":
        agent.settle(agent.answer(order, "unknown"))
    before = scene.dump()
    with pytest.raises(Refusal, match="asset_bound_elsewhere"):
        successor.bind(server_of(scene, paper))
    assert scene.dump() == before
    agent.settle(agent.done(order))
    successor.bind(server_of(scene, paper))


def test_a_move_takes_queued_work_along_and_makes_the_old_epoch_stale(
    scene: Scene, agent: Agent, owner: str, paper: Paper, successor: Agent
) -> None:
    scene.request(body(owner, "r1"))
    epoch = scene.one("SELECT epoch FROM bindings WHERE target_id = :id", id=scene.id_of(paper))["epoch"]
    successor.bind(server_of(scene, paper))
    assert agent.lease() == []
    (order,) = successor.lease()
    assert order.epoch > epoch and not order.redelivered
    assert agent.settle(agent.done(order)) == "stale"
    assert successor.settle(successor.done(order)) == "settled"
    assert agent.observe(paper) is None and successor.observe(paper) is not None


def test_what_a_revoked_agent_held_goes_to_its_successor(
    scene: Scene, agent: Agent, owner: str, paper: Paper, successor: Agent
) -> None:
    invoice_id = scene.request(body(owner, "r1"))[0]
    (held,) = agent.lease()
    late = agent.done(held)
    agent.revoke()
    successor.bind(server_of(scene, paper))
    (order,) = successor.lease()
    assert order.redelivered and order.serial == held.serial and order.epoch > held.epoch
    assert agent.settle(late) == "stale"
    assert scene.invoice(invoice_id)["state"] == "waiting"
    successor.settle(successor.answer(order, "done", evidence=late.evidence))
    assert scene.invoice(invoice_id)["invoice_no"] == "00010001"


def test_revoked_is_for_ever(scene: Scene, agent: Agent, paper: Paper) -> None:
    agent.revoke()
    for act in (agent.revoke, lambda: agent.bind(server_of(scene, paper))):
        with pytest.raises(Refusal, match="move_not_allowed"):
            act()
    event = scene.rows("SELECT * FROM events ORDER BY seq")[-1]
    assert (event["noun"], event["verb"], event["topic"]) == ("agents", "revoked", agent.id)


def test_a_move_needs_the_version_and_a_tax_server_that_is_there(scene: Scene, agent: Agent, paper: Paper) -> None:
    wanted = agent.act("bind", tax_server_id="missing")
    with pytest.raises(Refusal, match="not_found"):
        scene.ledger.write_now(lambda tx: agents.bind(tx, wanted))
    scene.change("UPDATE agents SET version = version + 1")
    with pytest.raises(Refusal, match="version_differs"):
        scene.ledger.write_now(lambda tx: agents.revoke(tx, wanted))
