"""``/v1/alert-rules``: who is told of which lines."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request

from controlplane.api.access import AlertReader
from controlplane.api.acting import collection_acts, record_acts
from controlplane.api.door import Paged, Word, answer, one_of, page_of, router
from controlplane.api.services import Services, services_of, viewer_of
from controlplane.domain.principal import Principal
from controlplane.domain.refusals import refuse
from controlplane.operations import alert_rules
from controlplane.operations.acts import Act, Viewer
from controlplane.store import listing
from controlplane.store.statement import Connection, Row
from controlplane.store.transaction import Transaction
from controlplane.wire.alerts import AlertRule
from controlplane.wire.records import Listing

routes = router("alert-rules")
SOURCE = listing.Source("alert_rules", taxpayer=None)


@routes.get("", response_model=Listing[AlertRule])
async def list_rules(request: Request, caller: AlertReader, paging: Paged, state: Word = None) -> dict[str, Any]:
    """Alert rules in the order they were made, removed ones too."""
    wanted = page_of(caller, paging, {"state": state})

    def read(hand: Connection) -> dict[str, Any]:
        rows, following = listing.page(hand, SOURCE, wanted)
        return answer([alert_rules.view(hand, row, viewer_of(request, caller)) for row in rows], following)

    return await services_of(request).ledger.read(read)


@routes.get("/{rule_id}", response_model=AlertRule)
async def get_rule(request: Request, caller: AlertReader, rule_id: str) -> Row:
    """One rule."""
    viewer = viewer_of(request, caller)
    return await services_of(request).ledger.read(lambda hand: _show(hand, rule_id, viewer))


def _show(hand: Connection, rule_id: str, viewer: Viewer) -> Row:
    rows, _ = listing.page(hand, SOURCE, one_of(viewer.caller, {"id": rule_id}))
    if not rows:
        raise refuse("not_found")
    return alert_rules.view(hand, rows[0], viewer)


def _act(tx: Transaction, wanted: Act, _services: Services) -> None:
    alert_rules.act(tx, wanted)


def _register(tx: Transaction, caller: Principal, values: dict[str, Any], _services: Services) -> str:
    return alert_rules.register(tx, caller, values)


collection_acts(routes, "alert-rules", {"register": _register}, _show)
record_acts(routes, "alert-rules", _act, _show)
