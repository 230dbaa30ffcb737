"""Bureau addresses."""

from __future__ import annotations

import base64
from functools import partial
from typing import TYPE_CHECKING

from tests.controlplane.api.doors import OPERATORS, Maker, Valid

if TYPE_CHECKING:
    from tests.controlplane.api.house import House

LISTS = ("bureau-addresses", "bureau-addresses/completeness")
SERVICES = ("verify", "upload_rsa", "upload_gm", "document_platform", "invoice_service_platform")


def _register(_house: House, number: int) -> Valid:
    area = f"{7000 + number // 5:04d}"
    target = f"tcp://127.0.0.1:{30000 + number}"
    body = {"area_code": area, "region": "测试", "service": SERVICES[number % 5], "target": target}
    return "/v1/bureau-addresses", body, "operator"


def _verb(verb: str, house: House, number: int) -> Valid:
    path, body, role = _register(house, number)
    status, row = house.post(path, body, role)
    assert status == 201, row
    move = {"reason": "for the test", "version": row["version"]}
    if verb == "change":
        move |= {"target": f"tcp://127.0.0.1:{40000 + number}", "starts_at": "2026-12-01T00:00"}
    if verb == "disable":
        status, acted = house.post(f"{path}/{row['id']}/enable", move, role)
        assert status == 202, acted
        move |= {"version": acted["record"]["version"]}
    return f"{path}/{row['id']}/{verb}", move, role


def _import(_house: House, number: int) -> Valid:
    text = f"地区代码,地区,服务类别,地址,启用\n{6900 + number:04d},测试,查验,tcp://127.0.0.1:{number + 1},否\n"
    return "/v1/bureau-addresses/import", {"content": base64.b64encode(text.encode()).decode()}, "operator"


_PATH = "/v1/bureau-addresses"
VALID: dict[str, Maker] = {
    _PATH: _register,
    f"{_PATH}/import": _import,
    **{f"{_PATH}/{{record_id}}/{verb}": partial(_verb, verb) for verb in ("change", "enable", "disable", "remove")},
}
ALLOWED: dict[tuple[str, str], set[str]] = {("post", path): OPERATORS for path in VALID}


def fill(house: House) -> None:
    for _ in range(4):
        url, body, role = house.valid(_PATH)
        assert house.post(url, body, role)[0] == 201
