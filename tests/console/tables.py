"""The tables of the small fleet: bureau addresses, code versions and codes, a taxpayer's file, what stops with what."""

from __future__ import annotations

from typing import Any

from tests.console.office import may
from tests.console.plane import Plane

Record = dict[str, Any]
_REGISTERED = "2026-11-01T00:00:00.000Z"

FILE: Record = {
    "state": "active",
    "warnings": [],
    "contacts": [{"id": "c-1", "name": "陈静", "duty": "财务", "phone": "13800000001", "mail": "chen@example.com"}],
    "flag_history": [
        {"name": "refined_oil", "value": "Y", "valid_from": "2026-01-01", "valid_to": "", "source": "fetched"}
    ],
    "fetches": [
        {
            "id": "fetch-1",
            "state": "pending",
            "requested_by": "李明",
            "message": "",
            "created_at": _REGISTERED,
            "applied": [],
            "diff": [
                {"field": "name", "old": "旧名称有限公司", "new": "新名称有限公司"},
                {"field": "flags.refined_oil", "old": None,
                 "new": {"value": "Y", "valid_from": "2026-01-01", "valid_to": ""}},
            ],
        }
    ],
    "leftovers": [{"what": "stock", "device_no": "499900000003", "kind": "028", "count": 40}],
    "allowed": may("fetch", "apply", "discard"),
}  # fmt: skip
"""What a single taxpayer's record tells besides the list's."""


def address(number: int, **more: Any) -> Record:
    return {
        "id": f"address-{number}",
        "version": 1,
        "area_code": "3302",
        "region": "宁波",
        "service": "upload_rsa",
        "carrier": "",
        "target": f"https://upload{number}.bureau.example:443",
        "valid_from": "",
        "valid_to": "2026-12-01T00:00:00.000Z",
        "enabled": True,
        "state": "enabled",
        "standing": "current",
        "note": "",
        "source": "公告",
        "removed_at": None,
        "created_at": _REGISTERED,
        "updated_at": _REGISTERED,
        "allowed": may("disable"),
        **more,
    }


def cell(status: str, **more: Any) -> Record:
    return {
        "id": f"3302.{status}",
        "area_code": "3302",
        "region": "宁波",
        "service": "upload_rsa",
        "status": status,
        "targets": ["https://upload1.bureau.example:443"],
        "enabled": True,
        **more,
    }


def code_version(number: int, **more: Any) -> Record:
    return {
        "id": f"codes-{number}",
        "version": 4,
        "wanted": "",
        "table_version": f"{number}.0",
        "published_on": "2026-10-01",
        "tax_server_id": "server-1",
        "state": "fetching",
        "valid_from": None,
        "digest": "",
        "total": 4000,
        "rows_done": 1000,
        "percent": 25,
        "current": False,
        "message": "",
        "requested_by": "李明",
        "open_job": None,
        "created_at": _REGISTERED,
        "updated_at": _REGISTERED,
        "allowed": may("stop"),
        **more,
    }


def code(number: int, **more: Any) -> Record:
    return {
        "id": f"{1060105000000000000 + number}",
        "code": f"{1060105000000000000 + number}",
        "name": "打印纸",
        "short_name": "纸制品",
        "rates": ["0.13"],
        "sum_only": False,
        "usable": True,
        "valid_from": "",
        "valid_to": "",
        "note": "",
        "version": "1.0",
        **more,
    }


IMPACT: Record = {
    "id": "server-2",
    "noun": "tax-servers",
    "state": "certified",
    "taxpayers": [
        {"taxpayer_id": "91990004MA0000015Q", "name": "厦门鹭岛茶业", "devices": ["499900000004"], "waiting_invoices": 0,
         "issued_today": 480, "gross_today": "54240.00", "take_over": {"026": ["499900000001"]}, "stops": []},
        {"taxpayer_id": "91990003MA0000015Q", "name": "Acme 中国", "devices": ["499900000003"], "waiting_invoices": 5,
         "issued_today": 360, "gross_today": "40680.00", "take_over": {"026": [], "028": []}, "stops": ["026", "028"]},
    ],
    "devices": [{"id": "device-3"}, {"id": "device-4"}],
    "terminals": [{"device_id": "device-3", "terminal_code": "1", "business_type": "retail"}],
    "business_types": ["retail"],
    "waiting_invoices": 5,
    "issued_today": 840,
    "gross_today": "94920.00",
}  # fmt: skip


def furnish(plane: Plane) -> None:
    """Put all of them into a plane."""
    later = address(2, standing="future", valid_from="2026-12-01T00:00:00.000Z", valid_to=None)
    plane.fill("bureau-addresses", [address(1), later])
    plane.fill("bureau-addresses/completeness", [cell("ok"), cell("missing", targets=[], enabled=False)])
    plane.fill("code-versions", [code_version(1, state="active", rows_done=4000, current=True), code_version(2)])
    plane.fill("tax-codes", [code(1), code(2, name="书写纸", usable=False)])
    plane.impacts["server-2"] = IMPACT
