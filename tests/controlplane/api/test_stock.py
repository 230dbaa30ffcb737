"""Stock over HTTP: the tree with its sums and ages, applications and alerts in their scope, dangerous acts by name."""

from __future__ import annotations

import json
from typing import Any

from controlplane.domain.registry import ACTS
from controlplane.operations import virtual_devices
from tests.controlplane.api.house import House
from tests.controlplane.operations.scene import body

MISSING = "01a20000-0000-7000-8000-000000000000"


def tree(house: House, role: str = "admin", owner: str = "") -> tuple[int, Any]:
    return house.ask("GET", f"/v1/stock/tree?taxpayer_id={owner or house.owner}", role=role)


def test_the_tree_adds_up_at_every_level(house: House) -> None:
    house.paper.stock("026", 30_001, 40, None)
    house.paper.stock("026", 40_001, 7, "2")
    house.agent.observe(house.paper)
    for number in range(3):
        house.scene.request(body(house.owner, f"t{number}"))
    status, told = tree(house)
    assert status == 200 and told["complete"] is True
    (device,) = [one for one in told["devices"] if one["device_id"] == house.device_id]
    assert device["kinds"] == told["kinds"], "one device has numbers"
    assert told["kinds"]["026"] == {"left": 147, "undistributed": 40, "waiting": 3, "available": 104}
    assert told["kinds"]["028"] == {"left": 100, "undistributed": 0, "waiting": 0, "available": 100}
    assert device["undistributed"]["kinds"]["026"]["left"] == 40
    assert {one["terminal_code"]: one["kinds"]["026"]["left"] for one in device["terminals"]} == {"1": 100, "2": 7}
    for place in (device["undistributed"], *device["terminals"]):
        for kind, sums in place["kinds"].items():
            assert sums["left"] == sum(one["left"] for one in place["segments"] if one["kind"] == kind)
    (run,) = device["undistributed"]["segments"]
    assert (run["start_no"], run["end_no"], run["next_no"], run["state"]) == (
        "00030001",
        "00030040",
        "00030001",
        "on_device",
    )


def test_the_age_of_the_oldest_reading(house: House) -> None:
    before = tree(house)[1]["age_seconds"]
    assert before is not None and before >= 0
    house.scene.change("UPDATE devices SET read_at = '2026-11-22T02:00:00.000Z'")
    assert tree(house)[1]["age_seconds"] >= 3600
    house.scene.registered(house.owner, house.server_id, "new")
    assert tree(house)[1]["age_seconds"] is None, "one was never read"


def test_the_tree_of_another_is_the_tree_of_nobody(house: House) -> None:
    other = house.scene.taxpayer(2)
    stranger = house.front_end_of(other)
    assert tree(house, stranger, other)[0] == 200
    url = "/v1/stock/tree?taxpayer_id="
    foreign = house.bytes_of("GET", url + house.owner, role=stranger)
    assert foreign == house.bytes_of("GET", url + "91990000MA0099999X", role=stranger) and foreign[0] == 404
    assert house.ask("GET", "/v1/stock/tree")[0] == 422


def test_records_of_another_are_missing(house: House) -> None:
    stranger = house.front_end_of(house.scene.taxpayer(2))
    house.scene.act(virtual_devices, house.device_id, "apply", kind="026", count=10)
    house.agent.work_off()
    alert = {"taxpayer_id": house.owner, "threshold": 5, "recipients": ["a@example.com"]}
    status, row = house.post("/v1/stock-alerts", alert, "operator")
    assert status == 201 and (row["device_id"], row["kind"], row["state"], row["low"]) == (None, None, "enabled", 0)
    application = house.ask("GET", "/v1/applications")[1]["items"][0]
    for noun, record_id in (("applications", application["id"]), ("stock-alerts", row["id"])):
        assert house.ask("GET", f"/v1/{noun}/{record_id}")[0] == 200
        mine = house.bytes_of("GET", f"/v1/{noun}/{record_id}", role=stranger)
        assert mine == house.bytes_of("GET", f"/v1/{noun}/{MISSING}", role=stranger) and mine[0] == 404
        assert house.ask("GET", f"/v1/{noun}", role=stranger)[1]["items"] == []
    assert application["state"] == "applied" and application["device_no"] == house.paper.device_no
    assert {one["verb"]: one["enabled"] for one in application["allowed"]} == {"query": True, "cancel": True}


def test_a_removed_alert_leaves_the_list(house: House) -> None:
    alert = {"taxpayer_id": house.owner, "threshold": 5, "recipients": ["a@example.com"]}
    row = house.post("/v1/stock-alerts", alert)[1]
    answer = house.post(f"/v1/stock-alerts/{row['id']}/remove", {"reason": "no more", "version": 1})
    assert answer[0] == 202 and answer[1]["record"]["state"] == "removed"
    assert house.ask("GET", "/v1/stock-alerts")[1]["items"] == []
    assert {one["enabled"] for one in house.ask("GET", f"/v1/stock-alerts/{row['id']}")[1]["allowed"]} == {False}


def test_recipients_are_mail_addresses(house: House) -> None:
    good = {"taxpayer_id": house.owner, "threshold": 5, "recipients": ["a@example.com"]}
    for recipients in (
        [],
        ["nobody"],
        ["a@example.com\r\nBcc: x@example.com"],
        ["a@example.com"] * 51,
        "a@example.com",
        [""],
    ):
        status, answer = house.ask("POST", "/v1/stock-alerts", json.dumps({**good, "recipients": recipients}).encode())
        assert status == 422, (recipients, answer)
    for threshold in (0, -1, 1_000_001, "5", 1.5):
        assert house.ask("POST", "/v1/stock-alerts", json.dumps({**good, "threshold": threshold}).encode())[0] == 422


def test_what_cannot_be_undone_asks_first() -> None:
    assert ACTS["virtual-devices", "return"].dangerous and ACTS["stock-alerts", "remove"].dangerous
    assert not ACTS["virtual-devices", "reclaim"].dangerous and not ACTS["applications", "cancel"].dangerous
