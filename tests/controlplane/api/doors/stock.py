"""Applications, reclaim and return, stock alerts."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from controlplane.operations import applications, virtual_devices
from controlplane.wire import evidence
from tests.controlplane.api.doors import OPERATORS, Maker, Valid

if TYPE_CHECKING:
    from tests.controlplane.api.house import House

MOVE = {"reason": "for the test"}


def _application(house: House) -> str:
    """An undecided application; the ones before are out of the way."""
    house.scene.change("UPDATE applications SET state = 'cancelled' WHERE state = 'applied'")
    house.scene.act(virtual_devices, house.device_id, "apply", kind="026", count=10)
    house.agent.work_off()
    return str(house.scene.one("SELECT id FROM applications WHERE state = 'applied'")["id"])


def _on_application(verb: str, house: House, _number: int) -> Valid:
    found = _application(house)
    move = {**MOVE, "version": house.version("applications", found)}
    return f"/v1/applications/{found}/{verb}", move, "operator"


def _apply(house: House, _number: int) -> Valid:
    house.scene.change("UPDATE applications SET state = 'cancelled' WHERE state = 'applied'")
    return house.on_device("apply", kind="026", count=10)


def _run(house: House, number: int, terminal_code: str | None) -> dict[str, Any]:
    """A run of one number, on a terminal or not distributed, as the device tells it."""
    start = 50_000_000 + 10 * number
    house.paper.stock("026", start, 2, terminal_code)
    house.agent.observe(house.paper)
    return {"kind": "026", "invoice_code": "044002600111", "start_no": f"{start + 1:08d}", "count": 1}


def _reclaim(house: House, number: int) -> Valid:
    return house.on_device("reclaim", **_run(house, number, "1"), terminal_code="1")


def _return(house: House, number: int) -> Valid:
    return house.on_device("return", **_run(house, number, None))


def _alert(house: House, number: int) -> dict[str, Any]:
    return {
        "taxpayer_id": house.scene.taxpayer(1000 + number),
        "threshold": 10,
        "recipients": ["a@example.com", "b@example.com"],
    }


def _on_alert(verb: str, house: House, number: int) -> Valid:
    status, row = house.post("/v1/stock-alerts", _alert(house, number), "operator")
    assert status == 201, row
    if verb == "enable":
        row = house.post(f"/v1/stock-alerts/{row['id']}/disable", {**MOVE, "version": 1}, "operator")[1]["record"]
    more = {"threshold": 5, "recipients": ["c@example.com"]} if verb == "change" else {}
    return f"/v1/stock-alerts/{row['id']}/{verb}", {**MOVE, "version": row["version"], **more}, "operator"


_DEVICE = "/v1/virtual-devices/{record_id}/"
VALID: dict[str, Maker] = {
    _DEVICE + "apply": _apply,
    _DEVICE + "reclaim": _reclaim,
    _DEVICE + "return": _return,
    **{f"/v1/applications/{{record_id}}/{verb}": partial(_on_application, verb) for verb in ("query", "cancel")},
    "/v1/stock-alerts": lambda house, n: ("/v1/stock-alerts", _alert(house, n), "operator"),
    **{
        f"/v1/stock-alerts/{{record_id}}/{verb}": partial(_on_alert, verb)
        for verb in ("change", "enable", "disable", "test", "remove")
    },
}
ALLOWED: dict[tuple[str, str], set[str]] = {("post", path): OPERATORS for path in VALID}

LISTS = ("applications", "grants", "stock-alerts")


def fill(house: House) -> None:
    for number in range(900, 903):
        path, body, role = _on_alert("test", house, number)
        house.post(path, body, role)
        _application(house)
    facts = [
        evidence.GrantFacts(
            grant_no=f"G{n}", kind="026", invoice_code="044002600111", status="granted",
            start_no=f"6000{n}001", end_no=f"6000{n}100",
        )
        for n in range(3)
    ]  # fmt: skip
    house.scene.ledger.write_now(lambda tx: applications.take_grants(tx, house.scene.device(house.device_id), facts))
