"""kill -9 between any two calls of report and clear: it goes on at the right step, and all books agree."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest

from tests.crash.reporting_plant import Plant, until
from tests.journeys.front_door import Row

POINTS = ("clr.report_sent", "clr.report_ok", "clr.zero_sent", "clr.zero_ok")
STATES = ("reported", "verified")


@dataclass
class Rig:
    """The plant with devices that no case has used yet."""

    plant: Plant
    fresh: list[Row] = field(default_factory=list)

    def lock(self, count: int) -> list[str]:
        """So many devices past their deadline; their reports have come into being."""
        numbers = [self.fresh.pop()["device_no"] for _ in range(count)]
        for number in numbers:
            self.plant.lock(number)
        until(lambda: len(self.plant.reports(*numbers)) == 2 * count, "the reports are opened")
        return numbers


@pytest.fixture(scope="module")
def rig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    plant = Plant(tmp_path_factory.mktemp("reporting"))
    try:
        plant.start_server()
        yield Rig(plant, plant.furnish(6))
    finally:
        plant.close()


def in_order(plant: Plant, device_no: str) -> None:
    """Device, bureau and ledger say the same, each call was carried out once per kind, and the device issues again."""
    rows = {row["kind"]: row for row in plant.reports(device_no)}
    deadlines, bureau = plant.device_says(device_no), plant.bureau_says()
    for kind, row in rows.items():
        kept = bureau[device_no, kind]
        assert (row["state"], row["cleared_by"], row["differences"]) == ("cleared", "us", []), row
        assert row["new_deadline"] == deadlines[kind] > row["deadline"]
        assert kept["cleared_at"] and kept["period"] == row["period"].replace("-", "")
        assert row["report_no"] == kept["report_no"]
    assert (rows["026"]["summary"]["blue_count"], rows["026"]["summary"]["blue_net"]) == (1, "20.00")
    did = plant.device_did(device_no)
    assert (did["GP_HZSJCB"], did["GP_JKHC"]) == (4, 4), f"two kinds, last month and this one, each once: {did}"
    assert plant.issue(device_no, "after")["state"] == "issued"


@pytest.mark.timeout(280)
def test_locked_until_reported_and_cleared_by_hand(rig: Rig) -> None:
    """Each step tried before its time is refused by name; the invoice waits by name and goes when the kind is clear."""
    plant = rig.plant
    (number,) = rig.lock(1)
    device = until(lambda: _stopped(plant, number), "health says that it is locked")
    assert device["health"]["cause"] == "issue_deadline" and "抄报" in device["health"]["remedy"]
    waiting = plant.issue(number, "locked", wait=0)
    assert (waiting["state"], waiting["waiting_reason"]["code"]) == ("waiting", "issue_deadline")
    row = next(row for row in plant.reports(number) if row["kind"] == "026")
    assert row["standing"] == "locked" and row["days_left"] == -1
    for verb in ("verify", "file_return", "clear", "accept_totals"):
        assert _try(plant, row["id"], verb) == "move_not_allowed"
    for verb, state in (("report", "reported"), ("verify", "verified"), ("clear", "cleared")):
        assert _try(plant, row["id"], verb) == ""
        until(lambda wanted=state: plant.door.get(f"/v1/reports/{row['id']}")["state"] == wanted, state)
    path = f"/v1/invoices/{waiting['id']}"
    until(lambda: plant.door.get(path)["state"] == "issued", "the waiting invoice is issued")
    assert plant.device_says(number)["026"] == plant.door.get(f"/v1/reports/{row['id']}")["new_deadline"]


def _stopped(plant: Plant, device_no: str) -> Row | None:
    device = next(row for row in plant.door.all("/v1/virtual-devices") if row["device_no"] == device_no)
    return device if device["health"]["verdict"] == "stopped" else None


def _try(plant: Plant, report_id: str, verb: str) -> str:
    version = plant.door.get(f"/v1/reports/{report_id}")["version"]
    answer = plant.door.ask("POST", f"/v1/reports/{report_id}/{verb}", {"reason": "test", "version": version})
    return "" if answer.status == 202 else str(answer.json["code"])


@pytest.mark.timeout(280)
def test_the_agent_is_killed_at_every_place(rig: Rig) -> None:
    plant = rig.plant
    numbers = rig.lock(2)
    plant.kill("agent")
    plant.start_agent(f"{POINTS[0]}=kill@1")
    plant.schedule()
    for place, point in enumerate(POINTS, 1):
        assert plant.agent_dies() == -signal.SIGKILL, point
        plant.start_agent(f"{POINTS[place]}=kill@1" if place < len(POINTS) else "")
    until(lambda: plant.states(*numbers) == ["cleared"] * 4, f"all is cleared: {plant.reports(*numbers)}")
    for number in numbers:
        in_order(plant, number)


@pytest.mark.timeout(280)
def test_the_server_is_killed_between_the_steps(rig: Rig) -> None:
    plant = rig.plant
    plant.schedule()
    numbers = rig.lock(2)
    for state in STATES:
        until(lambda wanted=state: wanted in plant.states(*numbers), state)
        plant.kill("server")
        plant.start_server()
    until(lambda: plant.states(*numbers) == ["cleared"] * 4, f"all is cleared: {plant.reports(*numbers)}")
    for number in numbers:
        in_order(plant, number)


@pytest.mark.timeout(280)
def test_both_are_killed_while_a_call_is_open(rig: Rig) -> None:
    """The agent hangs between sending and hearing; both die; the answer that nobody heard is read back."""
    plant = rig.plant
    plant.schedule()
    for point in ("clr.report_sent", "clr.zero_sent"):
        plant.kill("agent")
        plant.start_agent(f"{point}=hang@1")
        if point == "clr.report_sent":
            numbers = rig.lock(1)
        kind = "report.send" if point == "clr.report_sent" else "report.clear"
        until(lambda wanted=kind: _held(plant, wanted), kind)
        plant.kill("agent", "server")
        plant.start_server()
        plant.start_agent()
    until(lambda: plant.states(*numbers) == ["cleared"] * 2, f"all is cleared: {plant.reports(*numbers)}")
    in_order(plant, numbers[0])


def _held(plant: Plant, kind: str) -> bool:
    """A job of this kind is in the agent's hands and its call has reached the device."""
    jobs = [job for job in plant.door.all("/v1/jobs") if job["kind"] == kind and job["state"] in ("leased", "unknown")]
    code = {"report.send": "GP_HZSJCB", "report.clear": "GP_JKHC"}[kind]
    return any(plant.device_did(job["device_no"])[code] > 2 for job in jobs)
