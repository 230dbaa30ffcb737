"""The request every part of the bench sends: an invoice with five lines, 1.1 KiB of JSON."""

from __future__ import annotations

import json
from typing import Any

_GOODS = (
    ("大米", "1030101010000000000", "0.09", "12", "58.60", "袋", "25kg"),
    ("水产品罐头", "1010401000000000000", "0.09", "24", "13.75", "罐", "425g"),
    ("糕点", "1030201010000000000", "0.13", "8", "31.20", "盒", "500g"),
    ("软件服务", "3040201000000000000", "0.06", "1", "4200.00", "次", "标准版"),
    ("办公用纸", "1060105010000000000", "0.13", "30", "21.05", "包", "A4 80g"),
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
    }
    return {"taxpayer_id": taxpayer_id, "request_id": request_id, "kind": "026", "buyer": buyer, "lines": lines}


def split(taxpayer_id: str) -> tuple[bytes, bytes]:
    """The JSON body around the place of its request id, so that a load generator need not encode."""
    text = json.dumps(body(taxpayer_id, _MARK), ensure_ascii=False, separators=(",", ":")).encode()
    before, after = text.split(_MARK.encode())
    return before, after
