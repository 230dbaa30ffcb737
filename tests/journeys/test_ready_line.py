"""The ready line is true, and one demo minds its directory, its port and its children."""

from __future__ import annotations

import os
import signal
from importlib.metadata import version
from pathlib import Path

from tests.journeys.asking import simple
from tests.journeys.demo_process import Demo, prepared
from tests.journeys.desk import Desk
from tests.journeys.front_door import Answer, Door, until

CHILDREN = {"server", "probe", "agent", "devices", "bureau", "mail"}
IN_USE, PORT_BUSY = 3, 4


def test_it_says_all_that_is_promised(started: tuple[Demo, Answer]) -> None:
    demo, _ = started
    print(f"first start: {demo.seconds:.1f} s")
    facts = demo.facts
    assert facts["ready"] is True and facts["version"] == version("taxplane")
    assert facts["tokens"].keys() == {"admin", "operator", "auditor", "front_end"}
    assert facts["pids"].keys() == {"demo", *CHILDREN}
    assert Path(facts["data_dir"]) == demo.folder.resolve()
    for name in ("mail_dir", "journals_dir"):
        assert Path(facts[name]).is_dir()
    login = Door(facts["api"]).post("/v1/sessions", facts["console_login"])
    assert Door(facts["api"], login["token"]).get("/v1/me")["role"] == "operator"
    for role, token in facts["tokens"].items():
        assert Door(facts["api"], token).get("/v1/me")["role"] == role
    kept = demo.folder / "demo-tokens.json"
    assert kept.stat().st_mode & 0o777 == 0o600
    assert demo.bureau().get("/receipts", taxpayer_id="nobody") == []


def test_an_invoice_posted_at_once_is_issued(started: tuple[Demo, Answer]) -> None:
    _, first = started
    assert first.status == 200, first
    assert first.json["state"] == "issued" and len(first.json["invoice_no"]) == 8


def test_the_taxpayer_has_four_devices_with_numbers_enough(demo: Demo, desk: Desk) -> None:
    devices = desk.devices(demo.taxpayer_id)
    assert len(devices) == 4
    assert all(device["state"] == "ready" for device in devices)
    assert all(device["stock"][kind] + device["last_index"] >= 5000 for device in devices for kind in ("026", "028"))


def test_a_second_demo_in_the_same_directory_names_the_first(demo: Demo) -> None:
    code, words = demo.run_out()
    assert code == IN_USE
    assert f"pid {demo.facts['pids']['demo']}" in words and demo.facts["api"] in words


def test_a_busy_port_that_was_asked_for_ends_it(demo: Demo, tmp_path: Path) -> None:
    port = demo.facts["api"].rpartition(":")[2]
    with prepared(tmp_path / "other") as other:
        code, words = other.run_out("--port", port)
    assert code == PORT_BUSY and port in words


def test_killed_children_come_back(demo: Demo, front_end: Door) -> None:
    before = demo.control().get("/pids")
    assert before.keys() == CHILDREN
    for name in sorted(CHILDREN):
        os.kill(before[name], signal.SIGKILL)

    def all_new() -> bool:
        now = demo.control().get("/pids")
        return now.keys() == CHILDREN and all(now[name] != before[name] for name in CHILDREN)

    until(all_new, 15, "new process ids")
    until(lambda: _ready(front_end), 20, "readyz")
    assert set(demo.control().get("/pids").values()) <= demo.processes().keys()
    body = simple(demo.taxpayer_id, "after-all-were-killed")
    answer = front_end.ask("POST", "/v1/invoices", body, wait=30)
    assert answer.status == 200 and answer.json["state"] == "issued", answer


def _ready(door: Door) -> bool:
    try:
        return door.ask("GET", "/readyz").status == 200
    except OSError:
        return False
