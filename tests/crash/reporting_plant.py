"""Bureau, devices, server and agent as processes of their own, for killing between the calls of report and clear."""

from __future__ import annotations

import json
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from agents.enrolment import join
from agents.simulated.calendar import CHINA, now_utc
from console.demo import fleet
from controlplane.operations import first_start
from controlplane.store import migrations, times
from controlplane.store.engine import Ledger
from tests.agents.peers.agent_process import QUICK
from tests.agents.simulated.practice import ask_http, end, launch
from tests.bench.furnishing import people
from tests.journeys.demo_process import HOUSE, die_with_us
from tests.journeys.front_door import Door, Row

PATIENCE = 90.0


class Plant:
    """``server`` and ``agent`` can be killed and started again; bureau and devices live on."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.url = f"sqlite:///{folder / 'ledger.db'}"
        self.tokens = self._found()
        self.bureau, facts = launch("bureau", self._config("bureau", report_delay=1.0, speed=5))
        self.bureau_control = int(facts["control_port"])
        places = [{"tax_server_no": "SK1100001", "region": "1100"}]
        self.devices, self.facts = launch("devices", self._config(
            "devices", journals_dir=str(folder / "journals"), bureau_url=facts["url"], speed=5, servers=places
        ))  # fmt: skip
        self.port = _free_port()
        self.api = f"http://127.0.0.1:{self.port}"
        self.door = Door(self.api, self.tokens["admin"])
        self.server: subprocess.Popen[bytes] | None = None
        self.agent: subprocess.Popen[bytes] | None = None

    def _found(self) -> dict[str, str]:
        migrations.upgrade(self.url)
        ledger = Ledger(self.url, times.system_clock)
        try:
            ledger.write_now(first_start.found)
            return ledger.write_now(lambda tx: people(tx, ("admin", "front_end")))
        finally:
            ledger.close()

    def _config(self, name: str, **content: Any) -> Path:
        path = self.folder / f"{name}.json"
        path.write_text(json.dumps({"state_dir": str(self.folder / name), **content}))
        return path

    # --- processes

    def start_server(self) -> None:
        environment = {
            "TAXPLANE_DATABASE_URL": self.url, "TAXPLANE_HOST": "127.0.0.1", "TAXPLANE_PORT": str(self.port),
        }  # fmt: skip
        self.server = self._start(["controlplane", "run"], "server", environment)
        until(self._ready, "the server is ready")

    def _ready(self) -> bool:
        try:
            return self.door.ask("GET", "/readyz").status == 200
        except OSError:
            return False

    def start_agent(self, faults: str = "") -> None:
        environment = {**QUICK, "TAXPLANE_AGENT_READ_TIMEOUT": "3", "TAXPLANE_FAULT_POINTS": faults}
        self.agent = self._start(["agents", "run", "--home", str(self.folder / "agent")], "agent", environment)

    def _start(self, command: list[str], name: str, environment: dict[str, str]) -> subprocess.Popen[bytes]:
        with (self.folder / f"{name}.log").open("ab") as words:
            return subprocess.Popen(
                [sys.executable, "-m", *command], cwd=HOUSE, env={**os.environ, **environment},
                stdin=subprocess.DEVNULL, stdout=words, stderr=words, preexec_fn=die_with_us,
            )  # fmt: skip

    def kill(self, *names: str) -> None:
        """kill -9, as if the power went."""
        for name in names:
            process = getattr(self, name)
            process.send_signal(signal.SIGKILL)
        for name in names:
            getattr(self, name).wait(10)

    def agent_dies(self) -> int:
        """Wait until the agent has met its fault point; its exit code."""
        assert self.agent is not None
        return self.agent.wait(PATIENCE)

    def close(self) -> None:
        for process in (self.agent, self.server):
            if process is not None and process.poll() is None:
                process.kill()
                process.wait()
        end(self.devices)
        end(self.bureau)

    # --- the fleet

    def furnish(self, devices: int) -> list[Row]:
        """So many ready devices of one taxpayer, last month cleared by the clock, each with one invoice of today."""
        setter = fleet.Fleet(self.api, self.tokens["admin"])
        identity = join(self.folder / "agent", self.api, setter.join_token("crash"), host_id="crash")
        self.start_agent()
        setter.servers(self.facts["tax_servers"], identity.agent_id)
        self.owner = fleet.taxpayer_id(0)
        self.door.post("/v1/taxpayers", {"taxpayer_id": self.owner, "name": "抄报公司", "taxpayer_kind": "general",
                                         "region": "1100", "issuer": "王开"})  # fmt: skip
        wanted = [fleet.Wanted(self.owner, "SK1100001", f"d{number}", 20) for number in range(devices)]
        setter.devices(wanted, 4)
        setter.close()
        found = self.door.all("/v1/virtual-devices")
        schedule = self.schedule()
        until(lambda: self._states_of_all() == ["cleared"] * 2 * devices, "last month is cleared by the clock")
        move = {"reason": "by hand first", "version": schedule["version"]}
        self.door.post(f"/v1/report-schedules/{schedule['id']}/disable", move)
        for device in found:
            assert self.issue(device["device_no"], "first")["state"] == "issued"
        until(lambda: all(row["status"] == "uploaded" for row in self.door.all("/v1/uploads")), "all is uploaded")
        return found

    def issue(self, device_no: str, name: str, wait: int = 20) -> Row:
        line = {"item_name": "稻谷", "tax_class_code": "1010101010000000000", "rate": "0.09", "amount": "20.00"}
        body = {"taxpayer_id": self.owner, "request_id": f"{name}-{device_no}", "kind": "026", "device_no": device_no,
                "buyer": {"name": "购方有限公司"}, "lines": [line]}  # fmt: skip
        return Row(Door(self.api, self.tokens["front_end"]).post("/v1/invoices", body, wait=wait))

    def lock(self, device_no: str) -> None:
        """Today is the period and its deadline was yesterday, as on a device whose owner forgot to report."""
        day = today()
        wish = {"report_from": f"{day:%Y%m%d}", "report_to": f"{day:%Y%m%d}",
                "issue_deadline": f"{day - timedelta(days=1):%Y%m%d}"}  # fmt: skip
        status, answer = ask_http(self.facts["control_port"], "PUT", f"/devices/{device_no}/period", wish)
        assert status == 200, answer

    def schedule(self) -> Row:
        """Everything due goes by itself."""
        row = self.door.post("/v1/report-schedules/set", {"hour": 0, "minute": 0, "days_before": 28})
        if row["state"] == "disabled":
            move = {"reason": "go on", "version": row["version"]}
            self.door.post(f"/v1/report-schedules/{row['id']}/enable", move)
        return Row(row)

    def _states_of_all(self) -> list[str]:
        return [row["state"] for row in self.door.all("/v1/reports")]

    # --- what the parties say

    def reports(self, *device_nos: str) -> list[Row]:
        """Reports of this month on these devices."""
        rows = self.door.all("/v1/reports")
        return [row for row in rows if row["device_no"] in device_nos and row["period"] == f"{today():%Y-%m}"]

    def states(self, *device_nos: str) -> list[str]:
        return [row["state"] for row in self.reports(*device_nos)]

    def bureau_says(self) -> dict[tuple[str, str], Row]:
        """(device, kind) → what the bureau keeps of this month's report."""
        kept = ask_http(self.bureau_control, "GET", "/reports")[1]["reports"]
        return {(row["device_no"], row["kind"]): row for row in kept if row["period"] == f"{today():%Y%m}"}

    def device_did(self, device_no: str) -> dict[str, int]:
        """Interface code → how many of its changing calls the device carried out, by its own memory."""
        with closing(sqlite3.connect(self.folder / "devices" / "devices.sqlite")) as memory:
            rows = memory.execute("SELECT call, count(*) FROM answers WHERE owner = ? GROUP BY call", (device_no,))
            return dict(rows.fetchall())

    def device_says(self, device_no: str) -> dict[str, str]:
        """Kind → the device's own issue deadline, YYYY-MM-DD."""
        with closing(sqlite3.connect(self.folder / "devices" / "devices.sqlite")) as memory:
            row = memory.execute("SELECT facts FROM devices WHERE device_no = ?", (device_no,)).fetchone()
        return {kind["kind"]: str(date.fromisoformat(kind["issue_deadline"])) for kind in json.loads(row[0])["kinds"]}


def until(condition: Callable[[], Any], what: str) -> Any:
    """Wait for something to become true; what it became."""
    deadline = time.monotonic() + PATIENCE
    while not (value := condition()):
        assert time.monotonic() < deadline, what
        time.sleep(0.05)
    return value


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def today() -> date:
    """The device's day."""
    return now_utc().astimezone(CHINA).date()
