"""``/v1/sessions`` and ``/v1/me``: signing in and out, who I am, my password, and what is open under my name."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any

from fastapi import APIRouter
from starlette.requests import Request

from controlplane.api.access import Anyone, Owner, address_of
from controlplane.api.acting import record_acts
from controlplane.api.door import ERRORS, DoorRoute, Paged, Word, answer, page_of
from controlplane.api.guard import Guard
from controlplane.api.services import Services, services_of, viewer_of
from controlplane.domain.refusals import Refusal, refuse
from controlplane.operations import principals, secrets, sessions
from controlplane.operations.acts import Act, Viewer
from controlplane.store import listing
from controlplane.store import principals as store
from controlplane.store.statement import Connection, Row
from controlplane.store.transaction import Transaction
from controlplane.wire.people import OwnPassword, Session, SignOut
from controlplane.wire.records import Listing, Record, SignIn

_LATER: dict[int | str, dict[str, Any]] = {429: ERRORS[422] | {"description": "too many guesses; see Retry-After"}}
routes = APIRouter(prefix="/v1", tags=["sessions"], route_class=DoorRoute, responses=ERRORS | _LATER)
acting = APIRouter(prefix="/v1/sessions", tags=["sessions"], route_class=DoorRoute, responses=ERRORS)
SOURCE = listing.Source(store.SESSIONS, "x.id", None, "x.*")


@routes.post("/sessions", response_model=Record, status_code=201)
async def sign_in(request: Request, body: SignIn) -> dict[str, Any]:
    """Open a session with name and password; the token is shown once.

    A wrong password and an unknown name get the same answer in the same time; guessing is slowed down (429).
    """
    services, guard, address = services_of(request), _guard(request), address_of(request)
    guard.enter(body.username, address)
    row = await services.ledger.read(lambda hand: sessions.find_person(hand, body.username))
    stored = row["password_hash"] if row else None
    try:
        if not await guard.hashing(partial(secrets.check_password, stored, body.password)) or row is None:
            raise refuse("sign_in_failed")
        opened = await services.ledger.write(lambda tx: sessions.sign_in(tx, row, address))
    except Refusal:
        await guard.refused(services.ledger, "session.refused", address, body.username)
        raise
    guard.passed(body.username, address)
    return opened


def _guard(request: Request) -> Guard:
    found = request.app.state.guard
    assert isinstance(found, Guard)
    return found


@routes.get("/me", response_model=Record)
async def me(caller: Anyone) -> dict[str, Any]:
    """The calling principal."""
    return principals.view(caller)


@routes.post("/me/password", response_model=Record, status_code=201)
async def change_password(request: Request, caller: Owner, body: OwnPassword) -> dict[str, Any]:
    """Change one's own password. Every session and token of before is over; the answer holds a new session."""
    services, guard, address = services_of(request), _guard(request), address_of(request)
    row = await services.ledger.read(lambda hand: store.find(hand, caller.id))
    if row is None or row["kind"] != "person":
        raise refuse("no_password", name=caller.name)
    guard.enter(caller.name, address)
    if not await guard.hashing(partial(secrets.check_password, row["password_hash"], body.current)):
        raise refuse("password_wrong", "current")
    guard.passed(caller.name, address)
    if body.new == body.current or sessions.weak(caller.name, body.new):
        raise refuse("password_weak", "new", least=sessions.LEAST_PASSWORD)
    new_hash = await guard.hashing(partial(secrets.hash_password, body.new))
    opened = await services.ledger.write(lambda tx: sessions.change_password(tx, caller, row, new_hash, address))
    request.app.state.memory.forget()
    return opened


@routes.post("/me/sign-out", response_model=Record)
async def sign_out(request: Request, caller: Owner, body: SignOut) -> dict[str, Any]:
    """End the session the caller came with, or all that is open under the caller's name."""
    ended = await services_of(request).ledger.write(lambda tx: sessions.sign_out(tx, caller, body.everywhere))
    request.app.state.memory.forget()
    return {"ended": ended}


@routes.get("/sessions", response_model=Listing[Session])
async def list_sessions(
    request: Request, caller: Owner, paging: Paged, principal_id: Word = None, state: Word = None
) -> dict[str, Any]:
    """Sessions and tokens, newest first: one's own; all of them for who manages people."""
    filters = {"x.principal_id": principal_id, "x.state": state}
    if not caller.may("people.manage"):
        filters["x.principal_id"] = caller.id if principal_id in (None, caller.id) else ""
    # They belong to no taxpayer: whose they are was said above.
    wanted = replace(page_of(caller, paging, filters, newest_first=True), scope=None)
    rows, following = await services_of(request).ledger.read(lambda hand: listing.page(hand, SOURCE, wanted))
    return answer([sessions.view(row, viewer_of(request, caller)) for row in rows], following)


@routes.get("/sessions/{session_id}", response_model=Session)
async def get_session(request: Request, caller: Owner, session_id: str) -> Row:
    """One session or token."""
    viewer = viewer_of(request, caller)
    return await services_of(request).ledger.read(lambda hand: _show(hand, session_id, viewer))


def _show(hand: Connection, session_id: str, viewer: Viewer) -> Row:
    return sessions.view(sessions.find(hand, session_id, viewer.caller), viewer)


def _act(tx: Transaction, wanted: Act, _services: Services) -> str | None:
    sessions.act(tx, wanted)
    return None


record_acts(acting, "sessions", _act, _show)
