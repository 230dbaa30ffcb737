"""Tax servers and virtual devices."""

from __future__ import annotations

import io
from functools import partial
from typing import TYPE_CHECKING

from controlplane.operations import device_batches, tax_servers, virtual_devices
from inventory.sheet_writer import write_xlsx
from tests.controlplane.api.doors import OPERATORS, Maker, Valid

if TYPE_CHECKING:
    from tests.controlplane.api.house import House

STEPS = ("synchronise", "calibrate", "commission", "certify")
SERVER_VERBS = (*STEPS, "request_formal", "sync_formal", "renew", "suspend", "resume", "change", "retire")
DEVICE_VERBS = (
    "commission_fully", "cancel", "commission", "fetch_company", "certify", "fetch_kinds", "fetch_rates", "calibrate", "read", "suspend", "resume",
)  # fmt: skip


def _new_server(_house: House, number: int) -> Valid:
    body = {"tax_server_no": f"N{number:05d}", "name": "新服务器", "region": "4400", "host": "127.0.0.1", "port": 9}
    return "/v1/tax-servers", body, "operator"


def _server_verb(verb: str, house: House, number: int) -> Valid:
    """A server just where the verb is its next step; later verbs get one in service."""
    server_id = house.fresh_server(number)
    house.agent.bind(server_id)
    for step in STEPS:
        if step == verb:
            break
        house.scene.act(tax_servers, server_id, step)
        house.agent.work_off()
    for before in _BEFORE.get(verb, ()):
        house.scene.act(tax_servers, server_id, before)
        house.agent.work_off()
    move = {"reason": "for the test", "version": house.version("tax_servers", server_id), **_GIVEN.get(verb, {})}
    return f"/v1/tax-servers/{server_id}/{verb}", move, "operator"


_BEFORE = {"resume": ("suspend",), "sync_formal": ("request_formal",)}
_GIVEN = {"change": {"name": "新名称", "port": 9001, "vendor": "某厂商"}}


def _new_device(house: House, number: int) -> Valid:
    body = {"taxpayer_id": house.owner, "tax_server_id": house.server_id, "name": f"设备{number}"}
    return "/v1/virtual-devices", body, "operator"


def _device_verb(verb: str, house: House, number: int) -> Valid:
    if verb in ("commission", "commission_fully", "cancel"):
        device_id = house.scene.registered(house.owner, house.server_id, f"新{number}")
        move = {"reason": "for the test", "version": house.version("devices", device_id)}
        return f"/v1/virtual-devices/{device_id}/{verb}", move, "operator"
    state = house.scene.device(house.device_id)["state"]
    if (state == "suspended") != (verb == "resume"):
        house.scene.act(virtual_devices, house.device_id, "suspend" if verb == "resume" else "resume")
    return house.on_device(verb)


def _distribute(house: House, _number: int) -> Valid:
    run = {"kind": "026", "invoice_code": "044002600111", "start_no": "00010001", "count": 1, "terminal_code": "1"}
    return house.on_device("distribute", **run)


def sheet_of(*lines: tuple[str, str, str]) -> bytes:
    """A workbook of (taxpayer id, tax server number, name) lines."""
    target = io.BytesIO()
    names = ("taxpayer_id", "tax_server_no", "name")
    write_xlsx(target, device_batches.COLUMNS, [dict(zip(names, line, strict=True)) for line in lines])
    return target.getvalue()


def _batch(house: House, number: int) -> Valid:
    return "/v1/virtual-devices/batch?dry_run=false", sheet_of((house.owner, house.server_no, f"批{number}")), "operator"


_SERVER = "/v1/tax-servers/{record_id}/"
_DEVICE = "/v1/virtual-devices/{record_id}/"
LISTS = ("batches", "virtual-devices/summary")


def fill(house: House) -> None:
    """Three batches; the summary shows the tax servers that are there anyway."""
    for _ in range(3):
        url, sent, role = house.valid("/v1/virtual-devices/batch")
        assert house.post(url, sent, role)[0] == 201


VALID: dict[str, Maker] = {
    "/v1/tax-servers": _new_server,
    **{_SERVER + verb: partial(_server_verb, verb) for verb in SERVER_VERBS},
    "/v1/virtual-devices": _new_device,
    "/v1/virtual-devices/batch": _batch,
    **{_DEVICE + verb: partial(_device_verb, verb) for verb in DEVICE_VERBS},
    _DEVICE + "add_terminal": lambda house, n: house.on_device(
        "add_terminal", terminal_code=f"T{n}", terminal_name="分机"
    ),
    _DEVICE + "receive": lambda house, n: house.on_device("receive", kind="026"),
    _DEVICE + "distribute": _distribute,
}
ALLOWED: dict[tuple[str, str], set[str]] = {("post", path): OPERATORS for path in VALID}
