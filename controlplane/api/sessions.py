"""``/v1/sessions`` and ``/v1/me``: signing in, and who I am."""

from __future__ import annotations

import asyncio
from typing import Any

from fastapi import APIRouter
from starlette.requests import Request

from controlplane.api.access import Anyone
from controlplane.api.door import ERRORS, DoorRoute
from controlplane.api.services import services_of
from controlplane.domain.refusals import refuse
from controlplane.operations import principals, secrets
from controlplane.wire.records import Record, SignIn

routes = APIRouter(prefix="/v1", tags=["sessions"], route_class=DoorRoute, responses=ERRORS)


@routes.post("/sessions", response_model=Record, status_code=201)
async def sign_in(request: Request, body: SignIn) -> dict[str, Any]:
    """Open a session with name and password; the token is shown once."""
    services = services_of(request)
    row = await services.ledger.read(lambda hand: principals.find_person(hand, body.username))
    stored = row["password_hash"] if row else None
    if not await asyncio.to_thread(secrets.check_password, stored, body.password):
        raise refuse("sign_in_failed")
    assert row is not None
    return await services.ledger.write(lambda tx: principals.sign_in(tx, row))


@routes.get("/me", response_model=Record)
async def me(caller: Anyone) -> dict[str, Any]:
    """The calling principal."""
    return principals.view(caller)
