"""An agent on another machine: joined by a one-use token, working there, revoked, refused."""

from __future__ import annotations

import json
import subprocess
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.journeys.asking import simple
from tests.journeys.desk import TERMINAL, Desk
from tests.journeys.front_door import Answer, Door, until
from tests.journeys.two_machines import Machine, first_line, namespaces_allowed, two_machines

PORT = 8620
TAXPAYER = "91990000MA0000007X"
SERVER_NO = "SK5100001"
EXIT_USAGE, EXIT_REVOKED = 2, 3
CUT_WITHIN = 5.0
HOW = "two_network_namespaces" if namespaces_allowed() else "NO_NAMESPACES_so_two_loopback_addresses"


@dataclass
class Office:
    """The server's machine and the devices' machine, furnished."""

    here: Machine
    there: Machine
    desk: Desk
    folder: Path
    tax_server: dict[str, Any]

    @property
    def url(self) -> str:
        return f"http://{self.here.address}:{PORT}"

    def from_there(self, bearer: str = "") -> Door:
        """Calls from the devices' machine."""
        return Door(self.url, bearer, self.there.connect())

    def journal(self) -> list[dict[str, Any]]:
        lines = [line for path in (self.folder / "journals").glob("*.jsonl") for line in path.read_bytes().splitlines()]
        return [row for row in map(json.loads, lines) if row["event"] == "issued"]


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    with two_machines() as (here, there):
        environment = {
            "TAXPLANE_DATABASE_URL": f"sqlite:///{tmp_path / 'ledger.db'}",
            "TAXPLANE_HOST": here.address,
            "TAXPLANE_PORT": str(PORT),
        }
        here.start(["controlplane", "run"], tmp_path / "server.log", environment)
        desk = Desk(f"http://{here.address}:{PORT}", "", here.connect())
        until(lambda: _ready(desk), 60, "the server is ready")
        made = here.run(["controlplane", "principal", "chief", "--role", "admin"], environment)
        desk = Desk(f"http://{here.address}:{PORT}", json.loads(made.stdout)["token"], here.connect())
        yield Office(here, there, desk, tmp_path, _devices(there, tmp_path))


def _ready(door: Door) -> bool:
    try:
        return door.ask("GET", "/readyz").status == 200
    except OSError:
        return False


def _devices(there: Machine, folder: Path) -> dict[str, Any]:
    """A bureau and one tax server on the devices' machine, reached on that machine alone."""
    bureau = _simulated(there, folder, "bureau", {"state_dir": str(folder / "bureau")})
    config = {
        "state_dir": str(folder / "devices"),
        "journals_dir": str(folder / "journals"),
        "bureau_url": bureau["url"],
        "servers": [{"tax_server_no": SERVER_NO, "region": "5100"}],
    }
    place: dict[str, Any] = _simulated(there, folder, "devices", config)["tax_servers"][0]
    return place


def _simulated(there: Machine, folder: Path, room: str, config: dict[str, Any]) -> dict[str, Any]:
    path = folder / f"{room}.json"
    path.write_text(json.dumps({**config, "speed": 5}), encoding="utf-8")
    command = ["agents.simulated", room, "--config", str(path)]
    process = there.start(command, folder / f"{room}.log", out=subprocess.PIPE)
    facts: dict[str, Any] = json.loads(first_line(process.stdout))
    return facts


@pytest.mark.parametrize("how", [HOW])
def test_an_agent_on_a_second_machine_is_joined_works_is_revoked_and_refused(office: Office, how: str) -> None:
    print(how, end=" ")
    home = office.folder / "agent"
    _join_once(office, home)
    log = office.folder / "agent.log"
    agent = office.there.start(["agents", "run", "--home", str(home)], log, {"TAXPLANE_AGENT_OBSERVE_SECONDS": "1"})
    who = json.loads((home / "identity.json").read_text(encoding="utf-8"))
    _furnish(office, who["agent_id"])
    issued = office.desk.post("/v1/invoices", simple(TAXPAYER, "far-1"), wait=20)
    assert issued["state"] == "issued"
    assert [row["invoice_no"] for row in office.journal()] == [issued["invoice_no"]]

    bearer = f"{who['agent_id']}.{who['secret']}"
    poll = _OpenPoll(office.from_there(bearer))
    time.sleep(1.0)
    assert poll.answer is None, poll.answer
    revoked_at = time.monotonic()
    current = office.desk.get(f"/v1/agents/{who['agent_id']}")
    move = {"reason": "journey", "version": current["version"]}
    assert office.desk.post(f"/v1/agents/{who['agent_id']}/revoke", move)["state"] == "revoked"
    poll.join(CUT_WITHIN)
    cut = time.monotonic() - revoked_at
    assert poll.answer is not None and poll.answer.status == 401, poll.answer
    assert agent.wait(CUT_WITHIN) == EXIT_REVOKED
    print(f"poll cut after {cut:.2f} s, agent gone after {time.monotonic() - revoked_at:.2f} s")
    assert cut < CUT_WITHIN and time.monotonic() - revoked_at < CUT_WITHIN

    _refused_from_now_on(office, bearer)
    again = office.there.run(["agents", "run", "--home", str(home)])
    assert again.returncode == EXIT_REVOKED, again.stderr
    assert len(office.journal()) == 1


def _join_once(office: Office, home: Path) -> None:
    """The token works once, on the host it was made for."""
    token = office.desk.post("/v1/agents/tokens", {"host_id": "branch-1", "name": "branch"})["token"]
    join = ["agents", "join", office.url, token, "--host-id", "branch-1"]
    done = office.there.run([*join, "--home", str(home)])
    assert done.returncode == 0, done.stderr
    second = office.there.run([*join, "--home", str(office.folder / "other")])
    assert second.returncode == EXIT_USAGE and not (office.folder / "other" / "identity.json").exists()
    body = {"token": token, "host_id": "branch-1", "name": "x", "secret": "0" * 64, "version": "0"}
    answer = office.from_there().ask("POST", "/v1/agent/join", body)
    assert answer.status == 401 and answer.json["code"] == "join_token_invalid"
    assert len(office.desk.all("/v1/agents")) == 1


def _furnish(office: Office, agent_id: str) -> None:
    """A new tax server bound to the agent, and one device of one taxpayer on it, ready with numbers."""
    desk, place = office.desk, office.tax_server
    body = {"tax_server_no": SERVER_NO, "name": "分部", "region": "5100", "host": place["host"], "port": place["port"]}
    server = desk.post("/v1/tax-servers", body)
    agent = desk.get(f"/v1/agents/{agent_id}")
    move = {"reason": "journey", "version": agent["version"], "tax_server_id": server["id"]}
    desk.post(f"/v1/agents/{agent_id}/bind", move)
    for verb in ("synchronise", "calibrate", "commission", "certify"):
        desk.act("tax-servers", server["id"], verb)
    names = {"taxpayer_id": TAXPAYER, "name": "云杉就绪科技有限公司", "taxpayer_kind": "general", "region": "5100"}
    desk.post("/v1/taxpayers", names)
    named = {"taxpayer_id": TAXPAYER, "tax_server_id": server["id"], "name": "分部-1"}
    device = desk.post("/v1/virtual-devices", named)
    for verb in ("commission", "fetch_company", "certify", "fetch_kinds", "fetch_rates"):
        device = desk.act("virtual-devices", device["id"], verb)
    assert device["state"] == "ready"
    desk.act("virtual-devices", device["id"], "add_terminal", terminal_code=TERMINAL, terminal_name="总机")
    desk.stock(device["id"], "026", 20)


class _OpenPoll(threading.Thread):
    """A long poll by the agent's own credential, beside its own one: with no job open it takes no lane over."""

    def __init__(self, door: Door) -> None:
        super().__init__(daemon=True)
        self._door = door
        self.answer: Answer | None = None
        self.start()

    def run(self) -> None:
        first = self._door.ask("POST", "/v1/agent/lease", {"session": "watcher", "wait": 0})
        body = {"session": "watcher", "wait": 30, "revision": first.json["revision"]}
        self.answer = self._door.ask("POST", "/v1/agent/lease", body)


def _refused_from_now_on(office: Office, bearer: str) -> None:
    """No call of the revoked agent does anything, and its devices' invoices wait."""
    door = office.from_there(bearer)
    told = office.desk.ask("POST", "/v1/invoices", simple(TAXPAYER, "far-2"), wait=2)
    assert told.status == 202 and told.json["state"] == "waiting"
    for path, body in (
        ("/v1/agent/lease", {"session": "after", "wait": 0}),
        ("/v1/agent/outcomes", {"session": "after"}),
        ("/v1/agent/lease", {"session": "after", "wait": 30}),
    ):
        answer = door.ask("POST", path, body)
        assert answer.status == 401 and answer.json["code"] == "agent_revoked", answer
    assert door.ask("GET", "/v1/virtual-devices").status == 401
