"""The clock's look at a queue: told once why it stands, and gone through only when something of it must come back."""

from __future__ import annotations

import json

import pytest

from controlplane.operations import placement
from controlplane.wire.invoices import LineBody
from tests.controlplane.operations.paper_devices import Paper
from tests.controlplane.operations.scene import RICE, RULES, Agent, Scene, body


@pytest.fixture
def owner(scene: Scene) -> str:
    return scene.taxpayer()


@pytest.fixture
def paper(scene: Scene, agent: Agent, owner: str) -> Paper:
    return scene.ready(agent, owner, scene.server(agent))


def look(scene: Scene, paper: Paper) -> None:
    device_id = scene.id_of(paper)
    scene.ledger.write_now(lambda tx: placement.look_after(tx, device_id, RULES))


def reasons(scene: Scene, ids: list[str]) -> list[str | None]:
    told = [scene.invoice(one)["waiting_reason"] for one in ids]
    return [json.loads(one)["code"] if one else None for one in told]


def test_a_queue_without_an_agent_is_told_once(scene: Scene, owner: str, paper: Paper) -> None:
    ids = [scene.request(body(owner, f"r{number}"))[0] for number in range(3)]
    look(scene, paper)
    assert reasons(scene, ids) == [None, None, None], "its agent is there"
    scene.change("UPDATE bindings SET agent_id = NULL")
    look(scene, paper)
    assert reasons(scene, ids) == ["no_agent"] * 3
    before = scene.dump()
    look(scene, paper)
    assert scene.dump() == before, "said already"
    late = scene.request(body(owner, "late"))[0]
    look(scene, paper)
    assert reasons(scene, [*ids, late]) == ["no_agent"] * 4


def test_only_what_the_device_may_not_sign_comes_back(scene: Scene, owner: str, paper: Paper) -> None:
    dear = LineBody(item_name="稻谷", tax_class_code=RICE, rate="0.09", quantity="2", unit_price="1000.00")
    small, large = scene.request(body(owner, "small"))[0], scene.request(body(owner, "large", lines=[dear]))[0]
    device = scene.device(scene.id_of(paper))
    kinds = [kind | {"offline_max_amount": "100.00"} for kind in json.loads(device["kinds"])]
    scene.change("UPDATE devices SET kinds = :kinds WHERE id = :id", kinds=json.dumps(kinds), id=device["id"])
    look(scene, paper)
    assert [job["state"] for job in scene.jobs_of(small)] == ["queued"]
    assert [job["state"] for job in scene.jobs_of(large)] == ["refused"]
    assert reasons(scene, [small, large]) == [None, "offline_amount"]
