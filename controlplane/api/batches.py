"""``/v1/batches``: how far the virtual devices taken from one file have come."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request

from controlplane.api.access import FleetReader
from controlplane.api.door import Paged, answer, page_of, router
from controlplane.api.services import services_of
from controlplane.domain.refusals import refuse
from controlplane.operations import device_batches
from controlplane.store import batches, listing
from controlplane.store.statement import Connection
from controlplane.wire.records import Batch, Listing, Record

routes = router("batches")
SOURCE = listing.Source("batches", taxpayer=None)


@routes.get("", response_model=Listing[Record])
async def list_batches(request: Request, caller: FleetReader, paging: Paged) -> dict[str, Any]:
    """Batches, newest first; those of one caller's taxpayers are found by id only."""
    wanted = page_of(caller, paging, {}, newest_first=True)
    rows, following = await services_of(request).ledger.read(lambda hand: listing.page(hand, SOURCE, wanted))
    return answer(rows, following)


@routes.get("/{batch_id}", response_model=Batch)
async def get_batch(request: Request, caller: FleetReader, batch_id: str) -> dict[str, Any]:
    """One batch: rows ready of total, and each device with its state and last refusal."""

    def read(hand: Connection) -> dict[str, Any]:
        row = batches.find(hand, batch_id)
        if row is None:
            raise refuse("not_found")
        return device_batches.view(hand, caller, row)

    return await services_of(request).ledger.read(read)
