"""``/v1/applications`` and ``/v1/grants``."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from starlette.requests import Request

from controlplane.api.access import FleetReader
from controlplane.api.acting import record_acts
from controlplane.api.door import ERRORS, DoorRoute, Paged, Word, answer, one_of, page_of, router
from controlplane.api.services import Services, services_of, viewer_of
from controlplane.domain.refusals import refuse
from controlplane.operations import applications
from controlplane.operations.acts import Act, Viewer
from controlplane.store import listing
from controlplane.store.statement import Connection, Row
from controlplane.store.transaction import Transaction
from controlplane.wire.records import Application, Grant, Listing

routes = router("applications")
grants = APIRouter(prefix="/v1/grants", tags=["grants"], route_class=DoorRoute, responses=ERRORS)

_SOURCE = listing.Source(
    "applications x JOIN devices d ON d.id = x.device_id", "x.id", "x.taxpayer_id", "x.*, d.device_no"
)
_GRANTS = listing.Source("grants x JOIN devices d ON d.id = x.device_id", "x.id", "x.taxpayer_id", "x.*, d.device_no")


@routes.get("", response_model=Listing[Application])
async def list_applications(
    request: Request,
    caller: FleetReader,
    paging: Paged,
    taxpayer_id: Word = None,
    device_id: Word = None,
    state: Word = None,
) -> dict[str, Any]:
    """Applications for numbers, newest first."""
    filters = {"x.taxpayer_id": taxpayer_id, "x.device_id": device_id, "x.state": state}
    wanted = page_of(caller, paging, filters, newest_first=True)
    viewer = viewer_of(request, caller)

    def read(hand: Connection) -> dict[str, Any]:
        rows, following = listing.page(hand, _SOURCE, wanted)
        return answer([applications.view(hand, row, viewer) for row in rows], following)

    return await services_of(request).ledger.read(read)


@routes.get("/{application_id}", response_model=Application)
async def get_application(request: Request, caller: FleetReader, application_id: str) -> Row:
    """One application."""
    viewer = viewer_of(request, caller)
    return await services_of(request).ledger.read(lambda hand: _show(hand, application_id, viewer))


def _show(hand: Connection, application_id: str, viewer: Viewer) -> Row:
    rows, _ = listing.page(hand, _SOURCE, one_of(viewer.caller, {"x.id": application_id}))
    if not rows:
        raise refuse("not_found")
    return applications.view(hand, rows[0], viewer)


def _act(tx: Transaction, wanted: Act, _services: Services) -> str | None:
    return applications.act(tx, wanted)


record_acts(routes, "applications", _act, _show)


@grants.get("", response_model=Listing[Grant])
async def list_grants(
    request: Request,
    caller: FleetReader,
    paging: Paged,
    taxpayer_id: Word = None,
    device_id: Word = None,
    state: Word = None,
) -> dict[str, Any]:
    """Runs the bureau granted, newest first, each with what became of its numbers."""
    filters = {"x.taxpayer_id": taxpayer_id, "x.device_id": device_id, "x.state": state}
    wanted = page_of(caller, paging, filters, newest_first=True)

    def read(hand: Connection) -> dict[str, Any]:
        rows, following = listing.page(hand, _GRANTS, wanted)
        return answer([applications.grant_view(hand, row) for row in rows], following)

    return await services_of(request).ledger.read(read)


@grants.get("/{grant_id}", response_model=Grant)
async def get_grant(request: Request, caller: FleetReader, grant_id: str) -> Row:
    """One grant."""

    def read(hand: Connection) -> Row:
        rows, _ = listing.page(hand, _GRANTS, one_of(caller, {"x.id": grant_id}))
        if not rows:
            raise refuse("not_found")
        return applications.grant_view(hand, rows[0])

    return await services_of(request).ledger.read(read)
