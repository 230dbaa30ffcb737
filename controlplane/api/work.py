"""``/v1/orders``, ``/v1/jobs`` and ``/v1/operation-log``: what was asked, what was done about it, by whom."""

from __future__ import annotations

from typing import Any

import msgspec
from fastapi import APIRouter
from starlette.requests import Request

from controlplane.api.access import InvoiceReader, JobReader, LogReader
from controlplane.api.door import ERRORS, DoorRoute, Key, Paged, Word, answer, one_of, page_of
from controlplane.api.services import services_of
from controlplane.domain.refusals import refuse
from controlplane.operations import invoice_views, jobs
from controlplane.store import listing, regions
from controlplane.store.listing import Source
from controlplane.store.statement import Connection, Row
from controlplane.wire.records import Job, Listing, LogRow, Order

routes = APIRouter(prefix="/v1", route_class=DoorRoute, responses=ERRORS)

_ORDERS = Source("orders")
_JOBS = Source(
    "jobs j LEFT JOIN devices d ON d.id = j.target_id LEFT JOIN tax_servers s ON s.id = COALESCE(d.tax_server_id, "
    "j.target_id) LEFT JOIN agents a ON a.id = j.agent_id",
    "j.id", "j.taxpayer_id", "j.*, d.device_no, s.tax_server_no, a.name AS agent_name",
    region="CASE WHEN j.taxpayer_id = '-' THEN s.region END",
)  # fmt: skip
_LOG = Source(
    "operation_log l", "l.seq", "l.taxpayer_id", "l.*", key_is_number=True,
    region=f"CASE WHEN l.taxpayer_id IN ('', '-') THEN {regions.of('l.subject_id')} END",
)  # fmt: skip


@routes.get("/orders", response_model=Listing[Order], tags=["orders"])
async def list_orders(
    request: Request, caller: InvoiceReader, paging: Paged, taxpayer_id: Word = None, order_no: Key = None
) -> dict[str, Any]:
    """Orders as received, newest first."""
    wanted = page_of(caller, paging, {"taxpayer_id": taxpayer_id, "order_no": order_no}, newest_first=True)

    def read(hand: Connection) -> dict[str, Any]:
        rows, following = listing.page(hand, _ORDERS, wanted)
        return answer([invoice_views.order_view(hand, row) for row in rows], following)

    return await services_of(request).ledger.read(read)


@routes.get("/orders/{order_id}", response_model=Order, tags=["orders"])
async def get_order(request: Request, caller: InvoiceReader, order_id: str) -> dict[str, Any]:
    """One order."""

    def read(hand: Connection) -> dict[str, Any]:
        rows, _ = listing.page(hand, _ORDERS, one_of(caller, {"id": order_id}))
        if not rows:
            raise refuse("not_found")
        return invoice_views.order_view(hand, rows[0])

    return await services_of(request).ledger.read(read)


@routes.get("/jobs", response_model=Listing[Job], tags=["jobs"])
async def list_jobs(
    request: Request, caller: JobReader, paging: Paged, state: Word = None, subject_id: Word = None, kind: Word = None
) -> dict[str, Any]:
    """Jobs, newest first."""
    filters = {"j.state": state, "j.subject_id": subject_id, "j.kind": kind}
    wanted = page_of(caller, paging, filters, newest_first=True)
    rows, following = await services_of(request).ledger.read(lambda hand: listing.page(hand, _JOBS, wanted))
    return answer([_job(row) for row in rows], following)


@routes.get("/jobs/{job_id}", response_model=Job, tags=["jobs"])
async def get_job(request: Request, caller: JobReader, job_id: str) -> dict[str, Any]:
    """One job with its trail."""
    wanted = one_of(caller, {"j.id": job_id})
    rows, _ = await services_of(request).ledger.read(lambda hand: listing.page(hand, _JOBS, wanted))
    if not rows:
        raise refuse("not_found")
    return _job(rows[0])


def _job(row: Row) -> dict[str, Any]:
    return jobs.view(row) | {name: row[name] for name in ("device_no", "tax_server_no", "agent_name")}


@routes.get("/operation-log", response_model=Listing[LogRow], tags=["operation-log"])
async def list_log(
    request: Request, caller: LogReader, paging: Paged, subject_id: Word = None, actor_id: Word = None
) -> dict[str, Any]:
    """The operation log, newest first; each row holds the hash of the row before it."""
    wanted = page_of(caller, paging, {"l.subject_id": subject_id, "l.actor_id": actor_id}, newest_first=True)
    rows, following = await services_of(request).ledger.read(lambda hand: listing.page(hand, _LOG, wanted))
    return answer([row | {"detail": msgspec.json.decode(row["detail"])} for row in rows], following)
