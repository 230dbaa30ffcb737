"""The bureau's counter for numbers: applications, grants, confirmations, and what is given back."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime
from functools import partial
from typing import Any

from agents.simulated import calendar, numbers
from agents.simulated.bureau_memory import BureauMemory, BureauRefusal, DeviceRecord
from agents.simulated.http_peer import Reply, Request
from agents.simulated.numbers import parse_number
from agents.simulated.scenario import BureauConfig, TaxpayerProfile

WAITING, GRANTED, REFUSED, CANCELLED = range(4)
"""Where an application stands; what was given back is granted again, to whoever asks next."""
_NEVER = 9e15
_SHOWN = 50


class StockDesk:
    """Answers what concerns numbers. An application is decided when somebody asks, once its time has come."""

    def __init__(self, memory: BureauMemory, config: BureauConfig, clock: Callable[[], datetime]) -> None:
        self._memory = memory
        self._config = config
        self._clock = clock

    def route(self, request: Request) -> tuple[str, Callable[[], Awaitable[Reply]]] | None:
        """Calls under ``/devices/{no}/`` about applications, grants and returns."""
        match request.method, request.path.strip("/").split("/"):
            case "POST", ["devices", no, "applications"]:
                return "APPLY", lambda: self._apply(no, request.json())
            case "GET", ["devices", no, "applications"]:
                return "APPLICATIONS", lambda: self._applications(no, request.query.get("kind", ""))
            case "POST", ["devices", no, "applications", application_no, "cancel"]:
                return "CANCEL", lambda: self._cancel(no, application_no)
            case "GET", ["devices", no, "grants"]:
                return "GRANTS", lambda: self._grants(no, request.query.get("kind", ""))
            case "POST", ["devices", no, "grants", grant_no, "confirm"]:
                return "CONFIRM", lambda: self._confirm(no, grant_no)
            case "POST", ["devices", no, "returns"]:
                return "RETURN", partial(self._take_back, no, request)
        return None

    def _device(self, no: str) -> DeviceRecord:
        device = self._memory.device(no)
        if device is None:
            raise BureauRefusal("虚拟设备未发行")
        return device

    def _practice(self, device: DeviceRecord) -> str:
        return (self._config.taxpayers.get(device.taxpayer_id) or TaxpayerProfile()).applications

    def _suffixes(self) -> dict[str, str]:
        return {limits.kind: limits.code_suffix for limits in calendar.kinds_on(calendar.today(self._clock()))}

    async def _apply(self, no: str, body: dict[str, Any]) -> Reply:
        device = self._device(no)
        kind, count = str(body["kind"]), int(body["count"])
        if not device.not_after:
            raise BureauRefusal("虚拟设备未制证")
        if kind not in self._suffixes():
            raise BureauRefusal(f"无票种核定: {kind}")
        if not 1 <= count <= numbers.GRANT_LIMIT:
            raise BureauRefusal(f"单次申领份数须为 1 至 {numbers.GRANT_LIMIT}")
        due = self._clock().timestamp() + self._config.grant_delay / self._config.speed
        if self._practice(device) == "wait":
            due = _NEVER
        return Reply.of({"application_no": await self._memory.apply(no, str(body["request"]), (kind, count), due)})

    async def _decide(self, device: DeviceRecord) -> None:
        now = self._clock()
        if self._practice(device) == "refuse":
            await self._memory.refuse_due(device.device_no, now.timestamp())
        else:
            await self._memory.grant_due(device, self._suffixes(), calendar.today(now).year, now.timestamp())

    async def _applications(self, no: str, kind: str) -> Reply:
        await self._decide(self._device(no))
        return Reply.of({"applications": self._memory.applications(no, kind, _SHOWN)})

    async def _cancel(self, no: str, application_no: str) -> Reply:
        await self._decide(self._device(no))
        state = await self._memory.cancel(no, application_no)
        if state is None:
            raise BureauRefusal("无此申领记录")
        if state != CANCELLED:
            raise BureauRefusal("申领已审批，不能撤销")
        return Reply.of({"application_no": application_no})

    async def _grants(self, no: str, kind: str) -> Reply:
        await self._decide(self._device(no))
        return Reply.of({"grants": self._memory.grants(no, kind)})

    async def _confirm(self, no: str, grant_no: str) -> Reply:
        if not await self._memory.confirm(grant_no, no):
            raise BureauRefusal("无此领票记录")
        return Reply.of({"confirmed": True})

    async def _take_back(self, no: str, request: Request) -> Reply:
        """A run of a confirmed grant, unused, comes back; the same run again changes nothing."""
        self._device(no)
        body = request.json()
        start, end = parse_number(str(body["start_no"])), parse_number(str(body["end_no"]))
        if start is None or end is None or end < start:
            raise BureauRefusal("发票号码非法")
        problem = await self._memory.take_back(no, str(body["grant_no"]), (start, end))
        if problem:
            raise BureauRefusal(problem)
        return Reply.of({"returned": end - start + 1})
