"""``/v1/releases``: what is published, and which version runs where."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request

from controlplane.api.access import FleetReader
from controlplane.api.door import Paged, Word, answer, page_of, router
from controlplane.api.services import services_of, viewer_of
from controlplane.domain.refusals import refuse
from controlplane.operations import releases
from controlplane.store import listing
from controlplane.store import releases as store
from controlplane.store.statement import Connection, Row
from controlplane.wire.records import Listing
from controlplane.wire.seals import MatrixPlace, Release

routes = router("releases")
SOURCE = listing.Source("releases", taxpayer=None)


@routes.get("", response_model=Listing[Release])
async def list_releases(
    request: Request, caller: FleetReader, paging: Paged, product: Word = None
) -> dict[str, Any]:
    """Releases in the order they were first seen."""
    wanted = page_of(caller, paging, {"product": product})

    def read(hand: Connection) -> dict[str, Any]:
        return answer(*listing.page(hand, SOURCE, wanted))

    return await services_of(request).ledger.read(read)


@routes.get("/matrix", response_model=Listing[MatrixPlace])
async def list_matrix(
    request: Request, caller: FleetReader, paging: Paged, product: Word = None, tax_server_id: Word = None
) -> dict[str, Any]:
    """Tax servers and secure proxies with the version they reported and how it stands to what is published."""
    wanted = page_of(caller, paging, {"m.product": product, "m.tax_server_id": tax_server_id})
    viewer = viewer_of(request, caller)

    def read(hand: Connection) -> dict[str, Any]:
        rows, following = listing.page(hand, releases.MATRIX, wanted)
        return answer(releases.matrix(hand, rows, viewer), following)

    return await services_of(request).ledger.read(read)


@routes.get("/{release_id}", response_model=Release)
async def get_release(request: Request, caller: FleetReader, release_id: str) -> Row:
    """One release."""
    row = await services_of(request).ledger.read(lambda hand: store.find(hand, release_id))
    if row is None or caller.scope is not None:
        raise refuse("not_found")
    return row
