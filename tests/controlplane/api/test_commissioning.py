"""Tax servers and virtual devices over HTTP: steps tried early, counts, impact; fifty connections and seven places."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from controlplane.domain import tax_server, virtual_device
from controlplane.operations import tax_servers, virtual_devices
from controlplane.store.engine import Ledger
from controlplane.store.times import system_clock
from tests.controlplane.api.house import House
from tests.controlplane.operations.scene import Agent, Scene, body

RACERS, PLACES = 50, 7


@contextlib.contextmanager
def process(database_url: str, folder: Path) -> Iterator[str]:
    """A real ``taxplane-server`` on a free port of its own; its URL."""
    door = socket.create_server(("127.0.0.1", 0))
    command = [sys.executable, "-m", "controlplane", "run", "--socket-fd", str(door.fileno())]
    environment = os.environ | {"TAXPLANE_DATABASE_URL": database_url}
    with (folder / "server.log").open("ab") as log:
        started = subprocess.Popen(command, env=environment, pass_fds=[door.fileno()], stdout=log, stderr=log)
    port = door.getsockname()[1]
    door.close()
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        started.terminate()
        started.wait(20)


@pytest.fixture
def servers(request: pytest.FixtureRequest, database_url: str, tmp_path: Path) -> Iterator[list[House]]:
    """The doors of one server process on SQLite, of two on PostgreSQL."""
    ledger = Ledger(database_url, system_clock)
    count = 1 if database_url.startswith("sqlite") else 2
    with contextlib.ExitStack() as open_doors:
        scene = Scene(ledger)
        urls = [open_doors.enter_context(process(database_url, tmp_path)) for _ in range(count)]
        house = House(urls[0], scene, Agent(scene))
        doors = [house.at(url) for url in urls]
        for door in doors:
            ready(door)
        yield doors
    ledger.close()


def ready(door: House) -> None:
    until = time.monotonic() + 60
    while True:
        with contextlib.suppress(OSError):
            if door.ask("GET", "/readyz")[0] == 200:
                return
        assert time.monotonic() < until
        time.sleep(0.1)


def race(work: Callable[[int], str]) -> Counter[str]:
    """Fifty at once; what became of each."""
    line = threading.Barrier(RACERS)

    def run(number: int) -> str:
        line.wait(30)
        return work(number)

    with ThreadPoolExecutor(RACERS) as pool:
        return Counter(pool.map(run, range(RACERS)))


def code_of(answer: tuple[int, Any]) -> str:
    status, told = answer
    return str(told["code"]) if status >= 400 else str(status)


def commission(door: House, record: dict[str, Any]) -> str:
    move = {"reason": "race", "version": record["version"]}
    return code_of(door.post(f"/v1/virtual-devices/{record['id']}/commission", move, "operator"))


def commissioned(house: House) -> list[str]:
    while house.agent.work_off():
        pass
    rows = house.scene.rows("SELECT device_no FROM devices WHERE state = 'commissioned'")
    return [row["device_no"] for row in rows]


def test_fifty_connections_get_the_seven_places_that_are_left(servers: list[House]) -> None:
    house = servers[0]
    house.agent.quota = PLACES + 1
    house.scene.act(tax_servers, house.server_id, "synchronise")
    house.agent.work_off()

    def racer(number: int) -> str:
        door = servers[number % len(servers)]
        values = {"taxpayer_id": house.owner, "tax_server_id": house.server_id, "name": f"racer {number}"}
        answer = door.post("/v1/virtual-devices", values, "operator")
        return commission(door, answer[1]) if answer[0] == 201 else code_of(answer)

    assert race(racer) == {"202": PLACES, "quota_used_up": RACERS - PLACES}
    assert len(set(commissioned(house))) == PLACES
    refused = house.scene.rows("SELECT seq FROM operation_log WHERE outcome = 'refused'")
    assert len(refused) == RACERS - PLACES, "each refusal has its row"


def test_fifty_devices_and_a_server_that_says_seven_are_left(servers: list[House]) -> None:
    """Registered when there was room; meanwhile somebody else took places on the server itself."""
    house = servers[0]
    ids = [house.scene.registered(house.owner, house.server_id, str(number)) for number in range(RACERS)]
    house.scene.change("UPDATE tax_servers SET quota_left = :left", left=PLACES)

    def racer(number: int) -> str:
        return commission(servers[number % len(servers)], {"id": ids[number], "version": 1})

    assert race(racer) == {"202": PLACES, "quota_used_up": RACERS - PLACES}
    assert len(set(commissioned(house))) == PLACES


# --- one door is enough for the rest


def refused_by_name(house: House, path: str, record: dict[str, Any], allowed: tuple[str, ...], verbs: set[str]) -> None:
    """Every verb that is not allowed in the record's state is refused, naming those that are."""
    for verb in sorted(verbs - set(allowed)):
        move: dict[str, Any] = {"reason": "too early", "version": record["version"]}
        status, answer = house.post(f"{path}/{record['id']}/{verb}", move, "operator")
        assert (status, answer["code"]) == (409, "move_not_allowed"), (record["state"], verb, answer)
        assert set(answer["allowed"]) == set(allowed), (record["state"], verb)
        line = next(one for one in house.ask("GET", f"{path}/{record['id']}")[1]["allowed"] if one["verb"] == verb)
        assert not line["enabled"] and line["why"]


def test_every_step_of_a_server_tried_early_is_refused_by_name(house: House) -> None:
    server_id = house.fresh_server(900)
    house.agent.bind(server_id)
    steps = ("synchronise", "calibrate", "commission", "certify", "suspend", "resume", "retire")
    verbs = {*steps, "request_formal", "sync_formal", "renew"}
    seen = []
    for step in steps:
        record = house.ask("GET", f"/v1/tax-servers/{server_id}")[1]
        seen.append(record["state"])
        allowed = tax_server.MACHINE.allowed(record["state"])
        refused_by_name(house, "/v1/tax-servers", record, allowed, verbs)
        move = {"reason": "its turn", "version": record["version"]}
        assert house.post(f"/v1/tax-servers/{server_id}/{step}", move, "operator")[0] == 202
        house.agent.work_off()
    assert seen == ["registered", "synchronised", "calibrated", "commissioned", "certified", "suspended", "certified"]
    record = house.ask("GET", f"/v1/tax-servers/{server_id}")[1]
    assert record["state"] == "retired"
    refused_by_name(house, "/v1/tax-servers", record, (), verbs)


def test_every_step_of_a_device_tried_early_is_refused_by_name(house: House) -> None:
    device_id = house.scene.registered(house.owner, house.server_id, "新")
    steps = (*virtual_device.NEXT_STEP.values(), "suspend", "resume", "cancel")
    verbs = {*steps, "commission_fully", "read", "calibrate"}
    for step in steps:
        record = house.ask("GET", f"/v1/virtual-devices/{device_id}")[1]
        allowed = virtual_device.MACHINE.allowed(record["state"])
        refused_by_name(house, "/v1/virtual-devices", record, allowed, verbs)
        move = {"reason": "its turn", "version": record["version"]}
        status, answer = house.post(f"/v1/virtual-devices/{device_id}/{step}", move, "operator")
        assert status == 202, answer
        house.agent.work_off()
    record = house.ask("GET", f"/v1/virtual-devices/{device_id}")[1]
    assert record["state"] == "cancelled"
    refused_by_name(house, "/v1/virtual-devices", record, (), verbs)


def test_counts_by_server_and_by_taxpayer(house: House) -> None:
    house.scene.registered(house.owner, house.server_id, "新")
    other = house.scene.taxpayer(2)
    house.scene.request(body(house.owner, "r1"))
    house.agent.work_off()
    house.agent.observe(house.paper)
    status, answer = house.ask("GET", "/v1/virtual-devices/summary")
    (row,) = answer["items"]
    assert status == 200 and row["tax_server_no"] == house.server_no
    assert row["devices"] == {"ready": 1, "registered": 1}
    assert (row["issuable"], row["issued_total"], row["issued_today"], row["gross_today"]) == (199, 1, 1, "21.80")
    assert (row["quota_total"], row["quota_left"], row["quota_free"]) == (1000, 999, 998)
    status, answer = house.ask("GET", "/v1/virtual-devices/summary?by=taxpayer")
    assert {row["taxpayer_id"]: row["issuable"] for row in answer["items"]} == {house.owner: 199, other: 0}
    mine = house.front_end_of(other)
    answer = house.ask("GET", "/v1/virtual-devices/summary?by=taxpayer", role=mine)[1]
    assert [row["taxpayer_id"] for row in answer["items"]] == [other]
    assert house.ask("GET", "/v1/virtual-devices/summary", role=mine)[1]["items"] == []
    assert house.ask("GET", "/v1/virtual-devices/summary?by=colour")[0] == 422
    (device,) = house.ask("GET", f"/v1/virtual-devices?tax_server_id={house.server_id}&state=ready")[1]["items"]
    assert (device["issuable"], device["issued_total"], device["issued_today"]) == (199, 1, 1)


def test_what_stops_if_this_stops(house: House) -> None:
    house.scene.request(body(house.owner, "r1"))
    house.agent.work_off()
    house.scene.request(body(house.owner, "r2"))
    for path in (f"/v1/tax-servers/{house.server_id}", f"/v1/virtual-devices/{house.device_id}"):
        status, answer = house.ask("GET", f"{path}/impact")
        assert status == 200
        assert [device["id"] for device in answer["devices"]] == [house.device_id]
        assert [terminal["terminal_code"] for terminal in answer["terminals"]] == ["1"]
        assert (answer["waiting_invoices"], answer["issued_today"], answer["gross_today"]) == (1, 1, "21.80")
        (taxpayer,) = answer["taxpayers"]
        assert taxpayer["take_over"] == {"026": [], "028": []} and taxpayer["stops"] == ["026", "028"]
    second = house.scene.server(house.agent, 2)
    spare = house.scene.ready(house.agent, house.owner, second)
    (taxpayer,) = house.ask("GET", f"/v1/tax-servers/{house.server_id}/impact")[1]["taxpayers"]
    assert taxpayer["take_over"] == {kind: [spare.device_no] for kind in ("026", "028")} and taxpayer["stops"] == []
    house.scene.act(virtual_devices, house.scene.id_of(spare), "suspend")
    (taxpayer,) = house.ask("GET", f"/v1/virtual-devices/{house.device_id}/impact")[1]["taxpayers"]
    assert taxpayer["stops"] == ["026", "028"], "one that is suspended takes nothing over"
    stranger = house.front_end_of(house.scene.taxpayer(2))
    for path in (f"/v1/tax-servers/{house.server_id}/impact", f"/v1/virtual-devices/{house.device_id}/impact"):
        missing = path.replace(house.server_id, "x").replace(house.device_id, "x")
        assert house.bytes_of("GET", path, role=stranger) == house.bytes_of("GET", missing, role=stranger)
        assert house.ask("GET", path, role=stranger)[0] == 404
