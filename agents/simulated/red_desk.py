"""The bureau's counter for red forms (红字信息表), and what it checks of the red invoices it receives."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Protocol

from agents.simulated.bureau_memory import BureauMemory, BureauRefusal
from agents.simulated.faults import Faults
from agents.simulated.http_peer import Reply, Request
from agents.simulated.memory import Statement
from agents.simulated.numbers import fen

SCHEMA = """
CREATE TABLE IF NOT EXISTS red_forms (
    form_no TEXT PRIMARY KEY, device_no TEXT NOT NULL, taxpayer_id TEXT NOT NULL, kind TEXT NOT NULL,
    code TEXT NOT NULL, no TEXT NOT NULL, applicant TEXT NOT NULL, net TEXT NOT NULL, tax TEXT NOT NULL,
    status TEXT NOT NULL, red_form_no TEXT NOT NULL, message TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS red_receipts (
    code TEXT NOT NULL, no TEXT NOT NULL, original_code TEXT NOT NULL, original_no TEXT NOT NULL,
    net_fen INTEGER NOT NULL, tax_fen INTEGER NOT NULL, red_form_no TEXT NOT NULL, PRIMARY KEY (code, no)
) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS red_receipts_of_original ON red_receipts (original_code, original_no);
"""
APPROVED, WRITTEN_OFF, LOOKED_INTO, REFUSED, CANCELLED = "TZD0000", "TZD0074", "TZD0071", "TZD0073", "TZD0082"
SPECIAL = frozenset({"004", "028"})
_TARGET = "bureau"
_COLUMNS = (
    "form_no", "device_no", "taxpayer_id", "kind", "code", "no", "applicant", "net", "tax", "status", "red_form_no",
    "message",
)  # fmt: skip


class Uploaded(Protocol):
    """What of an uploaded invoice matters here."""

    invoice_code: str
    invoice_no: str
    kind: str
    net_total: str
    tax_total: str
    direction: str
    original_code: str
    original_no: str
    red_form_no: str


class RedDesk:
    """Approves a form unless a fault says otherwise; what it is over never comes to more than the blue invoice."""

    def __init__(self, memory: BureauMemory, faults: Faults) -> None:
        self._memory = memory
        self._faults = faults
        self._arriving: dict[tuple[str, str], Uploaded] = {}

    def route(self, request: Request) -> tuple[str, Callable[[], Awaitable[Reply]]] | None:
        """REDFORM, REDFORM_STATUS, REDFORM_CANCEL."""
        match request.method, request.path.strip("/").split("/"):
            case "POST", ["devices", no, "redforms"]:
                return "REDFORM", lambda: self._apply(no, request.json())
            case "GET", ["devices", no, "redforms", form_no]:
                return "REDFORM_STATUS", lambda: self._status(no, form_no)
            case "POST", ["devices", no, "redforms", form_no, "cancel"]:
                return "REDFORM_CANCEL", lambda: self._cancel(no, form_no)
            case "GET", ["redforms"]:
                return "REDFORM_STATUS", lambda: self._by_number(request.query.get("red_form_no", ""))
        return None

    # --- forms

    async def _apply(self, no: str, body: dict[str, Any]) -> Reply:
        device = self._memory.device(no)
        if device is None or not device.not_after:
            raise BureauRefusal("虚拟设备未发行或未制证")
        async with self._memory.ordering:
            known = self._form("form_no", str(body["form_no"]))
            if known is not None:
                return Reply.of(known)
            form = {name: str(body.get(name, "")) for name in _COLUMNS}
            form |= {"device_no": no, "taxpayer_id": device.taxpayer_id}
            form |= await self._verdict(form)
            await self._keep(form)
        return Reply.of(form)

    async def _verdict(self, form: dict[str, str]) -> dict[str, str]:
        """Status, number and words for a form that is not decided yet."""
        if self._faults.take((_TARGET,), "REDFORM", ("form_waits",)):
            return {"status": LOOKED_INTO, "red_form_no": "", "message": "待查证"}
        blue = self._receipt(form["code"], form["no"])
        problem = ""
        if self._faults.take((_TARGET,), "REDFORM", ("form_refused",)):
            problem = "信息表审核未通过"
        elif blue is None or blue[0] != form["taxpayer_id"] or blue[1] != form["kind"]:
            problem = "蓝字发票不存在"
        elif self._over(form, blue):
            problem = "红字金额超过蓝字发票"
        if problem:
            return {"status": REFUSED, "red_form_no": "", "message": problem}
        count = self._memory.memory.read("SELECT count(*) FROM red_forms WHERE red_form_no <> ''")[0][0]
        return {"status": APPROVED, "red_form_no": f"{form['code'][1:5]}{count + 1:012d}", "message": "审核通过"}

    def _over(self, form: dict[str, str], blue: tuple[str, str, str, str]) -> bool:
        others = self._memory.memory.read(
            "SELECT net, tax FROM red_forms WHERE code = ? AND no = ? AND form_no <> ? AND status IN (?, ?)",
            (form["code"], form["no"], form["form_no"], APPROVED, WRITTEN_OFF),
        )
        rows = [*others, (form["net"], form["tax"])]
        sums = [sum(-(fen(row[place]) or 0) for row in rows) for place in (0, 1)]
        return sums[0] > (fen(blue[2]) or 0) or sums[1] > (fen(blue[3]) or 0)

    async def _status(self, no: str, form_no: str) -> Reply:
        async with self._memory.ordering:
            form = self._own(no, form_no)
            if form["status"] == LOOKED_INTO:
                form |= await self._verdict(form)
                await self._keep(form)
        return Reply.of(form)

    async def _cancel(self, no: str, form_no: str) -> Reply:
        async with self._memory.ordering:
            form = self._own(no, form_no)
            if form["status"] == WRITTEN_OFF:
                raise BureauRefusal("信息表已核销，不能撤销")
            form |= {"status": CANCELLED, "message": "已撤销"}
            await self._keep(form)
        return Reply.of(form)

    async def _by_number(self, number: str) -> Reply:
        form = self._form("red_form_no", number) if number else None
        if form is None:
            raise BureauRefusal("无此信息表")
        return Reply.of(form)

    def _own(self, no: str, form_no: str) -> dict[str, str]:
        form = self._form("form_no", form_no)
        if form is None or form["device_no"] != no:
            raise BureauRefusal("无此信息表")
        return form

    def _form(self, column: str, value: str) -> dict[str, str] | None:
        rows = self._memory.memory.read(f"SELECT {', '.join(_COLUMNS)} FROM red_forms WHERE {column} = ?", (value,))
        return dict(zip(_COLUMNS, rows[0], strict=True)) if rows else None

    async def _keep(self, form: dict[str, str]) -> None:
        await self._memory.memory.write([_form_row(form)])

    # --- red invoices

    def _receipt(self, code: str, no: str) -> tuple[str, str, str, str] | None:
        """(taxpayer, kind, net, tax) of an invoice the bureau has."""
        rows = self._memory.memory.read(
            "SELECT taxpayer_id, kind, net, tax FROM receipts WHERE code = ? AND no = ?", (code, no)
        )
        return rows[0] if rows else None

    def problem(self, taxpayer_id: str, invoice: Uploaded) -> str:
        """Why a red invoice that comes for the first time is not accepted; empty when it is, or when it is blue."""
        if invoice.direction != "red":
            return ""
        blue = self._receipt(invoice.original_code, invoice.original_no)
        if blue is None or blue[0] != taxpayer_id or (fen(blue[2]) or 0) <= 0:
            return "蓝字发票不存在"
        key = (invoice.original_code, invoice.original_no)
        rows = self._memory.memory.read(
            "SELECT net_fen, tax_fen FROM red_receipts WHERE original_code = ? AND original_no = ?", key
        )
        here = [one for one in self._others(invoice) if (one.original_code, one.original_no) == key]
        rows += [(fen(one.net_total) or 0, fen(one.tax_total) or 0) for one in (*here, invoice)]
        if any(-sum(row[place] for row in rows) > (fen(blue[place + 2]) or 0) for place in (0, 1)):
            return "红字金额超过蓝字发票"
        if invoice.kind in SPECIAL and not self._usable(invoice):
            return "信息表不可用"
        self._arriving[invoice.invoice_code, invoice.invoice_no] = invoice
        return ""

    def _others(self, invoice: Uploaded) -> list[Uploaded]:
        """Red invoices that arrived and are not on disk yet, besides this one."""
        own = (invoice.invoice_code, invoice.invoice_no)
        return [one for number, one in self._arriving.items() if number != own]

    def _usable(self, invoice: Uploaded) -> bool:
        if any(one.red_form_no == invoice.red_form_no for one in self._others(invoice)):
            return False
        form = self._form("red_form_no", invoice.red_form_no) if invoice.red_form_no else None
        return form is not None and form["status"] == APPROVED

    def rows(self, invoice: Uploaded) -> list[Statement]:
        """What is remembered with the receipt of a red invoice; its form is written off."""
        if invoice.direction != "red":
            return []
        totals = (fen(invoice.net_total) or 0, fen(invoice.tax_total) or 0)
        row = (invoice.invoice_code, invoice.invoice_no, invoice.original_code, invoice.original_no, *totals)
        found: list[Statement] = [
            ("INSERT OR IGNORE INTO red_receipts VALUES (?, ?, ?, ?, ?, ?, ?)", (*row, invoice.red_form_no))
        ]
        form = self._form("red_form_no", invoice.red_form_no) if invoice.red_form_no else None
        if form is not None:
            found.append(_form_row(form | {"status": WRITTEN_OFF, "message": "已核销"}))
        return found

    def written(self, code: str, no: str) -> None:
        """The receipt of an invoice is on disk."""
        self._arriving.pop((code, no), None)


def _form_row(form: dict[str, str]) -> Statement:
    places = ", ".join("?" * len(_COLUMNS))
    return f"INSERT OR REPLACE INTO red_forms VALUES ({places})", tuple(form[name] for name in _COLUMNS)
