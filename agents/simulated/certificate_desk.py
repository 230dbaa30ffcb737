"""The bureau's desk for certificates of tax servers and for cancelling virtual devices."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Any

from agents.simulated import calendar
from agents.simulated.bureau_memory import BureauMemory, BureauRefusal
from agents.simulated.http_peer import Reply, Request
from agents.simulated.scenario import BureauConfig

SCHEMA = """
CREATE TABLE IF NOT EXISTS formal_certificates (
    tax_server_no TEXT PRIMARY KEY, requested_at TEXT NOT NULL, due REAL NOT NULL, fetched_at TEXT NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS cancelled_devices (device_no TEXT PRIMARY KEY, cancelled_at TEXT NOT NULL) STRICT;
"""


class CertificateDesk:
    """Signs formal certificates a while after they are asked for, renews them, and forgets devices for ever."""

    def __init__(self, config: BureauConfig, memory: BureauMemory, clock: Callable[[], datetime]) -> None:
        self._config = config
        self._memory = memory
        self._clock = clock

    def route(self, request: Request) -> tuple[str, Callable[[], Awaitable[Reply]]] | None:
        """The call's name and its work; None when it is not for this desk."""
        match request.method, request.path.strip("/").split("/"):
            case "POST", ["servers", no, "formal"]:
                return "FORMAL", lambda: self._request(no)
            case "POST", ["servers", no, "formal", "fetch"]:
                return "FORMAL", lambda: self._fetch(no)
            case "POST", ["servers", no, "renew"]:
                return "RENEW", lambda: self._renew(no)
            case "POST", ["devices", no, "cancel"]:
                return "CANCEL", lambda: self._cancel(no, request.json())
        return None

    def new_end(self) -> str:
        """The last day (yyyyMMdd) of a certificate that is issued now."""
        return calendar.day(calendar.today(self._clock()) + timedelta(days=self._config.certificate_days))

    def cancelled(self, device_no: str) -> str:
        """When a device was cancelled; empty when it was not."""
        rows = self._memory.memory.read("SELECT cancelled_at FROM cancelled_devices WHERE device_no = ?", (device_no,))
        return str(rows[0][0]) if rows else ""

    def _certified(self, no: str) -> None:
        known = self._memory.server(no)
        if known is None or not known[2]:
            raise BureauRefusal("税控服务器未发行或未制证")

    async def _request(self, no: str) -> Reply:
        """Asked for again, an application that was not fetched stays the one it was."""
        self._certified(no)
        now = self._clock()
        due = now.timestamp() + self._config.grant_delay / self._config.speed
        await self._memory.memory.write(
            [("INSERT OR IGNORE INTO formal_certificates VALUES (?, ?, ?, '')", (no, calendar.stamp(now), due))]
        )
        rows = self._memory.memory.read("SELECT requested_at FROM formal_certificates WHERE tax_server_no = ?", (no,))
        return Reply.of({"requested_at": rows[0][0]})

    async def _fetch(self, no: str) -> Reply:
        rows = self._memory.memory.read("SELECT due FROM formal_certificates WHERE tax_server_no = ?", (no,))
        if not rows:
            raise BureauRefusal("未申请正式证书")
        if rows[0][0] > self._clock().timestamp():
            raise BureauRefusal("正式证书尚未签发")
        return await self._issue(no, "UPDATE formal_certificates SET fetched_at = ? WHERE tax_server_no = ?")

    async def _renew(self, no: str) -> Reply:
        self._certified(no)
        return await self._issue(no)

    async def _issue(self, no: str, note: str = "") -> Reply:
        not_after, now = self.new_end(), calendar.stamp(self._clock())
        notes = [(note, (now, no))] if note else []
        await self._memory.memory.write(
            [("UPDATE servers SET not_after = ? WHERE tax_server_no = ?", (not_after, no)), *notes]
        )
        return Reply.of({"not_after": not_after, "issued_at": now})

    async def _cancel(self, no: str, body: dict[str, Any]) -> Reply:
        """``issued``: how many invoices the device says it has issued; each must be received, each grant confirmed."""
        if self._memory.device(no) is None:
            raise BureauRefusal("虚拟设备未发行")
        if not self.cancelled(no):
            received = len(self._memory.receipts(None, no))
            if received < int(body["issued"]):
                raise BureauRefusal(f"尚有 {int(body['issued']) - received} 张发票未上传")
            count = "SELECT count(*) FROM grants WHERE device_no = ? AND confirmed = 0"
            if self._memory.memory.read(count, (no,))[0][0]:
                raise BureauRefusal("尚有已批准未领用的发票")
            await self._memory.memory.write(
                [("INSERT INTO cancelled_devices VALUES (?, ?)", (no, calendar.stamp(self._clock())))]
            )
        return Reply.of({"cancelled_at": self.cancelled(no)})
