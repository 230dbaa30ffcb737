"""``/v1/seals``."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request

from controlplane.api.access import FleetReader
from controlplane.api.acting import collection_acts, record_acts
from controlplane.api.door import Paged, Word, answer, page_of, router
from controlplane.api.services import Services, services_of, viewer_of
from controlplane.domain.principal import Principal
from controlplane.domain.refusals import refuse
from controlplane.operations import seal_views, seals
from controlplane.operations.acts import Act, Viewer
from controlplane.store import listing
from controlplane.store import seals as store
from controlplane.store.statement import Connection, Row
from controlplane.store.transaction import Transaction
from controlplane.wire.records import Listing
from controlplane.wire.seals import Seal

routes = router("seals")
SOURCE = listing.Source("seals", taxpayer=None, region="area_code")


@routes.get("", response_model=Listing[Seal])
async def list_seals(
    request: Request,
    caller: FleetReader,
    paging: Paged,
    state: Word = None,
    area_code: Word = None,
    tax_server_id: Word = None,
) -> dict[str, Any]:
    """Seals in the order they were registered."""
    filters = {"state": state, "area_code": area_code, "tax_server_id": tax_server_id}
    wanted, viewer = page_of(caller, paging, filters), viewer_of(request, caller)

    def read(hand: Connection) -> dict[str, Any]:
        rows, following = listing.page(hand, SOURCE, wanted)
        return answer(seal_views.views(hand, rows, viewer), following)

    return await services_of(request).ledger.read(read)


@routes.get("/{seal_id}", response_model=Seal)
async def get_seal(request: Request, caller: FleetReader, seal_id: str) -> Row:
    """One seal."""
    viewer = viewer_of(request, caller)
    return await services_of(request).ledger.read(lambda hand: _show(hand, seal_id, viewer))


def _show(hand: Connection, seal_id: str, viewer: Viewer) -> Row:
    row = store.find(hand, seal_id)
    if row is None or not viewer.caller.sees_record(row):
        raise refuse("not_found")
    return seal_views.views(hand, [row], viewer)[0]


def _act(tx: Transaction, wanted: Act, _services: Services) -> str | None:
    return seals.act(tx, wanted)


def _register(tx: Transaction, caller: Principal, values: dict[str, Any], _services: Services) -> str:
    return seals.register(tx, caller, values)


collection_acts(routes, "seals", {"register": _register}, _show)
record_acts(routes, "seals", _act, _show)
