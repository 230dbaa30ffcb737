"""Reports, schedules and upload results as the API tells them."""

from __future__ import annotations

from typing import Any

Record = dict[str, Any]
TOTALS = {
    "blue_count": 3, "blue_net": "300.00", "blue_tax": "39.00", "red_count": 0, "red_net": "0.00", "red_tax": "0.00",
    "void_count": 0,
}  # fmt: skip


def report(number: int, **more: Any) -> Record:
    return {
        "id": f"report-{number}",
        "version": 2,
        "taxpayer_id": "91990003MA0000015Q",
        "device_id": "device-3",
        "device_no": "499900000003",
        "kind": "026",
        "period": "2026-10",
        "report_from": "2026-10-01",
        "report_to": "2026-10-31",
        "deadline": "2026-11-16",
        "days_left": -6,
        "state": "verified",
        "standing": "locked",
        "summary": {**TOTALS, "blue_net": "310.00"},
        "ledger_totals": TOTALS,
        "differences": ["blue_net"],
        "totals_accepted": {},
        "refusals": [{"at": "2026-11-22T03:00:00.000Z", "step": "clear", "code": "300005", "text": "未申报"}],
        "stopped": {"code": "return_not_filed", "message": "未申报", "remedy": "申报", "runbook": "report-and-clear"},
        "reported_at": "2026-11-22T02:00:00.000Z",
        "open_job": None,
        "allowed": [{"verb": "verify", "enabled": True, "why": ""}, {"verb": "clear", "enabled": False, "why": "未申报"}],
        **more,
    }


def schedule(**more: Any) -> Record:
    return {
        "id": "schedule-1", "version": 1, "taxpayer_id": None, "hour": 8, "minute": 0, "at": "08:00",
        "days_before": 5, "state": "enabled", "allowed": [{"verb": "disable", "enabled": True, "why": ""}], **more,
    }  # fmt: skip


def upload(number: int, **more: Any) -> Record:
    return {
        "id": f"invoice-{number:06d}",
        "version": 3,
        "taxpayer_id": "91990003MA0000015Q",
        "device_id": "device-3",
        "device_no": "499900000003",
        "kind": "026",
        "invoice_code": "033022600111",
        "invoice_no": f"{number:08d}",
        "status": "uploaded",
        "code": "1",
        "text": "",
        "at": "2026-11-22T03:00:05.000Z",
        "receipt_no": "R" * 32,
        **more,
    }
