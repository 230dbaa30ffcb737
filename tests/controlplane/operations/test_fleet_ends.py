"""The ends of fleet lives: cancelling devices, retiring servers; and changing what is known of a server."""

from __future__ import annotations

from typing import Any

import pytest

from controlplane.domain.refusals import Refusal
from controlplane.operations import board, tax_servers, virtual_devices
from controlplane.operations.acts import Viewer
from controlplane.store import jobs as job_store
from controlplane.store import listing
from controlplane.store.statement import Row
from controlplane.wire import work
from tests.controlplane.operations.paper_devices import Paper, kind_facts
from tests.controlplane.operations.scene import ADMIN, RULES, Agent, Clock, Scene, body


@pytest.fixture
def owner(scene: Scene) -> str:
    return scene.taxpayer(1)


@pytest.fixture
def server_id(scene: Scene, agent: Agent) -> str:
    return scene.server(agent)


def empty(scene: Scene, agent: Agent, owner: str, server_id: str) -> Paper:
    return scene.ready(agent, owner, server_id, numbers=0)


def why(scene: Scene, device_id: str, verb: str = "cancel") -> str:
    """The reason the record's own list of verbs gives; empty when it is allowed."""
    source = listing.Source(board.SOURCE, key="d.id", taxpayer="d.taxpayer_id", columns=board.COLUMNS)

    def read(hand: Any) -> Row:
        rows, _ = listing.page(hand, source, listing.Page(1, filters={"d.id": device_id}))
        return board.views(hand, rows, Viewer(ADMIN, scene.ledger.clock(), RULES))[0]

    line = next(one for one in scene.ledger.read_now(read)["allowed"] if one["verb"] == verb)
    assert line["enabled"] == (not line["why"])
    return str(line["why"])


def refused(scene: Scene, device_id: str) -> dict[str, Any]:
    """Details of the refusal to cancel; the list of verbs says the same, and nothing has changed."""
    before = scene.dump()
    with pytest.raises(Refusal, match="things_left") as caught:
        scene.act(virtual_devices, device_id, "cancel")
    assert why(scene, device_id) == caught.value.message
    assert scene.dump() == before
    return {name: count for name, count in caught.value.details.items() if count and name != "device_no"}


def test_each_thing_that_is_left_keeps_a_device(
    scene: Scene, agent: Agent, owner: str, server_id: str, clock: Clock
) -> None:
    paper = scene.ready(agent, owner, server_id, numbers=2)
    device_id = scene.id_of(paper)
    assert refused(scene, device_id) == {"numbers": 4}
    scene.request(body(owner, "r1"))
    assert refused(scene, device_id) == {"numbers": 4, "waiting": 1, "jobs": 1}
    agent.work_off()
    agent.observe(paper)
    assert refused(scene, device_id) == {"numbers": 3, "uploads": 1}, "the period starts later than this invoice"
    agent.observe(paper, uploads=paper.uploads())
    paper.segments.clear()
    scene.change("DELETE FROM segments WHERE next_no > start_no")
    agent.observe(paper, segments=[])
    assert why(scene, device_id) == ""
    kinds = [kind_facts("026", clock(), report_from="20261101"), kind_facts("028", clock())]
    agent.observe(paper, segments=[], kinds=kinds)
    assert refused(scene, device_id) == {"periods": 1}


def test_an_empty_device_is_cancelled_for_ever(scene: Scene, agent: Agent, owner: str, server_id: str) -> None:
    device_id = scene.id_of(empty(scene, agent, owner, server_id))
    job_id = scene.act(virtual_devices, device_id, "cancel")
    device = scene.device(device_id)
    assert job_id and (device["state"], device["held_reason"]) == ("suspended", "for the test"), "it takes no more orders"
    (order,) = agent.lease()
    assert isinstance(order.work, work.CancelDevice) and order.address.device_no == device["device_no"]
    agent.settle(agent.done(order))
    assert scene.device(device_id)["state"] == "cancelled"
    served = scene.ledger.read_now(lambda hand: job_store.serves(hand, agent.id))
    assert device_id not in {row["target_id"] for row in served}, "its agent forgets it"
    for verb in ("commission_fully", "read", "resume", "cancel"):
        with pytest.raises(Refusal, match="move_not_allowed"):
            scene.act(virtual_devices, device_id, verb)


def test_a_device_the_bureau_keeps_stays_suspended_with_the_reason(
    scene: Scene, agent: Agent, owner: str, server_id: str
) -> None:
    device_id = scene.id_of(empty(scene, agent, owner, server_id))
    scene.act(virtual_devices, device_id, "cancel")
    (order,) = agent.lease()
    agent.settle(agent.answer(order, "refused", code="200004", message="未用号码 3 份"))
    assert scene.device(device_id)["state"] == "suspended"
    job = scene.rows("SELECT * FROM jobs WHERE subject_id = :id ORDER BY id", id=device_id)[-1]
    refusal = board.last_refusal(scene.device(device_id), job)
    assert refusal is not None and refusal["code"] == "device_not_empty" and "3 份" in refusal["message"]
    scene.act(virtual_devices, device_id, "resume")
    assert scene.device(device_id)["state"] == "ready"


def test_what_was_never_commissioned_is_cancelled_at_once(
    scene: Scene, agent: Agent, owner: str, server_id: str
) -> None:
    device_id = scene.registered(owner, server_id)
    scene.act(virtual_devices, device_id, "commission")
    with pytest.raises(Refusal, match="open_job"):
        scene.act(virtual_devices, device_id, "cancel")
    (order,) = agent.lease()
    agent.settle(agent.answer(order, "refused", code="300001"))
    assert scene.act(virtual_devices, device_id, "cancel") is None
    assert scene.device(device_id)["state"] == "cancelled"


def test_a_server_retires_when_all_its_devices_are_cancelled(
    scene: Scene, agent: Agent, owner: str, server_id: str
) -> None:
    ids = [scene.registered(owner, server_id, name) for name in ("甲", "乙")]
    row = scene.one("SELECT * FROM tax_servers")

    def said() -> str:
        viewer = Viewer(ADMIN, scene.ledger.clock(), RULES)
        view = scene.ledger.read_now(lambda hand: tax_servers.view(hand, row, viewer))
        return next(str(one["why"]) for one in view["allowed"] if one["verb"] == "retire")

    with pytest.raises(Refusal, match="devices_left") as caught:
        scene.act(tax_servers, server_id, "retire")
    assert (caught.value.details["count"], caught.value.details["devices"]) == (2, "甲, 乙")
    assert said() == caught.value.message
    for device_id in ids:
        scene.act(virtual_devices, device_id, "cancel")
    assert said() == ""
    scene.act(tax_servers, server_id, "synchronise")
    with pytest.raises(Refusal, match="open_job"):
        scene.act(tax_servers, server_id, "retire")
    agent.work_off()
    scene.act(tax_servers, server_id, "retire")
    assert scene.one("SELECT state FROM tax_servers")["state"] == "retired"
    with pytest.raises(Refusal, match="move_not_allowed"):
        scene.act(tax_servers, server_id, "change", name="x")


def test_changing_what_is_known_of_a_server(scene: Scene, agent: Agent, server_id: str) -> None:
    given = {"vendor": "某厂", "model": "X1", "crypto_certificate_no": "SXH2020", "crypto_model": "SJJ1942"}
    none = dict.fromkeys(("name", "host", "port"))
    assert scene.act(tax_servers, server_id, "change", **given, **none) is None
    row = scene.one("SELECT * FROM tax_servers")
    assert {name: row[name] for name in given} == given and row["host"] == "127.0.0.1"
    with pytest.raises(Refusal, match="field_invalid"):
        scene.act(tax_servers, server_id, "change", **none)
    assert scene.act(tax_servers, server_id, "change", port=row["port"]) is None, "the address is the one it had"
    job_id = scene.act(tax_servers, server_id, "change", host="10.0.0.7", port=9100)
    assert job_id is not None
    (order,) = agent.lease()
    assert isinstance(order.work, work.SynchroniseServer)
    assert (order.address.host, order.address.port) == ("10.0.0.7", 9100)


def test_an_address_can_be_corrected_while_a_job_waits_for_it(scene: Scene, agent: Agent) -> None:
    values = {"tax_server_no": "SK0009", "name": "新", "region": "4400", "host": "127.0.0.1", "port": 1}
    server_id = scene.ledger.write_now(lambda tx: tax_servers.register(tx, ADMIN, values))
    agent.bind(server_id)
    scene.act(tax_servers, server_id, "synchronise")
    (order,) = agent.lease()
    agent.settle(agent.answer(order, "unreachable", code="connect"))
    assert agent.lease() == [], "the lane rests"
    assert scene.act(tax_servers, server_id, "change", port=2) is None, "the job that is open tries the new address"
    (order,) = agent.lease()
    assert order.address.port == 2


def test_quota_counts_by_our_books_and_by_the_servers_word(
    scene: Scene, agent: Agent, owner: str, server_id: str
) -> None:
    """The server may hold devices nobody registered here."""
    scene.change("UPDATE tax_servers SET quota_total = 10, quota_left = 3")
    ids = [scene.registered(owner, server_id, str(number)) for number in range(3)]
    with pytest.raises(Refusal, match="quota_used_up"):
        scene.registered(owner, server_id, "no more")
    scene.act(virtual_devices, ids[0], "commission")
    agent.work_off()
    assert scene.one("SELECT quota_left FROM tax_servers")["quota_left"] == 2
    with pytest.raises(Refusal, match="quota_used_up"):
        scene.registered(owner, server_id, "no more")
    scene.act(virtual_devices, ids[1], "cancel")
    scene.registered(owner, server_id, "in its place")
    scene.change("UPDATE tax_servers SET quota_total = 3")
    with pytest.raises(Refusal, match="quota_used_up"):
        scene.registered(owner, server_id, "no more")


def test_no_device_is_commissioned_on_a_server_out_of_service(
    scene: Scene, agent: Agent, owner: str, server_id: str
) -> None:
    device_id = scene.registered(owner, server_id)
    scene.act(tax_servers, server_id, "suspend")
    with pytest.raises(Refusal, match="server_stopped"):
        scene.act(virtual_devices, device_id, "commission")
