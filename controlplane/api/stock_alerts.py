"""``/v1/stock-alerts``, and ``/v1/stock/tree``."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Query
from starlette.requests import Request

from controlplane.api.access import FleetReader
from controlplane.api.acting import collection_acts, record_acts
from controlplane.api.door import Paged, Word, answer, one_of, page_of, router
from controlplane.api.services import Services, services_of, viewer_of
from controlplane.domain.principal import Principal
from controlplane.domain.refusals import refuse
from controlplane.operations import stock, stock_alerts
from controlplane.operations.acts import Act, Viewer
from controlplane.store import listing, taxpayers
from controlplane.store.statement import Connection, Row
from controlplane.store.transaction import Transaction
from controlplane.wire.records import Listing, StockAlert, StockTree

routes = router("stock-alerts")
tree = router("stock")
_KEPT = listing.Source("(SELECT * FROM stock_alerts WHERE state <> 'removed') a", "a.id", "a.taxpayer_id", "a.*")
_ALL = listing.Source("stock_alerts")
_Taxpayer = Annotated[str, Query(max_length=64, pattern=r"^[0-9A-Za-z._:-]+$")]


@routes.get("", response_model=Listing[StockAlert])
async def list_stock_alerts(
    request: Request, caller: FleetReader, paging: Paged, taxpayer_id: Word = None, device_id: Word = None
) -> dict[str, Any]:
    """Thresholds on record with what each has told, in the order they were registered."""
    wanted = page_of(caller, paging, {"a.taxpayer_id": taxpayer_id, "a.device_id": device_id})
    viewer = viewer_of(request, caller)

    def read(hand: Connection) -> dict[str, Any]:
        rows, following = listing.page(hand, _KEPT, wanted)
        return answer([stock_alerts.view(hand, row, viewer) for row in rows], following)

    return await services_of(request).ledger.read(read)


@routes.get("/{alert_id}", response_model=StockAlert)
async def get_stock_alert(request: Request, caller: FleetReader, alert_id: str) -> Row:
    """One alert; a removed one too."""
    viewer = viewer_of(request, caller)
    return await services_of(request).ledger.read(lambda hand: _show(hand, alert_id, viewer))


def _show(hand: Connection, alert_id: str, viewer: Viewer) -> Row:
    rows, _ = listing.page(hand, _ALL, one_of(viewer.caller, {"id": alert_id}))
    if not rows:
        raise refuse("not_found")
    return stock_alerts.view(hand, rows[0], viewer)


def _act(tx: Transaction, wanted: Act, _services: Services) -> str | None:
    stock_alerts.act(tx, wanted)
    return None


def _register(tx: Transaction, caller: Principal, values: dict[str, Any], services: Services) -> str:
    return stock_alerts.register(tx, caller, values, services.rules)


collection_acts(routes, "stock-alerts", {"register": _register}, _show)
record_acts(routes, "stock-alerts", _act, _show)


@tree.get("/tree", response_model=StockTree)
async def stock_tree(request: Request, caller: FleetReader, taxpayer_id: _Taxpayer) -> dict[str, Any]:
    """Stock of one taxpayer by device, terminal and segment, with sums per kind at each level and ages of readings."""
    viewer = viewer_of(request, caller)

    def read(hand: Connection) -> dict[str, Any]:
        if not caller.sees(taxpayer_id) or taxpayers.find(hand, taxpayer_id) is None:
            raise refuse("not_found")
        return stock.tree(hand, taxpayer_id, viewer)

    return await services_of(request).ledger.read(read)
