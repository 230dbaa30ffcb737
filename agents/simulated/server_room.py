"""The process that hosts the tax servers: puts the parts together, opens the ports, answers the control port."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec

from agents.simulated import calendar, device_memory, seal_memory, void_memory
from agents.simulated.device import Device, PeriodWish
from agents.simulated.device_memory import DeviceMemory
from agents.simulated.faults import Faults, FaultSet
from agents.simulated.http_peer import Listener, Reply, Request
from agents.simulated.journal_files import JournalFiles
from agents.simulated.lifeline import open_port
from agents.simulated.memory import Memory
from agents.simulated.protocol import Protocol
from agents.simulated.scenario import DevicesConfig
from agents.simulated.surroundings import Surroundings
from agents.simulated.tax_server import TaxServer


class ServerRoom:
    """All tax servers of one process and its control port."""

    def __init__(
        self,
        config: DevicesConfig,
        clock: Callable[[], datetime] = calendar.now_utc,
        on_failure: Callable[[], None] | None = None,
    ) -> None:
        self._config = config
        journals = JournalFiles(Path(config.journals_dir))
        self._memory = Memory(
            Path(config.state_dir) / "devices.sqlite",
            device_memory.SCHEMA + seal_memory.SCHEMA + void_memory.SCHEMA,
            journals.append,
            on_failure,
        )
        journals.reconcile(self._memory)
        self._faults = Faults(config.seed)
        store = DeviceMemory(self._memory)
        around = Surroundings(store, journals, self._faults, clock, config.bureau_url, config.latency, config.speed)
        self._store = store
        self._servers = {place.tax_server_no: TaxServer(place, around) for place in config.servers}
        self._doors = {no: Listener(Protocol(server).handle) for no, server in self._servers.items()}
        self._control = Listener(self._steer)

    async def open(self) -> dict[str, Any]:
        """Start everything; the facts of the ready line. Raises OSError when a port that was asked for is taken."""
        remembered = self._store.ports()
        rows = []
        for place in self._config.servers:
            server = self._servers[place.tax_server_no]
            if self._config.tax_hall:
                rows += server.next_deadlines()
            port = await open_port(self._doors[place.tax_server_no], place.port, remembered.get(place.tax_server_no, 0))
            rows += [server.row(), device_memory.port_row(place.tax_server_no, port)]
        control = await open_port(self._control, self._config.control_port, remembered.get("control", 0))
        await self._memory.write([*rows, device_memory.port_row("control", control)])
        for server in self._servers.values():
            server.start()
        places = [
            {"tax_server_no": place.tax_server_no, "region": place.region, "host": "127.0.0.1", "port": door.port}
            for place, door in zip(self._config.servers, self._doors.values(), strict=True)
        ]
        return {"process": "devices", "control_port": control, "tax_servers": places}

    def close(self) -> None:
        """Stop at once; what was acknowledged is on disk already."""
        for door in (*self._doors.values(), self._control):
            door.close()
        for server in self._servers.values():
            server.close()
        self._memory.close()

    async def _steer(self, request: Request) -> Reply | None:
        """The control port: GET /state; GET, PUT, DELETE /devices/{device or server}/faults; PUT …/{device}/period."""
        match request.method, request.path.strip("/").split("/"):
            case "GET", ["state"]:
                return Reply.of({"tax_servers": [server.shown() for server in self._servers.values()]})
            case method, ["devices", target, "faults"]:
                server = self._servers.get(target) or self._holding(target)
                if server is None:
                    return Reply.of({"message": "no such device or tax server"}, 404)
                return await self._steer_faults(method, server, target, request)
            case "PUT", ["devices", target, "period"]:
                server = self._holding(target)
                if server is None:
                    return Reply.of({"message": "no such device"}, 404)
                return await self._set_period(server.devices[target], request)
        return Reply.of({"message": "no such call"}, 404)

    def _holding(self, device_no: str) -> TaxServer | None:
        return next((server for server in self._servers.values() if device_no in server.devices), None)

    async def _set_period(self, device: Device, request: Request) -> Reply:
        """Put the device into another tax period, as if its owner had not reported for so long."""
        try:
            wish = msgspec.json.decode(request.body, type=PeriodWish)
        except msgspec.DecodeError as error:
            return Reply.of({"message": str(error)}, 422)
        for kind in device.facts.kinds:
            kind.report_from, kind.report_to = wish.report_from, wish.report_to
            kind.issue_deadline = wish.issue_deadline
            kind.last_report_date = wish.last_report_date or kind.last_report_date
        await self._memory.write([device_memory.device_row(device)])
        return Reply.of({"device_no": device.device_no, "kinds": [kind.kind for kind in device.facts.kinds]})

    async def _steer_faults(self, method: str, server: TaxServer, target: str, request: Request) -> Reply:
        if method in ("PUT", "DELETE"):
            try:
                wanted = msgspec.json.decode(request.body, type=FaultSet) if method == "PUT" else FaultSet()
            except msgspec.DecodeError as error:
                return Reply.of({"message": str(error)}, 422)
            self._faults.put(target, wanted.faults)
            await self._memory.write([server.drift(target, wanted.faults)])
            if target == server.tax_server_no:
                await self._shut_or_open(target)
        elif method != "GET":
            return Reply.of({"message": "GET, PUT or DELETE"}, 405)
        return Reply.of({"target": target, "faults": self._faults.show(target)})

    async def _shut_or_open(self, tax_server_no: str) -> None:
        """A server that is down for every call has no open port: its callers are refused, not merely left alone."""
        door = self._doors[tax_server_no]
        if any(not fault.calls and fault.probability == 1.0 and not fault.after and fault.times is None
               for fault in self._faults.active(tax_server_no, "down")):  # fmt: skip
            door.close()
        else:
            await door.open()
