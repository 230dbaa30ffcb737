"""``/v1/alert-flips``: every time a line was found abnormal, or normal again, and who was told."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request

from controlplane.api.access import AlertReader
from controlplane.api.door import Paged, Word, answer, one_of, page_of, router
from controlplane.api.services import services_of
from controlplane.domain.refusals import refuse
from controlplane.operations import alerts
from controlplane.store import listing
from controlplane.store.statement import Connection, Row
from controlplane.wire.alerts import AlertFlip
from controlplane.wire.records import Listing

routes = router("alert-flips")
SOURCE = listing.Source("alert_flips", taxpayer=None)


@routes.get("", response_model=Listing[AlertFlip])
async def list_flips(
    request: Request, caller: AlertReader, paging: Paged, line_id: Word = None, rule_id: Word = None, move: Word = None
) -> dict[str, Any]:
    """Flips, newest first."""
    filters = {"line_id": line_id, "rule_id": rule_id, "move": move}
    wanted = page_of(caller, paging, filters, newest_first=True)

    def read(hand: Connection) -> dict[str, Any]:
        rows, following = listing.page(hand, SOURCE, wanted)
        return answer([alerts.flip_view(hand, row) for row in rows], following)

    return await services_of(request).ledger.read(read)


@routes.get("/{flip_id}", response_model=AlertFlip)
async def get_flip(request: Request, caller: AlertReader, flip_id: str) -> Row:
    """One flip."""

    def read(hand: Connection) -> Row:
        rows, _ = listing.page(hand, SOURCE, one_of(caller, {"id": flip_id}))
        if not rows:
            raise refuse("not_found")
        return alerts.flip_view(hand, rows[0])

    return await services_of(request).ledger.read(read)
