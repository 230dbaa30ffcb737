"""The simulated tax bureau: clock, commission, certificates, grants of numbers, and uploads accepted exactly once."""

from __future__ import annotations

import asyncio
import hmac
from collections.abc import Awaitable, Callable
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

import msgspec
from msgspec import Struct

from agents.simulated import bureau_reports, calendar, certificate_desk, numbers, red_desk, seal_desk
from agents.simulated.bureau_memory import SCHEMA, BureauMemory, BureauRefusal, DeviceRecord
from agents.simulated.bureau_reports import ReportDesk
from agents.simulated.bureau_tables import TableDesk
from agents.simulated.certificate_desk import CertificateDesk
from agents.simulated.faults import TRANSPORT, Faults, strike
from agents.simulated.http_peer import Reply, Request
from agents.simulated.memory import Memory, Statement
from agents.simulated.red_desk import RedDesk
from agents.simulated.scenario import PACING, BureauConfig, TaxpayerProfile
from agents.simulated.seal_desk import SealDesk
from agents.simulated.stock_desk import StockDesk

TARGET = "bureau"


class UploadedInvoice(Struct):
    """One invoice as a device submits it; ``issued_at`` is device time, totals are decimal text."""

    invoice_code: str
    invoice_no: str
    kind: str
    issued_at: str
    net_total: str
    tax_total: str
    gross_total: str
    payload_hash: str
    serial: str
    signature: str
    direction: str = "blue"
    original_code: str = ""
    original_no: str = ""
    red_form_no: str = ""

    def signed(self) -> list[str]:
        """The facts under the signature, in their order."""
        totals = [self.net_total, self.tax_total, self.gross_total]
        return [self.invoice_code, self.invoice_no, self.kind, self.issued_at, *totals, self.payload_hash]


class _Upload(Struct):
    invoices: list[UploadedInvoice]


class Desk(Protocol):
    """A counter of the bureau (窗口): further calls in a file of their own."""

    def route(self, request: Request) -> tuple[str, Callable[[], Awaitable[Reply]]] | None:
        """The call's name (as faults know it) and its work; None when it is not for this desk."""
        ...


class Bureau:
    """Answers tax servers. All it acknowledges is on disk; every call may be repeated without a second effect."""

    def __init__(
        self,
        config: BureauConfig,
        clock: Callable[[], datetime] = calendar.now_utc,
        on_failure: Callable[[], None] | None = None,
    ) -> None:
        self._config = config
        self._clock = clock
        schema = SCHEMA + bureau_reports.SCHEMA + certificate_desk.SCHEMA + seal_desk.SCHEMA + red_desk.SCHEMA
        self.memory = BureauMemory(Memory(Path(config.state_dir) / "bureau.sqlite", schema, on_failure=on_failure))
        self.faults = Faults(config.seed)
        self.slow = False
        self._arriving: dict[tuple[str, str], str] = {}
        sczs, scsjjg = PACING[config.profile]
        self.reports = ReportDesk(config, self.memory, clock)
        self._certificates = CertificateDesk(config, self.memory, clock)
        self._reds = RedDesk(self.memory, self.faults)
        self._desks: tuple[Desk, ...] = (
            self.reports,
            self._reds,
            self._certificates,
            TableDesk(config, self.memory, self.profile_of),
            StockDesk(self.memory, config, clock),
            SealDesk(config, self.memory, clock, self.faults),
        )
        self._pacing = {"sczs": config.sczs or sczs, "scsjjg": scsjjg if config.scsjjg is None else config.scsjjg}

    async def handle(self, request: Request) -> Reply | None:
        """One call over the bureau's line, under its faults."""
        name, work = self._route(request)
        fault = self.faults.take((TARGET,), name, TRANSPORT)

        async def execute() -> Reply:
            late = self.faults.take((TARGET,), name, ("slow",))
            if self.slow or late:
                await asyncio.sleep(late.wait() if late else self._config.slow_seconds / self._config.speed)
            try:
                return await work()
            except BureauRefusal as refusal:
                return Reply.of({"message": str(refusal)}, 409)
            except (msgspec.DecodeError, KeyError, TypeError, ValueError) as error:
                return Reply.of({"message": f"报文错误: {error}"}, 400)

        return await strike(fault, execute)

    def _route(self, request: Request) -> tuple[str, Callable[[], Awaitable[Reply]]]:
        """The call's name (as faults know it) and its work."""
        match request.method, request.path.strip("/").split("/"):
            case "GET", ["clock"]:
                return "CLOCK", self._tell_time
            case "GET", ["receipts"]:
                return "RECEIPTS", lambda: self._list_receipts(request.query)
            case "POST", ["servers", no, "commission"]:
                return "COMMISSION", lambda: self._commission_server(no, request.json())
            case "POST", ["servers", no, "certify"]:
                return "CERTIFY", lambda: self._certify_server(no)
            case "POST", ["devices"]:
                return "COMMISSION", lambda: self._commission_device(request.json())
            case "GET", ["devices", no, "company"]:
                return "COMPANY", lambda: self._company(no)
            case "POST", ["devices", no, "certify"]:
                return "CERTIFY", lambda: self._certify_device(no)
            case "POST", ["devices", no, "uploads"]:
                return "SUBMIT", lambda: self._submit(no, request.body)
            case "GET", ["uploads", acceptance_no]:
                return "RESULT", lambda: self._result(acceptance_no)
        for desk in self._desks:
            found = desk.route(request)
            if found is not None:
                return found
        return "UNKNOWN", self._unknown

    async def _unknown(self) -> Reply:
        return Reply.of({"message": "no such call"}, 404)

    async def _tell_time(self) -> Reply:
        return Reply.of({"now": calendar.stamp(self._clock())})

    async def _list_receipts(self, query: dict[str, str]) -> Reply:
        return Reply.of(self.memory.receipts(query.get("taxpayer_id"), query.get("device_no")))

    async def _commission_server(self, no: str, body: dict[str, Any]) -> Reply:
        known = self.memory.server(no)
        at = known[1] if known else calendar.stamp(self._clock())
        if not known:
            await self.memory.memory.write(
                [("INSERT OR IGNORE INTO servers VALUES (?, ?, ?, '')", (no, str(body["area"]), at))]
            )
        return Reply.of({"commissioned_at": at})

    async def _certify_server(self, no: str) -> Reply:
        known = self.memory.server(no)
        if known is None:
            raise BureauRefusal("税控服务器未发行")
        not_after = self._certificates.new_end()
        await self.memory.memory.write([("UPDATE servers SET not_after = ? WHERE tax_server_no = ?", (not_after, no))])
        return Reply.of({"not_after": not_after, "issued_at": self._now(), **_authority(known[0])})

    def _now(self) -> str:
        return calendar.stamp(self._clock())

    async def _commission_device(self, body: dict[str, Any]) -> Reply:
        server = self.memory.server(str(body["tax_server_no"]))
        if server is None or not server[2]:
            raise BureauRefusal("税控服务器未发行或未制证")
        taxpayer = (str(body["taxpayer_id"]), str(body["taxpayer_name"]))
        device_no = await self.memory.commission(
            str(body["tax_server_no"]), str(body["request"]), taxpayer, str(body["area"])
        )
        return Reply.of({"device_no": device_no})

    def _device(self, no: str) -> DeviceRecord:
        device = self.memory.device(no)
        if device is None:
            raise BureauRefusal("虚拟设备未发行")
        if self._certificates.cancelled(no):
            raise BureauRefusal("虚拟设备已注销")
        return device

    def _profile(self, device: DeviceRecord) -> TaxpayerProfile:
        return self.profile_of(device.taxpayer_id)

    def profile_of(self, taxpayer_id: str) -> TaxpayerProfile:
        """How the bureau knows a taxpayer: as it was set while running, else as configured, else by default."""
        known = self.memory.profile(taxpayer_id)
        if known is not None:
            return msgspec.json.decode(known, type=TaxpayerProfile)
        return self._config.taxpayers.get(taxpayer_id) or TaxpayerProfile()

    async def _company(self, no: str) -> Reply:
        device = self._device(no)
        profile = self._profile(device)
        flags = {"tdqy": "00", "ncpqy": "00", "xgmkjzpbs": "00", "cpybs": "00", "esjdcbz": "00", "jdcqy": "00"}
        return Reply.of(
            {
                "taxpayer_id": device.taxpayer_id,
                "taxpayer_name": device.taxpayer_name,
                "taxpayer_kind": profile.kind,
                "may_issue": profile.may_issue,
                "flags": flags | profile.flags,
                **_authority(device.area),
            }
        )

    async def _certify_device(self, no: str) -> Reply:
        device = self._device(no)
        not_after = self._certificates.new_end()
        await self.memory.memory.write([("UPDATE devices SET not_after = ? WHERE device_no = ?", (not_after, no))])
        profile = self._profile(device)
        today = calendar.today(self._clock())
        return Reply.of(
            {
                "not_after": not_after,
                "issued_at": self._now(),
                "key": numbers.device_key(self._config.seed, no),
                "kinds": self._kinds(profile),
                "rates": profile.rates or calendar.rates_on(profile.kind, today),
                "pacing": self._pacing,
            }
        )

    def _kinds(self, profile: TaxpayerProfile) -> list[dict[str, Any]]:
        today = calendar.today(self._clock())
        period = calendar.open_period(today)

        def first(wish: Any, default: Any) -> Any:
            return default if wish is None else wish

        return [
            {
                "kind": limits.kind,
                "issue_deadline": calendar.day(period.deadline),
                "report_from": calendar.day(period.first),
                "report_to": calendar.day(period.last),
                "last_report_date": calendar.day(period.first),
                "upload_deadline_day": period.deadline.day,
                "single_limit": profile.single_limits.get(limits.kind, limits.single_limit),
                "offline_max_hours": first(profile.offline_max_hours, limits.offline_max_hours),
                "offline_max_count": first(profile.offline_max_count, limits.offline_max_count),
                "offline_max_amount": first(profile.offline_max_amount, limits.offline_max_amount),
                "red_needs_original": profile.red_needs_original,
                "red_max_days": profile.red_max_days,
            }
            for limits in calendar.kinds_on(today)
        ]

    async def _submit(self, no: str, body: bytes) -> Reply:
        """Take a batch: its results are fixed with the acceptance, and fetched by a second call."""
        device = self._device(no)
        upload = msgspec.json.decode(body, type=_Upload)
        acceptance_no = self.memory.next_acceptance()
        now = calendar.stamp(self._clock())
        results = [self._receive(device, invoice, now) for invoice in upload.invoices]
        receipts = [
            statement
            for invoice, result in zip(upload.invoices, results, strict=True)
            if result["state"] == "accepted"
            for statement in (_receipt_row(device, invoice, result), *self._reds.rows(invoice))
        ]
        kept = ("INSERT INTO acceptances VALUES (?, ?)", (acceptance_no, msgspec.json.encode(results)))
        await self.memory.memory.write([*receipts, kept])
        for invoice in upload.invoices:
            self._arriving.pop((invoice.invoice_code, invoice.invoice_no), None)
            self._reds.written(invoice.invoice_code, invoice.invoice_no)
        return Reply.of({"acceptance_no": acceptance_no, "pacing": self._pacing})

    def _receive(self, device: DeviceRecord, invoice: UploadedInvoice, now: str) -> dict[str, str]:
        code, no = invoice.invoice_code, invoice.invoice_no
        expected = numbers.signature(
            numbers.device_key(self._config.seed, device.device_no), device.device_no, invoice.signed()
        )
        state, message, receipt_no, received_at = "accepted", "", numbers.receipt_no(self._config.seed, code, no), now
        known = self.memory.receipt(code, no)
        payload = known[0] if known else self._arriving.get((code, no))
        value = numbers.parse_number(no)
        if not device.not_after or not hmac.compare_digest(expected, invoice.signature):
            state, message = "signature_rejected", "验签失败"
        elif value is None or not self.memory.owns(device.device_no, code, value):
            state, message = "failed", "发票号码未发放给该设备"
        elif payload is not None and payload != invoice.payload_hash:
            state, message = "failed", "该发票号码已上传且内容不一致"
        elif known:
            received_at = known[2]
        elif problem := self._reds.problem(device.taxpayer_id, invoice):
            state, message = "failed", problem
        else:
            self._arriving[code, no] = invoice.payload_hash
        if state != "accepted":
            receipt_no = received_at = ""
        return {
            "invoice_code": code,
            "invoice_no": no,
            "state": state,
            "message": message,
            "receipt_no": receipt_no,
            "received_at": received_at,
        }

    async def _result(self, acceptance_no: str) -> Reply:
        results = self.memory.results(acceptance_no)
        if results is None or self.faults.take((TARGET,), "RESULT", ("not_found",)):
            return Reply.of({"message": "无此受理序列号"}, 404)
        return Reply(b'{"results":%s,"pacing":%s}' % (results, msgspec.json.encode(self._pacing)))


def _receipt_row(device: DeviceRecord, invoice: UploadedInvoice, result: dict[str, str]) -> Statement:
    row = (
        *(invoice.invoice_code, invoice.invoice_no, device.taxpayer_id, device.device_no, invoice.kind),
        *(invoice.net_total, invoice.tax_total, invoice.gross_total, invoice.serial, invoice.payload_hash),
        *(result["receipt_no"], result["received_at"]),
    )
    return "INSERT OR IGNORE INTO receipts VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", row


def _authority(area: str) -> dict[str, str]:
    return {"authority_code": f"1{area}000000", "authority_name": f"国家税务总局（{area}）税务局"}
