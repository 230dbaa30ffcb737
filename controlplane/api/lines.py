"""``/v1/lines``: bureau addresses, their checks, and the probe clocks' slots and samples."""

from __future__ import annotations

from typing import Any, Literal

from starlette.requests import Request

from controlplane.api.access import FleetReader, LineChanger, LineReporter
from controlplane.api.door import Paged, Word, answer, one_of, page_of, router
from controlplane.api.services import services_of
from controlplane.domain.principal import Principal
from controlplane.domain.refusals import refuse
from controlplane.operations import lines
from controlplane.operations.acts import Act
from controlplane.store import listing
from controlplane.store.statement import Connection
from controlplane.wire.lines import ClaimedSlot, ClaimSlot, SampleReport
from controlplane.wire.records import Line, Listing, Move, NewLine, Record

routes = router("lines")
SOURCE = listing.Source("bureau_endpoints", taxpayer=None)


@routes.get("", response_model=Listing[Line])
async def list_lines(
    request: Request, caller: FleetReader, paging: Paged, area_code: Word = None, service: Word = None
) -> dict[str, Any]:
    """Bureau addresses with their latest check."""
    wanted = page_of(caller, paging, {"area_code": area_code, "service": service})

    def read(hand: Connection) -> dict[str, Any]:
        rows, following = listing.page(hand, SOURCE, wanted)
        return answer([lines.view(hand, row) for row in rows], following)

    return await services_of(request).ledger.read(read)


@routes.get("/{line_id}", response_model=Line)
async def get_line(request: Request, caller: FleetReader, line_id: str) -> dict[str, Any]:
    """One address with its history."""
    return await _one(request, caller, line_id)


async def _one(request: Request, caller: Principal, line_id: str) -> dict[str, Any]:
    def read(hand: Connection) -> dict[str, Any]:
        rows, _ = listing.page(hand, SOURCE, one_of(caller, {"id": line_id}))
        if not rows:
            raise refuse("not_found")
        return lines.view(hand, rows[0])

    return await services_of(request).ledger.read(read)


@routes.post("", response_model=Line, status_code=201)
async def add_line(request: Request, caller: LineChanger, body: NewLine) -> dict[str, Any]:
    """Add an address to watch."""
    row = await services_of(request).ledger.write(lambda tx: lines.add(tx, caller, body.model_dump()))
    return await _one(request, caller, row["id"])


@routes.post("/slots", response_model=ClaimedSlot)
async def claim_slot(request: Request, caller: LineReporter, body: ClaimSlot) -> dict[str, Any]:
    """A probe clock claims a slot; exactly one of those that ask for the same slot and vantage gets it."""
    targets = await services_of(request).ledger.write(lambda tx: lines.claim(tx, body))
    return {"claimed": targets is not None, "targets": targets or []}


@routes.post("/samples", response_model=Record)
async def report_samples(request: Request, caller: LineReporter, body: SampleReport) -> dict[str, Any]:
    """A probe clock hands in what it saw; a sample that is already there for its slot stays as it is."""
    recipients = request.app.state.settings.mail.recipients
    await services_of(request).ledger.write(lambda tx: lines.report(tx, body, recipients))
    return {"taken": len(body.samples)}


@routes.post("/{line_id}/{verb}", response_model=Line)
async def switch_line(
    request: Request, caller: LineChanger, line_id: str, verb: Literal["enable", "disable"], body: Move
) -> dict[str, Any]:
    """Switch the checking of an address on or off."""
    wanted = Act(caller, verb, line_id, body.version, body.reason, {})
    await services_of(request).ledger.write(lambda tx: lines.switch(tx, wanted))
    return await _one(request, caller, line_id)
