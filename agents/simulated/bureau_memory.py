"""What the simulated bureau remembers: servers, devices, grants of numbers, and one receipt per invoice."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any

from agents.simulated.memory import Memory, Statement
from agents.simulated.numbers import CODE_CAPACITY, invoice_code, number

SCHEMA = """
CREATE TABLE IF NOT EXISTS places (name TEXT PRIMARY KEY, port INTEGER NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS servers (
    tax_server_no TEXT PRIMARY KEY, area TEXT NOT NULL, commissioned_at TEXT NOT NULL, not_after TEXT NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS devices (
    device_no TEXT PRIMARY KEY, tax_server_no TEXT NOT NULL, request TEXT NOT NULL, taxpayer_id TEXT NOT NULL,
    taxpayer_name TEXT NOT NULL, area TEXT NOT NULL, not_after TEXT NOT NULL, UNIQUE (tax_server_no, request)
) STRICT;
CREATE TABLE IF NOT EXISTS codes (
    area TEXT NOT NULL, year INTEGER NOT NULL, suffix TEXT NOT NULL, batch INTEGER NOT NULL, next_no INTEGER NOT NULL,
    PRIMARY KEY (area, year, suffix)
) STRICT;
CREATE TABLE IF NOT EXISTS applications (
    application_no TEXT PRIMARY KEY, device_no TEXT NOT NULL, request TEXT NOT NULL, kind TEXT NOT NULL,
    count INTEGER NOT NULL, due REAL NOT NULL, granted INTEGER NOT NULL, UNIQUE (device_no, request)
) STRICT;
CREATE TABLE IF NOT EXISTS grants (
    grant_no TEXT PRIMARY KEY, device_no TEXT NOT NULL, kind TEXT NOT NULL, code TEXT NOT NULL,
    start_no INTEGER NOT NULL, end_no INTEGER NOT NULL, confirmed INTEGER NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS grants_of_device ON grants (device_no, kind);
CREATE TABLE IF NOT EXISTS returned_runs (
    code TEXT NOT NULL, start_no INTEGER NOT NULL, end_no INTEGER NOT NULL, device_no TEXT NOT NULL,
    grant_no TEXT NOT NULL, free_from INTEGER NOT NULL, PRIMARY KEY (grant_no, start_no)
) STRICT;
CREATE TABLE IF NOT EXISTS receipts (
    code TEXT NOT NULL, no TEXT NOT NULL, taxpayer_id TEXT NOT NULL, device_no TEXT NOT NULL, kind TEXT NOT NULL,
    net TEXT NOT NULL, tax TEXT NOT NULL, gross TEXT NOT NULL, serial TEXT NOT NULL, payload_hash TEXT NOT NULL,
    receipt_no TEXT NOT NULL, received_at TEXT NOT NULL, PRIMARY KEY (code, no)
) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS receipts_of_taxpayer ON receipts (taxpayer_id, device_no);
CREATE TABLE IF NOT EXISTS profiles (taxpayer_id TEXT PRIMARY KEY, profile BLOB NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS acceptances (acceptance_no TEXT PRIMARY KEY, results BLOB NOT NULL) STRICT, WITHOUT ROWID;
"""


_CONFIRMED_SHOWN = 50

Run = tuple[str, str, int, int]
"""Grant, code, first and last number of what a device owns."""


def _without(runs: list[Run], grant_no: str, gone: tuple[int, int]) -> list[Run]:
    """The runs when some numbers of a grant are gone."""
    kept: list[Run] = []
    for held, code, start, end in runs:
        if held != grant_no or gone[1] < start or gone[0] > end:
            kept.append((held, code, start, end))
            continue
        kept += [(held, code, *run) for run in ((start, gone[0] - 1), (gone[1] + 1, end)) if run[0] <= run[1]]
    return kept


@dataclass(frozen=True)
class DeviceRecord:
    """A virtual device as the bureau knows it; ``not_after`` is empty until it is certified."""

    device_no: str
    tax_server_no: str
    taxpayer_id: str
    taxpayer_name: str
    area: str
    not_after: str


@dataclass(frozen=True)
class Grant:
    """A run of numbers given to one device, for the application it answers."""

    grant_no: str
    device_no: str
    kind: str
    code: str
    start_no: int
    end_no: int
    confirmed: bool
    application_no: str


class BureauRefusal(Exception):
    """The bureau says no; its text is for the operator."""


class BureauMemory:
    """The bureau's file. Changes that number something run one after the other under ``ordering``."""

    def __init__(self, memory: Memory) -> None:
        self.memory = memory
        self.ordering = asyncio.Lock()
        self._accepted = int(self.memory.read("SELECT coalesce(max(acceptance_no), '0') FROM acceptances")[0][0])
        self._runs: dict[str, list[Run]] = {}
        for grant_no, device_no, code, start, end in self.memory.read(
            "SELECT grant_no, device_no, code, start_no, end_no FROM grants"
        ):
            self._runs.setdefault(device_no, []).append((grant_no, code, start, end))
        for device_no, grant_no, start, end in self.memory.read(
            "SELECT device_no, grant_no, start_no, end_no FROM returned_runs"
        ):
            self._runs[device_no] = _without(self._runs[device_no], grant_no, (start, end))

    def next_acceptance(self) -> str:
        """受理序列号 for one more batch: 32 digits."""
        self._accepted += 1
        return f"{self._accepted:032d}"

    def server(self, tax_server_no: str) -> tuple[str, str, str] | None:
        """(area, commissioned at, certificate's last day) of a tax server."""
        rows = self.memory.read(
            "SELECT area, commissioned_at, not_after FROM servers WHERE tax_server_no = ?", (tax_server_no,)
        )
        return rows[0] if rows else None

    def device(self, device_no: str) -> DeviceRecord | None:
        """A device by its number."""
        rows = self.memory.read(
            "SELECT device_no, tax_server_no, taxpayer_id, taxpayer_name, area, not_after FROM devices"
            " WHERE device_no = ?",
            (device_no,),
        )
        return DeviceRecord(*rows[0]) if rows else None

    async def commission(self, tax_server_no: str, request: str, taxpayer: tuple[str, str], area: str) -> str:
        """Number a new virtual device; the same request gets the same number."""
        async with self.ordering:
            rows = self.memory.read(
                "SELECT device_no FROM devices WHERE tax_server_no = ? AND request = ?", (tax_server_no, request)
            )
            if rows:
                return str(rows[0][0])
            device_no = f"66{area}{self.memory.read('SELECT count(*) FROM devices')[0][0] + 1:06d}"
            await self.memory.write(
                [
                    (
                        "INSERT INTO devices VALUES (?, ?, ?, ?, ?, ?, '')",
                        (device_no, tax_server_no, request, taxpayer[0], taxpayer[1], area),
                    )
                ]
            )
            return device_no

    async def apply(self, device_no: str, request: str, wish: tuple[str, int], due: float) -> str:
        """Take an application for ``wish`` = (kind, count) that is granted at ``due`` (epoch seconds)."""
        async with self.ordering:
            rows = self.memory.read(
                "SELECT application_no FROM applications WHERE device_no = ? AND request = ?", (device_no, request)
            )
            if rows:
                return str(rows[0][0])
            application_no = f"SL{self.memory.read('SELECT count(*) FROM applications')[0][0] + 1:010d}"
            await self.memory.write(
                [
                    (
                        "INSERT INTO applications VALUES (?, ?, ?, ?, ?, ?, 0)",
                        (application_no, device_no, request, *wish, due),
                    )
                ]
            )
            return application_no

    async def grant_due(self, device: DeviceRecord, suffixes: dict[str, str], year: int, now: float) -> None:
        """Turn the device's applications that are due into grants; no number is ever given twice."""
        due = "SELECT application_no, kind, count FROM applications WHERE device_no = ? AND granted = 0 AND due <= ?"
        if not self.memory.read(due, (device.device_no, now)):
            return
        async with self.ordering:
            for application_no, kind, count in self.memory.read(
                due + " ORDER BY application_no", (device.device_no, now)
            ):
                found = self._given_back(device.area, suffixes[kind], kind, count)
                code, start, remember = found or self._next_run((device.area, year, suffixes[kind]), count)
                grant = (f"LP{application_no[2:]}", device.device_no, kind, code, start, start + count - 1)
                await self.memory.write(
                    [
                        remember,
                        ("INSERT INTO grants VALUES (?, ?, ?, ?, ?, ?, 0)", grant),
                        ("UPDATE applications SET granted = 1 WHERE application_no = ?", (application_no,)),
                    ]
                )
                self._runs.setdefault(device.device_no, []).append((grant[0], code, start, start + count - 1))

    def _given_back(self, area: str, suffix: str, kind: str, count: int) -> tuple[str, int, Statement] | None:
        """Room for ``count`` numbers in what came back and was not given out again."""
        rows = self.memory.read(
            "SELECT r.grant_no, r.start_no, r.code, r.free_from FROM returned_runs r"
            " JOIN grants g ON g.grant_no = r.grant_no"
            " WHERE g.kind = ? AND r.code LIKE ? AND r.end_no - r.free_from + 1 >= ? ORDER BY r.grant_no, r.start_no",
            (kind, f"0{area}%{suffix}", count),
        )
        if not rows:
            return None
        grant_no, start, code, free_from = rows[0]
        row = (free_from + count, grant_no, start)
        return code, free_from, ("UPDATE returned_runs SET free_from = ? WHERE grant_no = ? AND start_no = ?", row)

    def _next_run(self, series: tuple[str, int, str], count: int) -> tuple[str, int, Statement]:
        rows = self.memory.read("SELECT batch, next_no FROM codes WHERE area = ? AND year = ? AND suffix = ?", series)
        batch, start = rows[0] if rows else (1, 1)
        if start + count - 1 > CODE_CAPACITY:
            batch, start = batch + 1, 1
        area, year, suffix = series
        remember = ("INSERT OR REPLACE INTO codes VALUES (?, ?, ?, ?, ?)", (*series, batch, start + count))
        return invoice_code(area, year, batch, suffix), start, remember

    def grants(self, device_no: str, kind: str) -> list[Grant]:
        """The grants of a kind, oldest first; of the confirmed ones only the 50 newest."""
        rows = self.memory.read(
            "SELECT * FROM grants WHERE device_no = ? AND kind = ? ORDER BY grant_no DESC", (device_no, kind)
        )
        found = [
            Grant(no, device, kind, code, start, end, bool(done), f"SL{no[2:]}")
            for no, device, kind, code, start, end, done in rows
        ]
        kept = {g.grant_no for g in [g for g in found if g.confirmed][:_CONFIRMED_SHOWN]}
        return [g for g in reversed(found) if not g.confirmed or g.grant_no in kept]

    async def confirm(self, grant_no: str, device_no: str) -> bool:
        """Record that the device wrote a grant; False when there is no such grant of this device."""
        if not self.memory.read("SELECT 1 FROM grants WHERE grant_no = ? AND device_no = ?", (grant_no, device_no)):
            return False
        await self.memory.write([("UPDATE grants SET confirmed = 1 WHERE grant_no = ?", (grant_no,))])
        return True

    async def refuse_due(self, device_no: str, now: float) -> None:
        """Turn the device's applications that are due down."""
        sql = "UPDATE applications SET granted = 2 WHERE device_no = ? AND granted = 0 AND due <= ?"
        await self.memory.write([(sql, (device_no, now))])

    def applications(self, device_no: str, kind: str, most: int) -> list[dict[str, Any]]:
        """The newest applications of a kind, the newest last; ``state`` as the column ``granted`` has it."""
        rows = self.memory.read(
            "SELECT application_no, kind, count, granted FROM applications WHERE device_no = ? AND kind = ?"
            " ORDER BY application_no DESC LIMIT ?",
            (device_no, kind, most),
        )
        return [dict(zip(("application_no", "kind", "count", "state"), row, strict=True)) for row in reversed(rows)]

    async def cancel(self, device_no: str, application_no: str) -> int | None:
        """Cancel an application that is not decided; where it then stands, None when there is none."""
        async with self.ordering:
            key = (application_no, device_no)
            sql = "UPDATE applications SET granted = 3 WHERE application_no = ? AND device_no = ? AND granted = 0"
            await self.memory.write([(sql, key)])
            rows = self.memory.read("SELECT granted FROM applications WHERE application_no = ? AND device_no = ?", key)
            return int(rows[0][0]) if rows else None

    async def take_back(self, device_no: str, grant_no: str, run: tuple[int, int]) -> str:
        """Take a run of a grant back, once; why not, or empty."""
        async with self.ordering:
            rows = self.memory.read(
                "SELECT code, confirmed FROM grants WHERE grant_no = ? AND device_no = ?", (grant_no, device_no)
            )
            before = "SELECT end_no FROM returned_runs WHERE grant_no = ? AND start_no = ?"
            known = self.memory.read(before, (grant_no, run[0]))
            if known:
                return "" if known[0][0] == run[1] else "号段已部分退回"
            if not rows or not rows[0][1]:
                return "无此领票记录或尚未确认"
            code = rows[0][0]
            held = (held for held in self._runs[device_no] if held[0] == grant_no)
            if not any(first <= run[0] and run[1] <= last for _, _, first, last in held):
                return "号段不属于该设备"
            used = "SELECT 1 FROM receipts WHERE code = ? AND no BETWEEN ? AND ? LIMIT 1"
            if self.memory.read(used, (code, number(run[0]), number(run[1]))):
                return "号段中有已上传的发票"
            row = (code, *run, device_no, grant_no, run[0])
            await self.memory.write([("INSERT INTO returned_runs VALUES (?, ?, ?, ?, ?, ?)", row)])
            self._runs[device_no] = _without(self._runs[device_no], grant_no, run)
            return ""

    def owns(self, device_no: str, code: str, no: int) -> bool:
        """Whether this number was granted to this device."""
        return any(run[1] == code and run[2] <= no <= run[3] for run in self._runs.get(device_no, ()))

    def receipt(self, code: str, no: str) -> tuple[str, str, str] | None:
        """(payload hash, receipt number, received at) of an invoice already received."""
        rows = self.memory.read(
            "SELECT payload_hash, receipt_no, received_at FROM receipts WHERE code = ? AND no = ?", (code, no)
        )
        return rows[0] if rows else None

    def profile(self, taxpayer_id: str) -> bytes | None:
        """How a taxpayer was set to be known, as JSON; None for one that was left as configured."""
        rows = self.memory.read("SELECT profile FROM profiles WHERE taxpayer_id = ?", (taxpayer_id,))
        return bytes(rows[0][0]) if rows else None

    async def know(self, taxpayer_id: str, profile: bytes) -> None:
        """Know a taxpayer by this profile from now on."""
        await self.memory.write([("INSERT OR REPLACE INTO profiles VALUES (?, ?)", (taxpayer_id, profile))])

    def results(self, acceptance_no: str) -> bytes | None:
        """What became of one submitted batch, as JSON."""
        rows = self.memory.read("SELECT results FROM acceptances WHERE acceptance_no = ?", (acceptance_no,))
        return bytes(rows[0][0]) if rows else None

    def receipts(self, taxpayer_id: str | None, device_no: str | None) -> list[dict[str, Any]]:
        """All receipts, or those of one taxpayer or device."""
        names = (
            "taxpayer_id",
            "device_no",
            "invoice_code",
            "invoice_no",
            "kind",
            "net_total",
            "tax_total",
            "gross_total",
            "serial",
            "payload_hash",
            "receipt_no",
            "received_at",
        )
        rows = self.memory.read(
            "SELECT taxpayer_id, device_no, code, no, kind, net, tax, gross, serial, payload_hash, receipt_no,"
            " received_at FROM receipts WHERE (?1 IS NULL OR taxpayer_id = ?1) AND (?2 IS NULL OR device_no = ?2)"
            " ORDER BY received_at, code, no",
            (taxpayer_id, device_no),
        )
        return [dict(zip(names, row, strict=True)) for row in rows]
