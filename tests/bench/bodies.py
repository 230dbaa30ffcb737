"""The request every part of the bench sends: an invoice with five lines, 1.1 KiB of JSON."""

from __future__ import annotations

import json
from typing import Any

_GOODS = (
    ("大米", "1030102010100000000", "0.09", "12", "58.60", "袋", "东北长粒香 25kg"),
    ("糕点", "1030201010000000000", "0.13", "24", "13.75", "盒", "绿豆糕 500g"),
    ("苹果", "1010115010100000000", "0.09", "8", "31.20", "箱", "80mm 一级 10kg"),
    ("润滑油", "1070101070000000000", "0.13", "1", "4200.00", "桶", "15W-40 200L"),
    ("轮胎", "1070501010000000000", "0.13", "30", "421.05", "条", "205/55 R16"),
)
_MARK = "REQUEST-ID"


def body(taxpayer_id: str, request_id: str) -> dict[str, Any]:
    """One request for an electronic ordinary invoice (026)."""
    lines = [
        {
            "item_name": name, "tax_class_code": code, "rate": rate, "quantity": quantity, "unit_price": price,
            "unit": unit, "spec": spec,
        }
        for name, code, rate, quantity, price, unit, spec in _GOODS
    ]  # fmt: skip
    buyer = {
        "name": "南桥进出口有限公司",
        "tax_id": "91990000MA0001608A",
        "address_phone": "上海市示例路 100 号 021-00000000",
        "bank_account": "示例银行上海分行 0000 0000 0000 0000",
    }
    return {"taxpayer_id": taxpayer_id, "request_id": request_id, "kind": "026", "buyer": buyer, "lines": lines}


def split(taxpayer_id: str) -> tuple[bytes, bytes]:
    """The JSON body around the place of its request id, so that a load generator need not encode."""
    text = json.dumps(body(taxpayer_id, _MARK), ensure_ascii=False, separators=(",", ":")).encode()
    before, after = text.split(_MARK.encode())
    return before, after
