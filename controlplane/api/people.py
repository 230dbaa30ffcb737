"""``/v1/people``: people, front ends and probe clocks, their roles, scopes, passwords and tokens."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request

from controlplane.api.access import PeopleManager
from controlplane.api.acting import collection_acts, record_acts
from controlplane.api.door import Paged, Word, answer, page_of, router
from controlplane.api.services import Services, services_of, viewer_of
from controlplane.domain.principal import Principal
from controlplane.domain.refusals import refuse
from controlplane.operations import people
from controlplane.operations.acts import Act, Once, Viewer
from controlplane.store import listing
from controlplane.store import principals as store
from controlplane.store.statement import Connection, Row
from controlplane.store.transaction import Transaction
from controlplane.wire.people import Person
from controlplane.wire.records import Listing

routes = router("people")
SOURCE = listing.Source("principals", taxpayer=None)


@routes.get("", response_model=Listing[Person])
async def list_people(
    request: Request, caller: PeopleManager, paging: Paged, kind: Word = None, role: Word = None, state: Word = None
) -> dict[str, Any]:
    """Principals in the order they were registered."""
    wanted = page_of(caller, paging, {"kind": kind, "role": role, "state": state})

    def read(hand: Connection) -> dict[str, Any]:
        rows, following = listing.page(hand, SOURCE, wanted)
        return answer([people.view(hand, row, viewer_of(request, caller)) for row in rows], following)

    return await services_of(request).ledger.read(read)


@routes.get("/{person_id}", response_model=Person)
async def get_person(request: Request, caller: PeopleManager, person_id: str) -> Row:
    """One principal."""
    viewer = viewer_of(request, caller)
    return await services_of(request).ledger.read(lambda hand: _show(hand, person_id, viewer))


def _show(hand: Connection, person_id: str, viewer: Viewer) -> Row:
    row = store.find(hand, person_id)
    if row is None:
        raise refuse("not_found")
    return people.view(hand, row, viewer)


def _act(tx: Transaction, wanted: Act, _services: Services) -> str | Once | None:
    return people.act(tx, wanted)


def _register(tx: Transaction, caller: Principal, values: dict[str, Any], _services: Services) -> Once:
    return people.register(tx, caller, values)


collection_acts(routes, "people", {"register": _register}, _show)
record_acts(routes, "people", _act, _show)
