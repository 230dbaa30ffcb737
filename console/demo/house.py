"""The parts of the demo put together in order: mail, bureau, devices, server, agent, probe clock, fleet, traffic."""

from __future__ import annotations

import argparse
import json
import os
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx2

from console.demo import fleet, people
from console.demo.control import Control
from console.demo.orders import Trickle
from console.demo.places import Places, api_port
from console.demo.processes import Child, ChildFailed, Processes, wait_until

PROBE_SLOT = 300.0
OBSERVE_SECONDS = 5.0
RECIPIENT = "duty@example.invalid"


class House:
    """The running demo."""

    def __init__(self, places: Places, options: argparse.Namespace) -> None:
        """Raises PortBusy when the port asked for is taken."""
        self.places = places
        self._options = options
        self._database_url = options.database_url or places.embedded_ledger
        port = api_port(options.port, places.remembered("running.json").get("port"))
        self._port = port
        self.api = f"http://127.0.0.1:{port}"
        self._processes = Processes(places.logs)
        self._control: Control | None = None
        self._trickle: Trickle | None = None
        self._tokens: dict[str, str] = {}

    def open(self, ended: threading.Event) -> dict[str, Any]:
        """Start everything; the facts of the ready line. The rest of the fleet goes on being set up behind."""
        self._tokens = people.make(self.places, self._database_url)
        bureau, devices = self._outside()
        self.places.remember("running.json", {"api": self.api, "port": self._port, "pid": os.getpid()})
        setter = fleet.Fleet(self.api, self._tokens["admin"])
        self._agent(setter)
        self._probe()
        self._control = Control(bureau["control_port"], devices["control_port"], self._processes.pids)
        if self._options.scenario == "default":
            self._set_up(setter, devices["tax_servers"], bureau["url"], ended)
        return self._facts(bureau, devices["tax_servers"])

    def halt(self) -> None:
        """The end has come: let children go."""
        self._processes.halt()

    def close(self) -> None:
        """Stop everything."""
        if self._trickle is not None:
            self._trickle.stop()
        if self._control is not None:
            self._control.close()
        self._processes.stop()

    # --- the parts

    def _outside(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """Facts of bureau and devices. What does not wait for each other starts side by side."""
        with ThreadPoolExecutor(2, "starting") as pool:
            mail = pool.submit(self._simulated, "mail", "--dir", str(self.places.mail))
            bureau = self._simulated("bureau", "--config", self._write("bureau.json", self._bureau_config()))
            config = self._write("devices.json", self._devices_config(bureau))
            devices = pool.submit(self._simulated, "devices", "--config", config)
            self._server(mail.result()["port"])
            return bureau, devices.result()

    def _simulated(self, name: str, *arguments: str) -> dict[str, Any]:
        command = [sys.executable, "-m", "agents.simulated", name, *arguments, "--die-with-stdin"]
        return self._processes.add(Child(name, command, {}, ready_line=True))

    def _tethered(self, name: str, module: str, arguments: list[str], environment: dict[str, str]) -> None:
        command = [sys.executable, "-m", "console.demo.tether", module, *arguments]
        self._processes.add(Child(name, command, environment))

    def _server(self, mail_port: int) -> None:
        environment = {
            "TAXPLANE_DATABASE_URL": self._database_url,
            "TAXPLANE_HOST": "127.0.0.1",
            "TAXPLANE_PORT": str(self._port),
            "TAXPLANE_MAIL_PORT": str(mail_port),
            "TAXPLANE_MAIL_RECIPIENTS": RECIPIENT,
            "TAXPLANE_PROBE_ALLOW": "127.0.0.0/8",
        }
        self._tethered("server", "controlplane", ["run"], environment)
        if not wait_until(self._is_ready, 30.0):
            raise ChildFailed(f"server: see {self.places.logs / 'server.log'}")

    def _is_ready(self) -> bool:
        try:
            return httpx2.get(f"{self.api}/readyz", timeout=2.0, trust_env=False).status_code == 200
        except httpx2.HTTPError:
            return False

    def _agent(self, setter: fleet.Fleet) -> None:
        home = self.places.agent
        if not (home / "identity.json").exists():
            from agents.enrolment import join

            join(home, self.api, setter.join_token("demo-host"), name="demo-agent", host_id="demo-host")
        self._move_identity(home)
        environment = {"TAXPLANE_AGENT_OBSERVE_SECONDS": str(max(0.5, OBSERVE_SECONDS / self._options.speed))}
        self._tethered("agent", "agents", ["run", "--home", str(home)], environment)

    def _move_identity(self, home: Path) -> None:
        """The API may stand on another port than last time."""
        path = home / "identity.json"
        known = json.loads(path.read_text(encoding="utf-8"))
        if known["url"] != self.api:
            path.write_text(json.dumps({**known, "url": self.api}), encoding="utf-8")

    def _probe(self) -> None:
        environment = {
            "TAXPLANE_TOKEN": self._tokens["probe"],
            "TAXPLANE_PROBE_ALLOW": "127.0.0.0/8",
            "TAXPLANE_PROBE_SLOT_SECONDS": str(max(1.0, PROBE_SLOT / self._options.speed)),
        }
        self._tethered("probe", "controlplane", ["probe", "--api", self.api], environment)

    def _bureau_config(self) -> dict[str, Any]:
        return {"state_dir": str(self.places.bureau), "speed": self._options.speed, "grant_delay": 0.2}

    def _devices_config(self, bureau: dict[str, Any]) -> dict[str, Any]:
        servers = [
            {"tax_server_no": no, "region": region, "quota": fleet.QUOTA}
            for no, (region, _) in zip(fleet.SERVERS, fleet.REGIONS, strict=True)
        ]
        return {
            "state_dir": str(self.places.devices),
            "journals_dir": str(self.places.journals),
            "bureau_url": bureau["url"],
            "speed": self._options.speed,
            # The demo's owners are not to find their devices locked after a while; an empty scenario is left alone.
            "tax_hall": self._options.scenario == "default",
            "servers": servers,
        }

    def _write(self, name: str, content: dict[str, Any]) -> str:
        self.places.remember(name, content)
        return str(self.places.root / name)

    def _set_up(self, setter: fleet.Fleet, servers: list[dict[str, Any]], bureau: str, ended: threading.Event) -> None:
        agent_id = json.loads((self.places.agent / "identity.json").read_text(encoding="utf-8"))["agent_id"]
        setter.servers(servers, agent_id)
        setter.taxpayers()
        first, rest = fleet.plan()[: fleet.READY_DEVICES], fleet.plan()[fleet.READY_DEVICES :]
        setter.devices(first, len(first))
        setter.line(bureau.replace("http://", "tcp://"))
        self._trickle = Trickle(self.api, self._tokens, self.places, self._options.speed)
        threading.Thread(target=self._finish, args=(rest, ended), name="fleet", daemon=True).start()

    def _finish(self, rest: list[fleet.Wanted], ended: threading.Event) -> None:
        assert self._trickle is not None
        while not ended.is_set():
            try:
                fleet.Fleet(self.api, self._tokens["admin"]).devices(rest, 4)
                break
            except (fleet.SetupFailed, httpx2.HTTPError) as fault:
                print(f"taxplane demo: fleet: {fault}", file=sys.stderr, flush=True)
                ended.wait(2.0)
        if not ended.is_set():
            self._trickle.start()

    def _facts(self, bureau: dict[str, Any], servers: list[dict[str, Any]]) -> dict[str, Any]:
        assert self._control is not None
        return {
            "api": self.api,
            "bureau": bureau["url"],
            "control": self._control.url,
            "mail_dir": str(self.places.mail),
            "journals_dir": str(self.places.journals),
            "data_dir": str(self.places.root),
            "taxpayer_id": fleet.taxpayer_id(0),
            "tax_servers": servers,
            "tokens": {role: self._tokens[role] for role in ("admin", "operator", "auditor", "front_end")},
            "console_login": {"username": people.LOGIN, "password": self._tokens["password"]},
            "pids": {"demo": os.getpid(), **self._processes.pids()},
        }
