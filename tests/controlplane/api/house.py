"""Hands at the application's door: callers of every role, and a valid request for every route that writes."""

from __future__ import annotations

import copy
import http.client
import itertools
import json
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from controlplane.operations import principals
from controlplane.store.times import utc_text
from controlplane.store.transaction import Transaction
from tests.controlplane.operations.scene import RICE, START, Agent, Scene

ROLES = ("admin", "operator", "auditor", "front_end", "probe")
PASSWORD = "correct horse battery"
MOVE = {"reason": "for the test"}
Valid = tuple[str, dict[str, Any], str]
"""URL, body, role of the caller."""


class House:
    """One served application."""

    def __init__(self, url: str, scene: Scene, agent: Agent) -> None:
        self.url = url
        self.scene = scene
        self.agent = agent
        self.tokens = {role: f"{role}-token-of-the-test".ljust(32, "x") for role in ROLES}
        scene.ledger.write_now(self._people)
        self.tokens["agent"] = f"{agent.id}.{agent.secret}"
        self.owner = scene.taxpayer(1)
        self.server_id = scene.server(agent)
        self.paper = scene.ready(agent, self.owner, self.server_id)
        self.device_id = scene.id_of(self.paper)
        self._count = itertools.count(1)

    def at(self, url: str) -> House:
        """The same callers at another server's door."""
        other = copy.copy(self)
        other.url = url
        return other

    def _people(self, tx: Transaction) -> None:
        for role in ROLES:
            row = principals.create(tx, role, role, PASSWORD if role == "operator" else None)
            principals.give_token(tx, row["id"], self.tokens[role], None)

    def ask(self, method: str, path: str, raw: bytes | None = None, role: str = "admin") -> tuple[int, Any]:
        """Status and parsed answer of one request; no role, no credential."""
        status, content = self.bytes_of(method, path, raw, role)
        return status, json.loads(content) if content else None

    def bytes_of(self, method: str, path: str, raw: bytes | None = None, role: str = "admin") -> tuple[int, bytes]:
        """Status and raw answer of one request."""
        given = {"Content-Type": "application/json"} if raw is not None else {}
        status, _, content = self.send(method, path, raw, given, role)
        return status, content

    def send(
        self, method: str, path: str, raw: Any = None, headers: dict[str, str] | None = None, role: str = ""
    ) -> tuple[int, http.client.HTTPMessage, bytes]:
        """Status, headers and raw answer of one request with just these headers; ``raw`` may be an iterable of chunks."""
        connection = http.client.HTTPConnection(urlsplit(self.url).netloc, timeout=40)
        given = dict(headers or {})
        if role:
            given["Authorization"] = f"Bearer {self.tokens[role]}"
        try:
            connection.request(method, path, raw, given)
            answer = connection.getresponse()
            return answer.status, answer.headers, answer.read()
        finally:
            connection.close()

    def post(self, path: str, body: Any, role: str = "admin") -> tuple[int, Any]:
        """A well-formed POST."""
        return self.ask("POST", path, json.dumps(body).encode(), role)

    def front_end_of(self, *owners: str) -> str:
        """The role of a new front end that sees only these taxpayers."""
        name = f"front end {next(self._count)}"
        self.tokens[name] = name.ljust(32, "x").replace(" ", "-")

        def make(tx: Transaction) -> None:
            row = principals.create(tx, name, "front_end", None, list(owners))
            principals.give_token(tx, row["id"], self.tokens[name], None)

        self.scene.ledger.write_now(make)
        return name

    def openapi(self) -> dict[str, Any]:
        """The description the application gives of itself."""
        return dict(self.ask("GET", "/openapi.json", role="")[1])

    # --- a valid request for every route that writes

    def valid(self, path: str) -> Valid:
        """A request to this route of the OpenAPI that is accepted now."""
        self.agent.work_off()
        return _VALID[path](self, next(self._count))

    def version(self, table: str, record_id: str) -> int:
        return int(self.scene.one(f"SELECT version FROM {table} WHERE id = :id", id=record_id)["version"])

    def on_device(self, verb: str, **arguments: Any) -> Valid:
        move = {**MOVE, "version": self.version("devices", self.device_id), **arguments}
        return f"/v1/virtual-devices/{self.device_id}/{verb}", move, "operator"

    def fresh_server(self, number: int) -> str:
        body = {"tax_server_no": f"F{number:05d}", "name": "新服务器", "region": "4400", "host": "127.0.0.1", "port": 9}
        status, row = self.post("/v1/tax-servers", body)
        assert status == 201, row
        return str(row["id"])

    def invoice_body(self, number: int) -> dict[str, Any]:
        line = {"item_name": "稻谷", "tax_class_code": RICE, "rate": "0.09", "quantity": "2", "unit_price": "10.00"}
        request = {"taxpayer_id": self.owner, "request_id": f"api-{number}", "kind": "026"}
        return request | {"buyer": {"name": "购方有限公司"}, "lines": [line]}


def _server_verb(house: House, number: int) -> Valid:
    server_id = house.fresh_server(number)
    move = {**MOVE, "version": house.version("tax_servers", server_id)}
    return f"/v1/tax-servers/{server_id}/synchronise", move, "operator"


def _cancel(house: House, number: int) -> Valid:
    status, row = house.post("/v1/invoices", house.invoice_body(number), "front_end")
    assert status == 202, row
    return f"/v1/invoices/{row['id']}/cancel", {**MOVE, "version": row["version"]}, "front_end"


def _agent_verb(house: House, number: int, verb: str) -> Valid:
    other = Agent(house.scene, host_id=f"host-x{number}")
    body: dict[str, Any] = {**MOVE, "version": house.version("agents", other.id)}
    if verb == "bind":
        body["tax_server_id"] = house.fresh_server(number)
    return f"/v1/agents/{other.id}/{verb}", body, "admin"


def _join(house: House, number: int) -> Valid:
    status, given = house.post("/v1/agents/tokens", {"host_id": "", "name": "joining"})
    assert status == 201, given
    body = {"token": given["token"], "host_id": f"h{number}", "name": "joining", "secret": "ab" * 32, "version": "1"}
    return "/v1/agent/join", body, ""


def _line(house: House, number: int) -> Valid:
    target = f"tcp://127.0.0.1:{20000 + number}"
    return "/v1/lines", {"region": "测试", "area_code": "4400", "service": "test", "target": target}, "operator"


def _line_verb(house: House, number: int) -> Valid:
    path, body, role = _line(house, number)
    row = house.post(path, body, role)[1]
    return f"/v1/lines/{row['id']}/enable", {**MOVE, "version": row["version"]}, "operator"


def _slot(house: House, number: int) -> Valid:
    body = {"slot": utc_text(START), "period": 300.0, "vantage": f"v{number}", "holder": "test"}
    return "/v1/lines/slots", body, "probe"


def _new_server(house: House, number: int) -> Valid:
    body = {"tax_server_no": f"N{number:05d}", "name": "新服务器", "region": "4400", "host": "127.0.0.1", "port": 9}
    return "/v1/tax-servers", body, "operator"


def _new_taxpayer(house: House, number: int) -> Valid:
    who = {"taxpayer_id": f"91990000MA0009{number:03d}X", "name": "新纳税人"}
    return "/v1/taxpayers", who | {"taxpayer_kind": "small", "region": "4400"}, "operator"


def _new_device(house: House, number: int) -> Valid:
    body = {"taxpayer_id": house.owner, "tax_server_id": house.server_id, "name": f"设备{number}"}
    return "/v1/virtual-devices", body, "operator"


def _distribute(house: House, number: int) -> Valid:
    run = {"kind": "026", "invoice_code": "044002600111", "start_no": "00010001", "count": 1, "terminal_code": "1"}
    return house.on_device("distribute", **run)


_VALID: dict[str, Callable[[House, int], Valid]] = {
    "/v1/sessions": lambda house, n: ("/v1/sessions", {"username": "operator", "password": PASSWORD}, ""),
    "/v1/taxpayers": _new_taxpayer,
    "/v1/tax-servers": _new_server,
    "/v1/tax-servers/{server_id}/{verb}": _server_verb,
    "/v1/virtual-devices": _new_device,
    "/v1/virtual-devices/{device_id}/{verb}": lambda house, n: house.on_device("read"),
    "/v1/virtual-devices/{device_id}/add_terminal": lambda house, n: house.on_device(
        "add_terminal", terminal_code=f"T{n}", terminal_name="分机"
    ),
    "/v1/virtual-devices/{device_id}/apply": lambda house, n: house.on_device("apply", kind="026", count=10),
    "/v1/virtual-devices/{device_id}/receive": lambda house, n: house.on_device("receive", kind="026"),
    "/v1/virtual-devices/{device_id}/distribute": _distribute,
    "/v1/invoices": lambda house, n: ("/v1/invoices", house.invoice_body(n), "front_end"),
    "/v1/invoices/check": lambda house, n: ("/v1/invoices/check", house.invoice_body(n), "front_end"),
    "/v1/invoices/{invoice_id}/cancel": _cancel,
    "/v1/agents/tokens": lambda house, n: ("/v1/agents/tokens", {"host_id": f"h{n}", "name": "n"}, "admin"),
    "/v1/agents/{agent_id}/revoke": lambda house, n: _agent_verb(house, n, "revoke"),
    "/v1/agents/{agent_id}/bind": lambda house, n: _agent_verb(house, n, "bind"),
    "/v1/agent/join": _join,
    "/v1/agent/lease": lambda house, n: ("/v1/agent/lease", {"session": "session-1"}, "agent"),
    "/v1/agent/outcomes": lambda house, n: ("/v1/agent/outcomes", {"session": "session-1"}, "agent"),
    "/v1/lines": _line,
    "/v1/lines/{line_id}/{verb}": _line_verb,
    "/v1/lines/slots": _slot,
    "/v1/lines/samples": lambda house, n: (
        "/v1/lines/samples", {"slot": utc_text(START), "vantage": "v", "samples": []}, "probe"
    ),
}  # fmt: skip
"""Path in the OpenAPI → a maker of a request it accepts."""
