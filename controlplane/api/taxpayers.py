"""``/v1/taxpayers``."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Any, Literal

from fastapi import Query
from starlette.requests import Request

from controlplane.api.access import FleetReader
from controlplane.api.acting import collection_acts, record_acts
from controlplane.api.door import Paged, Word, answer, page_of, router
from controlplane.api.services import Services, services_of, viewer_of
from controlplane.domain.principal import Principal
from controlplane.domain.refusals import refuse
from controlplane.domain.taxpayer import TREE_DEPTH
from controlplane.operations import taxpayer_views, taxpayers
from controlplane.operations.acts import Act, Viewer
from controlplane.store import listing
from controlplane.store import taxpayers as store
from controlplane.store.statement import Connection, Row
from controlplane.store.transaction import Transaction
from controlplane.wire.records import Listing, Record, Taxpayer

routes = router("taxpayers")
SOURCE = listing.Source("taxpayers", key="taxpayer_id")
Kind = Annotated[Literal["general", "small", "converted"], Query()]


@routes.get("", response_model=Listing[Taxpayer])
async def list_taxpayers(
    request: Request, caller: FleetReader, paging: Paged, region: Word = None, state: Word = None, root: Word = None
) -> dict[str, Any]:
    """Taxpayers in order of their 纳税人识别号; with ``root`` that one and all below it."""
    wanted = page_of(caller, paging, {"region": region, "state": state})

    def read(hand: Connection) -> dict[str, Any]:
        asked = wanted
        if root is not None:
            below = [row["taxpayer_id"] for row in store.subtree(hand, root, TREE_DEPTH)]
            asked = replace(wanted, scope=[one for one in below if caller.sees(one)] if caller.sees(root) else [])
        rows, following = listing.page(hand, SOURCE, asked)
        return answer(taxpayer_views.views(hand, rows, viewer_of(request, caller)), following)

    return await services_of(request).ledger.read(read)


@routes.get("/{taxpayer_id}", response_model=Taxpayer)
async def get_taxpayer(request: Request, caller: FleetReader, taxpayer_id: str) -> dict[str, Any]:
    """One taxpayer with flags, contacts, fetches, and what stands in the way of retiring it."""
    viewer = viewer_of(request, caller)
    return await services_of(request).ledger.read(lambda hand: _show(hand, taxpayer_id, viewer))


@routes.get("/{taxpayer_id}/tree", response_model=Record)
async def get_tree(request: Request, caller: FleetReader, taxpayer_id: str) -> dict[str, Any]:
    """A taxpayer and all below it."""
    return await services_of(request).ledger.read(lambda hand: taxpayers.tree(hand, taxpayer_id, caller))


@routes.get("/{taxpayer_id}/effects", response_model=Record)
async def get_effects(request: Request, caller: FleetReader, taxpayer_id: str, kind: Kind) -> dict[str, Any]:
    """What becomes wrong when the taxpayer becomes one of that kind: devices, rates, kinds, flags."""
    viewer = viewer_of(request, caller)

    def read(hand: Connection) -> dict[str, Any]:
        return taxpayer_views.effects_of(hand, _row(hand, taxpayer_id, viewer), kind, viewer)

    return await services_of(request).ledger.read(read)


def _row(hand: Connection, taxpayer_id: str, viewer: Viewer) -> Row:
    row = store.find(hand, taxpayer_id)
    if row is None or not viewer.caller.sees(taxpayer_id):
        raise refuse("not_found")
    return row


def _show(hand: Connection, taxpayer_id: str, viewer: Viewer) -> dict[str, Any]:
    return taxpayer_views.whole(hand, _row(hand, taxpayer_id, viewer), viewer)


def _act(tx: Transaction, wanted: Act, services: Services) -> str | None:
    return taxpayers.act(tx, wanted, services.rules)


def _register(tx: Transaction, caller: Principal, values: dict[str, Any], services: Services) -> str:
    return str(taxpayers.create(tx, caller, values, services.rules)["taxpayer_id"])


collection_acts(routes, "taxpayers", {"register": _register}, _show)
record_acts(routes, "taxpayers", _act, _show)
