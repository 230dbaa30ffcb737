"""The whole product under load: bureau, devices that sign at once, one server, one agent; a process each."""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from agents.enrolment import join
from console.demo import fleet
from controlplane.operations import first_start
from controlplane.store import migrations, times
from controlplane.store.engine import Ledger
from tests.bench.furnishing import people
from tests.bench.processes import HOUSE, Server, cpu_seconds, serving

READY_WITHIN = 30.0
AT_ONCE = 12
"""Devices set up side by side."""


@dataclass(frozen=True)
class Plant:
    """A running plant: where its books are, and whom to ask."""

    server: Server
    token: str
    taxpayers: list[str]
    ledger: Path
    journals: Path
    pids: Mapping[str, int]

    def cpu_seconds(self) -> dict[str, float]:
        """CPU seconds used so far, by process."""
        return {name: cpu_seconds(pid) for name, pid in self.pids.items()}


@contextmanager
def running(folder: Path, devices: int, numbers: int) -> Iterator[Plant]:
    """Start everything in ``folder`` with that many ready devices, each with ``numbers`` numbers of either kind."""
    with ExitStack() as stack:
        tokens = _found(folder)
        bureau = _Child(stack, "bureau", _config(folder, "bureau", {"grant_delay": 0.0}))
        rooms = _config(folder, "devices", _devices(folder, bureau.facts["url"]))
        room = _Child(stack, "devices", rooms)
        environment = {"TAXPLANE_DATABASE_URL": _url(folder)}
        server = stack.enter_context(
            serving(["controlplane", "run", "--socket-fd", "{fd}"], environment, folder / "server.log")
        )
        setter = fleet.Fleet(f"http://127.0.0.1:{server.port}", tokens["admin"])
        stack.callback(setter.close)
        home = folder / "agent"
        identity = join(home, f"http://127.0.0.1:{server.port}", setter.join_token("bench"), host_id="bench")
        agent = stack.enter_context(_agent(home, folder / "agent.log"))
        setter.servers(room.facts["tax_servers"], identity.agent_id)
        setter.taxpayers()
        wanted = _wanted(devices, numbers)
        setter.devices(wanted, AT_ONCE)
        taxpayers = sorted({one.taxpayer_id for one in wanted})
        pids = {"server": server.pid, "agent": agent, "devices": room.pid, "bureau": bureau.pid}
        yield Plant(server, tokens["front_end"], taxpayers, folder / "ledger.db", folder / "journals", pids)


def _url(folder: Path) -> str:
    return f"sqlite:///{folder / 'ledger.db'}"


def _found(folder: Path) -> dict[str, str]:
    """Make the ledger; its tokens by role."""
    migrations.upgrade(_url(folder))
    ledger = Ledger(_url(folder), times.system_clock)
    try:
        ledger.write_now(first_start.found)
        return ledger.write_now(lambda tx: people(tx, ("admin", "front_end")))
    finally:
        ledger.close()


def _devices(folder: Path, bureau: str) -> dict[str, Any]:
    servers = [
        {"tax_server_no": no, "region": region, "quota": 1000}
        for no, (region, _) in zip(fleet.SERVERS, fleet.REGIONS, strict=True)
    ]
    return {"journals_dir": str(folder / "journals"), "bureau_url": bureau, "latency": 0.0, "tax_hall": True,
            "servers": servers}  # fmt: skip


def _wanted(devices: int, numbers: int) -> list[fleet.Wanted]:
    owners = [number % fleet.TAXPAYERS for number in range(devices)]
    return [
        fleet.Wanted(fleet.taxpayer_id(owner), fleet.SERVERS[owner % len(fleet.SERVERS)], f"device {number}", numbers)
        for number, owner in enumerate(owners)
    ]


def _config(folder: Path, name: str, content: dict[str, Any]) -> Path:
    path = folder / f"{name}.json"
    path.write_text(json.dumps({"state_dir": str(folder / name), **content}))
    return path


class _Child:
    """One simulated process; it ends with the stack, and with this process however that ends."""

    def __init__(self, stack: ExitStack, room: str, config: Path) -> None:
        words = stack.enter_context(config.with_suffix(".log").open("wb"))
        command = [sys.executable, "-m", "agents.simulated", room, "--config", str(config), "--die-with-stdin"]
        self._process = subprocess.Popen(
            command, cwd=HOUSE, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=words
        )
        stack.callback(self._end)
        self.pid = self._process.pid
        self.facts = self._ready_line(room)

    def _ready_line(self, room: str) -> dict[str, Any]:
        assert self._process.stdout is not None
        if not select.select([self._process.stdout], [], [], READY_WITHIN)[0]:
            raise RuntimeError(f"the simulated {room} did not get ready")
        facts: dict[str, Any] = json.loads(self._process.stdout.readline())
        return facts

    def _end(self) -> None:
        self._process.terminate()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()


@contextmanager
def _agent(home: Path, log: Path) -> Iterator[int]:
    with log.open("wb") as words:
        process = subprocess.Popen(
            [sys.executable, "-m", "agents", "run", "--home", str(home)], cwd=HOUSE, env=dict(os.environ), stderr=words
        )
    try:
        yield process.pid
    finally:
        process.terminate()
        process.wait()
