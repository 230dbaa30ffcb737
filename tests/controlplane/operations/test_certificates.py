"""Certificates of servers and devices: stages with their dates, renewal by the clock exactly once, the ladder told once."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from datetime import timedelta

import msgspec
import pytest

from controlplane.domain.refusals import Refusal
from controlplane.operations import tax_servers, virtual_devices
from controlplane.operations.acts import Viewer
from controlplane.settings import MailSettings
from controlplane.store.engine import Ledger
from controlplane.store.statement import Row
from controlplane.store.times import from_text, utc_text
from controlplane.timetable import Timetable
from controlplane.wire import evidence, work
from tests.controlplane.operations.scene import ADMIN, RULES, START, Agent, Clock, Scene


def server(scene: Scene, server_id: str) -> Row:
    return scene.one("SELECT * FROM tax_servers WHERE id = :id", id=server_id)


def shown(scene: Scene, server_id: str) -> Row:
    viewer = Viewer(ADMIN, scene.ledger.clock(), RULES)
    return scene.ledger.read_now(lambda hand: tax_servers.view(hand, server(scene, server_id), viewer))


def enabled(record: Row) -> set[str]:
    return {one["verb"] for one in record["allowed"] if one["enabled"]}


def do(scene: Scene, agent: Agent, server_id: str, verb: str) -> None:
    scene.act(tax_servers, server_id, verb)
    agent.work_off()


def test_from_the_temporary_to_the_formal_certificate(scene: Scene, agent: Agent, clock: Clock) -> None:
    server_id = scene.server(agent)
    row = server(scene, server_id)
    assert (row["certificate_stage"], row["temporary_at"]) == ("temporary", utc_text(START))
    assert {"request_formal", "renew"} <= enabled(shown(scene, server_id))
    with pytest.raises(Refusal, match="move_not_allowed") as caught:
        scene.act(tax_servers, server_id, "sync_formal")
    assert "request_formal" in caught.value.remedy
    why = {one["verb"]: one["why"] for one in shown(scene, server_id)["allowed"]}
    assert why["sync_formal"] == caught.value.message, "the list says why before anybody asks"
    clock.forward(days=1)
    do(scene, agent, server_id, "request_formal")
    clock.forward(days=1)
    do(scene, agent, server_id, "sync_formal")
    row = server(scene, server_id)
    dates = [row["temporary_at"], row["formal_requested_at"], row["formal_synced_at"]]
    assert dates == [utc_text(START + timedelta(days=days)) for days in (0, 1, 2)]
    assert (row["certificate_stage"], row["state"]) == ("formal_synced", "certified")
    assert row["certificate_issued_at"] == utc_text(START + timedelta(days=2))
    assert "request_formal" not in enabled(shown(scene, server_id))
    clock.forward(days=1)
    do(scene, agent, server_id, "renew")
    row = server(scene, server_id)
    assert (row["certificate_stage"], row["certificate_issued_at"]) == ("formal_synced", utc_text(clock()))


def test_what_the_server_tells_of_its_certificate_counts(scene: Scene, agent: Agent) -> None:
    server_id = scene.server(agent)
    scene.act(tax_servers, server_id, "synchronise")
    (order,) = agent.lease()
    outcome = agent.done(order)
    assert isinstance(outcome.evidence, evidence.ServerFacts)
    told = msgspec.structs.replace(
        outcome.evidence,
        certificate_stage="formal_synced",
        certificate_status="01",
        certificate_issued_at="2026-01-01T00:00:00.000Z",
        formal_synced_at="2026-01-02T00:00:00.000Z",
    )
    agent.settle(msgspec.structs.replace(outcome, evidence=told))
    row = server(scene, server_id)
    assert (row["certificate_stage"], row["certificate_status"]) == ("formal_synced", "01")
    assert row["formal_synced_at"] == "2026-01-02T00:00:00.000Z"
    record = shown(scene, server_id)
    assert (record["health"]["cause"], record["certificate"]["status"]) == ("certificate_suspended", "01")


def test_a_time_that_is_none_is_set_aside(scene: Scene, agent: Agent) -> None:
    server_id = scene.server(agent)
    before = server(scene, server_id)
    scene.act(tax_servers, server_id, "renew")
    (order,) = agent.lease()
    outcome = agent.done(order)
    assert isinstance(outcome.evidence, evidence.ServerFacts)
    broken = msgspec.structs.replace(outcome.evidence, certificate_issued_at="gestern")
    agent.settle(msgspec.structs.replace(outcome, evidence=broken))
    assert server(scene, server_id)["certificate_issued_at"] == before["certificate_issued_at"]


@pytest.fixture
def timetables(scene: Scene) -> Iterator[list[Timetable]]:
    """Two servers' clocks over one database."""
    other = Ledger(scene.ledger.url, scene.ledger.clock)
    yield [Timetable(ledger, RULES, MailSettings()) for ledger in (scene.ledger, other)]
    other.close()


async def tick(timetables: list[Timetable]) -> None:
    await asyncio.gather(*(one.look_after_certificates() for one in timetables for _ in range(3)))


def renewals(scene: Scene) -> list[tuple[str, str]]:
    rows = scene.rows(
        "SELECT kind, state FROM jobs WHERE requested_by = 'taxplane' AND kind IN ('server.renew', 'device.certify') "
        "ORDER BY kind, id"
    )
    return [(row["kind"], row["state"]) for row in rows]


async def test_renewal_at_two_thirds_of_life_happens_once(
    scene: Scene, agent: Agent, clock: Clock, timetables: list[Timetable]
) -> None:
    """The paper certificates live 300 days."""
    server_id, owner = scene.server(agent), scene.taxpayer(1)
    device_id = scene.id_of(scene.ready(agent, owner, server_id, numbers=0))
    clock.forward(days=200, seconds=-1)
    await tick(timetables)
    assert renewals(scene) == []
    clock.forward(seconds=2)
    await tick(timetables)
    assert renewals(scene) == [("device.certify", "queued"), ("server.renew", "queued")]
    await tick(timetables)
    assert len(renewals(scene)) == 2, "while the job is open nothing is added"
    agent.work_off()
    await tick(timetables)
    assert renewals(scene) == [("device.certify", "done"), ("server.renew", "done")]
    for row in (server(scene, server_id), scene.device(device_id)):
        assert row["certificate_issued_at"] == utc_text(clock())
        assert from_text(row["certificate_not_after"]) == clock() + timedelta(days=300)
    log = [row for row in scene.log() if row["action"].endswith(".renewal")]
    assert len(log) == 2 and {row["actor_name"] for row in log} == {"taxplane"}


async def test_a_renewal_that_is_refused_is_tried_again_the_next_day(
    scene: Scene, agent: Agent, clock: Clock, timetables: list[Timetable]
) -> None:
    scene.server(agent)
    clock.forward(days=201)
    for attempts in (1, 2):
        await tick(timetables)
        (order,) = agent.lease()
        assert isinstance(order.work, work.RenewServer)
        agent.settle(agent.answer(order, "refused", code="300002", message="税局维护中"))
        await tick(timetables)
        assert renewals(scene) == [("server.renew", "refused")] * attempts, "not again on the same day"
        clock.forward(days=1)


async def test_each_step_of_the_ladder_is_told_once(
    scene: Scene, agent: Agent, clock: Clock, timetables: list[Timetable]
) -> None:
    server_id = scene.server(agent)
    scene.act(tax_servers, server_id, "suspend")
    end = clock() + timedelta(days=300)
    told: list[str] = []
    for left in (61, 60, 45, 30, 8, 7, 2, 1, 0.5, 0, -3):
        clock.moment = end - timedelta(days=left)
        await tick(timetables)
        rows = scene.rows("SELECT verb FROM events WHERE record_id = :id AND verb LIKE 'certificate%' ORDER BY seq",
                          id=server_id)  # fmt: skip
        told = [row["verb"] for row in rows]
        step = shown(scene, server_id)["certificate"]
        assert step["days_left"] == max(0, int(left)) and step["renewal_due"]
    assert told == [f"certificate_ends_{days}" for days in (60, 30, 7, 1)] + ["certificate_expired"]
    details = [json.loads(row["detail"])["days"] for row in scene.log() if row["action"] == "tax-servers.certificate"]
    assert details == [60, 30, 7, 1, 0]


async def test_what_is_over_is_left_alone(
    scene: Scene, agent: Agent, clock: Clock, timetables: list[Timetable]
) -> None:
    server_id = scene.server(agent)
    device_id = scene.registered(scene.taxpayer(1), server_id)
    scene.act(virtual_devices, device_id, "cancel")
    scene.act(tax_servers, server_id, "retire")
    clock.forward(days=250)
    await tick(timetables)
    assert renewals(scene) == []
    assert scene.rows("SELECT slot FROM slots WHERE work LIKE 'certificate/%'") == []
