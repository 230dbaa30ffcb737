"""Agents: their own routes and what people do with them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.controlplane.api.doors import Maker, Valid
from tests.controlplane.operations.scene import Agent

if TYPE_CHECKING:
    from tests.controlplane.api.house import House


def _agent_verb(house: House, number: int, verb: str) -> Valid:
    other = Agent(house.scene, host_id=f"host-x{number}")
    body: dict[str, Any] = {"reason": "for the test", "version": house.version("agents", other.id)}
    if verb == "bind":
        body["tax_server_id"] = house.fresh_server(number)
    return f"/v1/agents/{other.id}/{verb}", body, "admin"


def _join(house: House, number: int) -> Valid:
    status, given = house.post("/v1/agents/tokens", {"host_id": "", "name": "joining"})
    assert status == 201, given
    body = {"token": given["token"], "host_id": f"h{number}", "name": "joining", "secret": "ab" * 32, "version": "1"}
    return "/v1/agent/join", body, ""


VALID: dict[str, Maker] = {
    "/v1/agents/tokens": lambda house, n: ("/v1/agents/tokens", {"host_id": f"h{n}", "name": "n"}, "admin"),
    "/v1/agents/{agent_id}/revoke": lambda house, n: _agent_verb(house, n, "revoke"),
    "/v1/agents/{agent_id}/bind": lambda house, n: _agent_verb(house, n, "bind"),
    "/v1/agent/join": _join,
    "/v1/agent/lease": lambda house, n: ("/v1/agent/lease", {"session": "session-1"}, "agent"),
    "/v1/agent/outcomes": lambda house, n: ("/v1/agent/outcomes", {"session": "session-1"}, "agent"),
}
ALLOWED: dict[tuple[str, str], set[str]] = {
    ("post", "/v1/agents/tokens"): {"admin"},
    ("post", "/v1/agents/{agent_id}/revoke"): {"admin"},
    ("post", "/v1/agents/{agent_id}/bind"): {"admin"},
    ("post", "/v1/agent/lease"): {"agent"},
    ("post", "/v1/agent/outcomes"): {"agent"},
}
