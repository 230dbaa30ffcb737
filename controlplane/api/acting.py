"""Routes of acts, made from the registry: one ``POST`` per verb, its body checked, its permission asked for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

from fastapi import APIRouter, Depends
from starlette.requests import Request

from controlplane.api.access import caller_of, requires
from controlplane.api.services import Services, services_of, viewer_of
from controlplane.domain.acts import ActSpec
from controlplane.domain.principal import Principal
from controlplane.domain.registry import acts_of
from controlplane.operations import jobs
from controlplane.operations.acts import Act, Once, Viewer
from controlplane.store import jobs as job_store
from controlplane.store.statement import Connection, Row
from controlplane.store.transaction import Transaction
from controlplane.wire.act_bodies import body_of
from controlplane.wire.records import Acted, Record, Strict

Do = Callable[[Transaction, Act, Services], str | Once | None]
"""Does one act on one record; returns the id of the job it opened, or what is shown once. Refuses by raising."""
Show = Callable[[Connection, str, Viewer], Row]
"""The record as the API shows it, by id; refuses ``not_found``."""
Make = Callable[[Transaction, Principal, dict[str, Any], Services], str | Once]
"""Does one act on a collection (register, import, …); returns the id of the record to show."""


def record_acts(routes: APIRouter, noun: str, do: Do, show: Show, verbs: tuple[str, ...] | None = None) -> None:
    """Add ``POST /v1/<noun>/{record_id}/<verb>`` for every record act of the noun: 202 with the job and the record.

    ``verbs``: only for these; the others have routes of their own.
    """
    for spec in acts_of(noun):
        if verbs is not None and spec.verb not in verbs:
            continue
        _add(routes, f"/{{record_id}}/{spec.verb}", spec, _on_record(spec, do, show), Acted, 202)


def collection_acts(routes: APIRouter, noun: str, make: dict[str, Make], show: Show) -> None:
    """Add ``POST /v1/<noun>`` for ``register`` and ``POST /v1/<noun>/<verb>`` for the collection acts in ``make``."""
    for spec in acts_of(noun, "collection"):
        if spec.verb in make:
            path = "" if spec.verb == "register" else f"/{spec.verb}"
            _add(routes, path, spec, _on_collection(make[spec.verb], show), Record, 201)


def _on_record(spec: ActSpec, do: Do, show: Show) -> Callable[..., Any]:
    async def act(request: Request, caller: Principal, record_id: str, body: Any) -> dict[str, Any]:
        services = services_of(request)
        arguments = body.model_dump(exclude={"reason", "version"})
        wanted = Act(caller, spec.verb, record_id, body.version, body.reason, arguments)
        done = await services.ledger.write(lambda tx: do(tx, wanted, services))
        if isinstance(done, Once) and done.then is not None:
            await services.ledger.write(done.then)

        def read(hand: Connection) -> dict[str, Any]:
            job = job_store.by_id(hand, done) if isinstance(done, str) else None
            return {
                "job": jobs.view(job) if job else None,
                "record": show(hand, record_id, viewer_of(request, caller)),
                **(done.shown if isinstance(done, Once) else {}),
            }

        return await services.ledger.read(read)

    return act


def _on_collection(make: Make, show: Show) -> Callable[..., Any]:
    async def act(request: Request, caller: Principal, body: Any) -> dict[str, Any]:
        services = services_of(request)
        values = body.model_dump()
        made = await services.ledger.write(lambda tx: make(tx, caller, values, services))
        once = made if isinstance(made, Once) else Once(made)
        if once.then is not None:
            await services.ledger.write(once.then)
        if caller.scope is not None:
            # What was just made may have widened the scope: the caller is looked up again to be shown it.
            request.app.state.memory.forget()
            caller = await caller_of(request)
        record = await services.ledger.read(lambda hand: show(hand, once.record_id, viewer_of(request, caller)))
        return record | once.shown

    return act


def _add(
    routes: APIRouter, path: str, spec: ActSpec, act: Callable[..., Any], answer: type[Record], status: int
) -> None:
    body: type[Strict] = body_of(spec)
    # FastAPI reads what a route takes from its annotations; these depend on the act.
    act.__annotations__ |= {
        "request": Request,
        "caller": Annotated[Principal, Depends(requires(spec.permission))],
        "body": body,
        "return": dict[str, Any],
    }
    if spec.on == "record":
        act.__annotations__["record_id"] = str
    act.__name__ = f"{spec.verb}_{spec.noun}".replace("-", "_")
    act.__doc__ = f"{spec.verb} ({spec.noun}); see the registry of acts."
    routes.add_api_route(path, act, methods=["POST"], response_model=answer, status_code=status)
