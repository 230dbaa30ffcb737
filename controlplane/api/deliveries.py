"""``/v1/deliveries``: every letter to every recipient, and how far it is."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from fastapi import Query
from starlette.requests import Request

from controlplane.api.access import AlertReader
from controlplane.api.door import Paged, Word, answer, one_of, page_of, router
from controlplane.api.services import services_of
from controlplane.domain.refusals import refuse
from controlplane.store import listing
from controlplane.store.statement import Row
from controlplane.wire.alerts import Delivery
from controlplane.wire.records import Listing

routes = router("deliveries")
SOURCE = listing.Source("outbox", taxpayer=None)
Address = Annotated[str | None, Query(max_length=254, pattern=r"^[!-?A-~]{1,64}@[!-?A-~]{1,253}$")]


@routes.get("", response_model=Listing[Delivery])
async def list_deliveries(
    request: Request, caller: AlertReader, paging: Paged, state: Word = None, recipient: Address = None
) -> dict[str, Any]:
    """Deliveries, newest first."""
    wanted = page_of(caller, paging, {"state": state, "recipient": recipient}, newest_first=True)
    rows, following = await services_of(request).ledger.read(lambda hand: listing.page(hand, SOURCE, wanted))
    return answer([_shown(row) for row in rows], following)


@routes.get("/{delivery_id}", response_model=Delivery)
async def get_delivery(request: Request, caller: AlertReader, delivery_id: str) -> Row:
    """One delivery."""
    wanted = one_of(caller, {"id": delivery_id})
    rows, _ = await services_of(request).ledger.read(lambda hand: listing.page(hand, SOURCE, wanted))
    if not rows:
        raise refuse("not_found")
    return _shown(rows[0])


def _shown(row: Row) -> Row:
    payload = msgspec.json.decode(row["payload"])
    waits = row["state"] in ("queued", "deferred")
    shown = {name: value for name, value in row.items() if name != "payload"}
    return shown | {"subject": payload.get("subject", ""), "next_try_at": row["next_try_at"] if waits else None}
