"""A small fleet as the API would show it: three tax servers, seven devices, some of them in trouble."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from tests.console import office, tables
from tests.console.plane import Plane
from tests.console.reporting import report, schedule, upload

Record = dict[str, Any]
NOW = datetime(2026, 11, 22, 3, 4, 5, tzinfo=UTC)
"""11:04:05 in Shanghai."""

OK: Record = {"verdict": "ok", "cause": "fine", "text": "正常", "text_en": "fine", "minutes_until_stop": None}
EMPTY: Record = {
    "verdict": "stopped",
    "cause": "no_stock",
    "text": "设备 499900000003 终端 1 没有票种 026 的可用号码",
    "text_en": "Device 499900000003, terminal 1 has no numbers of kind 026 left",
    "remedy": "申领、领用并分发号段; 到票后自动继续",
    "remedy_en": "Apply for, receive and distribute numbers; waiting invoices then go on",
    "runbook": "stock-empty",
    "minutes_until_stop": 0,
}
DRIFT: Record = {
    "verdict": "warn",
    "cause": "clock_off",
    "text": "时钟相差 412 秒",
    "text_en": "the clock is off by 412 seconds",
    "remedy": "",
    "runbook": "clock-off",
    "minutes_until_stop": None,
}
LOST: Record = {
    "verdict": "unknown",
    "cause": "device_facts_old",
    "text": "读数已有 14 分钟",
    "text_en": "last read 14 min ago",
    "runbook": "agent-lost",
    "minutes_until_stop": None,
}
NAMES = ("上海云帆贸易有限公司", "宁波甬江电子商务有限公司", "深圳前海数码科技有限公司", "Acme 中国", "厦门鹭岛茶业")
VERBS = ("calibrate", "read", "add_terminal", "apply", "receive", "distribute", "suspend")


def at(minutes: float = 0) -> str:
    """A time so many minutes ago."""
    return (NOW - timedelta(minutes=minutes)).strftime("%Y-%m-%dT%H:%M:%S.000Z")


def server(number: int, **more: Any) -> Record:
    return {
        "id": f"server-{number}",
        "version": 3,
        "tax_server_no": f"SK31000{number}",
        "name": ("上海一号", "宁波一号", "深圳一号")[number - 1],
        "region": ("3100", "3302", "4403")[number - 1],
        "host": "10.8.0.1",
        "port": 7000 + number,
        "state": "certified",
        "quota_total": 100,
        "quota_left": 86,
        "kernel_version": "V4.2",
        "clock_offset_seconds": 1.4,
        "certificate_not_after": "2027-06-30T00:00:00.000Z",
        "certificate_issued_at": "2025-06-30T00:00:00.000Z",
        "certificate_stage": "formal_synced",
        "certificate": {
            "status": "00",
            "days_left": 219,
            "step": None,
            "renewal_due_at": "2026-10-29T00:00:00.000Z",
            "renewal_due": True,
        },
        "read_at": at(1),
        "agent_id": "agent-1",
        "health": OK,
        "allowed": [
            {"verb": "synchronise", "enabled": True, "why": ""},
            {"verb": "calibrate", "enabled": True, "why": ""},
            {"verb": "suspend", "enabled": True, "why": ""},
            {"verb": "commission", "enabled": False, "why": "状态 certified 不能 commission"},
        ],
        **more,
    }


def device(number: int, server_number: int, **more: Any) -> Record:
    return {
        "id": f"device-{number}",
        "version": 7,
        "device_no": f"49990000000{number}",
        "tax_server_id": f"server-{server_number}",
        "tax_server_no": f"SK31000{server_number}",
        "taxpayer_id": f"9199000{number}MA0000015Q",
        "taxpayer_name": NAMES[number % len(NAMES)],
        "name": f"虚拟设备 {number}",
        "state": "ready",
        "open_job": None,
        "clock_offset_seconds": 0.6,
        "bureau_online": True,
        "bureau_message": "",
        "offline_since": None,
        "waiting_uploads": 2,
        "waiting_invoices": 0,
        "issued_today": 120 * number,
        "kinds": [
            {"kind": "026", "single_limit": "100000.00", "issue_deadline": "20261215"},
            {"kind": "028", "single_limit": "1000000.00", "issue_deadline": "20261215"},
        ],
        "rates": ["0.13", "0.06"],
        "reachable": True,
        "read_at": at(0.5),
        "stock": {"026": 4200, "028": 900},
        "certificate_not_after": "2027-03-31T00:00:00.000Z",
        "health": OK,
        "allowed": [{"verb": verb, "enabled": True, "why": ""} for verb in VERBS]
        + [{"verb": "commission", "enabled": False, "why": "设备已发行"}],
        **more,
    }


def invoice(number: int, **more: Any) -> Record:
    return {
        "id": f"invoice-{number:06d}",
        "version": 2,
        "taxpayer_id": "91990001MA0000015Q",
        "request_id": f"R{number:06d}",
        "order_no": f"D{number:06d}",
        "state": "issued",
        "upload_status": "uploaded",
        "kind": "026",
        "direction": "blue",
        "created_at": at(number / 60),
        "issued_at": at(number / 60),
        "uploaded_at": at(0),
        "upload_receipt_no": "SL20261122000001",
        "device_id": "device-1",
        "device_no": "499900000001",
        "virtual_device_no": "499900000001",
        "terminal_code": "1",
        "invoice_code": "031002600111",
        "invoice_no": f"{number:08d}",
        "check_code": "12345678901234567890",
        "buyer": {"name": "北京某某科技有限公司", "tax_id": "91990000MA0000AB0C"},
        "seller": {"name": NAMES[1], "tax_id": "91990001MA0000015Q"},
        "choice": {"device_no": "499900000001", "text": "库存最多的设备", "text_en": "the device with most stock"},
        "net_total": "100.00",
        "tax_total": "13.00",
        "gross_total": "113.00",
        "lines": [
            {
                "item_name": "*纸制品*打印纸",
                "quantity": "1",
                "unit_price": "100.00",
                "amount": "100.00",
                "rate": "0.13",
                "tax": "13.00",
            }
        ],
        "attempts": [{"invoice_id": f"invoice-{number:06d}", "request_id": f"R{number:06d}", "state": "issued"}],
        "jobs": [job(number)],
        "waiting_reason": None,
        "refusal": None,
        **more,
    }


def job(number: int, **more: Any) -> Record:
    return {
        "id": f"job-{number:06d}",
        "version": 3,
        "kind": "invoice.issue",
        "state": "done",
        "device_no": "499900000001",
        "tax_server_no": "SK310001",
        "subject_noun": "invoices",
        "subject_id": f"invoice-{number:06d}",
        "taxpayer_id": "91990001MA0000015Q",
        "attempts": 1,
        "epoch": 4,
        "agent_id": "agent-1",
        "created_at": at(number / 60),
        "leased_at": at(0),
        "settled_at": at(0),
        "code": "",
        "message": "",
        "trail": [
            {"at": at(0.2), "what": "queued", "detail": "front-end"},
            {"at": at(0.1), "what": "leased", "detail": "epoch 4"},
            {"at": at(0), "what": "done", "detail": ""},
        ],
        **more,
    }


WAITING: Record = {
    "code": "no_stock",
    "message": EMPTY["text"],
    "remedy": EMPTY["remedy"],
    "runbook": "stock-empty",
    "details": {"device_no": "499900000003", "terminal_code": "1", "kind": "026"},
}
REFUSED: Record = {
    "code": "over_single_limit",
    "message": "票种 026 单张限额 100000.00, 超出 0.01",
    "remedy": "拆分后重新提交",
    "runbook": "single-limit",
    "details": {},
}


def standard() -> Plane:
    """The plane most tests look at."""
    plane = Plane()
    plane.fill("tax-servers", [server(1), server(2), server(3, agent_id="agent-2", health=LOST)])
    plane.fill(
        "virtual-devices",
        [
            device(1, 1),
            device(2, 1, clock_offset_seconds=412.0, health=DRIFT),
            device(3, 2, stock={"026": 0, "028": 40}, waiting_invoices=5, health=EMPTY),
            device(4, 2),
            device(5, 3, health=LOST),
        ],
    )
    plane.fill(
        "invoices",
        [
            invoice(1),
            invoice(2, upload_status="not_uploaded", uploaded_at=None, upload_receipt_no=None),
            invoice(3, state="waiting", upload_status="not_uploaded", invoice_no=None, waiting_reason=WAITING,
                    device_id="device-3", virtual_device_no="499900000003", taxpayer_id="91990003MA0000015Q"),
            invoice(4, state="refused", upload_status="not_uploaded", invoice_no=None, refusal=REFUSED),
        ],
    )  # fmt: skip
    plane.fill("jobs", [job(1), job(2, state="unknown", code="", message="没有应答"), job(3, state="leased")])
    plane.fill(
        "agents",
        [
            agent(1),
            agent(2, heartbeat="lost", last_seen=at(14)),
        ],
    )
    plane.fill("segments", [segment(1), segment(2, state="on_device", terminal_code=None, left=500)])
    plane.fill("applications", [application(1), application(2, state="granted")])
    plane.fill("grants", [grant(1), grant(2, state="confirmed")])
    plane.fill("stock-alerts", [stock_alert(1), stock_alert(2, state="disabled", low=0)])
    plane.fill("terminals", [terminal(1)])
    plane.fill("red-forms", [RED_FORM])
    plane.fill("stock", [stock("026", 0), stock("028", 40), stock("007", 800)])
    plane.fill("operation-log", [log_row(1), log_row(2, outcome="refused", action="virtual-devices.suspend")])
    plane.fill("lines", [line(1), line(2, verdict="down", failing_phase="tls", service="确认平台")])
    plane.fill("taxpayers", [taxpayer()])
    plane.fill("reports", [report(1), report(2, state="cleared", standing="cleared", stopped={}, differences=[])])
    plane.fill("report-schedules", [schedule()])
    office.furnish(plane)
    tables.furnish(plane)
    plane.fill("uploads", [upload(1), upload(2, status="failed", code="2", text="验签失败", receipt_no=None)])
    return plane


RED_FORM: Record = {
    "id": "form-1", "taxpayer_id": "91990003MA0000015Q", "form_no": "499900000003261122110000", "state": "uploaded",
    "red_form_no": "", "invoice_id": "invoice-1", "kind": "028", "applicant": "seller", "status": "TZD0071",
    "status_text": "待查证", "message": "", "net_total": "20.00", "tax_total": "1.80", "next_actor": "bureau",
    "days_waited": 2, "invoice_code": "044002600211", "invoice_no": "00000007", "version": 2,
    "created_at": "2026-11-20T03:00:00.000Z", "allowed": [{"verb": "query", "enabled": True, "why": ""}],
    "lines": [{"line_no": 1, "amount": "20.00", "tax": "1.80", "quantity": "2"}],
}  # fmt: skip


def terminal(number: int, **more: Any) -> Record:
    return {
        "id": f"terminal-{number}",
        "device_id": "device-3",
        "device_no": "499900000003",
        "terminal_code": str(number),
        "terminal_name": "一号窗口",
        "taxpayer_id": "91990003MA0000015Q",
        "enabled": True,
        **more,
    }


def stock(kind: str, left: int, **more: Any) -> Record:
    return {
        "taxpayer_id": "91990003MA0000015Q",
        "device_id": "device-3",
        "device_no": "499900000003",
        "terminal_code": "1",
        "kind": kind,
        "left": left,
        "waiting": 0,
        "available": left,
        "read_at": at(1),
        **more,
    }


def taxpayer(**more: Any) -> Record:
    return {
        "id": "91990003MA0000015Q",
        "version": 1,
        "taxpayer_id": "91990003MA0000015Q",
        "name": NAMES[3],
        "taxpayer_kind": "general",
        "region": "3302",
        "may_issue": True,
        "created_at": at(6000),
        **tables.FILE,
        **more,
    }


def agent(number: int, **more: Any) -> Record:
    return {
        "id": f"agent-{number}",
        "version": 1,
        "name": f"host-{number}",
        "host_id": f"h-{number}",
        "state": "active",
        "heartbeat": "online",
        "last_seen": at(0.1),
        "agent_version": "0.1.0",
        "serves": [{"noun": "tax-servers", "tax_server_no": "SK310001"}],
        "created_at": at(600),
        **more,
    }


def segment(number: int, **more: Any) -> Record:
    return {
        "id": f"segment-{number}",
        "device_id": "device-3",
        "device_no": "499900000003",
        "taxpayer_id": "91990003MA0000015Q",
        "kind": "026",
        "invoice_code": "033022600111",
        "start_no": f"0000{number}001",
        "end_no": f"0000{number}500",
        "next_no": f"0000{number}001",
        "left": 0,
        "terminal_code": "1",
        "state": "exhausted",
        "received_on": "2026-11-01",
        "grant_no": "G1",
        **more,
    }


def log_row(seq: int, **more: Any) -> Record:
    return {
        "seq": seq,
        "at": at(seq),
        "actor_name": "小李",
        "actor_kind": "person",
        "action": "virtual-devices.calibrate",
        "noun": "virtual-devices",
        "subject_id": "device-2",
        "taxpayer_id": "91990002MA0000015Q",
        "reason": "早班巡检",
        "outcome": "allowed",
        "detail": {"kind": "026"},
        "request_id": "q-1",
        "hash": "ab" * 32,
        **more,
    }


def line(number: int, **more: Any) -> Record:
    return {
        "id": f"line-{number}",
        "region": "宁波",
        "service": "上传",
        "target": "https://bureau.example:443",
        "verdict": "ok",
        "failing_phase": "",
        "duration_ms": 41.5,
        "at": at(2),
        "history": [{"at": at(7), "verdict": "ok", "duration_ms": 40.0}],
        **more,
    }


def application(number: int, **more: Any) -> Record:
    return {
        "id": f"application-{number}",
        "device_id": "device-3",
        "device_no": "499900000003",
        "taxpayer_id": "91990003MA0000015Q",
        "kind": "026",
        "count": 500,
        "application_no": f"SL{number:010d}",
        "state": "applied",
        "message": "",
        "requested_by": "小李",
        "queried_at": None,
        "decided_at": None,
        "created_at": at(5),
        "version": 1,
        "grants": [grant(number)],
        "allowed": [{"verb": "query", "enabled": True, "why": ""}],
        **more,
    }


def grant(number: int, **more: Any) -> Record:
    return {
        "id": f"grant-{number}",
        "device_id": "device-3",
        "device_no": "499900000003",
        "taxpayer_id": "91990003MA0000015Q",
        "grant_no": f"LP{number:010d}",
        "application_no": f"SL{number:010d}",
        "kind": "026",
        "invoice_code": "033022600111",
        "start_no": f"0000{number}001",
        "end_no": f"0000{number}500",
        "state": "written",
        "message": "300001 无法连接税局",
        "count": 500,
        "used": 20,
        "returned": 100,
        "unused": 380,
        "unaccounted": 0,
        **more,
    }


def stock_alert(number: int, **more: Any) -> Record:
    return {
        "id": f"alert-{number}",
        "taxpayer_id": "91990003MA0000015Q",
        "device_id": None,
        "device_no": None,
        "kind": None,
        "threshold": 100,
        "recipients": ["a@example.com", "b@example.com"],
        "state": "enabled",
        "version": 1,
        "low": 1,
        "levels": [{"device_id": "device-3", "kind": "026", "level": "low", "left": 99, "at": at(9)}],
        "allowed": [{"verb": "test", "enabled": True, "why": ""}],
        **more,
    }
