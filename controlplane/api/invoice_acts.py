"""``POST /v1/invoices/{id}/void`` and ``/red_offset``: what may be done about an issued invoice."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field, StringConstraints
from starlette.requests import Request

from controlplane.api.access import InvoiceCanceller
from controlplane.api.acting import record_acts
from controlplane.api.door import router
from controlplane.api.services import Services, services_of, viewer_of
from controlplane.domain.money import DECIMAL_PATTERN
from controlplane.domain.refusals import refuse
from controlplane.domain.registry import ACTS
from controlplane.operations import invoice_moves, jobs, red_offsets, voids
from controlplane.operations.acts import Act, Viewer
from controlplane.store import invoices as store
from controlplane.store import jobs as job_store
from controlplane.store.statement import Connection, Row
from controlplane.store.transaction import Transaction
from controlplane.wire.act_bodies import body_of
from controlplane.wire.records import Acted, Strict

routes = router("invoices")

Amount = Annotated[str, StringConstraints(pattern=rf"^(?:{DECIMAL_PATTERN})$", max_length=26)]


class OffsetLine(Strict):
    """What shall be offset of one line of the blue invoice: a net amount, a quantity, both, or (neither) all of it."""

    line_no: Annotated[int, Field(ge=1, le=2000)]
    quantity: Amount | None = None
    amount: Amount | None = None


Lines = Annotated[list[OffsetLine], Field(min_length=1, max_length=2000)]


class RedOffset(body_of(ACTS["invoices", "red_offset"])):  # type: ignore[misc]
    """Body of a red-offset; without lines it is over all that is left."""

    lines: Lines | None = None


class RedOffsetTaken(Acted):
    """The blue invoice, the red one that was requested, and its issue job unless it waits for a device."""

    red_invoice: dict[str, Any]


def _show(hand: Connection, invoice_id: str, viewer: Viewer) -> Row:
    row = store.by_id(hand, invoice_id)
    if row is None or not viewer.caller.sees(row["taxpayer_id"]):
        raise refuse("not_found")
    return invoice_moves.with_moves(hand, row, viewer)


def _void(tx: Transaction, wanted: Act, services: Services) -> str:
    return voids.void(tx, wanted, services.rules)


record_acts(routes, "invoices", _void, _show, ("void",))


@routes.post("/{record_id}/red_offset", response_model=RedOffsetTaken, status_code=202)
async def red_offset_invoices(
    request: Request, caller: InvoiceCanceller, record_id: str, body: RedOffset
) -> dict[str, Any]:
    """Request the red invoice of a blue one; the same request_id and content is the same red invoice for ever."""
    services, viewer = services_of(request), viewer_of(request, caller)
    said = body.model_dump(exclude={"reason", "version"})
    asked = red_offsets.ask(Act(caller, "red_offset", record_id, body.version, body.reason, said))
    red_id, job_id = await services.ledger.write(lambda tx: red_offsets.request(tx, asked, services.rules))

    def read(hand: Connection) -> dict[str, Any]:
        job = job_store.by_id(hand, job_id) if job_id else None
        return {
            "job": jobs.view(job) if job else None,
            "record": _show(hand, record_id, viewer),
            "red_invoice": _show(hand, red_id, viewer),
        }

    return await services.ledger.read(read)
