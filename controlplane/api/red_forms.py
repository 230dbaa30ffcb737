"""``/v1/red-forms``: 红字信息表 as registered, and what the bureau says of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import Depends
from starlette.requests import Request

from controlplane.api.access import InvoiceCanceller, InvoiceReader
from controlplane.api.acting import record_acts
from controlplane.api.door import Paged, Word, answer, page_of, router
from controlplane.api.invoice_acts import Lines
from controlplane.api.services import Services, services_of, viewer_of
from controlplane.domain.refusals import refuse
from controlplane.domain.registry import ACTS
from controlplane.operations import red_forms
from controlplane.operations.acts import Act, Viewer
from controlplane.store import listing
from controlplane.store import red_forms as store
from controlplane.store.statement import Connection, Row
from controlplane.store.transaction import Transaction
from controlplane.wire.act_bodies import body_of
from controlplane.wire.records import Listing, Record

routes = router("red-forms")
SOURCE = listing.Source("red_forms")


class NewRedForm(body_of(ACTS["red-forms", "register"])):  # type: ignore[misc]
    """Body of a new form: of a blue invoice, over some lines (by number, or with amounts) or all that is left."""

    lines: Lines | None = None


@dataclass
class Filters:
    """What red forms can be found by; all that are given must fit."""

    taxpayer_id: Word = None
    state: Word = None
    invoice_id: Word = None
    red_form_no: Word = None


@routes.get("", response_model=Listing[Record])
async def list_red_forms(
    request: Request, caller: InvoiceReader, paging: Paged, found_by: Annotated[Filters, Depends()]
) -> dict[str, Any]:
    """Red forms, newest first."""
    wanted, viewer = page_of(caller, paging, vars(found_by), newest_first=True), viewer_of(request, caller)

    def read(hand: Connection) -> dict[str, Any]:
        rows, following = listing.page(hand, SOURCE, wanted)
        return answer([red_forms.view(hand, row, viewer) for row in rows], following)

    return await services_of(request).ledger.read(read)


@routes.get("/{form_id}", response_model=Record)
async def get_red_form(request: Request, caller: InvoiceReader, form_id: str) -> Row:
    """One red form with its lines and the acts that are allowed now."""
    viewer = viewer_of(request, caller)
    return await services_of(request).ledger.read(lambda hand: _show(hand, form_id, viewer))


def _show(hand: Connection, form_id: str, viewer: Viewer) -> Row:
    row = store.find(hand, form_id)
    if row is None or not viewer.caller.sees(row["taxpayer_id"]):
        raise refuse("not_found")
    return red_forms.view(hand, row, viewer)


@routes.post("", response_model=Record, status_code=201)
async def register_red_forms(request: Request, caller: InvoiceCanceller, body: NewRedForm) -> Row:
    """Register a form of a blue invoice; what it is over is kept for it."""
    services, viewer = services_of(request), viewer_of(request, caller)
    values = body.model_dump()
    form_id = await services.ledger.write(lambda tx: red_forms.register(tx, caller, values, services.rules))
    return await services.ledger.read(lambda hand: _show(hand, form_id, viewer))


def _act(tx: Transaction, wanted: Act, services: Services) -> str | None:
    return red_forms.act(tx, wanted, services.rules)


record_acts(routes, "red-forms", _act, _show)
