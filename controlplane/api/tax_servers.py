"""``/v1/tax-servers``."""

from __future__ import annotations

from typing import Any, Literal

from starlette.requests import Request

from controlplane.api.access import FleetActor, FleetChanger, FleetReader
from controlplane.api.door import Paged, Word, answer, page_of, router
from controlplane.api.services import services_of, viewer_of
from controlplane.domain.refusals import refuse
from controlplane.operations import jobs, tax_servers
from controlplane.operations.acts import Act
from controlplane.store import jobs as job_store
from controlplane.store import listing
from controlplane.store import tax_servers as store
from controlplane.store.statement import Connection
from controlplane.wire.records import Acted, Listing, Move, NewTaxServer, TaxServer

routes = router("tax-servers")
SOURCE = listing.Source("tax_servers", taxpayer=None)


@routes.get("", response_model=Listing[TaxServer])
async def list_tax_servers(
    request: Request, caller: FleetReader, paging: Paged, state: Word = None, region: Word = None
) -> dict[str, Any]:
    """Tax servers in the order they were registered."""
    services = services_of(request)
    wanted = page_of(caller, paging, {"state": state, "region": region})

    def read(hand: Connection) -> dict[str, Any]:
        rows, following = listing.page(hand, SOURCE, wanted)
        return answer([tax_servers.view(hand, row, viewer_of(request, caller)) for row in rows], following)

    return await services.ledger.read(read)


@routes.get("/{server_id}", response_model=TaxServer)
async def get_tax_server(request: Request, caller: FleetReader, server_id: str) -> dict[str, Any]:
    """One tax server."""
    services = services_of(request)

    def read(hand: Connection) -> dict[str, Any]:
        row = store.find(hand, server_id)
        if row is None or caller.scope is not None:
            raise refuse("not_found")
        return tax_servers.view(hand, row, viewer_of(request, caller))

    return await services.ledger.read(read)


@routes.post("", response_model=TaxServer, status_code=201)
async def register_tax_server(request: Request, caller: FleetChanger, body: NewTaxServer) -> dict[str, Any]:
    """Register a tax server; it is read and commissioned by its verbs."""
    services = services_of(request)
    row = await services.ledger.write(lambda tx: tax_servers.register(tx, caller, body.model_dump()))
    return await services.ledger.read(lambda hand: tax_servers.view(hand, row, viewer_of(request, caller)))


Verb = Literal["synchronise", "calibrate", "commission", "certify", "suspend", "resume"]


@routes.post("/{server_id}/{verb}", response_model=Acted, status_code=202)
async def act_on_tax_server(
    request: Request, caller: FleetActor, server_id: str, verb: Verb, body: Move
) -> dict[str, Any]:
    """Do one verb of the tax server's life."""
    services = services_of(request)
    wanted = Act(caller, verb, server_id, body.version, body.reason, {})
    row, job_id = await services.ledger.write(lambda tx: tax_servers.act(tx, wanted, services.rules))

    def read(hand: Connection) -> dict[str, Any]:
        job = job_store.by_id(hand, job_id) if job_id else None
        return {
            "job": jobs.view(job) if job else None,
            "record": tax_servers.view(hand, row, viewer_of(request, caller)),
        }

    return await services.ledger.read(read)
