"""``/v1/tax-servers``."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request

from controlplane.api.access import FleetReader
from controlplane.api.acting import collection_acts, record_acts
from controlplane.api.door import Paged, Word, answer, page_of, router
from controlplane.api.services import Services, services_of, viewer_of
from controlplane.domain.principal import Principal
from controlplane.domain.refusals import refuse
from controlplane.operations import impact, tax_servers
from controlplane.operations.acts import Act, Viewer
from controlplane.store import listing
from controlplane.store import tax_servers as store
from controlplane.store.statement import Connection, Row
from controlplane.store.transaction import Transaction
from controlplane.wire.records import Impact, Listing, TaxServer

routes = router("tax-servers")
SOURCE = listing.Source("tax_servers", taxpayer=None, region="region")


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
async def get_tax_server(request: Request, caller: FleetReader, server_id: str) -> Row:
    """One tax server."""
    viewer = viewer_of(request, caller)
    return await services_of(request).ledger.read(lambda hand: _show(hand, server_id, viewer))


@routes.get("/{server_id}/impact", response_model=Impact)
async def get_impact(request: Request, caller: FleetReader, server_id: str) -> dict[str, Any]:
    """What stops if this tax server stops."""
    viewer = viewer_of(request, caller)

    def read(hand: Connection) -> dict[str, Any]:
        return impact.of(hand, "tax-servers", _seen(hand, server_id, viewer), viewer)

    return await services_of(request).ledger.read(read)


def _show(hand: Connection, server_id: str, viewer: Viewer) -> Row:
    return tax_servers.view(hand, _seen(hand, server_id, viewer), viewer)


def _seen(hand: Connection, server_id: str, viewer: Viewer) -> Row:
    row = store.find(hand, server_id)
    if row is None or not viewer.caller.sees_record(row):
        raise refuse("not_found")
    return row


def _act(tx: Transaction, wanted: Act, services: Services) -> str | None:
    return tax_servers.act(tx, wanted, services.rules)


def _register(tx: Transaction, caller: Principal, values: dict[str, Any], _services: Services) -> str:
    return tax_servers.register(tx, caller, values)


collection_acts(routes, "tax-servers", {"register": _register}, _show)
record_acts(routes, "tax-servers", _act, _show)
