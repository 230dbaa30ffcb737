"""``/v1/virtual-devices``."""

from __future__ import annotations

from typing import Any, Literal

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from controlplane.api import taxpayers
from controlplane.api.access import FleetChanger, FleetReader
from controlplane.api.acting import collection_acts, record_acts
from controlplane.api.door import WORKBOOK, FileRoute, Paged, Word, answer, one_of, page_of, router
from controlplane.api.problem import Refused
from controlplane.api.services import Services, services_of, viewer_of
from controlplane.domain.principal import Principal
from controlplane.domain.refusals import refuse
from controlplane.operations import board, device_batches, fleet_counts, impact, virtual_devices
from controlplane.operations.acts import Act, Viewer
from controlplane.store import listing
from controlplane.store.statement import Connection, Row
from controlplane.store.transaction import Transaction
from controlplane.wire.records import BatchReport, FleetCount, Impact, Listing, VirtualDevice

routes = router("virtual-devices")
SOURCE = listing.Source(board.SOURCE, key="d.id", taxpayer="d.taxpayer_id", columns=board.COLUMNS)
_SUMMED = {"tax_server": listing.Source("tax_servers", taxpayer=None), "taxpayer": taxpayers.SOURCE}
_MOST_TOLD = 200
_KIND = {"d.device_kind": virtual_devices.KIND}


@routes.get("", response_model=Listing[VirtualDevice])
async def list_virtual_devices(
    request: Request,
    caller: FleetReader,
    paging: Paged,
    taxpayer_id: Word = None,
    tax_server_id: Word = None,
    state: Word = None,
) -> dict[str, Any]:
    """Virtual devices in the order they were registered, each with its reading, stock and health."""
    filters = {**_KIND, "d.taxpayer_id": taxpayer_id, "d.tax_server_id": tax_server_id, "d.state": state}
    wanted = page_of(caller, paging, filters)

    def read(hand: Connection) -> dict[str, Any]:
        rows, following = listing.page(hand, SOURCE, wanted)
        return answer(board.views(hand, rows, viewer_of(request, caller)), following)

    return await services_of(request).ledger.read(read)


@routes.get("/summary", response_model=Listing[FleetCount])
async def list_summary(
    request: Request, caller: FleetReader, paging: Paged, by: Literal["tax_server", "taxpayer"] = "tax_server"
) -> dict[str, Any]:
    """Places, devices by state, issuable and issued counts of each tax server or taxpayer."""
    wanted = page_of(caller, paging, {})

    def read(hand: Connection) -> dict[str, Any]:
        rows, following = listing.page(hand, _SUMMED[by], wanted)
        return answer(fleet_counts.summary(hand, by, rows, viewer_of(request, caller)), following)

    return await services_of(request).ledger.read(read)


async def take_batch(request: Request, caller: FleetChanger, told: Response, dry_run: bool = True) -> dict[str, Any]:
    """Register and commission the devices of a workbook (taxpayer_id, tax_server_no, name), all or none.

    A dry run changes nothing and reports every fault with its cell, and what happens to each tax server's places.
    """
    services = services_of(request)
    batch = await run_in_threadpool(device_batches.read, await request.body())
    if dry_run:
        report = await services.ledger.read(lambda hand: device_batches.look(hand, caller, batch))
        return report.shown() | {"dry_run": True}
    report = await services.ledger.write(lambda tx: device_batches.apply(tx, caller, batch))
    if report.faults:
        raise Refused([fault.refusal for fault in report.faults[:_MOST_TOLD]])
    told.status_code = 201
    return report.shown() | {"dry_run": False}


routes.add_api_route(
    "/batch",
    take_batch,
    methods=["POST"],
    response_model=BatchReport,
    responses={201: {"model": BatchReport, "description": "taken; `batch_id` leads to its progress"}},
    route_class_override=FileRoute,
    openapi_extra={
        "requestBody": {"required": True, "content": {WORKBOOK: {"schema": {"type": "string", "format": "binary"}}}}
    },
)


@routes.get("/{device_id}/impact", response_model=Impact)
async def get_impact(request: Request, caller: FleetReader, device_id: str) -> dict[str, Any]:
    """What stops if this virtual device stops."""
    viewer = viewer_of(request, caller)

    def read(hand: Connection) -> dict[str, Any]:
        return impact.of(hand, "virtual-devices", _seen(hand, device_id, viewer), viewer)

    return await services_of(request).ledger.read(read)


@routes.get("/{device_id}", response_model=VirtualDevice)
async def get_virtual_device(request: Request, caller: FleetReader, device_id: str) -> Row:
    """One virtual device."""
    viewer = viewer_of(request, caller)
    return await services_of(request).ledger.read(lambda hand: _show(hand, device_id, viewer))


def _show(hand: Connection, device_id: str, viewer: Viewer) -> Row:
    return board.views(hand, [_seen(hand, device_id, viewer)], viewer)[0]


def _seen(hand: Connection, device_id: str, viewer: Viewer) -> Row:
    rows, _ = listing.page(hand, SOURCE, one_of(viewer.caller, {**_KIND, "d.id": device_id}))
    if not rows:
        raise refuse("not_found")
    return rows[0]


def _act(tx: Transaction, wanted: Act, services: Services) -> str | None:
    return virtual_devices.act(tx, wanted, services.rules)


def _register(tx: Transaction, caller: Principal, values: dict[str, Any], _services: Services) -> str:
    return virtual_devices.register(tx, caller, values)


collection_acts(routes, "virtual-devices", {"register": _register}, _show)
record_acts(routes, "virtual-devices", _act, _show)
