"""Bureau lines."""

from __future__ import annotations

from typing import TYPE_CHECKING

from controlplane.store.times import utc_text
from tests.controlplane.api.doors import OPERATORS, Maker, Valid
from tests.controlplane.operations.scene import START

if TYPE_CHECKING:
    from tests.controlplane.api.house import House


def _line(_house: House, number: int) -> Valid:
    target = f"tcp://127.0.0.1:{20000 + number}"
    return "/v1/lines", {"region": "测试", "area_code": "4400", "service": "test", "target": target}, "operator"


def _line_verb(house: House, number: int) -> Valid:
    path, body, role = _line(house, number)
    row = house.post(path, body, role)[1]
    return f"/v1/lines/{row['id']}/enable", {"reason": "for the test", "version": row["version"]}, "operator"


def _slot(_house: House, number: int) -> Valid:
    body = {"slot": utc_text(START), "period": 300.0, "vantage": f"v{number}", "holder": "test"}
    return "/v1/lines/slots", body, "probe"


VALID: dict[str, Maker] = {
    "/v1/lines": _line,
    "/v1/lines/{line_id}/{verb}": _line_verb,
    "/v1/lines/slots": _slot,
    "/v1/lines/samples": lambda house, n: (
        "/v1/lines/samples", {"slot": utc_text(START), "vantage": "v", "samples": []}, "probe"
    ),
}  # fmt: skip
ALLOWED: dict[tuple[str, str], set[str]] = {
    ("post", "/v1/lines"): OPERATORS,
    ("post", "/v1/lines/{line_id}/{verb}"): OPERATORS,
    ("post", "/v1/lines/slots"): {"probe"},
    ("post", "/v1/lines/samples"): {"probe"},
}
