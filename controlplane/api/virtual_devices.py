"""``/v1/virtual-devices``."""

from __future__ import annotations

from typing import Any, Literal

from starlette.requests import Request

from controlplane.api.access import FleetActor, FleetChanger, FleetReader
from controlplane.api.door import Paged, Word, answer, one_of, page_of, router
from controlplane.api.services import services_of, viewer_of
from controlplane.domain.principal import Principal
from controlplane.domain.refusals import refuse
from controlplane.operations import board, jobs, virtual_devices
from controlplane.operations.acts import Act
from controlplane.store import jobs as job_store
from controlplane.store import listing
from controlplane.store.statement import Connection
from controlplane.wire.records import (
    Acted,
    AddTerminal,
    Apply,
    Distribute,
    Listing,
    Move,
    NewVirtualDevice,
    Receive,
    VirtualDevice,
)

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
async def get_virtual_device(request: Request, caller: FleetReader, device_id: str) -> dict[str, Any]:
    """One virtual device."""
    return await _one(request, caller, device_id)


async def _one(request: Request, caller: Principal, device_id: str) -> dict[str, Any]:
    wanted = one_of(caller, {**_KIND, "d.id": device_id})

    def read(hand: Connection) -> dict[str, Any]:
        rows, _ = listing.page(hand, SOURCE, wanted)
        if not rows:
            raise refuse("not_found")
        return board.views(hand, rows, viewer_of(request, caller))[0]

    return await services_of(request).ledger.read(read)


@routes.post("", response_model=VirtualDevice, status_code=201)
async def register_virtual_device(request: Request, caller: FleetChanger, body: NewVirtualDevice) -> dict[str, Any]:
    """Register a virtual device; its verbs lead it to ``ready``."""
    row = await services_of(request).ledger.write(lambda tx: virtual_devices.register(tx, caller, body.model_dump()))
    return await _one(request, caller, row["id"])


Plain = Literal[
    "commission", "fetch_company", "certify", "fetch_kinds", "fetch_rates", "calibrate", "read", "suspend", "resume"
]


@routes.post("/{device_id}/add_terminal", response_model=Acted, status_code=202)
async def add_terminal(request: Request, caller: FleetActor, device_id: str, body: AddTerminal) -> dict[str, Any]:
    """Create a terminal on the device."""
    return await _act(request, caller, (device_id, "add_terminal"), body)


@routes.post("/{device_id}/apply", response_model=Acted, status_code=202)
async def apply(request: Request, caller: FleetActor, device_id: str, body: Apply) -> dict[str, Any]:
    """Apply to the bureau for numbers."""
    return await _act(request, caller, (device_id, "apply"), body)


@routes.post("/{device_id}/receive", response_model=Acted, status_code=202)
async def receive(request: Request, caller: FleetActor, device_id: str, body: Receive) -> dict[str, Any]:
    """Receive granted numbers onto the device."""
    return await _act(request, caller, (device_id, "receive"), body)


@routes.post("/{device_id}/distribute", response_model=Acted, status_code=202)
async def distribute(request: Request, caller: FleetActor, device_id: str, body: Distribute) -> dict[str, Any]:
    """Distribute numbers from the device to a terminal."""
    return await _act(request, caller, (device_id, "distribute"), body)


@routes.post("/{device_id}/{verb}", response_model=Acted, status_code=202)
async def act_on_virtual_device(
    request: Request, caller: FleetActor, device_id: str, verb: Plain, body: Move
) -> dict[str, Any]:
    """Do one verb that needs no arguments."""
    return await _act(request, caller, (device_id, verb), body)


async def _act(request: Request, caller: Principal, what: tuple[str, str], body: Move) -> dict[str, Any]:
    device_id, verb = what
    services = services_of(request)
    arguments = body.model_dump(exclude={"reason", "version"})
    wanted = Act(caller, verb, device_id, body.version, body.reason, arguments)
    _, job_id = await services.ledger.write(lambda tx: virtual_devices.act(tx, wanted, services.rules))
    job = await services.ledger.read(lambda hand: job_store.by_id(hand, job_id)) if job_id else None
    return {"job": jobs.view(job) if job else None, "record": await _one(request, caller, device_id)}
