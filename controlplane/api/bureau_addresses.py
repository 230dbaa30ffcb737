"""``/v1/bureau-addresses``: the address book, what it lacks, and its sheet."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import Depends
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from controlplane.api.access import FleetReader, requires
from controlplane.api.acting import collection_acts, record_acts
from controlplane.api.door import WORKBOOK, Paged, Word, answer, one_of, page_of, router
from controlplane.api.problem import Refused
from controlplane.api.services import Services, services_of, viewer_of
from controlplane.domain.principal import Principal
from controlplane.domain.refusals import refuse
from controlplane.domain.registry import ACTS
from controlplane.operations import bureau_address_sheet, bureau_addresses
from controlplane.operations.acts import Act, Viewer
from controlplane.store import listing
from controlplane.store.statement import Connection, Row
from controlplane.store.transaction import Transaction
from controlplane.wire.act_bodies import body_of
from controlplane.wire.records import Listing, Record

routes = router("bureau-addresses")
_TABLE = "(SELECT * FROM bureau_endpoints WHERE removed_at IS NULL) AS book"
SOURCE = listing.Source(_TABLE, taxpayer=None, region="area_code")
_ANY = listing.Source("bureau_endpoints", taxpayer=None, region="area_code")
_IMPORT = ACTS["bureau-addresses", "import"]
_MOST_TOLD = 100
_MEDIA = {"xlsx": WORKBOOK, "csv": "text/csv; charset=utf-8"}


@routes.get("", response_model=Listing[Record])
async def list_addresses(
    request: Request, caller: FleetReader, paging: Paged, area_code: Word = None, service: Word = None
) -> dict[str, Any]:
    """Versions of addresses: current, future and ended ones."""
    wanted = page_of(caller, paging, {"area_code": area_code, "service": service})

    def read(hand: Connection) -> dict[str, Any]:
        rows, following = listing.page(hand, SOURCE, wanted)
        return answer([bureau_addresses.view(row, viewer_of(request, caller)) for row in rows], following)

    return await services_of(request).ledger.read(read)


@routes.get("/completeness", response_model=Listing[Record])
async def list_completeness(
    request: Request, caller: FleetReader, paging: Paged, status: Word = None
) -> dict[str, Any]:
    """36 regions × 5 service kinds: ok, missing, raw_ip_omitted (the public lists give a bare address), duplicate."""
    services = services_of(request)
    cells = await services.ledger.read(lambda hand: bureau_addresses.completeness(hand, caller, services.now()))
    wanted = page_of(caller, paging, {})
    rows, following = listing.page_of(sorted(cells, key=lambda cell: cell["id"]), wanted)
    if status is not None:
        matching = sorted((cell for cell in cells if cell["status"] == status), key=lambda cell: cell["id"])
        rows, following = listing.page_of(matching, wanted)
    return answer(rows, following)


@routes.get("/{address_id}", response_model=Record)
async def get_address(request: Request, caller: FleetReader, address_id: str) -> Row:
    """One version."""
    viewer = viewer_of(request, caller)
    return await services_of(request).ledger.read(lambda hand: _show(hand, address_id, viewer))


@routes.get("/export/{form}", response_class=Response)
async def export_book(request: Request, caller: FleetReader, form: str) -> Response:
    """The whole book as ``xlsx`` or ``csv``; importing it again changes nothing."""
    media = _MEDIA.get(form)
    if media is None:
        raise refuse("not_found")
    kind: Literal["xlsx", "csv"] = "xlsx" if form == "xlsx" else "csv"
    content = await services_of(request).ledger.read(lambda hand: bureau_address_sheet.write(hand, caller, kind))
    headers = {"Content-Disposition": f'attachment; filename="bureau-addresses.{form}"'}
    return Response(content, 200, headers, media)


async def import_book(request: Request, caller: Principal, body: Any) -> dict[str, Any]:
    """Take rows of a sheet in, all or none; a dry run tells what would happen and names every fault."""
    ledger = services_of(request).ledger
    book = await run_in_threadpool(bureau_address_sheet.read, body.content)
    if body.dry_run:
        found = await ledger.read(lambda hand: bureau_address_sheet.look(hand, caller, book))
        return bureau_address_sheet.report(book, found, True)
    found = await ledger.read(lambda hand: bureau_address_sheet.look(hand, caller, book))
    if book.faults:
        raise Refused([fault.refusal for fault in book.faults[:_MOST_TOLD]])
    fresh = await run_in_threadpool(bureau_address_sheet.read, body.content)
    found = await ledger.write(lambda tx: bureau_address_sheet.take(tx, caller, fresh))
    return bureau_address_sheet.report(fresh, found, False)


import_book.__annotations__ |= {
    "request": Request,
    "caller": Annotated[Principal, Depends(requires(_IMPORT.permission))],
    "body": body_of(_IMPORT),
}
routes.add_api_route("/import", import_book, methods=["POST"], response_model=Record)


def _show(hand: Connection, address_id: str, viewer: Viewer) -> Row:
    rows, _ = listing.page(hand, _ANY, one_of(viewer.caller, {"id": address_id}))
    if not rows:
        raise refuse("not_found")
    return bureau_addresses.view(rows[0], viewer)


def _act(tx: Transaction, wanted: Act, _services: Services) -> None:
    bureau_addresses.act(tx, wanted)


def _register(tx: Transaction, caller: Principal, values: dict[str, Any], _services: Services) -> str:
    return bureau_addresses.register(tx, caller, values)


collection_acts(routes, "bureau-addresses", {"register": _register}, _show)
record_acts(routes, "bureau-addresses", _act, _show)
