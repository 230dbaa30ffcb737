"""What an error looks like: RFC 9457 problems from refusals, the body door, pydantic and the unexpected."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Sequence
from typing import Any

import msgspec
from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Match

from controlplane.api.services import services_of
from controlplane.domain.foreign_text import clean
from controlplane.domain.principal import Principal
from controlplane.domain.refusals import Refusal, refuse
from controlplane.store.engine import AlreadyThere, LedgerUnavailable
from controlplane.store.listing import CursorInvalid
from controlplane.store.transaction import LOGGED, Entry, Transaction
from controlplane.wire.body import BodyFault

log = logging.getLogger("taxplane.api")
_METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")
_WRITES = frozenset({"POST", "PUT", "PATCH", "DELETE"})
_STATUS_CODES = {404: "not_found", 405: "method_not_allowed", 413: "body_too_large", 415: "media_type"}


class Refused(Exception):
    """Several refusals of one request at once; the first one speaks for all."""

    def __init__(self, refusals: Sequence[Refusal]) -> None:
        super().__init__(refusals[0].code)
        self.refusals = tuple(refusals)

    @property
    def code(self) -> str:
        """Code of the refusal that speaks for all."""
        return self.refusals[0].code


def language_of(request: Request) -> Any:
    """``en`` when the caller asks for English first, else ``zh``."""
    return "en" if request.headers.get("accept-language", "").lower().startswith("en") else "zh"


def problem(request: Request, refusals: Sequence[Refusal], allowed: Sequence[str] = ()) -> Response:
    """An ``application/problem+json`` answer: code, what happened, what to do, which runbook, which fields."""
    first = refusals[0]
    message, remedy = first.told(language_of(request))
    body: dict[str, Any] = {
        "type": f"urn:taxplane:refusal:{first.code}",
        "title": first.code,
        "status": first.http_status,
        "detail": message,
        "code": first.code,
        "remedy": remedy,
        "runbook": first.runbook,
        "reason_class": first.reason_class,
        "details": first.details,
    }
    errors = [{"field": one.field, "code": one.code, "message": one.told(language_of(request))[0]} for one in refusals]
    if any(error["field"] for error in errors):
        body["errors"] = errors
    if allowed or "allowed" in first.details:
        named = str(first.details.get("allowed", ""))
        body["allowed"] = list(allowed) or [verb for verb in named.split(", ") if verb not in ("", "—")]
    headers = {"Retry-After": str(first.details.get("seconds", 1))} if first.http_status in (429, 503) else {}
    if first.http_status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    return Response(msgspec.json.encode(body), first.http_status, headers, "application/problem+json")


def install(app: FastAPI) -> None:
    """Make every error of the application a problem."""
    app.add_exception_handler(Refusal, _refusal)
    app.add_exception_handler(Refused, _refused)
    app.add_exception_handler(BodyFault, _body_fault)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(CursorInvalid, _cursor)
    app.add_exception_handler(LedgerUnavailable, _unavailable)
    app.add_exception_handler(AlreadyThere, _already_there)
    app.add_exception_handler(Exception, _unexpected)


async def _refusal(request: Request, fault: Exception) -> Response:
    assert isinstance(fault, Refusal)
    return await _told(request, fault, [fault])


async def _refused(request: Request, fault: Exception) -> Response:
    assert isinstance(fault, Refused)
    return await _told(request, fault, fault.refusals)


async def _body_fault(request: Request, fault: Exception) -> Response:
    assert isinstance(fault, BodyFault)
    return await _told(request, fault.refusal, [fault.refusal])


async def _invalid(request: Request, fault: Exception) -> Response:
    assert isinstance(fault, RequestValidationError)
    refusals = [_of_pydantic(error) for error in fault.errors()[:20]]
    return await _told(request, refusals[0], refusals)


def _of_pydantic(error: dict[str, Any]) -> Refusal:
    place, *path = error["loc"]
    field = ".".join(str(part) for part in path)
    if error["type"] == "extra_forbidden":
        return refuse("unknown_field", field, name=str(path[-1])[:64])
    if error["type"] == "missing":
        return refuse("missing_field", field, name=field or str(place))
    if place == "query":
        return refuse("query_invalid", field, name=field, problem=error["msg"])
    return refuse("field_invalid", field, problem=error["msg"][:200])


async def _http(request: Request, fault: Exception) -> Response:
    assert isinstance(fault, HTTPException)
    refusal = refuse(_STATUS_CODES.get(fault.status_code, "field_invalid"), problem=str(fault.detail)[:200])
    answer = problem(request, [refusal])
    if fault.headers:
        answer.headers.update(fault.headers)
    if fault.status_code == 405:
        answer.headers["Allow"] = ", ".join(_methods(request))
    return answer


def _methods(request: Request) -> list[str]:
    """Methods that some route takes at the request's address."""
    routes, scope = request.app.router.routes, dict(request.scope)
    return [
        method
        for method in _METHODS
        if any(route.matches({**scope, "method": method})[0] == Match.FULL for route in routes)
    ]


async def _cursor(request: Request, _fault: Exception) -> Response:
    return problem(request, [refuse("cursor_invalid", "cursor")])


async def _unavailable(request: Request, _fault: Exception) -> Response:
    return problem(request, [refuse("service_unavailable")])


async def _already_there(request: Request, _fault: Exception) -> Response:
    return problem(request, [refuse("already_exists")])


async def _unexpected(request: Request, fault: Exception) -> Response:
    reference = uuid.uuid4().hex
    log.error("unexpected error %s on %s", reference, request.url.path, exc_info=fault)
    return problem(request, [refuse("internal_error", reference=reference)])


async def _told(request: Request, fault: Refusal | Refused, refusals: Sequence[Refusal]) -> Response:
    """The answer of a refusal, once it is in the log; 503 when it cannot be written there."""
    try:
        await _keep(request, fault)
    except LedgerUnavailable:
        return problem(request, [refuse("service_unavailable")])
    return problem(request, refusals)


async def _keep(request: Request, fault: Refusal | Refused) -> None:
    """One operation-log row for a change that was refused before it reached a transaction."""
    caller = getattr(request.state, "caller", None)
    if request.method not in _WRITES or LOGGED in getattr(fault, "__notes__", ()) or not isinstance(caller, Principal):
        return
    act = f"{request.method} {clean(request.url.path, 'log')}"[:200]
    entry = Entry(caller.id, caller.name, caller.kind, act, "requests")
    entry.outcome, entry.detail = "refused", {"code": fault.code}

    def write(tx: Transaction) -> None:
        tx.begin_entry(entry)

    await services_of(request).ledger.write(write)
