"""``/v1/virtual-devices``."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request

from controlplane.api.access import FleetReader
from controlplane.api.acting import collection_acts, record_acts
from controlplane.api.door import Paged, Word, answer, one_of, page_of, router
from controlplane.api.services import Services, services_of, viewer_of
from controlplane.domain.principal import Principal
from controlplane.domain.refusals import refuse
from controlplane.operations import board, virtual_devices
from controlplane.operations.acts import Act, Viewer
from controlplane.store import listing
from controlplane.store.statement import Connection, Row
from controlplane.store.transaction import Transaction
from controlplane.wire.records import Listing, VirtualDevice

routes = router("virtual-devices")
SOURCE = listing.Source(board.SOURCE, key="d.id", taxpayer="d.taxpayer_id", columns=board.COLUMNS)
_KIND = {"d.device_kind": virtual_devices.KIND}


@routes.get("", response_model=Listing[VirtualDevice])
async def list_virtual_devices(
    request: Request,
    caller: FleetReader,
    paging: Paged,
    taxpayer_id: Word = None,
    tax_server_id: Word = None,
) -> dict[str, Any]:
    """Virtual devices in the order they were registered, each with its reading, stock and health."""
    filters = {**_KIND, "d.taxpayer_id": taxpayer_id, "d.tax_server_id": tax_server_id}
    wanted = page_of(caller, paging, filters)

    def read(hand: Connection) -> dict[str, Any]:
        rows, following = listing.page(hand, SOURCE, wanted)
        return answer(board.views(hand, rows, viewer_of(request, caller)), following)

    return await services_of(request).ledger.read(read)


@routes.get("/{device_id}", response_model=VirtualDevice)
async def get_virtual_device(request: Request, caller: FleetReader, device_id: str) -> Row:
    """One virtual device."""
    viewer = viewer_of(request, caller)
    return await services_of(request).ledger.read(lambda hand: _show(hand, device_id, viewer))


def _show(hand: Connection, device_id: str, viewer: Viewer) -> Row:
    rows, _ = listing.page(hand, SOURCE, one_of(viewer.caller, {**_KIND, "d.id": device_id}))
    if not rows:
        raise refuse("not_found")
    return board.views(hand, rows, viewer)[0]


def _act(tx: Transaction, wanted: Act, services: Services) -> str | None:
    return virtual_devices.act(tx, wanted, services.rules)


def _register(tx: Transaction, caller: Principal, values: dict[str, Any], _services: Services) -> str:
    return virtual_devices.register(tx, caller, values)


collection_acts(routes, "virtual-devices", {"register": _register}, _show)
record_acts(routes, "virtual-devices", _act, _show)
