"""``/v1/reports`` and ``/v1/report-schedules``: reporting and clearing, by hand and by the clock."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request

from controlplane.api.access import FleetReader
from controlplane.api.acting import collection_acts, record_acts
from controlplane.api.door import Paged, Word, answer, one_of, page_of, router
from controlplane.api.services import Services, services_of, viewer_of
from controlplane.domain.principal import Principal
from controlplane.domain.refusals import refuse
from controlplane.operations import report_schedules, reports
from controlplane.operations.acts import Act, Viewer
from controlplane.store import listing
from controlplane.store.statement import Connection, Row
from controlplane.store.transaction import Transaction
from controlplane.wire.records import Listing, Report, ReportSchedule

routes = router("reports")
schedule_routes = router("report-schedules")
SOURCE = listing.Source(reports.SOURCE, "r.id", "r.taxpayer_id", reports.COLUMNS)
SCHEDULES = listing.Source("report_schedules")


@routes.get("", response_model=Listing[Report])
async def list_reports(
    request: Request,
    caller: FleetReader,
    paging: Paged,
    taxpayer_id: Word = None,
    device_id: Word = None,
    state: Word = None,
) -> dict[str, Any]:
    """Reports, newest first: where each stands, its totals beside the ledger's, refusals with code, text and time."""
    filters = {"r.taxpayer_id": taxpayer_id, "r.device_id": device_id, "r.state": state}
    wanted = page_of(caller, paging, filters, newest_first=True)

    def read(hand: Connection) -> dict[str, Any]:
        rows, following = listing.page(hand, SOURCE, wanted)
        return answer([reports.view(hand, row, viewer_of(request, caller)) for row in rows], following)

    return await services_of(request).ledger.read(read)


@routes.get("/{report_id}", response_model=Report)
async def get_report(request: Request, caller: FleetReader, report_id: str) -> Row:
    """One report."""
    viewer = viewer_of(request, caller)
    return await services_of(request).ledger.read(lambda hand: _show(hand, report_id, viewer))


def _show(hand: Connection, report_id: str, viewer: Viewer) -> Row:
    rows, _ = listing.page(hand, SOURCE, one_of(viewer.caller, {"r.id": report_id}))
    if not rows:
        raise refuse("not_found")
    return reports.view(hand, rows[0], viewer)


def _act(tx: Transaction, wanted: Act, services: Services) -> str | None:
    return reports.act(tx, wanted, services.rules)


record_acts(routes, "reports", _act, _show)


@schedule_routes.get("", response_model=Listing[ReportSchedule])
async def list_schedules(
    request: Request, caller: FleetReader, paging: Paged, taxpayer_id: Word = None
) -> dict[str, Any]:
    """Schedules of automatic reporting; the one without a taxpayer is the platform's default."""
    wanted = page_of(caller, paging, {"taxpayer_id": taxpayer_id})

    def read(hand: Connection) -> dict[str, Any]:
        rows, following = listing.page(hand, SCHEDULES, wanted)
        return answer([report_schedules.view(hand, row, viewer_of(request, caller)) for row in rows], following)

    return await services_of(request).ledger.read(read)


@schedule_routes.get("/{schedule_id}", response_model=ReportSchedule)
async def get_schedule(request: Request, caller: FleetReader, schedule_id: str) -> Row:
    """One schedule."""
    viewer = viewer_of(request, caller)
    return await services_of(request).ledger.read(lambda hand: _show_schedule(hand, schedule_id, viewer))


def _show_schedule(hand: Connection, schedule_id: str, viewer: Viewer) -> Row:
    rows, _ = listing.page(hand, SCHEDULES, one_of(viewer.caller, {"id": schedule_id}))
    if not rows:
        raise refuse("not_found")
    return report_schedules.view(hand, rows[0], viewer)


def _set(tx: Transaction, caller: Principal, values: dict[str, Any], _services: Services) -> str:
    return report_schedules.set_times(tx, caller, values)


def _switch(tx: Transaction, wanted: Act, _services: Services) -> str | None:
    report_schedules.act(tx, wanted)
    return None


collection_acts(schedule_routes, "report-schedules", {"set": _set}, _show_schedule)
record_acts(schedule_routes, "report-schedules", _switch, _show_schedule)
