"""``/v1/secure-proxies``."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request

from controlplane.api.access import FleetReader
from controlplane.api.acting import collection_acts, record_acts
from controlplane.api.door import Paged, Word, answer, page_of, router
from controlplane.api.services import Services, services_of, viewer_of
from controlplane.domain.principal import Principal
from controlplane.domain.refusals import refuse
from controlplane.operations import secure_proxies
from controlplane.operations.acts import Act, Viewer
from controlplane.store import listing
from controlplane.store import secure_proxies as store
from controlplane.store.statement import Connection, Row
from controlplane.store.transaction import Transaction
from controlplane.wire.records import Listing
from controlplane.wire.seals import SecureProxy

routes = router("secure-proxies")
SOURCE = listing.Source("secure_proxies", taxpayer=None)


@routes.get("", response_model=Listing[SecureProxy])
async def list_secure_proxies(
    request: Request, caller: FleetReader, paging: Paged, state: Word = None, tax_server_id: Word = None
) -> dict[str, Any]:
    """Secure proxies in the order they were registered."""
    wanted = page_of(caller, paging, {"state": state, "tax_server_id": tax_server_id})
    viewer = viewer_of(request, caller)

    def read(hand: Connection) -> dict[str, Any]:
        rows, following = listing.page(hand, SOURCE, wanted)
        return answer([secure_proxies.view(hand, row, viewer) for row in rows], following)

    return await services_of(request).ledger.read(read)


@routes.get("/{proxy_id}", response_model=SecureProxy)
async def get_secure_proxy(request: Request, caller: FleetReader, proxy_id: str) -> Row:
    """One secure proxy."""
    viewer = viewer_of(request, caller)
    return await services_of(request).ledger.read(lambda hand: _show(hand, proxy_id, viewer))


def _show(hand: Connection, proxy_id: str, viewer: Viewer) -> Row:
    row = store.find(hand, proxy_id)
    if row is None or viewer.caller.scope is not None:
        raise refuse("not_found")
    return secure_proxies.view(hand, row, viewer)


def _act(tx: Transaction, wanted: Act, _services: Services) -> str | None:
    return secure_proxies.act(tx, wanted)


def _register(tx: Transaction, caller: Principal, values: dict[str, Any], _services: Services) -> str:
    return secure_proxies.register(tx, caller, values)


collection_acts(routes, "secure-proxies", {"register": _register}, _show)
record_acts(routes, "secure-proxies", _act, _show)
