"""kill -9 between any two calls of 领用: it resumes at the right step; device, bureau and ledger agree row by row."""

from __future__ import annotations

import signal
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from agents.enrolment import join
from console.demo import fleet
from tests.agents.simulated.practice import end, launch
from tests.crash.reporting_plant import Plant, until
from tests.journeys.front_door import Row

COUNT = 20
PLACES = {
    "agent.dev_open@1": "before the query",
    "agent.intent_write@1": "after the query, before the write is intended",
    "agent.intent_sync@1": "the write is intended, nothing is sent",
    "agent.sign_sent@1": "the write is sent, its answer not heard",
    "agent.sign_ret@1": "the write is answered, the confirmation not sent",
    "agent.sign_sent@2": "the confirmation is sent, its answer not heard",
    "agent.sign_ret@2": "the confirmation is answered, nothing is reported",
    "agent.local_commit@1": "the outcome is not yet on the agent's disk",
    "agent.report_sent@1": "the outcome is sent, its receipt not heard",
}
"""Fault point of the agent → between which calls it dies."""


class ReceivePlant(Plant):
    """One ready device without numbers; each case applies for some more, and something dies while they are received."""

    def begin(self) -> None:
        self.start_server()
        setter = fleet.Fleet(self.api, self.tokens["admin"])
        identity = join(self.folder / "agent", self.api, setter.join_token("crash"), host_id="crash")
        self.start_agent()
        setter.servers(self.facts["tax_servers"], identity.agent_id)
        self.owner = fleet.taxpayer_id(0)
        self.door.post("/v1/taxpayers", {"taxpayer_id": self.owner, "name": "领用公司", "taxpayer_kind": "general",
                                         "region": "1100", "issuer": "王开"})  # fmt: skip
        setter.devices([fleet.Wanted(self.owner, "SK1100001", "d0", 0)], 1)
        setter.close()
        (self.device,) = self.door.all("/v1/virtual-devices")
        self.rounds = 0

    def restart_devices(self) -> None:
        end(self.devices)
        self.devices, self.facts = launch("devices", self.folder / "devices.json")

    def act(self, verb: str, **arguments: Any) -> str:
        """Open a job on the device; its id."""
        path = f"/v1/virtual-devices/{self.device['id']}"

        def opened() -> str:
            move = {"reason": "for the test", "version": self.door.get(path)["version"], **arguments}
            answer = self.door.ask("POST", f"{path}/{verb}", move)
            if answer.status == 409 and answer.json["code"] in ("open_job", "version_differs"):
                return ""
            assert answer.status == 202, answer
            return str(answer.json["job"]["id"])

        return str(until(opened, f"{verb} is opened"))

    def settled(self, job_id: str) -> Row:
        def there() -> Row | None:
            job: Row = self.door.get(f"/v1/jobs/{job_id}")
            return job if job["state"] in ("done", "refused") else None

        return Row(until(there, f"job {job_id} is settled"))

    def apply(self) -> None:
        assert self.settled(self.act("apply", kind="026", count=COUNT))["state"] == "done"
        self.rounds += 1

    # --- the three books

    def ledger(self) -> list[tuple[str, int, int]]:
        rows = self.door.all("/v1/segments", device_id=self.device["id"])
        return sorted((row["grant_no"], int(row["start_no"]), int(row["end_no"])) for row in rows)

    def of_device(self) -> list[tuple[str, int, int]]:
        sql = "SELECT grant_no, start_no, end_no FROM segments WHERE device_no = ?"
        with closing(sqlite3.connect(self.folder / "devices" / "devices.sqlite")) as memory:
            return sorted(memory.execute(sql, (self.device["device_no"],)).fetchall())

    def of_bureau(self) -> list[tuple[str, int, int]]:
        """Confirmed grants."""
        sql = "SELECT grant_no, start_no, end_no FROM grants WHERE device_no = ? AND confirmed = 1"
        with closing(sqlite3.connect(self.folder / "bureau" / "bureau.sqlite")) as memory:
            return sorted(memory.execute(sql, (self.device["device_no"],)).fetchall())

    def in_order(self) -> None:
        """All three say the same, and each grant was written once and confirmed once."""
        assert self.ledger() == self.of_device() == self.of_bureau()
        assert len(self.ledger()) == self.rounds and self.ledger()[-1][2] == self.rounds * COUNT
        did = self.device_did(self.device["device_no"])
        assert (did["GP_FPSG"], did["GP_FPWSGPLR"], did["TP_LPQR"]) == (self.rounds, self.rounds, self.rounds)
        grants = self.door.all("/v1/grants")
        assert [(one["state"], one["unused"], one["unaccounted"]) for one in grants] == [
            ("confirmed", COUNT, 0)
        ] * self.rounds
        assert {one["state"] for one in self.door.all("/v1/applications")} == {"received"}
        tree = self.door.get("/v1/stock/tree", taxpayer_id=self.owner)
        assert tree["kinds"]["026"] == {
            "left": self.rounds * COUNT, "undistributed": self.rounds * COUNT, "waiting": 0, "available": 0,
        }  # fmt: skip


@pytest.fixture(scope="module")
def plant(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ReceivePlant]:
    plant = ReceivePlant(Path(tmp_path_factory.mktemp("receiving")))
    try:
        plant.begin()
        yield plant
    finally:
        plant.close()


@pytest.mark.timeout(280)
@pytest.mark.parametrize("place", PLACES)
def test_the_agent_is_killed(plant: ReceivePlant, place: str) -> None:
    plant.apply()
    plant.kill("agent")
    job_id = plant.act("receive", kind="026")
    name, _, count = place.partition("@")
    plant.start_agent(f"{name}=kill@{count}")
    assert plant.agent_dies() == -signal.SIGKILL, PLACES[place]
    plant.start_agent()
    assert plant.settled(job_id)["state"] == "done"
    plant.in_order()


@pytest.mark.timeout(280)
@pytest.mark.parametrize("place", ["agent.sign_sent@1", "agent.sign_ret@1", "agent.sign_sent@2", "agent.sign_ret@2"])
@pytest.mark.parametrize("who", ["server", "devices", "all"])
def test_the_others_are_killed_between_the_calls(plant: ReceivePlant, place: str, who: str) -> None:
    """The agent stops at the place; the control plane, the tax server, or everything dies there."""
    plant.apply()
    plant.kill("agent")
    job_id = plant.act("receive", kind="026")
    name, _, count = place.partition("@")
    plant.start_agent(f"{name}=hang@{count}")
    wanted = ("GP_FPWSGPLR", "TP_LPQR")[int(count) - 1]
    number = plant.device["device_no"]
    until(lambda: plant.device_did(number).get(wanted, 0) == plant.rounds, f"{wanted} reached the device")
    if who in ("server", "all"):
        plant.kill("server")
        plant.start_server()
    if who in ("devices", "all"):
        plant.restart_devices()
    plant.kill("agent")
    plant.start_agent()
    assert plant.settled(job_id)["state"] == "done"
    plant.in_order()


@pytest.mark.timeout(280)
def test_what_was_written_and_never_confirmed_is_confirmed_by_the_clock(plant: ReceivePlant) -> None:
    """The bureau's line breaks after the write: the job ends, the numbers may be used, and the clock does the rest."""
    from tests.agents.simulated.practice import ask_http

    def bureau(*faults: dict[str, Any]) -> None:
        assert ask_http(plant.bureau_control, "PUT", "/faults", {"faults": list(faults)})[0] == 200

    plant.apply()
    bureau({"kind": "down", "calls": ["CONFIRM"]})
    assert plant.settled(plant.act("receive", kind="026"))["state"] == "done"
    newest = plant.door.all("/v1/grants")[0]
    assert newest["state"] == "written" and "300001" in newest["message"]
    assert plant.ledger() == plant.of_device() and plant.ledger() != plant.of_bureau()
    plant.kill("server")
    bureau()
    plant.start_server()
    until(lambda: plant.door.all("/v1/grants")[0]["state"] == "confirmed", "the clock's own receive")
    by_the_clock = [
        job for job in plant.door.all("/v1/jobs", kind="segment.receive") if job["requested_by"] == "taxplane"
    ]
    assert by_the_clock and by_the_clock[0]["state"] == "done"
    plant.in_order()
