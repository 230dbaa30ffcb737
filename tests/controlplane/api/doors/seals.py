"""Seals, releases and secure proxies."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from controlplane.domain.principal import Principal
from controlplane.operations import seals, secure_proxies
from controlplane.operations.acts import Act
from tests.controlplane.api.doors import OPERATORS, Maker, Valid
from tests.controlplane.operations.paper_seals import Desk, put_address
from tests.controlplane.operations.scene import ADMIN

if TYPE_CHECKING:
    from tests.controlplane.api.house import House

OTHER = Principal("p-other", "somebody", "person", "operator")
HANDLER = {"handler_name": "王小明", "handler_mobile": "13812345678", "handler_id": "44010119900101123X"}
SETTINGS: dict[str, Any] = {
    "name": "安全代理", "host": "10.0.0.9", "port": 8443, "use_platform_key": True, "max_connections": 8,
    "protocol": "tls", "socket_connections": 4, "offline_interval_hours": 2, "login_kind": 1, "log_level": 1,
}  # fmt: skip
STEPS = ("fetch_key", "apply", "download", "upload", "test")
NEEDS = {**{step: place for place, step in enumerate(STEPS)}, "abandon": 0}
"""Verb → how many steps come before it; the verbs that are missing need a seal in use."""


def _server(house: House, number: int) -> str:
    """A tax server in service, on which seals and releases are answered."""
    if not any(isinstance(desk, Desk) for desk in house.agent.desks):
        house.agent.desks.append(Desk())
    return house.scene.server(house.agent, 5000 + number)


def _do(house: House, room: Any, table: str, record_id: str, verb: str, **given: Any) -> None:
    caller = given.pop("caller", ADMIN)
    wanted = Act(caller, verb, record_id, house.version(table, record_id), "for the test", given)
    house.scene.ledger.write_now(lambda tx: room.act(tx, wanted))
    house.agent.work_off()


def _new_seal(house: House, number: int) -> Valid:
    values = {"tax_server_id": _server(house, number), "area_code": "4400", "seal_name": "监制章"}
    return "/v1/seals", values, "operator"


def _seal_verb(verb: str, house: House, number: int) -> Valid:
    values = _new_seal(house, number)[1]
    seal_id = house.scene.ledger.write_now(lambda tx: seals.register(tx, ADMIN, values))
    for step in STEPS[: NEEDS.get(verb, len(STEPS))]:
        _do(house, seals, "seals", seal_id, step, **(HANDLER if step == "apply" else {}))
    if verb in ("approve", "withdraw_request"):
        _do(house, seals, "seals", seal_id, "request_replacement", caller=OTHER)
    move: dict[str, Any] = {"reason": "for the test", "version": house.version("seals", seal_id)}
    return f"/v1/seals/{seal_id}/{verb}", move | (HANDLER if verb == "apply" else {}), "operator"


def _check(house: House, number: int) -> Valid:
    server_id = _server(house, number)
    move = {"reason": "for the test", "version": house.version("tax_servers", server_id), "product": "tax_server"}
    return f"/v1/tax-servers/{server_id}/check_releases", move, "operator"


def _upgrade_server(house: House, number: int) -> Valid:
    url, move, role = _check(house, number)
    assert house.post(url, move, role)[0] == 202
    house.agent.work_off()
    server_id = url.split("/")[3]
    move = {"reason": "for the test", "version": house.version("tax_servers", server_id), "release_version": "V4.3"}
    return f"/v1/tax-servers/{server_id}/upgrade", move, role


def _new_proxy(house: House, number: int) -> Valid:
    return "/v1/secure-proxies", {"tax_server_id": _server(house, number), **SETTINGS}, "operator"


def _proxy_verb(verb: str, house: House, number: int) -> Valid:
    values = {"vip_host": None, "vip_port": None, "login_account": None, **_new_proxy(house, number)[1]}
    proxy_id = house.scene.ledger.write_now(lambda tx: secure_proxies.register(tx, ADMIN, values))
    put_address(house.scene, "4400", f"s{number}")
    move: dict[str, Any] = {"reason": "for the test", "version": house.version("secure_proxies", proxy_id)}
    if verb == "change":
        move |= SETTINGS
    if verb == "upgrade":
        server_id = values["tax_server_id"]
        check = {"reason": "for the test", "version": house.version("tax_servers", server_id)}
        url = f"/v1/tax-servers/{server_id}/check_releases"
        assert house.post(url, {**check, "product": "secure_proxy"})[0] == 202
        house.agent.work_off()
        move = {**move, "version": house.version("secure_proxies", proxy_id), "release_version": "P2"}
    return f"/v1/secure-proxies/{proxy_id}/{verb}", move, "operator"


_SEAL_VERBS = (*NEEDS, "request_replacement", "request_revocation", "approve", "withdraw_request")
_PROXY_VERBS = ("change", "read", "configure", "remove", "upgrade")
VALID: dict[str, Maker] = {
    "/v1/seals": _new_seal,
    **{"/v1/seals/{record_id}/" + verb: partial(_seal_verb, verb) for verb in _SEAL_VERBS},
    "/v1/tax-servers/{record_id}/check_releases": _check,
    "/v1/tax-servers/{record_id}/upgrade": _upgrade_server,
    "/v1/secure-proxies": _new_proxy,
    **{"/v1/secure-proxies/{record_id}/" + verb: partial(_proxy_verb, verb) for verb in _PROXY_VERBS},
}
ALLOWED: dict[tuple[str, str], set[str]] = {("post", path): OPERATORS for path in VALID}
