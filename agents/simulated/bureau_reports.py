"""The bureau's counter for summaries (抄报), filed returns and clearing (清零)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any, Literal

import msgspec
from msgspec import Struct

from agents.simulated import calendar
from agents.simulated.bureau_memory import BureauMemory, DeviceRecord
from agents.simulated.http_peer import Reply, Request
from agents.simulated.memory import Statement
from agents.simulated.scenario import BureauConfig

SCHEMA = """
CREATE TABLE IF NOT EXISTS reports (
    device_no TEXT NOT NULL, kind TEXT NOT NULL, period TEXT NOT NULL, report_no TEXT NOT NULL, summary BLOB NOT NULL,
    due REAL NOT NULL, verdict TEXT NOT NULL, message TEXT NOT NULL, cleared_at TEXT NOT NULL,
    PRIMARY KEY (device_no, kind, period)
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS returns (
    taxpayer_id TEXT NOT NULL, period TEXT NOT NULL, filed_at TEXT NOT NULL, PRIMARY KEY (taxpayer_id, period)
) STRICT, WITHOUT ROWID;
"""

NOT_ACCEPTED, NOT_FILED, NO_DEVICE = "300004", "300005", "300002"
"""Codes of a refusal: no accepted summary, no return filed, no such device."""

Work = Callable[[], Awaitable[Reply]]


class _Summary(Struct):
    kind: str
    period: str
    summary: dict[str, Any]


class _Return(Struct, forbid_unknown_fields=True):
    """A return filed by a taxpayer; ``period`` is yyyyMM."""

    taxpayer_id: str
    period: str


class _Verdict(Struct, forbid_unknown_fields=True):
    """What the bureau is to say of a summary from now on."""

    device_no: str
    kind: str
    period: str
    verdict: Literal["accepted", "refused"]
    message: str = ""


class ReportDesk:
    """Takes summaries, tells what became of them, and clears kinds whose period is reported and, if asked, filed."""

    def __init__(self, config: BureauConfig, memory: BureauMemory, clock: Callable[[], datetime]) -> None:
        self._config = config
        self._memory = memory
        self._clock = clock

    def route(self, request: Request) -> tuple[str, Work] | None:
        """REPORT, VERDICT and CLEAR."""
        match request.method, request.path.strip("/").split("/"):
            case "POST", ["devices", no, "reports"]:
                return "REPORT", lambda: self._take(no, request.body)
            case "GET", ["devices", no, "reports", period, kind]:
                return "VERDICT", lambda: self._tell(no, period, kind)
            case "POST", ["devices", no, "reports", period, kind, "clear"]:
                return "CLEAR", lambda: self._clear(no, period, kind, str(request.json()["deadline"]))
        return None

    async def steer(self, request: Request) -> Reply | None:
        """The control port's part: ``PUT /returns`` files one, ``PUT /verdicts`` sets one; ``GET /reports``."""
        memory = self._memory.memory
        match request.method, request.path:
            case "PUT", "/returns":
                filed = msgspec.json.decode(request.body, type=_Return)
                row = (filed.taxpayer_id, filed.period, calendar.stamp(self._clock()))
                await memory.write([("INSERT OR IGNORE INTO returns VALUES (?, ?, ?)", row)])
            case "PUT", "/verdicts":
                said = msgspec.json.decode(request.body, type=_Verdict)
                change = "UPDATE reports SET verdict = ?, message = ? WHERE device_no = ? AND kind = ? AND period = ?"
                await memory.write([(change, (said.verdict, said.message, said.device_no, said.kind, said.period))])
            case "GET", "/returns" | "/reports":
                pass
            case _:
                return None
        names = ("device_no", "kind", "period", "report_no", "verdict", "cleared_at")
        rows = memory.read(f"SELECT {', '.join(names)} FROM reports ORDER BY device_no, kind, period")
        returns = memory.read("SELECT taxpayer_id, period FROM returns ORDER BY taxpayer_id, period")
        filed_ = [{"taxpayer_id": taxpayer_id, "period": period} for taxpayer_id, period in returns]
        return Reply.of({"reports": [dict(zip(names, row, strict=True)) for row in rows], "returns": filed_})

    async def _take(self, no: str, body: bytes) -> Reply:
        """A summary: the same one again gets the same number; one that was refused may be sent anew."""
        if self._memory.device(no) is None:
            return _refusal(NO_DEVICE, "虚拟设备未发行")
        told = msgspec.json.decode(body, type=_Summary)
        async with self._memory.ordering:
            known = self._found(no, told.period, told.kind)
            if known is not None and known[2] != "refused":
                return Reply.of({"report_no": known[0]})
            count = self._memory.memory.read("SELECT count(*) FROM reports")[0][0]
            report_no = known[0] if known else f"CB{count + 1:030d}"
            due = self._clock().timestamp() + self._config.report_delay / self._config.speed
            row = (no, told.kind, told.period, report_no, msgspec.json.encode(told.summary), due, "", "", "")
            insert: Statement = ("INSERT OR REPLACE INTO reports VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", row)
            await self._memory.memory.write([insert])
        return Reply.of({"report_no": report_no})

    async def _tell(self, no: str, period: str, kind: str) -> Reply:
        device, known = self._memory.device(no), self._found(no, period, kind)
        if device is None or known is None:
            return _refusal(NOT_ACCEPTED, "没有收到该属期的汇总数据")
        verdict = self._verdict(known)
        return Reply.of(
            {
                "verdict": verdict,
                "message": known[3],
                "needs_return": self._config.clear_needs_return,
                "return_filed": self._filed(device, period),
            }
        )

    async def _clear(self, no: str, period: str, kind: str, deadline: str) -> Reply:
        """The facts of the next period for the device; asked again, the same facts."""
        device, known = self._memory.device(no), self._found(no, period, kind)
        if device is None or known is None or self._verdict(known) != "accepted":
            return _refusal(NOT_ACCEPTED, "汇总数据未受理，不能清零")
        if self._config.clear_needs_return and not self._filed(device, period):
            return _refusal(NOT_FILED, f"属期 {period} 未申报")
        now = self._clock()
        change = "UPDATE reports SET cleared_at = ? WHERE device_no = ? AND kind = ? AND period = ? AND cleared_at = ''"
        await self._memory.memory.write([(change, (calendar.stamp(now), no, kind, period))])
        following = calendar.period_after(period, calendar.read_day(deadline))
        return Reply.of(
            {
                "issue_deadline": calendar.day(following.deadline),
                "report_from": calendar.day(following.first),
                "report_to": calendar.day(following.last),
                "last_report_date": calendar.day(calendar.today(now)),
                "upload_deadline_day": following.deadline.day,
            }
        )

    def _found(self, no: str, period: str, kind: str) -> tuple[str, float, str, str] | None:
        rows = self._memory.memory.read(
            "SELECT report_no, due, verdict, message FROM reports WHERE device_no = ? AND period = ? AND kind = ?",
            (no, period, kind),
        )
        return rows[0] if rows else None

    def _verdict(self, known: tuple[str, float, str, str]) -> str:
        """The verdict that was set, else acceptance once the time for looking at it is over."""
        return known[2] or ("accepted" if self._clock().timestamp() >= known[1] else "processing")

    def _filed(self, device: DeviceRecord, period: str) -> bool:
        sql = "SELECT 1 FROM returns WHERE taxpayer_id = ? AND period = ?"
        return bool(self._memory.memory.read(sql, (device.taxpayer_id, period)))


def _refusal(code: str, message: str) -> Reply:
    return Reply.of({"code": code, "message": message}, 409)
