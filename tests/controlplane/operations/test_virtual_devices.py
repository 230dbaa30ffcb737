"""Virtual devices and tax servers: quota, the order of steps, versions, and what a new device is reached through."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import pytest

from controlplane.domain.refusals import Refusal
from controlplane.operations import tax_servers, virtual_devices
from controlplane.operations.acts import Act
from controlplane.store.engine import Ledger
from controlplane.store.statement import Row
from controlplane.store.transaction import Transaction
from tests.controlplane.operations.scene import ADMIN, QUOTA, RULES, Agent, Scene, body, front_end


@pytest.mark.parametrize("servers", [1, 2])
def test_fifty_racers_get_the_seven_places_that_are_left(scene: Scene, agent: Agent, servers: int) -> None:
    owner, server_id = scene.taxpayer(1), scene.server(agent)
    for number in range(QUOTA - 7):
        scene.registered(owner, server_id, str(number))
    other = Ledger(scene.ledger.url, scene.ledger.clock)
    ledgers = [scene.ledger, other][:servers]

    def values(number: int) -> dict[str, str]:
        return {"taxpayer_id": owner, "tax_server_id": server_id, "name": f"racer-{number}"}

    def racer(number: int) -> Callable[[Transaction], Row]:
        return lambda tx: virtual_devices.register(tx, ADMIN, values(number))

    futures = [ledgers[number % servers].submit(racer(number)) for number in range(50)]
    ends = Counter(getattr(future.exception(30), "code", "registered") for future in futures)
    other.close()
    assert ends == {"registered": 7, "quota_used_up": 43}
    assert len(scene.rows("SELECT id FROM devices")) == QUOTA
    refused = scene.rows("SELECT seq FROM operation_log WHERE outcome = 'refused'")
    assert len(refused) == 43, "each refusal has its row"


def test_each_step_waits_for_the_one_before(scene: Scene, agent: Agent) -> None:
    device_id = scene.registered(scene.taxpayer(1), scene.server(agent))
    steps = ("commission", "fetch_company", "certify", "fetch_kinds", "fetch_rates")
    states = ("registered", "commissioned", "company_fetched", "certified", "kinds_fetched", "ready")
    for number, step in enumerate(steps):
        for later in steps[number + 1 :]:
            with pytest.raises(Refusal, match="move_not_allowed"):
                scene.act(virtual_devices, device_id, later)
        assert scene.device(device_id)["state"] == states[number]
        scene.act(virtual_devices, device_id, step)
        assert scene.device(device_id)["state"] == states[number], "nothing moves before it is settled"
        (order,) = agent.lease()
        reached_through = order.address.device_no
        assert (reached_through is None) == (step == "commission")
        agent.settle(agent.done(order))
    assert scene.device(device_id)["state"] == "ready"


def test_a_new_device_is_served_by_its_servers_agent(scene: Scene, agent: Agent) -> None:
    paper = scene.ready(agent, scene.taxpayer(1), scene.server(agent))
    row = scene.one("SELECT * FROM bindings WHERE target_id = :id", id=scene.id_of(paper))
    assert (row["target_noun"], row["agent_id"]) == ("devices", agent.id)


def test_a_device_is_registered_only_on_a_server_in_service(scene: Scene, agent: Agent) -> None:
    owner, server_id = scene.taxpayer(1), scene.server(agent)
    scene.act(tax_servers, server_id, "suspend")
    with pytest.raises(Refusal, match="server_stopped"):
        scene.registered(owner, server_id)
    with pytest.raises(Refusal, match="not_found"):
        scene.registered("9" * 18, server_id)
    with pytest.raises(Refusal, match="not_found"):
        scene.registered(owner, "missing")


@pytest.mark.parametrize("room", [tax_servers, virtual_devices])
def test_an_act_needs_the_version_that_was_seen_and_is_logged(scene: Scene, agent: Agent, room: object) -> None:
    server_id = scene.server(agent)
    record_id = server_id if room is tax_servers else scene.registered(scene.taxpayer(1), server_id)
    verb = "synchronise" if room is tax_servers else "commission"
    before = scene.dump()
    for version, caller in ((99, ADMIN), (1, front_end())):
        wanted = Act(caller, verb, record_id, version, "because", {})
        with pytest.raises(Refusal, match="version_differs" if caller is ADMIN else "not_found"):
            scene.ledger.write_now(lambda tx, wanted=wanted: room.act(tx, wanted, RULES))  # type: ignore[attr-defined]
        row = scene.log()[-1]
        assert (row["outcome"], row["reason"], row["subject_id"]) == ("refused", "because", record_id)
    assert scene.dump() == before
    scene.act(room, record_id, verb)
    assert scene.log()[-1]["outcome"] == "allowed"


def test_a_server_that_is_suspended_stops_its_devices(scene: Scene, agent: Agent) -> None:
    owner, server_id = scene.taxpayer(1), scene.server(agent)
    scene.ready(agent, owner, server_id)
    invoice_id = scene.request(body(owner, "r1"))[0]
    scene.act(tax_servers, server_id, "suspend")
    assert [job["state"] for job in scene.jobs_of(invoice_id)] == ["refused"]
    assert '"server_stopped"' in scene.invoice(invoice_id)["waiting_reason"]
    scene.act(tax_servers, server_id, "resume")
    agent.work_off()
    assert scene.invoice(invoice_id)["state"] == "issued"
