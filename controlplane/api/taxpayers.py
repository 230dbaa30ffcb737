"""``/v1/taxpayers``."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request

from controlplane.api.access import FleetChanger, FleetReader
from controlplane.api.door import Paged, Word, answer, page_of, router
from controlplane.api.services import services_of
from controlplane.domain.refusals import refuse
from controlplane.operations import taxpayers
from controlplane.store import listing
from controlplane.store import taxpayers as store
from controlplane.wire.records import Listing, NewTaxpayer, Taxpayer

routes = router("taxpayers")
SOURCE = listing.Source("taxpayers", key="taxpayer_id")


@routes.get("", response_model=Listing[Taxpayer])
async def list_taxpayers(request: Request, caller: FleetReader, paging: Paged, region: Word = None) -> dict[str, Any]:
    """Taxpayers in order of their 纳税人识别号."""
    wanted = page_of(caller, paging, {"region": region})
    rows, following = await services_of(request).ledger.read(lambda hand: listing.page(hand, SOURCE, wanted))
    return answer([taxpayers.view(row) for row in rows], following)


@routes.get("/{taxpayer_id}", response_model=Taxpayer)
async def get_taxpayer(request: Request, caller: FleetReader, taxpayer_id: str) -> dict[str, Any]:
    """One taxpayer."""
    row = await services_of(request).ledger.read(lambda hand: store.find(hand, taxpayer_id))
    if row is None or not caller.sees(taxpayer_id):
        raise refuse("not_found")
    return taxpayers.view(row)


@routes.post("", response_model=Taxpayer, status_code=201)
async def create_taxpayer(request: Request, caller: FleetChanger, body: NewTaxpayer) -> dict[str, Any]:
    """Take on a taxpayer."""
    row = await services_of(request).ledger.write(lambda tx: taxpayers.create(tx, caller, body.model_dump()))
    return taxpayers.view(row)
