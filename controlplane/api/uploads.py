"""``/v1/uploads``: what became of each issued invoice's upload to the bureau."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request

from controlplane.api.access import InvoiceReader
from controlplane.api.door import Paged, Word, answer, one_of, page_of, router
from controlplane.api.services import services_of
from controlplane.domain.refusals import refuse
from controlplane.store import listing
from controlplane.store.statement import Row
from controlplane.wire.records import Listing, Upload

routes = router("uploads")
SOURCE = listing.Source(
    "(SELECT i.id, i.taxpayer_id, i.device_id, d.device_no, i.device_index, i.kind, i.direction, i.invoice_code, "
    "i.invoice_no, i.state, i.issued_at, i.upload_status AS status, i.upload_code AS code, "
    "i.upload_message AS text, i.upload_told_at AS at, i.upload_receipt_no AS receipt_no, i.version "
    "FROM invoices i JOIN devices d ON d.id = i.device_id WHERE i.device_index IS NOT NULL) u",
    "u.id", "u.taxpayer_id", "u.*",
)  # fmt: skip


@routes.get("", response_model=Listing[Upload])
async def list_uploads(
    request: Request,
    caller: InvoiceReader,
    paging: Paged,
    taxpayer_id: Word = None,
    device_id: Word = None,
    status: Word = None,
) -> dict[str, Any]:
    """Upload results, newest invoice first: invoice, code, text, time and the bureau's receipt number."""
    filters = {"u.taxpayer_id": taxpayer_id, "u.device_id": device_id, "u.status": status}
    wanted = page_of(caller, paging, filters, newest_first=True)
    rows, following = await services_of(request).ledger.read(lambda hand: listing.page(hand, SOURCE, wanted))
    return answer(rows, following)


@routes.get("/{invoice_id}", response_model=Upload)
async def get_upload(request: Request, caller: InvoiceReader, invoice_id: str) -> Row:
    """The upload result of one invoice."""
    wanted = one_of(caller, {"u.id": invoice_id})
    rows, _ = await services_of(request).ledger.read(lambda hand: listing.page(hand, SOURCE, wanted))
    if not rows:
        raise refuse("not_found")
    return rows[0]
