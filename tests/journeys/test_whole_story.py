"""One story through the front door, from an empty ledger: register, commission, stock, issue, upload, report, file, clear.

Every step is tried too early first, and refused by name; a second process reads the same states.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.journeys.asking import simple
from tests.journeys.books import Books
from tests.journeys.demo_process import HOUSE, Demo, prepared
from tests.journeys.desk import Desk
from tests.journeys.front_door import Row, until

SPEED = 40
OWNER = "91990000MA0000AB0C"
KIND = "026"
SERVER_STEPS = (
    ("synchronise", "synchronised"),
    ("calibrate", "calibrated"),
    ("commission", "commissioned"),
    ("certify", "certified"),
)
DEVICE_STEPS = (
    ("commission", "commissioned"),
    ("fetch_company", "company_fetched"),
    ("certify", "certified"),
    ("fetch_kinds", "kinds_fetched"),
    ("fetch_rates", "ready"),
)


@pytest.fixture
def demo(tmp_path: Path) -> Iterator[Demo]:
    """The product with nothing in it."""
    with prepared(tmp_path / "data", "--scenario", "none", "--speed", str(SPEED)) as demo:
        demo.start()
        yield demo


def too_early(
    desk: Desk, noun: str, record: Row, verb: str, code: str = "move_not_allowed", **arguments: object
) -> Row:
    """Try a step before its time: refused by name, with a remedy and a page; the record's own list said so too."""
    move = {"reason": "too early", "version": record["version"], **arguments}
    answer = desk.ask("POST", f"/v1/{noun}/{record['id']}/{verb}", move)
    assert answer.status == 409 and answer.json["code"] == code, (verb, answer)
    assert answer.json["remedy"] and answer.json["runbook"], answer.json
    assert desk.get(f"/v1/{noun}/{record['id']}")["version"] == record["version"], "nothing changed"
    told = next(one for one in record["allowed"] if one["verb"] == verb)
    assert not told["enabled"] and told["why"]
    refused: Row = answer.json
    return refused


def second_process(demo: Demo, noun: str, record_id: str) -> Row:
    """The record as another process of the product reads it."""
    tokens = demo.folder / "operator.token"
    tokens.write_text(demo.facts["tokens"]["operator"])
    command = [sys.executable, "-m", "console", "--url", demo.facts["api"], "--token-file", str(tokens)]
    done = subprocess.run([*command, "get", noun, record_id, "--json"], capture_output=True, text=True, cwd=HOUSE)
    assert done.returncode == 0, done.stderr
    row: Row = json.loads(done.stdout)
    return row


def same_everywhere(demo: Demo, desk: Desk, noun: str, record_id: str) -> Row:
    row: Row = desk.get(f"/v1/{noun}/{record_id}")
    other = second_process(demo, noun, record_id)
    assert (row["state"], row["version"]) == (other["state"], other["version"])
    return row


def tax_server(demo: Demo, desk: Desk) -> Row:
    """Registered, bound and led to its certificate."""
    place = demo.facts["tax_servers"][0]
    body = {key: place[key] for key in ("tax_server_no", "region", "host", "port")} | {"name": "一号税控服务器"}
    server = desk.post("/v1/tax-servers", body)
    assert server["state"] == "registered"
    for verb in ("calibrate", "commission", "certify", "request_formal"):
        too_early(desk, "tax-servers", server, verb)
    (agent,) = desk.all("/v1/agents")
    bind = {"reason": "story", "version": agent["version"], "tax_server_id": server["id"]}
    desk.post(f"/v1/agents/{agent['id']}/bind", bind)
    for verb, state in SERVER_STEPS:
        for later in (name for name, _ in SERVER_STEPS[SERVER_STEPS.index((verb, state)) + 1 :]):
            too_early(desk, "tax-servers", desk.get(f"/v1/tax-servers/{server['id']}"), later)
        server = desk.act("tax-servers", server["id"], verb)
        assert server["state"] == state
    return same_everywhere(demo, desk, "tax-servers", server["id"])


def virtual_device(demo: Demo, desk: Desk, server: Row, name: str) -> Row:
    """Registered and led to ``ready``."""
    device = desk.post("/v1/virtual-devices", {"taxpayer_id": OWNER, "tax_server_id": server["id"], "name": name})
    for verb, state in DEVICE_STEPS:
        steps = [step for step, _ in DEVICE_STEPS]
        for later in steps[steps.index(verb) + 1 :]:
            too_early(desk, "virtual-devices", desk.get(f"/v1/virtual-devices/{device['id']}"), later)
        device = desk.act("virtual-devices", device["id"], verb)
        assert device["state"] == state
    return same_everywhere(demo, desk, "virtual-devices", device["id"])


def numbers(desk: Desk, device: Row) -> None:
    """Applied for, received, distributed; each refused before its time."""
    device_id = device["id"]
    run = {"kind": KIND, "invoice_code": "044002600111", "start_no": "00000001", "count": 5, "terminal_code": "1"}
    desk.act("virtual-devices", device_id, "add_terminal", terminal_code="1", terminal_name="总机")
    answer = desk.ask("POST", f"/v1/virtual-devices/{device_id}/distribute", run | _move(desk, device_id))
    if answer.status == 202:
        job = until(lambda: desk._ended(answer.json["job"]["id"]), 30, "the device to refuse numbers it has not")
        assert job["state"] == "refused" and job["code"], job
    else:
        assert answer.status == 409, answer
    desk.act("virtual-devices", device_id, "apply", kind=KIND, count=50)
    desk.act("virtual-devices", device_id, "receive", kind=KIND)
    (held,) = [one for one in desk.all("/v1/segments", device_id=device_id) if one["state"] == "on_device"]
    assert held["left"] == 50
    given = {"invoice_code": held["invoice_code"], "start_no": held["start_no"], "terminal_code": "1"}
    desk.act("virtual-devices", device_id, "distribute", kind=KIND, count=40, **given)


def _move(desk: Desk, device_id: str) -> Row:
    return {"reason": "story", "version": desk.get(f"/v1/virtual-devices/{device_id}")["version"]}


def test_from_an_empty_ledger_to_a_cleared_device(demo: Demo) -> None:
    desk, front_end = demo.desk(), demo.door()
    assert desk.all("/v1/tax-servers") == [] and desk.all("/v1/taxpayers") == []
    owner = {"taxpayer_id": OWNER, "name": "故事有限公司", "taxpayer_kind": "general", "region": "1100"}
    desk.post("/v1/taxpayers", owner)
    waiting = front_end.post("/v1/invoices", simple(OWNER, "too-early"))
    assert (waiting["state"], waiting["waiting_reason"]["code"]) == ("waiting", "no_device")

    server = tax_server(demo, desk)
    device = virtual_device(demo, desk, server, "柜台一")
    numbers(desk, device)
    issued = until(lambda: _settled(front_end, waiting["id"]), 30, "the early request to be issued by itself")
    assert issued["state"] == "issued" and issued["virtual_device_no"] == device["device_no"]
    for n in range(4):
        told = front_end.post("/v1/invoices", simple(OWNER, f"story-{n}", kind=KIND), wait=10)
        assert told["state"] == "issued"

    books = Books(demo, OWNER)
    books.uploaded(books.ledger(), 60)
    books.compare()
    report = until(lambda: _report(desk, device["id"]), 30, "the report of the kind")
    clear_it(demo, desk, device["id"], report)
    after = front_end.post("/v1/invoices", simple(OWNER, "after", kind=KIND), wait=10)
    assert after["state"] == "issued"
    books.uploaded(["after"], 60)
    books.compare()


def _settled(door: object, invoice_id: str) -> Row | None:
    row: Row = door.get(f"/v1/invoices/{invoice_id}")  # type: ignore[attr-defined]
    return row if row["state"] in ("issued", "refused") else None


def _report(desk: Desk, device_id: str) -> Row | None:
    found = [row for row in desk.all("/v1/reports", device_id=device_id) if row["kind"] == KIND]
    return found[0] if found else None


def clear_it(demo: Demo, desk: Desk, device_id: str, report: Row) -> None:
    """Reported, verified, filed, cleared; the device's own deadline moves on."""
    assert report["state"] == "report_due"
    for verb in ("verify", "file_return", "clear"):
        too_early(desk, "reports", report, verb)
    before = _kind(desk, device_id)["issue_deadline"]
    report = desk.act("reports", report["id"], "report")
    assert report["state"] == "reported"
    too_early(desk, "reports", report, "clear")

    def verified() -> Row | None:
        row: Row = desk.get(f"/v1/reports/{report['id']}")
        if row["state"] == "reported" and not row.get("open_job"):
            desk.ask("POST", f"/v1/reports/{row['id']}/verify", {"reason": "story", "version": row["version"]})
        return row if row["state"] == "verified" else None

    report = until(verified, 30, "the bureau's word on the summary")
    report = desk.act("reports", report["id"], "file_return")
    assert report["state"] == "return_filed"
    report = desk.act("reports", report["id"], "clear")
    assert report["state"] == "cleared"
    assert _kind(desk, device_id)["issue_deadline"] > before, "the device's own new deadline"
    too_early(desk, "reports", same_everywhere(demo, desk, "reports", report["id"]), "report")


def _kind(desk: Desk, device_id: str) -> Row:
    return next(kind for kind in desk.get(f"/v1/virtual-devices/{device_id}")["kinds"] if kind["kind"] == KIND)
