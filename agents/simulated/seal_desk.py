"""The bureau's counter for supervision seals (电子监制章) and for the releases it announces."""

from __future__ import annotations

import csv
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from importlib.resources import files
from typing import Any

from agents.simulated import calendar
from agents.simulated.bureau_memory import BureauMemory, BureauRefusal
from agents.simulated.faults import Faults
from agents.simulated.http_peer import Reply, Request
from agents.simulated.scenario import BureauConfig

SCHEMA = """
CREATE TABLE IF NOT EXISTS seal_applications (
    application_no TEXT PRIMARY KEY, tax_server_no TEXT NOT NULL, request TEXT NOT NULL, area TEXT NOT NULL,
    name TEXT NOT NULL, public_key TEXT NOT NULL, handler TEXT NOT NULL, due REAL NOT NULL, refused INTEGER NOT NULL,
    not_after TEXT NOT NULL, UNIQUE (tax_server_no, request)
) STRICT;
"""
_TARGET = "bureau"
_VALID_DAYS = 365
_FIELDS = ("area", "name", "public_key", "handler")


class SealDesk:
    """Decides an application a while after it came; which way was fixed when it came, by a fault or without."""

    def __init__(
        self, config: BureauConfig, memory: BureauMemory, clock: Callable[[], datetime], faults: Faults
    ) -> None:
        self._config = config
        self._memory = memory
        self._clock = clock
        self._faults = faults

    def route(self, request: Request) -> tuple[str, Callable[[], Awaitable[Reply]]] | None:
        """SEAL, SEAL_STATUS and RELEASES."""
        match request.method, request.path.strip("/").split("/"):
            case "POST", ["servers", no, "seals"]:
                return "SEAL", lambda: self._apply(no, request.json())
            case "GET", ["seals", application_no]:
                return "SEAL_STATUS", lambda: self._status(application_no)
            case "GET", ["releases"]:
                return "RELEASES", lambda: self._releases(request.query.get("product", ""))
        return None

    async def _apply(self, no: str, body: dict[str, Any]) -> Reply:
        server = self._memory.server(no)
        if server is None or not server[2]:
            raise BureauRefusal("税控服务器未发行或未制证")
        request = str(body["request"])
        texts = [str(body[name]) for name in _FIELDS]
        async with self._memory.ordering:
            known = self._memory.memory.read(
                "SELECT application_no FROM seal_applications WHERE tax_server_no = ? AND request = ?", (no, request)
            )
            if known:
                return Reply.of({"application_no": known[0][0]})
            count = self._memory.memory.read("SELECT count(*) FROM seal_applications")[0][0]
            application_no = f"YZ{count + 1:010d}"
            now = self._clock()
            refused = self._faults.take((_TARGET,), "SEAL", ("application_refused",)) is not None
            due = now.timestamp() + self._config.grant_delay / self._config.speed
            end = calendar.day(calendar.today(now) + timedelta(days=_VALID_DAYS))
            row = (application_no, no, request, *texts, due, int(refused), end)
            await self._memory.memory.write(
                [("INSERT INTO seal_applications VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", row)]
            )
        return Reply.of({"application_no": application_no})

    async def _status(self, application_no: str) -> Reply:
        rows = self._memory.memory.read(
            "SELECT due, refused, not_after FROM seal_applications WHERE application_no = ?", (application_no,)
        )
        if not rows:
            raise BureauRefusal("无此印章申请")
        due, refused, not_after = rows[0]
        if self._clock().timestamp() < due:
            return Reply.of({"status": "waiting", "message": "待审批", "not_after": ""})
        if refused:
            return Reply.of({"status": "refused", "message": "经办人信息与登记不一致", "not_after": ""})
        return Reply.of({"status": "granted", "message": "", "not_after": not_after})

    async def _releases(self, product: str) -> Reply:
        text = (files("agents.simulated") / "data" / "releases.csv").read_text(encoding="utf-8")
        rows = [row for row in csv.DictReader(text.splitlines()) if row["product"] == product]
        return Reply.of({"releases": rows})
