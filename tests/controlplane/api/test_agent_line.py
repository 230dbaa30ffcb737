"""The agents' line: what an agent says is taken strictly, and nothing it says can poison what others read."""

from __future__ import annotations

import itertools
from typing import Any

import msgspec
import pytest

from controlplane.operations import virtual_devices
from controlplane.wire import evidence
from tests.controlplane.api.house import House
from tests.controlplane.operations.scene import Agent

WRONG_TEXTS = (
    "", "x", "-1", "9" * 40, "1e5", "NaN", "0000-01-01T00:00:00.000Z", "9999-12-31T23:59:59.999Z", "2026-02-31T00:00:00.000Z",
    "2026-11-22T03:00:00", "20261322", "99999999", "00000000", "１２３", "\u202e", "' OR 1=1 --", "y" * 4000,
)  # fmt: skip
WRONG_NUMBERS = (-1, 2**31, 2**62, -(2**62), 1e300, -1e300, 0.5)
TEXTS_OF = {
    "observation": ("read_at", "offline_since", "offline_amount", "message", "bureau_message", "tax_server_no"),
    "kinds": ("kind", "issue_deadline", "report_from", "single_limit", "offline_max_amount"),
    "segments": ("kind", "invoice_code", "start_no", "end_no", "next_no", "terminal_code", "received_on", "grant_no"),
    "uploads": ("invoice_no", "invoice_code", "serial", "receipt_no", "at", "message", "status"),
}
NUMBERS_OF = {
    "observation": ("clock_offset_seconds", "offline_count", "last_index"),
    "kinds": ("upload_deadline_day", "offline_max_hours", "offline_max_count"),
    "segments": ("left",),
    "uploads": ("index",),
}
CASES = [
    (place, name)
    for places in (TEXTS_OF, NUMBERS_OF)
    for place, names in places.items()
    for name in names
]  # fmt: skip


def report(house: House, **more: Any) -> tuple[int, Any]:
    return house.post("/v1/agent/outcomes", {"session": "s", **more}, "agent")


def reading(house: House) -> dict[str, Any]:
    seen = house.paper.reading(house.scene.ledger.clock(), uploads=house.paper.uploads())
    found: dict[str, Any] = msgspec.to_builtins(seen)
    return found


def lists_answer(house: House, context: object) -> None:
    for noun in ("virtual-devices", "devices", "segments", "stock", "terminals", "tax-servers", "invoices", "jobs"):
        status, answer = house.ask("GET", f"/v1/{noun}?limit=1000")
        assert status == 200, (context, noun, answer)
    assert house.ask("GET", f"/v1/virtual-devices/{house.device_id}")[0] == 200, context


def issued(house: House) -> dict[str, Any]:
    """An invoice, issued; what the front end sees of it."""
    house.agent.work_off()
    status, answer = house.post("/v1/invoices", house.invoice_body(1), "front_end")
    assert status == 202
    house.agent.work_off()
    found: dict[str, Any] = house.ask("GET", f"/v1/invoices/{answer['id']}")[1]
    assert found["state"] == "issued"
    return found


def test_a_reading_is_taken_and_answered_with_the_cursor(house: House) -> None:
    invoice = issued(house)
    status, ack = report(house, observations=[reading(house)])
    assert (status, ack["upload_cursors"]) == (200, {house.paper.device_no: 1})
    status, shown = house.ask("GET", f"/v1/invoices/{invoice['id']}")
    assert (shown["upload_status"], shown["upload_receipt_no"]) == ("uploaded", "SL00000001")


def test_nothing_in_a_reading_poisons_what_others_read(house: House) -> None:
    issued(house)
    for place, name in CASES:
        assert house.scene.device(house.device_id)["state"] == "ready", name
        for wrong in WRONG_NUMBERS if name in NUMBERS_OF[place] else WRONG_TEXTS:
            seen = reading(house)
            (seen if place == "observation" else seen[place][0])[name] = wrong
            status, answer = report(house, observations=[seen])
            assert status in (200, 400, 422), (place, name, wrong, answer)
            assert house.ask("GET", f"/v1/virtual-devices/{house.device_id}")[0] == 200, (place, name, wrong)
        lists_answer(house, (place, name))
    assert report(house, observations=[reading(house)])[0] == 200
    assert house.scene.invoice(house.scene.one("SELECT id FROM invoices")["id"])["state"] == "issued"


EVIDENCE: dict[str, Any] = {
    "certify": evidence.Certified(not_after="2027-01-01T00:00:00.000Z"),
    "fetch_kinds": None,
    "fetch_rates": evidence.Rates(rates=["0.13"]),
}


@pytest.mark.parametrize("verb", EVIDENCE)
def test_nothing_in_evidence_poisons_what_others_read(house: House, verb: str) -> None:
    counter = itertools.count()
    for wrong in (*WRONG_TEXTS, "2.00", "0.1300000000", "1"):
        house.agent.work_off()
        house.scene.act(virtual_devices, house.device_id, verb)
        (order,) = house.agent.lease()
        good: dict[str, Any] = msgspec.to_builtins(house.agent.done(order))
        bad = msgspec.convert(good, dict)
        if verb == "certify":
            bad["evidence"]["not_after"] = wrong
        elif verb == "fetch_rates":
            bad["evidence"]["rates"] = ["0.13", wrong]
        else:
            bad["evidence"]["kinds"][0][("issue_deadline", "single_limit")[next(counter) % 2]] = wrong
        status, answer = report(house, outcomes=[bad])
        assert status in (200, 400, 422), (verb, wrong, answer)
        lists_answer(house, (verb, wrong))
        assert report(house, outcomes=[msgspec.to_builtins(house.agent.done(order))])[0] == 200
        if house.scene.device(house.device_id)["state"] == "suspended":
            house.scene.act(virtual_devices, house.device_id, "resume")


def test_an_epoch_that_is_none_changes_nothing(house: House) -> None:
    house.agent.work_off()
    house.post("/v1/invoices", house.invoice_body(1), "front_end")
    (order,) = house.agent.lease()
    good: dict[str, Any] = msgspec.to_builtins(house.agent.done(order))
    for epoch in (-1, 2**31, 2**62, "1", 1.0, 1.5, None, True):
        status, answer = report(house, outcomes=[good | {"epoch": epoch}])
        assert status == 422, (epoch, answer)
    status, answer = report(house, outcomes=[good | {"epoch": order.epoch + 1}])
    assert (status, answer["stale"]) == (200, [order.job_id])
    assert house.scene.one("SELECT state FROM jobs WHERE id = :id", id=order.job_id) == {"state": "leased"}
    lists_answer(house, "epoch")


def test_one_bad_outcome_does_not_stop_its_neighbours(house: House) -> None:
    house.agent.work_off()
    for number in range(3):
        house.post("/v1/invoices", house.invoice_body(number), "front_end")
    orders = house.agent.lease()
    outcomes = [msgspec.to_builtins(house.agent.done(order)) for order in orders]
    outcomes[1]["evidence"]["gross_total"] = "0.01"
    status, ack = report(house, outcomes=outcomes)
    assert status == 200 and ack["settled"] == [order.job_id for order in orders]
    states = [row["state"] for row in house.scene.rows("SELECT state FROM invoices ORDER BY id")]
    assert states == ["issued", "waiting", "issued"]


def test_an_agent_sees_and_changes_nothing_of_another(house: House) -> None:
    house.agent.work_off()
    house.post("/v1/invoices", house.invoice_body(1), "front_end")
    (order,) = house.agent.lease()
    outcome = msgspec.to_builtins(house.agent.done(order))
    stranger = Agent(house.scene, host_id="host-2")
    house.tokens["stranger"] = f"{stranger.id}.{stranger.secret}"
    status, answer = house.post("/v1/agent/lease", {"session": "s"}, "stranger")
    assert (status, answer["orders"], answer["serves"]) == (200, [], [])
    before = house.scene.dump(but={"operation_log", "ledger_head", "events", "evidence", "agents"})
    body = {"session": "s", "outcomes": [outcome], "observations": [reading(house) | {"reachable": False}]}
    status, foreign = house.post("/v1/agent/outcomes", body, "stranger")
    missing = [outcome | {"job_id": "01a20000-0000-7000-8000-000000000000"}]
    _, nowhere = house.post("/v1/agent/outcomes", {"session": "s", "outcomes": missing}, "stranger")
    assert status == 200 and (foreign["settled"], foreign["upload_cursors"]) == (nowhere["settled"], {})
    assert len(foreign["stale"]) == len(nowhere["stale"]) == 1
    assert house.scene.dump(but={"operation_log", "ledger_head", "events", "evidence", "agents"}) == before
    assert report(house, outcomes=[outcome])[1]["settled"] == [order.job_id]


def test_who_is_not_an_agent_has_no_business_here(house: House) -> None:
    for role in ("admin", "operator", "auditor", "front_end", "probe"):
        assert house.post("/v1/agent/lease", {"session": "s"}, role)[0] == 403
    for path in ("/v1/taxpayers", "/v1/invoices", "/v1/jobs", "/v1/agents", "/v1/events", "/v1/operation-log"):
        assert house.ask("GET", path, role="agent")[0] == 403, path


def test_a_probe_cannot_bring_its_clock_to_a_stop(house: House) -> None:
    """A slot that is no time, or far ahead, would make every later slot look old."""
    claim = {"period": 300.0, "vantage": "v", "holder": "h"}
    assert house.post("/v1/lines/slots", {**claim, "slot": "2026-11-22T03:00:00.000Z"}, "probe")[1]["claimed"]
    for slot in ("9999-99-99T99:99:99.999Z", "9999-12-31T23:59:59.000Z", "0000-01-01T00:00:00.000Z",
                 "2026-02-31T00:00:00.000Z", "2026-11-23T03:00:00.000Z"):  # fmt: skip
        status, answer = house.post("/v1/lines/slots", {**claim, "slot": slot}, "probe")
        assert status == 422 or not answer["claimed"], (slot, answer)
    answer = house.post("/v1/lines/slots", {**claim, "slot": "2026-11-22T03:05:00.000Z"}, "probe")[1]
    assert answer["claimed"]
    again = house.post("/v1/lines/slots", {**claim, "slot": "2026-11-22T03:05:00.000Z", "holder": "h2"}, "probe")[1]
    assert not again["claimed"]
