"""The agents' own line: join, lease (a long poll) and outcomes; plain routes, msgspec bodies."""

from __future__ import annotations

import asyncio
import hashlib
import logging
import time
from concurrent.futures import Future
from typing import TypeVar

from starlette.requests import Request
from starlette.responses import Response

from controlplane.api.access import caller_of, permit
from controlplane.api.hot import read_body, reply
from controlplane.api.services import Services, services_of
from controlplane.domain.principal import Principal
from controlplane.domain.refusals import Refusal, refuse
from controlplane.operations import agents, jobs, observations, settlement
from controlplane.store import agents as store
from controlplane.store import jobs as job_store
from controlplane.store.statement import Row
from controlplane.wire.agents import (
    JoinRequest,
    LeaseAnswer,
    LeaseRequest,
    Observation,
    Order,
    Outcome,
    OutcomeAck,
    OutcomeReport,
)

log = logging.getLogger("taxplane.agents")
T = TypeVar("T")
MAX_JOIN = 16 * 1024
MAX_LEASE = 512 * 1024
MAX_REPORT = 8 * 1024 * 1024
SEEN_EVERY = 5.0
"""Seconds between two notes of when an agent was last seen."""


async def join(request: Request) -> Response:
    """``POST /v1/agent/join``: a one-use token becomes an agent."""
    asked = await read_body(request, JoinRequest, MAX_JOIN)
    return reply(await services_of(request).ledger.write(lambda tx: agents.join(tx, asked)), 201)


async def lease(request: Request) -> Response:
    """``POST /v1/agent/lease``: orders for this agent, waiting up to ``wait`` seconds for some."""
    caller = permit(await caller_of(request), "agent.work")
    services = services_of(request)
    asked = await read_body(request, LeaseRequest, MAX_LEASE)
    await _seen(request, caller)
    until = time.monotonic() + asked.wait
    while True:
        serves = await services.ledger.read(lambda hand: job_store.serves(hand, caller.id))
        topics = [caller.id, *(row["target_id"] for row in serves)]
        with services.hub.waiting_for(topics) as waiter:
            answer = await _try(services, caller, asked, serves)
            left = until - time.monotonic()
            if answer.orders or answer.serves is not None or left <= 0 or services.hub.stopping:
                return reply(answer)
            await waiter.wait(min(left, _LOOK_AGAIN))
        await _still_active(services, caller)
        if await request.is_disconnected():
            return reply(answer)


_LOOK_AGAIN = 5.0
"""Seconds after which a waiting lease looks by itself: lanes that rest wake by time, not by an event."""


async def _try(services: Services, caller: Principal, asked: LeaseRequest, serves: list[Row]) -> LeaseAnswer:
    orders: list[Order] = []
    if await services.ledger.read(lambda hand: jobs.has_work(hand, caller.id, asked)):
        orders = await services.ledger.write(lambda tx: jobs.lease(tx, caller.id, asked))
    instance_id, seq = await services.ledger.read(jobs.ledger_position)
    revision = _revision(serves)
    addresses = None if revision == asked.revision else [jobs.device_address(row) for row in serves]
    return LeaseAnswer(instance_id=instance_id, ledger_seq=seq, orders=orders, revision=revision, serves=addresses)


def _revision(serves: list[Row]) -> str:
    content = "\n".join("|".join(str(value) for value in row.values()) for row in serves)
    return hashlib.sha256(content.encode()).hexdigest()[:16]


async def _still_active(services: Services, caller: Principal) -> None:
    row = await services.ledger.read(lambda hand: store.find(hand, caller.id))
    if row is None or row["state"] != "active":
        raise refuse("agent_revoked")


async def _seen(request: Request, caller: Principal) -> None:
    """Note that the agent called, at most every few seconds."""
    noted: dict[str, float] = request.app.state.agents_seen
    if noted.get(caller.id, -SEEN_EVERY) + SEEN_EVERY > time.monotonic():
        return
    noted[caller.id] = time.monotonic()
    await services_of(request).ledger.write(lambda tx: store.seen(tx, caller.id, tx.now))


async def outcomes(request: Request) -> Response:
    """``POST /v1/agent/outcomes``: each outcome and observation in its own savepoint, all in one batch."""
    caller = permit(await caller_of(request), "agent.work")
    services = services_of(request)
    report = await read_body(request, OutcomeReport, MAX_REPORT)
    settling = [(one, _submit(services, caller, one)) for one in report.outcomes]
    seeing = [_observe(services, caller, seen) for seen in report.observations]
    words: dict[str, list[str]] = {settlement.SETTLED: [], settlement.STALE: []}
    for one, future in settling:
        word = await _answer_of(future, f"outcome of job {one.job_id}")
        if word is not None:
            words[word].append(one.job_id)
    cursors = [await _answer_of(future, "observation") for future in seeing]
    _, seq = await services.ledger.read(jobs.ledger_position)
    ack = OutcomeAck(
        settled=words[settlement.SETTLED],
        stale=words[settlement.STALE],
        ledger_seq=seq,
        upload_cursors=dict(cursor for cursor in cursors if cursor is not None),
    )
    return reply(ack)


async def _answer_of(future: Future[T], what: str) -> T | None:
    """What an operation answered; one that was refused is logged and left out, so that it does not stop its neighbours.

    An outcome left out is sent again. A ledger that cannot be written fails the whole report.
    """
    try:
        return await asyncio.wrap_future(future)
    except (Refusal, ValueError, LookupError):
        log.exception("%s not taken", what)
        return None


def _observe(services: Services, caller: Principal, seen: Observation) -> Future[tuple[str, int] | None]:
    return services.ledger.submit(lambda tx: observations.take(tx, caller.id, seen, services.rules))


def _submit(services: Services, caller: Principal, outcome: Outcome) -> Future[str]:
    return services.ledger.submit(lambda tx: settlement.settle(tx, caller.id, outcome))
