"""Taxpayers, bureau addresses and the code table over HTTP; a new code table is known to both servers in seconds."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from controlplane.store.engine import Ledger
from tests.controlplane.api.conftest import serving
from tests.controlplane.api.house import House
from tests.controlplane.operations import tables
from tests.controlplane.operations.scene import RICE, Agent, Clock, Scene

NEW = tables.code(1).code


def until(condition: Callable[[], bool], seconds: float = 5) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not come true in time"
        time.sleep(0.05)


def act(house: House, path: str, verb: str, **given: Any) -> dict[str, Any]:
    row = house.ask("GET", path)[1]
    status, acted = house.post(f"{path}/{verb}", {"reason": "for the test", "version": row["version"], **given})
    assert status == 202, acted
    return dict(acted["record"])


def has_code(house: House, code: str) -> bool:
    """Whether the server's own book lets an invoice carry the code."""
    body = house.invoice_body(1)
    body["lines"][0]["tax_class_code"] = code
    status, told = house.post("/v1/invoices/check", body, "front_end")
    assert status == 200, told
    return not any(one["code"].startswith("tax_code_") for one in told["refusals"])


def fetched(house: House) -> str:
    """A whole version with the shipped codes but rice, and one more."""
    rows = [tables.code(1)]
    for one in house.ask("GET", "/v1/tax-codes?limit=1000&version=shipped")[1]["items"]:
        rows.append(tables.code(0, code=one["code"], name=one["name"], rates=" ".join(one["rates"]), sum_only=one["sum_only"],
                                usable=one["code"] != RICE))  # fmt: skip
    status, row = house.post("/v1/code-versions/synchronise", {"tax_server_id": house.server_id})
    assert status == 201, row
    version_id = str(row["id"])
    while house.ask("GET", f"/v1/code-versions/{version_id}")[1]["state"] == "fetching":
        (order,) = house.agent.lease()
        page = tables.page(rows, order.work.start, order.work.most)
        house.agent.settle(house.agent.answer(order, "done", evidence=page))
    return version_id


@pytest.fixture
def pair(postgresql_url: str, clock: Clock) -> Iterator[tuple[House, House]]:
    ledger = Ledger(postgresql_url, clock)
    scene = Scene(ledger)
    with serving(postgresql_url, clock) as first, serving(postgresql_url, clock) as second:
        house = House(first, scene, Agent(scene))
        yield house, house.at(second)
    ledger.close()


def test_both_servers_go_by_a_new_table_within_seconds(pair: tuple[House, House]) -> None:
    first, second = pair
    version_id = fetched(first)
    assert not any(has_code(house, NEW) for house in pair) and all(has_code(house, RICE) for house in pair)
    act(first, f"/v1/code-versions/{version_id}", "activate", valid_from="2026-11-22")
    for house in pair:
        until(lambda house=house: has_code(house, NEW) and not has_code(house, RICE))
        assert house.ask("GET", "/v1/code-versions/current")[1]["version"] == "50.0"
        assert house.ask("GET", f"/v1/tax-codes?search={NEW}")[1]["items"][0]["version"] == "50.0"
    act(second, f"/v1/code-versions/{version_id}", "rollback")
    for house in pair:
        until(lambda house=house: has_code(house, RICE) and not has_code(house, NEW))


def test_a_server_that_starts_knows_what_is_in_force(house: House, database_url: str, clock: Clock) -> None:
    version_id = fetched(house)
    act(house, f"/v1/code-versions/{version_id}", "activate", valid_from="2026-11-22")
    with serving(database_url, clock) as url:
        assert has_code(house.at(url), NEW) and not has_code(house.at(url), RICE)


def test_progress_difference_and_what_may_be_done(house: House) -> None:
    version_id = fetched(house)
    row = house.ask("GET", f"/v1/code-versions/{version_id}")[1]
    assert (row["state"], row["rows_done"], row["total"], row["percent"]) == ("complete", 133, 133, 100)
    assert row["started_at"] and row["ended_at"] and row["error"] == ""
    assert [one["verb"] for one in row["allowed"] if one["enabled"]] == ["activate"]
    diff = house.ask("GET", f"/v1/code-versions/{version_id}/diff?limit=1")[1]
    assert diff["counts"] == {"added": 1, "ended": 1, "rate_changed": 0, "renamed": 0} and len(diff["items"]) == 1
    following = house.ask("GET", f"/v1/code-versions/{version_id}/diff?limit=1&cursor={diff['next']}")[1]
    assert {one["what"] for one in (*diff["items"], *following["items"])} == {"added", "ended"}
    assert house.ask("GET", f"/v1/code-versions/{version_id}/diff?against=nothing")[0] == 404
    nobody = house.front_end_of("91990000MA0000099X")
    assert house.ask("GET", f"/v1/code-versions/{version_id}", role=nobody)[0] == 404
    assert house.ask("GET", "/v1/code-versions", role=nobody)[1]["items"] == []
    assert house.ask("GET", "/v1/tax-codes?search=1010101010", role=nobody)[1]["items"][0]["code"] == RICE


@pytest.mark.parametrize("query", ["search=%00", "search=" + "x" * 65, "version=%27", "cursor=!!", "limit=0", "cursor=AAAA%3D"])
def test_hostile_searches(house: House, query: str) -> None:
    assert house.ask("GET", f"/v1/tax-codes?{query}")[0] == 422


def test_searches_that_look_like_patterns(house: House) -> None:
    for wanted in ("%25", "_", "!", "%27%20OR%201%3D1", "%5C", "%E2%80%AE"):
        status, found = house.ask("GET", f"/v1/tax-codes?search={wanted}")
        assert (status, found["items"]) == (200, []), wanted
    fetched(house)
    for wanted in ("%25", "_", "!"):
        assert house.ask("GET", f"/v1/tax-codes?search={wanted}&version=50.0")[1]["items"] == [], wanted


# --- taxpayers


def test_the_subtree_the_tree_and_the_effects(house: House) -> None:
    top, middle = house.scene.taxpayer(60), house.scene.taxpayer(61)
    act(house, f"/v1/taxpayers/{house.owner}", "move", parent_id=middle)
    act(house, f"/v1/taxpayers/{middle}", "move", parent_id=top)
    listed = house.ask("GET", f"/v1/taxpayers?root={top}")[1]["items"]
    assert {one["taxpayer_id"] for one in listed} == {top, middle, house.owner}
    assert house.ask("GET", f"/v1/taxpayers?root={middle}&limit=1")[1]["next"]
    assert house.ask("GET", "/v1/taxpayers?root=91990000MA0000099X")[1]["items"] == []
    tree = house.ask("GET", f"/v1/taxpayers/{top}/tree")[1]
    assert tree["children"][0]["children"][0]["taxpayer_id"] == house.owner
    found = house.ask("GET", f"/v1/taxpayers/{house.owner}/effects?kind=small")[1]
    assert {one["what"] for one in found["items"]} == {"device", "rate", "kind"}
    assert house.ask("GET", f"/v1/taxpayers/{house.owner}/effects?kind=large")[0] == 422
    scoped = house.front_end_of(middle)
    assert house.ask("GET", f"/v1/taxpayers/{top}/tree", role=scoped)[0] == 404
    assert house.ask("GET", f"/v1/taxpayers?root={top}", role=scoped)[1]["items"] == []
    seen = house.ask("GET", f"/v1/taxpayers?root={middle}", role=scoped)[1]["items"]
    assert {one["taxpayer_id"] for one in seen} == {middle, house.owner}, "a scope is a tree"
    stranger = house.front_end_of("91990000MA0000099X")
    assert house.ask("GET", f"/v1/taxpayers/{house.owner}/effects?kind=small", role=stranger)[0] == 404


def test_registering_warns_of_check_digits_and_masks_contacts(house: House) -> None:
    who = {"taxpayer_id": "91990000MA0000015X", "name": "新", "taxpayer_kind": "converted", "region": "4400"}
    status, row = house.post("/v1/taxpayers", who)
    assert (status, [one["code"] for one in row["warnings"]]) == (201, ["tax_id_check_digit"])
    record = act(house, f"/v1/taxpayers/{row['taxpayer_id']}", "add_contact", name="王", phone="13912345678")
    assert record["contacts"][0]["phone"] == "13912345678"
    masked = house.ask("GET", f"/v1/taxpayers/{row['taxpayer_id']}", role="auditor")[1]
    assert masked["contacts"][0]["phone"] == "*********78"
    logged = house.bytes_of("GET", "/v1/operation-log?limit=1000")[1]
    assert b"13912345678" not in logged


# --- bureau addresses


def test_export_and_import_over_http(house: House) -> None:
    for number in range(3):
        url, body, role = house.valid("/v1/bureau-addresses")
        assert house.post(url, body, role)[0] == 201, number
    for form, begins in (("xlsx", b"PK"), ("csv", b"\xef\xbb\xbf")):
        status, headers, content = house.send("GET", f"/v1/bureau-addresses/export/{form}", role="auditor")
        assert status == 200 and content.startswith(begins) and "attachment" in headers["Content-Disposition"]
        sent = {"content": base64.b64encode(content).decode()}
        status, told = house.post("/v1/bureau-addresses/import", sent)
        assert (status, told["added"], told["changed"], told["unchanged"], told["faults"]) == (200, 0, 0, 3, [])
    assert house.ask("GET", "/v1/bureau-addresses/export/pdf")[0] == 404


def test_an_import_with_faults_tells_them_all_and_takes_nothing(house: House) -> None:
    text = "地区代码,地区,服务类别,地址,启用\n44,广,查验,tcp://127.0.0.1:1,否\n4400,广东,查验,nowhere,否\n4401,甲,查验,tcp://127.0.0.1:2,否\n"
    sent = {"content": base64.b64encode(text.encode()).decode()}
    before = house.scene.dump()
    status, told = house.post("/v1/bureau-addresses/import", {**sent, "dry_run": True})
    assert status == 200 and {one["place"] for one in told["faults"]} == {"A2", "D3"} and told["added"] == 3
    status, problem = house.post("/v1/bureau-addresses/import", sent)
    assert status == 422 and {one["field"] for one in problem["errors"]} == {"A2", "D3"}
    assert house.scene.dump() == before
    status, problem = house.post("/v1/bureau-addresses/import", {"content": "no base64!"})
    assert status == 422 and problem["code"] == "field_invalid"


def test_an_address_is_the_line_that_is_watched(house: House) -> None:
    url, body, role = house.valid("/v1/bureau-addresses")
    row = house.post(url, body, role)[1]
    path = f"/v1/bureau-addresses/{row['id']}"
    assert (row["state"], row["standing"], row["enabled"]) == ("disabled", "current", False)
    assert act(house, path, "enable")["enabled"] and house.ask("GET", f"/v1/lines/{row['id']}")[1]["enabled"]
    act(house, path, "disable")
    act(house, path, "remove")
    assert house.ask("GET", f"/v1/lines/{row['id']}")[0] == 404
    assert house.ask("GET", path)[1]["state"] == "removed"
    listed = json.dumps(house.ask("GET", "/v1/bureau-addresses?limit=1000")[1])
    assert row["id"] not in listed
    cells = house.ask("GET", "/v1/bureau-addresses/completeness?limit=1000")[1]["items"]
    assert len(cells) == 180
    omitted = house.ask("GET", "/v1/bureau-addresses/completeness?status=raw_ip_omitted")[1]["items"]
    assert len(omitted) == 11
