"""Who is calling: bearer tokens of people, front ends and agents, and the acts they may do."""

from __future__ import annotations

import hmac
import time
from collections.abc import Awaitable, Callable
from typing import Annotated

from fastapi import Depends
from starlette.requests import Request

from controlplane.api.guard import Guard
from controlplane.api.services import Services, services_of
from controlplane.domain.principal import OWN, Principal
from controlplane.domain.refusals import Refusal, refuse
from controlplane.operations import principals, secrets
from controlplane.store import agents

REMEMBER_SECONDS = 3.0
"""A token's answer is remembered this long, so revocation shows within it (promise: 5 s)."""
_MOST = 4096


class Memory:
    """Callers seen a moment ago, by credential."""

    def __init__(self) -> None:
        self._seen: dict[str, tuple[float, Principal]] = {}

    def get(self, credential: str) -> Principal | None:
        """The caller, if seen within the last seconds."""
        found = self._seen.get(credential)
        if found is None or found[0] < time.monotonic():
            return None
        return found[1]

    def put(self, credential: str, caller: Principal) -> None:
        """Remember a caller for a moment."""
        if len(self._seen) > _MOST:
            self._seen.clear()
        self._seen[credential] = (time.monotonic() + REMEMBER_SECONDS, caller)

    def forget(self) -> None:
        """Ask the ledger again for everyone."""
        self._seen.clear()


async def caller_of(request: Request) -> Principal:
    """The authenticated caller; ``not_signed_in`` without a valid credential. Kept in ``request.state.caller``."""
    kind, _, credential = request.headers.get("authorization", "").partition(" ")
    if kind.lower() != "bearer" or not 16 <= len(credential) <= 256 or not credential.isascii():
        raise refuse("not_signed_in")
    memory: Memory = request.app.state.memory
    caller = memory.get(credential)
    if caller is None:
        try:
            caller = await _look_up(services_of(request), credential)
        except Refusal:
            guard: Guard = request.app.state.guard
            await guard.refused(services_of(request).ledger, "credential.refused", address_of(request))
            raise
        memory.put(credential, caller)
    request.state.caller = caller
    return caller


def address_of(request: Request) -> str:
    """Where a request came from. Behind a proxy the server is told whom to believe (FORWARDED_ALLOW_IPS)."""
    return request.client.host if request.client else ""


async def _look_up(services: Services, credential: str) -> Principal:
    agent_id, dot, secret = credential.partition(".")
    if dot:
        row = await services.ledger.read(lambda hand: agents.find(hand, agent_id))
        if row is None or not hmac.compare_digest(row["secret_hash"], secrets.digest(secret)):
            raise refuse("not_signed_in")
        if row["state"] != "active":
            raise refuse("agent_revoked")
        return Principal(row["id"], row["name"], "agent", "agent", frozenset())
    now = services.now()
    caller = await services.ledger.read(lambda hand: principals.by_token(hand, credential, now))
    if caller is None:
        raise refuse("not_signed_in")
    return caller


def permit(caller: Principal, act: str) -> Principal:
    """The caller, if it may do the act; ``not_permitted`` otherwise."""
    if not caller.may(act):
        raise refuse("password_must_change" if caller.must_change_password else "not_permitted", act=act)
    return caller


def requires(act: str) -> Callable[[Request], Awaitable[Principal]]:
    """A dependency: the caller of the request, who must have the act."""

    async def check(request: Request) -> Principal:
        return permit(await caller_of(request), act)

    check.act = act  # type: ignore[attr-defined]
    return check


FleetReader = Annotated[Principal, Depends(requires("fleet.read"))]
FleetChanger = Annotated[Principal, Depends(requires("fleet.change"))]
FleetActor = Annotated[Principal, Depends(requires("fleet.act"))]
InvoiceReader = Annotated[Principal, Depends(requires("invoices.read"))]
InvoiceCanceller = Annotated[Principal, Depends(requires("invoices.cancel"))]
JobReader = Annotated[Principal, Depends(requires("jobs.read"))]
AgentManager = Annotated[Principal, Depends(requires("agents.manage"))]
LogReader = Annotated[Principal, Depends(requires("log.read"))]
LineReporter = Annotated[Principal, Depends(requires("lines.report"))]
LineChanger = Annotated[Principal, Depends(requires("lines.change"))]
AlertReader = Annotated[Principal, Depends(requires("jobs.read"))]
"""Rules and deliveries name people's addresses: not for front ends."""
PeopleManager = Annotated[Principal, Depends(requires("people.manage"))]
Owner = Annotated[Principal, Depends(requires(OWN))]
Anyone = Annotated[Principal, Depends(caller_of)]
