"""``/v1/invoices``: the request (a hot route), its check, and reading and cancelling."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import Depends
from starlette.requests import Request
from starlette.responses import Response

from controlplane.api.access import InvoiceCanceller, InvoiceReader, caller_of, permit
from controlplane.api.door import Key, Paged, Word, answer, one_of, page_of, router
from controlplane.api.hot import preferred_wait, read_body, reply
from controlplane.api.services import Services, services_of, viewer_of
from controlplane.domain.money import yuan
from controlplane.domain.refusals import refuse
from controlplane.operations import invoice_moves, invoice_views, invoices
from controlplane.operations.acts import Act
from controlplane.store import invoices as store
from controlplane.store import listing
from controlplane.store.statement import Connection
from controlplane.wire.invoices import MAX_BODY_BYTES, CheckAnswer, InvoiceBody, line_answers, refusal_answer
from controlplane.wire.records import Listing, Move, Record

routes = router("invoices")
SOURCE = listing.Source("invoices")


async def request_invoice(request: Request) -> Response:
    """``POST /v1/invoices``: 200 when settled (within ``Prefer: wait``), else 202 with the invoice as it stands."""
    caller = permit(await caller_of(request), "invoices.request")
    services = services_of(request)
    body = await read_body(request, InvoiceBody, MAX_BODY_BYTES)
    asked = invoices.ask(body, services.clock(), services.rules)
    shown = await services.ledger.write(lambda tx: invoices.request(tx, caller, asked, services.rules))
    wait = preferred_wait(request)
    if shown["state"] == "waiting" and wait > 0:
        shown = await _settled(services, shown, wait)
    headers = {"Location": f"/v1/invoices/{shown['id']}"}
    return reply(shown, 202 if shown["state"] == "waiting" else 200, headers)


def _whole(hand: Connection, taxpayer_id: str, invoice_id: str) -> dict[str, Any]:
    row = store.find(hand, taxpayer_id, invoice_id)
    assert row is not None
    return invoice_views.whole(hand, row)


async def _settled(services: Services, shown: dict[str, Any], seconds: float) -> dict[str, Any]:
    """The invoice once it is settled, or as it stands when the time is over."""
    until, patience = time.monotonic() + seconds, _FIRST_LOOK
    taxpayer_id, invoice_id = shown["taxpayer_id"], shown["id"]
    with services.hub.waiting_for([invoice_id]) as waiter:
        while shown["state"] == "waiting" and not services.hub.stopping and (left := until - time.monotonic()) > 0:
            await waiter.wait(min(left, patience))
            shown = await services.ledger.read(lambda hand: _whole(hand, taxpayer_id, invoice_id))
            patience = seconds
    return shown


_FIRST_LOOK = 1.0
"""Seconds after which a request looks without being told: the word may have come just before it began to listen."""


async def check_invoice(request: Request) -> Response:
    """``POST /v1/invoices/check``: the same rules and choice, nothing kept."""
    caller = permit(await caller_of(request), "invoices.request")
    services = services_of(request)
    body = await read_body(request, InvoiceBody, MAX_BODY_BYTES)
    asked = invoices.ask(body, services.clock(), services.rules)
    now = services.clock()
    placed = await services.ledger.read(lambda hand: invoices.check(hand, caller, asked, now, services.rules))
    priced, refusal = asked.examined.invoice, placed.refusal
    refusals = list(asked.examined.refusals) or ([refusal] if refusal and not refusal.waits else [])
    found = CheckAnswer(
        ok=refusal is None,
        refusals=[refusal_answer(one) for one in refusals],
        warnings=[refusal_answer(one) for one in asked.examined.warnings],
        waiting_reason=refusal_answer(refusal) if refusal and refusal.waits and not refusals else None,
        choice=invoices.choice_answer(placed),
        lines=line_answers(priced) if priced else [],
        net_total=yuan(priced.net_fen) if priced else None,
        tax_total=yuan(priced.tax_fen) if priced else None,
        gross_total=yuan(priced.gross_fen) if priced else None,
    )
    return reply(found)


@dataclass
class Filters:
    """What invoices can be found by; all that are given must fit."""

    taxpayer_id: Word = None
    state: Word = None
    upload_status: Word = None
    order_no: Key = None
    request_id: Key = None
    invoice_no: Word = None


@routes.get("", response_model=Listing[Record])
async def list_invoices(
    request: Request,
    caller: InvoiceReader,
    paging: Paged,
    found_by: Annotated[Filters, Depends()],
) -> dict[str, Any]:
    """Invoices, newest first; found by order, request or number too."""
    wanted = page_of(caller, paging, vars(found_by), newest_first=True)

    def read(hand: Connection) -> dict[str, Any]:
        rows, following = listing.page(hand, SOURCE, wanted)
        return answer([invoice_views.brief(hand, row) for row in rows], following)

    return await services_of(request).ledger.read(read)


@routes.get("/{invoice_id}", response_model=Record)
async def get_invoice(request: Request, caller: InvoiceReader, invoice_id: str) -> dict[str, Any]:
    """One invoice with lines, order, attempts, the trail of its jobs, and what may be done about it now."""
    viewer = viewer_of(request, caller)

    def read(hand: Connection) -> dict[str, Any]:
        rows, _ = listing.page(hand, SOURCE, one_of(caller, {"id": invoice_id}))
        if not rows:
            raise refuse("not_found")
        return invoice_moves.with_moves(hand, rows[0], viewer)

    return await services_of(request).ledger.read(read)


@routes.post("/{invoice_id}/cancel", response_model=Record)
async def cancel_invoice(request: Request, caller: InvoiceCanceller, invoice_id: str, body: Move) -> dict[str, Any]:
    """Withdraw a request that no agent holds yet."""
    wanted = Act(caller, "cancel", invoice_id, body.version, body.reason, {})
    await services_of(request).ledger.write(lambda tx: invoices.cancel(tx, wanted))
    return await get_invoice(request, caller, invoice_id)
