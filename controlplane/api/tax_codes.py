"""``/v1/code-versions`` and ``/v1/tax-codes``: the tax class code table, its versions, and the book a process keeps."""

from __future__ import annotations

import asyncio
import logging
from typing import Annotated, Any

from fastapi import Query
from starlette.requests import Request

from controlplane.api.access import FleetReader
from controlplane.api.acting import collection_acts, record_acts
from controlplane.api.door import Paged, Word, answer, one_of, page_of, router
from controlplane.api.hub import Hub
from controlplane.api.services import Services, services_of, viewer_of
from controlplane.domain.principal import Principal
from controlplane.domain.refusals import refuse
from controlplane.domain.tax_code import CodeBook
from controlplane.operations import tax_code_views, tax_codes
from controlplane.operations.acts import Act, Viewer
from controlplane.store import listing
from controlplane.store.engine import Ledger, LedgerUnavailable
from controlplane.store.statement import Connection, Row
from controlplane.store.transaction import Transaction
from controlplane.wire.records import Listing, Record

routes = router("code-versions")
code_routes = router("tax-codes")
SOURCE = listing.Source("code_versions", taxpayer=None)
Searched = Annotated[str | None, Query(min_length=1, max_length=64, pattern=r"^[^\x00-\x1f\x7f]*$")]
LOOK_SECONDS = 3.0
"""Seconds after which a process looks for versions in force by itself: a word of the feed may be lost."""

log = logging.getLogger("taxplane.codes")


@routes.get("", response_model=Listing[Record])
async def list_versions(request: Request, caller: FleetReader, paging: Paged, state: Word = None) -> dict[str, Any]:
    """Synchronisations and what they brought, newest first."""
    wanted = page_of(caller, paging, {"state": state}, newest_first=True)

    def read(hand: Connection) -> dict[str, Any]:
        rows, following = listing.page(hand, SOURCE, wanted)
        return answer([tax_code_views.view(hand, row, viewer_of(request, caller)) for row in rows], following)

    return await services_of(request).ledger.read(read)


@routes.get("/{version_id}", response_model=Record)
async def get_version(request: Request, caller: FleetReader, version_id: str) -> Row:
    """One version with its progress; ``current`` tells which is in force and whether it is too old."""
    viewer = viewer_of(request, caller)
    if version_id == "current":
        return await services_of(request).ledger.read(lambda hand: tax_code_views.current(hand, viewer))
    return await services_of(request).ledger.read(lambda hand: _show(hand, version_id, viewer))


@routes.get("/{version_id}/diff", response_model=Record)
async def get_diff(
    request: Request, caller: FleetReader, version_id: str, paging: Paged, against: Word = None
) -> dict[str, Any]:
    """What changed from another version to this one: added, ended, rate_changed, renamed, and the lines that use it."""
    viewer = viewer_of(request, caller)
    wanted = page_of(caller, paging, {})

    def read(hand: Connection) -> dict[str, Any]:
        return tax_code_views.diff(hand, _row(hand, version_id, viewer), against, viewer, wanted)

    return await services_of(request).ledger.read(read)


@code_routes.get("", response_model=Listing[Record])
async def search_codes(
    request: Request, caller: FleetReader, paging: Paged, search: Searched = None, version: Word = None
) -> dict[str, Any]:
    """Codes by their beginning or by a part of their name, of the table in force today or of a version named."""
    viewer = viewer_of(request, caller)
    wanted = page_of(caller, paging, {})
    found = await services_of(request).ledger.read(
        lambda hand: tax_code_views.search(hand, (search or "").strip(), version, viewer, wanted)
    )
    return answer(*found)


def _row(hand: Connection, version_id: str, viewer: Viewer) -> Row:
    rows, _ = listing.page(hand, SOURCE, one_of(viewer.caller, {"id": version_id}))
    if not rows:
        raise refuse("not_found")
    return rows[0]


def _show(hand: Connection, version_id: str, viewer: Viewer) -> Row:
    return tax_code_views.view(hand, _row(hand, version_id, viewer), viewer)


def _act(tx: Transaction, wanted: Act, services: Services) -> None:
    tax_codes.act(tx, wanted, services.rules)


def _synchronise(tx: Transaction, caller: Principal, values: dict[str, Any], services: Services) -> str:
    return tax_codes.synchronise(tx, caller, values, services.rules)


collection_acts(routes, "code-versions", {"synchronise": _synchronise}, _show)
record_acts(routes, "code-versions", _act, _show)


async def keep_book(ledger: Ledger, hub: Hub, book: CodeBook) -> None:
    """Keep the process's book of codes as the ledger has it, until cancelled."""
    while True:
        with hub.waiting_for([tax_codes.TOPIC]) as waiter:
            try:
                await ledger.read(lambda hand: tax_code_views.refresh(hand, book))
            except LedgerUnavailable:
                log.warning("the versions of the code table cannot be read now")
            await waiter.wait(LOOK_SECONDS)
        await asyncio.sleep(0)
