"""The rest of the small fleet: people and their stops, seals, releases, proxies, alerts, letters and batches."""

from __future__ import annotations

from typing import Any

from tests.console.plane import Plane

Record = dict[str, Any]
_REGISTERED = "2026-11-01T00:00:00.000Z"
_TODAY = "2026-11-22T02:30:00.000Z"


def may(*verbs: str) -> list[Record]:
    """These verbs, allowed now."""
    return [{"verb": verb, "enabled": True, "why": ""} for verb in verbs]


def person(number: int, **more: Any) -> Record:
    return {
        "id": f"person-{number}",
        "version": 2,
        "kind": "person",
        "name": ("李明", "王芳", "ERP 接口")[number - 1],
        "role": "operator",
        "state": "active",
        "everything": False,
        "taxpayers": ["91990001MA0000015Q"],
        "regions": ["3302"],
        "must_change_password": False,
        "password_expires_at": None,
        "last_sign_in": _TODAY,
        "open_sessions": 1,
        "tokens": [
            {"id": "token-1", "label": "ERP", "created_at": _REGISTERED, "expires_at": "2026-12-31T00:00:00.000Z"}
        ],
        "created_at": _REGISTERED,
        "updated_at": _REGISTERED,
        "allowed": may("change_role", "disable"),
        **more,
    }


def session(number: int, **more: Any) -> Record:
    return {
        "id": f"session-{number}",
        "version": 1,
        "principal_id": "person-1",
        "principal_name": "李明",
        "role": "operator",
        "kind": "session",
        "label": "",
        "state": "open",
        "current": number == 1,
        "created_at": _TODAY,
        "expires_at": "2026-11-22T14:30:00.000Z",
        "revoked_at": None,
        "allowed": may("revoke"),
        **more,
    }


STOP: Record = {
    "id": "stop-0", "version": 2, "target_noun": "virtual-devices", "target_id": "device-2",
    "target_name": "499900000002", "taxpayer_id": "91990002MA0000015Q", "region": "3100", "state": "resumed",
    "reason": "商户来电, 疑似重复开具", "stopped_by": "王芳", "stopped_by_id": "person-2", "created_at": _TODAY,
    "resumed_by": "李明", "resumed_at": _TODAY, "resume_reason": "已核对, 无重复", "updated_at": _TODAY, "allowed": [],
}  # fmt: skip


def seal(number: int, **more: Any) -> Record:
    return {
        "id": f"seal-{number}",
        "version": 5,
        "tax_server_id": f"server-{number}",
        "area_code": ("3100", "3302")[number - 1],
        "seal_name": ("上海市税务局监制章", "宁波市税务局监制章")[number - 1],
        "state": "in_use",
        "condition": "in_use",
        "place": "current",
        "replaces": None,
        "usable": True,
        "expiry": "ok",
        "expires_in_days": 220,
        "expiry_rung": None,
        "not_after": "2027-06-30T00:00:00.000Z",
        "invoices_per_day": 1840,
        "key_index": "1",
        "public_key": "04" + "9f" * 64,
        "algorithm": "sm2",
        "application_no": "YZ2026110001",
        "bureau_status": "1",
        "bureau_message": "",
        "handler_name": "李*",
        "handler_mobile": "138****0001",
        "handler_id": "3101**********0012",
        "tested_at": _TODAY,
        "test": {"at": _TODAY, "passed": True, "cause": None},
        "request": None,
        "successor_id": None,
        "open_job": None,
        "allowed": may("test"),
        **more,
    }


def release(number: int, **more: Any) -> Record:
    return {
        "id": f"release-{number}",
        "product": "tax_server",
        "release_version": f"V4.{number}.0",
        "released_on": f"2026-1{number - 1}-01",
        "effective_on": "2026-12-01",
        "notes": "修复税率 1% 的取值",
        "first_seen_at": _REGISTERED,
        "first_seen_on": "server-1",
        **more,
    }


def place(number: int, **more: Any) -> Record:
    return {
        "id": f"server-{number}",
        "noun": "tax-servers",
        "product": "tax_server",
        "tax_server_id": f"server-{number}",
        "tax_server_no": f"SK31000{number}",
        "running": "V4.1.0",
        "status": "update_available",
        "newest": "V4.2.0",
        "due_on": "2026-12-01",
        "days": 9,
        "checked_at": _TODAY,
        "last_upgrade": None,
        "open_job": None,
        **more,
    }


FULL: Record = {
    "code": "proxy_connections_high",
    "message": "连接 96 个, 上限 100 个",
    "message_en": "96 connections of at most 100",
    "remedy": "调高上限或查明谁占着连接",
    "remedy_en": "Raise the limit or find who holds the connections",
    "runbook": "secure-proxy",
    "details": {"connections": 96},
}


def proxy(number: int, **more: Any) -> Record:
    return {
        "id": f"proxy-{number}",
        "version": 2,
        "tax_server_id": f"server-{number}",
        "name": f"安全代理 {number}",
        "host": "10.8.0.9",
        "port": 9100,
        "vip_host": None,
        "vip_port": None,
        "use_platform_key": True,
        "max_connections": 100,
        "protocol": "https",
        "login_account": "ops",
        "socket_connections": 20,
        "offline_interval_hours": 2,
        "login_kind": 1,
        "log_level": 2,
        "state": "active",
        "running_version": "V2.0.1",
        "reported": {"version": "V2.0.1", "running": True, "connections": 12, "max_connections": 100, "areas": 2},
        "connections": 12,
        "differing": [],
        "warnings": [],
        "read_at": _TODAY,
        "open_job": None,
        "allowed": may("read"),
        **more,
    }


def alert_rule(number: int, **more: Any) -> Record:
    return {
        "id": f"rule-{number}",
        "version": 1,
        "name": ("全部线路", "宁波上传")[number - 1],
        "scope": ("all", "services")[number - 1],
        "scope_values": [[], ["upload_rsa"]][number - 1],
        "recipients": ["oncall@example.com"],
        "open_after": 2,
        "close_after": 2,
        "state": "enabled",
        "open_alerts": number - 1,
        "created_at": _REGISTERED,
        "updated_at": _REGISTERED,
        "allowed": may("change", "disable", "test"),
        **more,
    }


def flip(number: int, **more: Any) -> Record:
    return {
        "id": f"flip-{number}",
        "rule_id": "rule-2",
        "rule_name": "宁波上传",
        "line_id": "line-2",
        "region": "宁波",
        "area_code": "3302",
        "service": "upload_rsa",
        "target": "https://bureau.example:443",
        "vantage": "local",
        "move": "opened",
        "slot": _TODAY,
        "at": _TODAY,
        "failing_phase": "tls",
        "reason": "certificate expired",
        "mails": [{"recipient": "oncall@example.com", "delivery_id": "mail-1", "state": "sent"}],
        **more,
    }


def delivery(number: int, **more: Any) -> Record:
    return {
        "id": f"mail-{number}",
        "channel": "mail",
        "recipient": "oncall@example.com",
        "subject": "[taxplane] 宁波 上传 异常",
        "cause": "flip-1",
        "state": "sent",
        "attempts": 1,
        "next_try_at": None,
        "last_error": "",
        "sent_at": _TODAY,
        "created_at": _TODAY,
        **more,
    }


def batch(number: int, **more: Any) -> Record:
    row = {
        "line": 2, "id": "device-1", "device_no": None, "taxpayer_id": "91990001MA0000015Q", "name": "虚拟设备 1",
        "tax_server_id": "server-1", "state": "registered", "to_ready": True, "version": 1, "open_job": None,
        "next_step": "apply", "stopped": True,
        "last_refusal": {"code": "no_quota", "message": "没有剩余额度", "remedy": "先扩容", "runbook": "quota"},
    }  # fmt: skip
    return {
        "id": f"batch-{number}",
        "version": 1,
        "requested_by": "李明",
        "digest": "ab" * 32,
        "total": 20,
        "ready": 12,
        "stopped": 1,
        "states": {"ready": 12, "registered": 8},
        "rows": [row],
        "created_at": _TODAY,
        "updated_at": _TODAY,
        **more,
    }


def furnish(plane: Plane) -> None:
    """Put all of them into a plane."""
    plane.fill("people", [person(1), person(2, state="disabled"), person(3, kind="front_end", role="front_end")])
    plane.fill("sessions", [session(1), session(2, kind="token", label="ERP", state="revoked")])
    plane.fill("stops", [STOP])
    plane.fill("seals", [seal(1), seal(2, condition="expired", expiry="expired", expires_in_days=-3, usable=False)])
    plane.fill("releases", [release(1), release(2, effective_on=None)])
    plane.fill("releases/matrix", [place(1), place(2, status="overdue", due_on="2026-11-01", days=-21)])
    plane.fill("secure-proxies", [proxy(1), proxy(2, connections=96, warnings=[FULL], differing=["log_level"])])
    plane.fill("alert-rules", [alert_rule(1), alert_rule(2)])
    plane.fill("alert-flips", [flip(1), flip(2, move="closed", failing_phase="", reason="")])
    plane.fill("deliveries", [delivery(1), delivery(2, state="deferred", sent_at=None, last_error="451 稍后再试")])
    plane.fill("batches", [batch(1), batch(2, ready=20, stopped=0, rows=[])])
