"""Versions of the tax class code table."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from tests.controlplane.api.doors import OPERATORS, Maker, Valid

if TYPE_CHECKING:
    from tests.controlplane.api.house import House

LISTS = ("code-versions", "tax-codes")


def _settled(house: House) -> None:
    """No synchronisation is under way, and none is in force."""
    house.agent.work_off()
    house.scene.change("UPDATE code_versions SET state = 'stopped' WHERE state IN ('fetching', 'active')")
    house.scene.change("UPDATE jobs SET state = 'refused' WHERE kind = 'codes.fetch' AND settled_at IS NULL")


def _synchronise(house: House, _number: int) -> Valid:
    _settled(house)
    house.scene.change("UPDATE code_versions SET digest = id")
    return "/v1/code-versions/synchronise", {"tax_server_id": house.server_id}, "operator"


def _verb(verb: str, house: House, number: int) -> Valid:
    url, body, role = _synchronise(house, number)
    status, row = house.post(url, body, role)
    assert status == 201, row
    given: dict[str, Any] = {}
    if verb == "resume":
        assert house.post(f"/v1/code-versions/{row['id']}/stop", {"reason": "x", "version": 1})[0] == 202
    elif verb in ("activate", "rollback"):
        house.agent.work_off()
        given = {"valid_from": "2026-12-01"} if verb == "activate" else {}
    if verb == "rollback":
        move = {"reason": "x", "version": house.version("code_versions", row["id"]), "valid_from": "2026-12-01"}
        assert house.post(f"/v1/code-versions/{row['id']}/activate", move)[0] == 202
    move = {"reason": "for the test", "version": house.version("code_versions", row["id"]), **given}
    return f"/v1/code-versions/{row['id']}/{verb}", move, role


_PATH = "/v1/code-versions"
VALID: dict[str, Maker] = {
    f"{_PATH}/synchronise": _synchronise,
    **{f"{_PATH}/{{record_id}}/{verb}": partial(_verb, verb) for verb in ("resume", "stop", "activate", "rollback")},
}
ALLOWED: dict[tuple[str, str], set[str]] = {("post", path): OPERATORS for path in VALID}


def fill(house: House) -> None:
    for number in range(4):
        url, body, role = _synchronise(house, number)
        assert house.post(url, body, role)[0] == 201
