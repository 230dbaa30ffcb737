"""``/v1/agents``: join tokens, binding, revoking."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request

from controlplane.api.access import AgentManager, FleetReader
from controlplane.api.door import Paged, answer, page_of, router
from controlplane.api.services import services_of
from controlplane.domain.principal import Principal
from controlplane.domain.refusals import refuse
from controlplane.operations import agents
from controlplane.operations.acts import Act
from controlplane.store import agents as store
from controlplane.store import listing
from controlplane.store.statement import Connection, Row
from controlplane.wire.records import Agent, Bind, Listing, Move, NewJoinToken, Record

routes = router("agents")
SOURCE = listing.Source("agents", taxpayer=None)


@routes.get("", response_model=Listing[Agent])
async def list_agents(request: Request, caller: FleetReader, paging: Paged) -> dict[str, Any]:
    """Agents with their heartbeat and what they serve."""
    services = services_of(request)

    def read(hand: Connection) -> dict[str, Any]:
        rows, following = listing.page(hand, SOURCE, page_of(caller, paging, {}))
        return answer([agents.view(hand, row, services.now()) for row in rows], following)

    return await services.ledger.read(read)


@routes.get("/{agent_id}", response_model=Agent)
async def get_agent(request: Request, caller: FleetReader, agent_id: str) -> dict[str, Any]:
    """One agent."""
    return await _one(request, caller, agent_id)


async def _one(request: Request, caller: Principal, agent_id: str) -> Row:
    services = services_of(request)

    def read(hand: Connection) -> Row:
        row = store.find(hand, agent_id)
        if row is None or caller.scope is not None:
            raise refuse("not_found")
        return agents.view(hand, row, services.now())

    return await services.ledger.read(read)


@routes.post("/tokens", response_model=Record, status_code=201)
async def new_join_token(request: Request, caller: AgentManager, body: NewJoinToken) -> dict[str, Any]:
    """A one-use join token, shown once."""
    return await services_of(request).ledger.write(lambda tx: agents.new_token(tx, caller, body.host_id, body.name))


@routes.post("/{agent_id}/revoke", response_model=Agent)
async def revoke_agent(request: Request, caller: AgentManager, agent_id: str, body: Move) -> Row:
    """Cut an agent off, open calls included."""
    wanted = Act(caller, "revoke", agent_id, body.version, body.reason, {})
    await services_of(request).ledger.write(lambda tx: agents.revoke(tx, wanted))
    request.app.state.memory.forget()
    return await _one(request, caller, agent_id)


@routes.post("/{agent_id}/bind", response_model=Agent)
async def bind_agent(request: Request, caller: AgentManager, agent_id: str, body: Bind) -> Row:
    """Let an agent serve a tax server and all its devices."""
    wanted = Act(caller, "bind", agent_id, body.version, body.reason, {"tax_server_id": body.tax_server_id})
    await services_of(request).ledger.write(lambda tx: agents.bind(tx, wanted))
    return await _one(request, caller, agent_id)
