"""Who may call what: every route without a credential, every role on every route, and two tenants side by side."""

from __future__ import annotations

import json
import re
from typing import Any

from controlplane.operations import principals
from controlplane.store.transaction import Transaction
from tests.controlplane.api import doors
from tests.controlplane.api.doors.reports import a_report
from tests.controlplane.api.house import ROLES, House

OPEN = {"/v1/sessions", "/v1/agent/join", "/healthz", "/readyz", "/metrics"}
MISSING = "01a20000-0000-7000-8000-000000000000"
READERS = {"admin", "operator", "auditor"}
ALLOWED: dict[tuple[str, str], set[str]] = doors.allowed()
"""Who may call what; routes that are missing here are open to all who read the fleet."""


def _routes(house: House) -> list[tuple[str, str]]:
    paths = house.openapi()["paths"]
    return [(method, path) for path, verbs in sorted(paths.items()) for method in sorted(verbs)]


def _url(path: str) -> str:
    return "/".join(_part(part) for part in path.split("/"))


def _part(part: str) -> str:
    if part == "{verb}":
        return "enable"
    return MISSING if part.startswith("{") else part


def test_no_route_without_a_credential(house: House) -> None:
    answers = set()
    for method, path in _routes(house):
        if path in OPEN:
            continue
        raw = b"{}" if method == "post" else None
        status, content = house.bytes_of(method.upper(), _url(path), raw, role="")
        assert status == 401, (method, path, status)
        answers.add(content)
    assert len(answers) == 1, "the answer tells nothing about the route"


def test_every_role_on_every_route(house: House) -> None:
    for method, path in _routes(house):
        if path in OPEN or path == "/v1/events":
            continue
        allowed = ALLOWED.get((method, path), {*READERS, "front_end"})
        for role in (*ROLES, "agent"):
            raw = b"[]" if method == "post" else None
            status, answer = house.ask(method.upper(), _url(path), raw, role)
            refused = status == 403 and answer["code"] == "not_permitted"
            assert refused == (role not in allowed), (method, path, role, status, answer)


def test_the_description_names_every_route(house: House) -> None:
    status, page = house.bytes_of("GET", "/docs", role="")
    assert not re.search(rb"(src|href)=.https?://", page), "the page works without the internet"
    described = {path for _, path in _routes(house)}
    assert {"/v1/invoices", "/v1/invoices/check", "/v1/agent/lease", "/v1/events", "/readyz"} <= described
    for path, verbs in house.openapi()["paths"].items():
        for method, operation in verbs.items():
            missing = {"401", "403", "422", "500", "503"} - operation["responses"].keys()
            assert not missing, (method, path, missing)
    assert status == 200


def test_a_tenant_sees_bytes_of_missing(house: House) -> None:
    """A front end of taxpayer A asks for everything of B by its ids: the same bytes as for what is not there."""
    other = house.scene.taxpayer(2)
    token = "front-end-of-the-other-taxpayer"

    def make(tx: Transaction) -> None:
        row = principals.create(tx, "other", "front_end", None, [other])
        principals.give_token(tx, row["id"], token, None)

    house.scene.ledger.write_now(make)
    house.tokens["other"] = token
    house.agent.work_off()
    status, invoice = house.post("/v1/invoices", house.invoice_body(900), "front_end")
    assert status == 202
    house.agent.work_off()
    a_report(house, 1, "report_due")
    house.post("/v1/report-schedules/set", {"taxpayer_id": house.owner, "hour": 8, "minute": 0, "days_before": 5})
    ids: dict[str, Any] = {
        "invoices": invoice["id"],
        "orders": invoice["order_id"],
        "virtual-devices": house.device_id,
        "devices": house.device_id,
        "taxpayers": house.owner,
        "tax-servers": house.server_id,
        "agents": house.agent.id,
    }
    for noun in ("segments", "terminals", "reports", "report-schedules", "uploads"):
        ids[noun] = house.ask("GET", f"/v1/{noun}")[1]["items"][0]["id"]
    for noun, record_id in ids.items():
        assert house.ask("GET", f"/v1/{noun}/{record_id}")[0] == 200, noun
        foreign = house.bytes_of("GET", f"/v1/{noun}/{record_id}", role="other")
        assert foreign == house.bytes_of("GET", f"/v1/{noun}/{MISSING}", role="other"), noun
        if noun != "taxpayers":
            assert house.ask("GET", f"/v1/{noun}", role="other")[1]["items"] == [], noun
    body = json.dumps(house.invoice_body(901)).encode()
    nobody = json.dumps({**house.invoice_body(901), "taxpayer_id": "91990000MA0999999X"}).encode()
    for path in ("/v1/invoices", "/v1/invoices/check"):
        assert house.bytes_of("POST", path, body, "other") == house.bytes_of("POST", path, nobody, "other")
    move = json.dumps({"reason": "not mine", "version": 1}).encode()
    mine = house.bytes_of("POST", f"/v1/invoices/{invoice['id']}/cancel", move, "other")
    assert mine == house.bytes_of("POST", f"/v1/invoices/{MISSING}/cancel", move, "other")
