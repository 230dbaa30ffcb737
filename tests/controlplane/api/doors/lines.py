"""Bureau lines, alert rules and what probe clocks call."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from controlplane.store.times import utc_text
from tests.controlplane.api.doors import OPERATORS, Maker, Valid
from tests.controlplane.operations.scene import START, Clock
from tests.controlplane.operations.watching import Watch

if TYPE_CHECKING:
    from tests.controlplane.api.house import House

SLOT = utc_text(START)
WHO = {"holder": "test"}
SEEN = {"at": SLOT, "ok": True}


def _line(_house: House, number: int) -> Valid:
    target = f"tcp://bureau-{number}.example.cn:443"
    return "/v1/lines", {"region": "测试", "area_code": "4400", "service": "test", "target": target}, "operator"


def _made(house: House, number: int, enabled: bool) -> dict[str, Any]:
    path, body, role = _line(house, number)
    row: dict[str, Any] = house.post(path, body | {"enabled": enabled}, role)[1]
    return row


def _line_verb(verb: str, house: House, number: int) -> Valid:
    row = _made(house, number, verb == "disable")
    return f"/v1/lines/{row['id']}/{verb}", {"reason": "for the test", "version": row["version"]}, "operator"


def _check(house: House, number: int) -> Valid:
    return "/v1/lines/check", {"ids": [_made(house, number, True)["id"]]}, "operator"


def _slot(_house: House, number: int) -> Valid:
    return "/v1/lines/slots", {"slot": SLOT, "period": 300.0, "vantage": f"v{number}", **WHO}, "probe"


def _samples(house: House, number: int) -> Valid:
    url, body, role = _slot(house, number)
    house.post(url, body, role)
    return "/v1/lines/samples", {"slot": SLOT, "vantage": f"v{number}", "samples": [], **WHO}, "probe"


def _report_check(house: House, number: int) -> Valid:
    path, body, role = _check(house, number)
    check_id = house.post(path, body, role)[1]["asked"][0]["id"]
    house.post("/v1/lines/checks/take", {"vantage": "v", **WHO}, "probe")
    sample = {"endpoint_id": "-", **SEEN}
    return "/v1/lines/checks", {"check_id": check_id, "vantage": "v", "sample": sample, **WHO}, "probe"


def _rule(_house: House, number: int) -> Valid:
    body = {"name": f"规则{number}", "scope": "all", "recipients": [f"r{number}@example.com"]}
    return "/v1/alert-rules", body, "operator"


def _rule_verb(verb: str, house: House, number: int) -> Valid:
    path, body, role = _rule(house, number)
    row = house.post(path, body, role)[1]
    if verb == "enable":
        house.post(f"{path}/{row['id']}/disable", {"reason": "for the test", "version": 1}, role)
        row["version"] += 1
    move = {"reason": "for the test", "version": row["version"]}
    return f"{path}/{row['id']}/{verb}", move | (body if verb == "change" else {}), role


_LINE_VERBS = ("enable", "disable")
_RULE_VERBS = ("change", "enable", "disable", "test_send", "remove")
VALID: dict[str, Maker] = {
    "/v1/lines": _line,
    "/v1/lines/check": _check,
    **{f"/v1/lines/{{record_id}}/{verb}": partial(_line_verb, verb) for verb in _LINE_VERBS},
    "/v1/lines/slots": _slot,
    "/v1/lines/samples": _samples,
    "/v1/lines/checks/take": lambda house, n: ("/v1/lines/checks/take", {"vantage": "v", **WHO}, "probe"),
    "/v1/lines/checks": _report_check,
    "/v1/alert-rules": _rule,
    **{f"/v1/alert-rules/{{record_id}}/{verb}": partial(_rule_verb, verb) for verb in _RULE_VERBS},
}
_PROBE = {"/v1/lines/slots", "/v1/lines/samples", "/v1/lines/checks/take", "/v1/lines/checks"}
_READERS = {"admin", "operator", "auditor"}
ALLOWED: dict[tuple[str, str], set[str]] = {
    **{("post", path): {"probe"} if path in _PROBE else OPERATORS for path in VALID},
    **{("get", f"/v1/alert-rules{rest}"): _READERS for rest in ("", "/{rule_id}")},
    **{("get", f"/v1/alert-flips{rest}"): _READERS for rest in ("", "/{flip_id}")},
    **{("get", f"/v1/deliveries{rest}"): _READERS for rest in ("", "/{delivery_id}")},
}
LISTS = ("alert-rules", "alert-flips", "deliveries")


def fill(house: House) -> None:
    """Rules, flips of a line by each of them, and letters."""
    clock = house.scene.ledger.clock
    assert isinstance(clock, Clock)
    watch = Watch(house.scene, clock)
    for number in range(3):
        watch.rule(f"r{number}@example.com", name=f"rule {number}", open_after=1)
    assert watch.claim() is not None
    watch.report(**{watch.line(): False})
