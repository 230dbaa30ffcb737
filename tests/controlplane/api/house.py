"""Hands at the application's door: callers of every role, and short words for asking."""

from __future__ import annotations

import copy
import http.client
import itertools
import json
import os
from collections.abc import Iterable
from typing import Any
from urllib.parse import urlsplit

from controlplane.operations import principals
from controlplane.store.transaction import Transaction
from tests.controlplane.api import doors
from tests.controlplane.api.doors import Valid
from tests.controlplane.operations.scene import RICE, Agent, Scene

ROLES = ("admin", "operator", "auditor", "front_end", "probe")
PASSWORD = "correct horse battery"
MOVE = {"reason": "for the test"}
_VALID = doors.valid()


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
        agent.quota = 1000
        self.server_id = scene.server(agent)
        self.server_no = scene.one("SELECT tax_server_no FROM tax_servers")["tax_server_no"]
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
        """A well-formed POST; bytes are a workbook."""
        if isinstance(body, bytes):
            status, _, content = self.send("POST", path, body, {"Content-Type": doors.WORKBOOK}, role)
            return status, json.loads(content)
        return self.ask("POST", path, json.dumps(body).encode(), role)

    def front_end_of(self, *owners: str) -> str:
        """The role of a new front end that sees only these taxpayers."""
        return self.scoped("front_end", owners)

    def scoped(self, role: str, taxpayers: Iterable[str] = (), regions: Iterable[str] = ()) -> str:
        """A new principal of that role and scope; the name under which its token is known here."""
        name = f"{role} {next(self._count)}"
        self.tokens[name] = name.ljust(32, "x").replace(" ", "-")

        def make(tx: Transaction) -> None:
            row = principals.create(tx, name, role, None, list(taxpayers), regions=list(regions))
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

    def share(self, paths: list[str]) -> list[str]:
        """Doors to walk through: all of them on SQLite, every fourth on PostgreSQL (all with ``TEST_ALL_DOORS=1``)."""
        whole = self.scene.ledger.dialect == "sqlite" or os.environ.get("TEST_ALL_DOORS")
        return paths if whole else paths[1::4]

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
