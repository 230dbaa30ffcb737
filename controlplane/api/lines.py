"""``/v1/lines``: bureau addresses, their checks, and the probe clocks' slots and samples."""

from __future__ import annotations

import time
from typing import Annotated, Any

from fastapi import Depends
from starlette.requests import Request

from controlplane.api.access import FleetReader, LineChanger, LineReporter, requires
from controlplane.api.acting import record_acts
from controlplane.api.door import Paged, Word, answer, one_of, page_of, router
from controlplane.api.services import Services, services_of, viewer_of
from controlplane.domain.principal import Principal
from controlplane.domain.refusals import refuse
from controlplane.domain.registry import ACTS
from controlplane.operations import line_checks, line_slots, lines
from controlplane.operations.acts import Act, Viewer
from controlplane.store import listing
from controlplane.store.statement import Connection, Row
from controlplane.store.transaction import Transaction
from controlplane.wire.act_bodies import body_of
from controlplane.wire.lines import (
    AskedChecks,
    CheckReport,
    ClaimedSlot,
    ClaimSlot,
    SampleReport,
    TakeChecks,
    WantedChecks,
)
from controlplane.wire.records import Line, Listing, NewLine, Record

routes = router("lines")
_WATCHED = "(SELECT * FROM bureau_endpoints WHERE removed_at IS NULL) AS watched"
SOURCE = listing.Source(_WATCHED, taxpayer=None, region="area_code")
_CHECK = ACTS["lines", "check"]
_LOOK_AGAIN = 2.0
"""Seconds after which a waiting probe process looks by itself: a check that its taker lost wakes nobody."""


@routes.get("", response_model=Listing[Line])
async def list_lines(
    request: Request, caller: FleetReader, paging: Paged, area_code: Word = None, service: Word = None
) -> dict[str, Any]:
    """Bureau addresses with their latest check."""
    wanted = page_of(caller, paging, {"area_code": area_code, "service": service})

    def read(hand: Connection) -> dict[str, Any]:
        rows, following = listing.page(hand, SOURCE, wanted)
        return answer([lines.view(hand, row, viewer_of(request, caller)) for row in rows], following)

    return await services_of(request).ledger.read(read)


@routes.get("/{line_id}", response_model=Line)
async def get_line(request: Request, caller: FleetReader, line_id: str) -> dict[str, Any]:
    """One address with its history, certificate and what may be done now."""
    viewer = viewer_of(request, caller)
    return await services_of(request).ledger.read(lambda hand: _show(hand, line_id, viewer))


def _show(hand: Connection, line_id: str, viewer: Viewer) -> Row:
    rows, _ = listing.page(hand, SOURCE, one_of(viewer.caller, {"id": line_id}))
    if not rows:
        raise refuse("not_found")
    return lines.view(hand, rows[0], viewer)


@routes.post("", response_model=Line, status_code=201)
async def add_line(request: Request, caller: LineChanger, body: NewLine) -> dict[str, Any]:
    """Add an address to watch."""
    services = services_of(request)
    row = await services.ledger.write(lambda tx: lines.add(tx, caller, body.model_dump(), services.reach))
    return await get_line(request, caller, row["id"])


@routes.post("/slots", response_model=ClaimedSlot)
async def claim_slot(request: Request, caller: LineReporter, body: ClaimSlot) -> dict[str, Any]:
    """A probe clock claims a slot; exactly one of those that ask for the same slot and vantage gets it."""
    targets = await services_of(request).ledger.write(lambda tx: line_slots.claim(tx, body))
    return {"claimed": targets is not None, "targets": targets or []}


@routes.post("/samples", response_model=Record)
async def report_samples(request: Request, caller: LineReporter, body: SampleReport) -> dict[str, Any]:
    """The holder of a slot hands in what it saw; a repeat changes nothing."""
    return {"taken": await services_of(request).ledger.write(lambda tx: line_slots.report(tx, body))}


async def check_lines(request: Request, caller: Principal, body: Any) -> dict[str, Any]:
    """Have lines checked now (``all``: every enabled one); the probe processes take it from here."""
    return await services_of(request).ledger.write(lambda tx: line_checks.ask(tx, caller, body.ids))


check_lines.__annotations__ |= {
    "request": Request,
    "caller": Annotated[Principal, Depends(requires(_CHECK.permission))],
    "body": body_of(_CHECK),
    "return": dict[str, Any],
}
routes.add_api_route("/check", check_lines, methods=["POST"], response_model=AskedChecks, status_code=202)


@routes.post("/checks/take", response_model=WantedChecks)
async def take_checks(request: Request, caller: LineReporter, body: TakeChecks) -> dict[str, Any]:
    """A probe process takes the checks that are wanted by hand, waiting for some as long as it likes."""
    services = services_of(request)
    until = time.monotonic() + body.wait
    while True:
        with services.hub.waiting_for([line_checks.TOPIC]) as waiter:
            found = await _taken(services, body)
            left = until - time.monotonic()
            if found or left <= 0 or services.hub.stopping or await request.is_disconnected():
                return {"checks": found}
            await waiter.wait(min(left, _LOOK_AGAIN))


async def _taken(services: Services, body: TakeChecks) -> list[Row]:
    now = services.now()
    if not await services.ledger.read(lambda hand: line_checks.any_wanted(hand, now)):
        return []
    return await services.ledger.write(lambda tx: line_checks.take(tx, body))


@routes.post("/checks", response_model=Record)
async def report_check(request: Request, caller: LineReporter, body: CheckReport) -> dict[str, Any]:
    """What a check by hand saw."""
    return {"taken": await services_of(request).ledger.write(lambda tx: line_checks.finish(tx, body))}


def _act(tx: Transaction, wanted: Act, _services: Services) -> None:
    lines.switch(tx, wanted)


record_acts(routes, "lines", _act, _show)
