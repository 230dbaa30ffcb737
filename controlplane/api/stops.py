"""``/v1/stops``: emergency stops, in force and over."""

from __future__ import annotations

from functools import partial
from typing import Any

from starlette.requests import Request

from controlplane.api.access import FleetReader
from controlplane.api.acting import collection_acts, record_acts
from controlplane.api.door import Paged, Word, answer, page_of, router
from controlplane.api.services import Services, services_of, viewer_of
from controlplane.domain.principal import Principal
from controlplane.operations import stops
from controlplane.operations.acts import Act, Once, Viewer
from controlplane.store import listing
from controlplane.store.statement import Connection, Row
from controlplane.store.transaction import Transaction
from controlplane.wire.people import Stop
from controlplane.wire.records import Listing

routes = router("stops")
SOURCE = listing.Source("stops", region="CASE WHEN taxpayer_id = '' THEN region END")


@routes.get("", response_model=Listing[Stop])
async def list_stops(
    request: Request, caller: FleetReader, paging: Paged, active: bool | None = None, target_noun: Word = None
) -> dict[str, Any]:
    """Emergency stops, newest first. ``active=true``: those in force, which the console's banner shows."""
    state = None if active is None else "active" if active else "resumed"
    wanted = page_of(caller, paging, {"state": state, "target_noun": target_noun}, newest_first=True)
    rows, following = await services_of(request).ledger.read(lambda hand: listing.page(hand, SOURCE, wanted))
    return answer([stops.view(row, viewer_of(request, caller)) for row in rows], following)


@routes.get("/{stop_id}", response_model=Stop)
async def get_stop(request: Request, caller: FleetReader, stop_id: str) -> Row:
    """One stop."""
    viewer = viewer_of(request, caller)
    return await services_of(request).ledger.read(lambda hand: _show(hand, stop_id, viewer))


def _show(hand: Connection, stop_id: str, viewer: Viewer) -> Row:
    return stops.view(stops.find(hand, stop_id, viewer.caller), viewer)


def _act(tx: Transaction, wanted: Act, services: Services) -> Once:
    stops.act(tx, wanted)
    return _settled(wanted.record_id, services)


def _register(tx: Transaction, caller: Principal, values: dict[str, Any], services: Services) -> Once:
    return _settled(stops.register(tx, caller, values), services)


def _settled(stop_id: str, services: Services) -> Once:
    return Once(stop_id, then=partial(stops.settle, stop_id=stop_id, rules=services.rules))


collection_acts(routes, "stops", {"register": _register}, _show)
record_acts(routes, "stops", _act, _show)
