"""Taxpayers."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from tests.controlplane.api.doors import OPERATORS, Maker, Valid
from tests.controlplane.operations.tables import facts

if TYPE_CHECKING:
    from tests.controlplane.api.house import House

VERBS: dict[str, dict[str, Any]] = {
    "change": {"name": "改名公司"},
    "move": {"parent_id": None},
    "allow_issue": {},
    "stop_issue": {},
    "set_flag": {"flag": "cpybs", "value": "01", "valid_from": "2026-01-01", "valid_to": "2026-12-31"},
    "add_contact": {"name": "王经办", "phone": "13900000000"},
    "retire": {},
}


def _fresh(house: House, number: int) -> str:
    who = {"taxpayer_id": f"91990000MA0008{number:03d}X", "name": "新纳税人", "taxpayer_kind": "small", "region": "4400"}
    status, row = house.post("/v1/taxpayers", who)
    assert status == 201, row
    return str(row["taxpayer_id"])


def _register(_house: House, number: int) -> Valid:
    who = {"taxpayer_id": f"91990000MA0009{number:03d}X", "name": "新纳税人"}
    return "/v1/taxpayers", who | {"taxpayer_kind": "small", "region": "4400"}, "operator"


def _on(house: House, taxpayer_id: str, verb: str, **given: Any) -> Valid:
    row = house.scene.one("SELECT version FROM taxpayers WHERE taxpayer_id = :id", id=taxpayer_id)
    move = {"reason": "for the test", "version": row["version"], **given}
    return f"/v1/taxpayers/{taxpayer_id}/{verb}", move, "operator"


def _verb(verb: str, house: House, number: int) -> Valid:
    return _on(house, _fresh(house, number), verb, **VERBS[verb])


def _fetch(house: House, number: int) -> Valid:
    return _on(house, _fresh(house, number), "fetch", tax_server_id=house.server_id)


def _fetched(verb: str, house: House, number: int) -> Valid:
    url, move, _ = _fetch(house, number)
    assert house.post(url, move)[0] == 202
    taxpayer_id = url.split("/")[3]
    (order,) = house.agent.lease()
    house.agent.settle(house.agent.answer(order, "done", evidence=facts(taxpayer_id)))
    fetch = house.scene.one("SELECT id FROM taxpayer_fetches WHERE taxpayer_id = :id", id=taxpayer_id)
    return _on(house, taxpayer_id, verb, fetch_id=fetch["id"])


def _end_flag(house: House, number: int) -> Valid:
    url, move, _ = _verb("set_flag", house, number)
    assert house.post(url, move)[0] == 202
    return _on(house, url.split("/")[3], "end_flag", flag="cpybs", last_day="2026-06-30")


def _remove_contact(house: House, number: int) -> Valid:
    url, move, _ = _verb("add_contact", house, number)
    status, acted = house.post(url, move)
    assert status == 202, acted
    contact = acted["record"]["contacts"][0]["id"]
    return _on(house, url.split("/")[3], "remove_contact", contact_id=contact)


_PATH = "/v1/taxpayers/{record_id}"
VALID: dict[str, Maker] = {
    "/v1/taxpayers": _register,
    **{f"{_PATH}/{verb}": partial(_verb, verb) for verb in VERBS},
    f"{_PATH}/fetch": _fetch,
    f"{_PATH}/apply": partial(_fetched, "apply"),
    f"{_PATH}/discard": partial(_fetched, "discard"),
    f"{_PATH}/end_flag": _end_flag,
    f"{_PATH}/remove_contact": _remove_contact,
}
ALLOWED: dict[tuple[str, str], set[str]] = {("post", path): OPERATORS for path in VALID}
