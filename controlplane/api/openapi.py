"""The OpenAPI description: FastAPI's own, with the hot routes added from their msgspec schemas."""

from __future__ import annotations

from typing import Any

import msgspec
from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from controlplane.wire import agents as agent_wire
from controlplane.wire.invoices import CheckAnswer, InvoiceAnswer, InvoiceBody

_PROBLEMS = {
    "400": "The body is not acceptable JSON",
    "401": "No valid credential",
    "403": "The caller's role lacks the act",
    "404": "No such record, or not yours",
    "409": "In conflict with the record's state",
    "413": "The body is too large",
    "415": "The media type is not application/json",
    "422": "A field is not valid",
    "500": "An unexpected error, with a reference",
    "503": "The ledger cannot be written for the moment",
}
_HOT: tuple[tuple[str, str, str, type, type, tuple[str, ...]], ...] = (
    ("/v1/invoices", "Request an invoice", "invoices", InvoiceBody, InvoiceAnswer, ("200", "202")),
    ("/v1/invoices/check", "Check a request without issuing", "invoices", InvoiceBody, CheckAnswer, ("200",)),
    (agent_wire.JOIN_PATH, "Join by a one-use token", "agent", agent_wire.JoinRequest, agent_wire.JoinAnswer, ("201",)),
    (agent_wire.LEASE_PATH, "Lease orders", "agent", agent_wire.LeaseRequest, agent_wire.LeaseAnswer, ("200",)),
    (agent_wire.OUTCOMES_PATH, "Report outcomes", "agent", agent_wire.OutcomeReport, agent_wire.OutcomeAck, ("200",)),
)  # fmt: skip
_PLAIN = (
    ("/v1/events", "Follow the change feed", "text/event-stream"),
    ("/healthz", "Is the process alive", "application/json"),
    ("/readyz", "Can it serve", "application/json"),
    ("/metrics", "Counters of this process", "text/plain"),
)
_WAIT = {
    "name": "Prefer",
    "in": "header",
    "schema": {"type": "string", "example": "wait=10"},
    "description": "wait=N, at most 30: answer when the invoice is settled or after N seconds",
}
_AFTER = {"name": "after", "in": "query", "schema": {"type": "integer"}, "description": "Number of the last event seen"}


def describe(app: FastAPI) -> None:
    """Let the application answer ``/openapi.json`` with every route it has."""

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = _whole(app)
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]


def _whole(app: FastAPI) -> dict[str, Any]:
    schema = get_openapi(title=app.title, version=app.version, routes=app.routes)
    components = schema.setdefault("components", {})
    shapes = components.setdefault("schemas", {})
    components["securitySchemes"] = {"bearer": {"type": "http", "scheme": "bearer"}}
    schema["security"] = [{"bearer": []}]
    forms = [form for row in _HOT for form in (row[3], row[4])]
    schemas, found = msgspec.json.schema_components(forms, ref_template="#/components/schemas/{name}")
    shapes.update(found)
    references = dict(zip(forms, schemas, strict=True))
    for path, summary, tag, body, answer, statuses in _HOT:
        schema["paths"].setdefault(path, {})["post"] = _hot(
            summary, tag, (references[body], references[answer]), statuses
        )
    schema["paths"]["/v1/invoices"]["post"]["parameters"] = [_WAIT]
    for path, summary, media_type in _PLAIN:
        schema["paths"][path] = {"get": _plain(summary, media_type)}
    schema["paths"]["/v1/events"]["get"]["parameters"] = [_AFTER]
    return schema


def _hot(summary: str, tag: str, shapes: tuple[Any, Any], statuses: tuple[str, ...]) -> dict[str, Any]:
    body, answer = shapes
    responses: dict[str, Any] = {
        status: {"description": "Answer", "content": {"application/json": {"schema": answer}}} for status in statuses
    }
    return {
        "summary": summary,
        "tags": [tag],
        "requestBody": {"required": True, "content": {"application/json": {"schema": body}}},
        "responses": responses | _problems(),
    }


def _plain(summary: str, media_type: str) -> dict[str, Any]:
    answer: dict[str, Any] = {"200": {"description": "Answer", "content": {media_type: {}}}}
    return {"summary": summary, "tags": ["service"], "responses": answer | _problems()}


def _problems() -> dict[str, Any]:
    reference = {"$ref": "#/components/schemas/Problem"}
    content = {"application/problem+json": {"schema": reference}}
    return {status: {"description": text, "content": content} for status, text in _PROBLEMS.items()}
