"""The process around the simulated bureau: its line, which can really close, and its control port."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any, Literal

import msgspec
from msgspec import Struct

from agents.simulated import calendar, device_memory
from agents.simulated.bureau import TARGET, Bureau
from agents.simulated.faults import FaultSet
from agents.simulated.http_peer import Listener, Reply, Request
from agents.simulated.lifeline import open_port
from agents.simulated.scenario import BureauConfig, TaxpayerProfile

State = Literal["up", "slow", "down"]


class _Wish(Struct, forbid_unknown_fields=True):
    state: State


class BureauHouse:
    """The bureau with its two ports."""

    def __init__(
        self,
        config: BureauConfig,
        clock: Callable[[], datetime] = calendar.now_utc,
        on_failure: Callable[[], None] | None = None,
    ) -> None:
        self._config = config
        self._bureau = Bureau(config, clock, on_failure)
        self._state: State = "up"
        self._line = Listener(self._bureau.handle)
        self._control = Listener(self._steer)

    async def open(self) -> dict[str, Any]:
        """Open both ports; the facts of the ready line. Raises OSError when a port that was asked for is taken."""
        memory = self._bureau.memory.memory
        remembered = dict(memory.read("SELECT name, port FROM places"))
        port = await open_port(self._line, self._config.port, remembered.get("line", 0))
        control = await open_port(self._control, self._config.control_port, remembered.get("control", 0))
        await memory.write([device_memory.port_row("line", port), device_memory.port_row("control", control)])
        await self._turn(self._config.state)
        return {"process": "bureau", "port": port, "url": f"http://127.0.0.1:{port}", "control_port": control}

    def close(self) -> None:
        """Stop at once; what was acknowledged is on disk already."""
        self._line.close()
        self._control.close()
        self._bureau.memory.memory.close()

    async def _turn(self, state: State) -> None:
        self._state = state
        self._bureau.slow = state == "slow"
        if state == "down":
            self._line.close()
        else:
            await self._line.open()

    async def _know(self, taxpayer_id: str, body: bytes) -> Reply:
        """Know a taxpayer otherwise from now on; its devices learn of it when they are certified anew."""
        profile = msgspec.json.decode(body, type=TaxpayerProfile)
        await self._bureau.memory.know(taxpayer_id, msgspec.json.encode(profile))
        return Reply.of(msgspec.to_builtins(profile))

    async def _steer(self, request: Request) -> Reply | None:
        """The control port: GET, PUT /state; GET, PUT, DELETE /faults; PUT /taxpayers/{id}; what the desks take."""
        try:
            match request.method, request.path:
                case "PUT", "/state":
                    await self._turn(msgspec.json.decode(request.body, type=_Wish).state)
                case "PUT", "/faults":
                    self._bureau.faults.put(TARGET, msgspec.json.decode(request.body, type=FaultSet).faults)
                case "DELETE", "/faults":
                    self._bureau.faults.put(TARGET, [])
                case "GET", "/state" | "/faults":
                    pass
                case "PUT", path if path.startswith("/taxpayers/"):
                    return await self._know(path.removeprefix("/taxpayers/"), request.body)
                case _:
                    answer = await self._bureau.reports.steer(request)
                    return answer or Reply.of({"message": "no such call"}, 404)
        except msgspec.DecodeError as error:
            return Reply.of({"message": str(error)}, 422)
        return Reply.of({"state": self._state, "faults": self._bureau.faults.show(TARGET)})
