"""The one door for JSON bodies of management routes, and the shape of their lists and acts."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query
from fastapi.routing import APIRoute
from starlette.requests import Request
from starlette.responses import Response

from controlplane.domain.principal import Principal
from controlplane.domain.refusals import refuse
from controlplane.store.listing import MOST, Page
from controlplane.wire import body
from controlplane.wire.records import Problem

MAX_BODY = 1024 * 1024

Limit = Annotated[int, Query(ge=1, le=MOST)]
Cursor = Annotated[str | None, Query(max_length=128, pattern=r"^[A-Za-z0-9_-]+$")]
Word = Annotated[str | None, Query(max_length=64, pattern=r"^[0-9A-Za-z._:-]+$")]

Key = Annotated[str | None, Query(min_length=1, max_length=64, pattern=r"^[!-~]+$")]
"""A request id or order number, as ``POST /v1/invoices`` takes them."""

ERRORS: dict[int | str, dict[str, Any]] = {
    status: {"model": Problem, "description": text, "content": {"application/problem+json": {}}}
    for status, text in {
        400: "the body is not acceptable JSON",
        401: "no valid credential",
        403: "the caller's role lacks the act",
        404: "no such record, or not yours",
        409: "in conflict with the record's state; `allowed` names the verbs that are allowed now",
        413: "the body is too large",
        415: "the media type is not application/json",
        422: "a field or query parameter is not valid",
        500: "an unexpected error, with a reference",
        503: "the ledger cannot be written for the moment",
    }.items()
}


class _Request(Request):
    """A request whose JSON comes through the body door."""

    async def json(self) -> Any:
        if not hasattr(self, "_json"):
            self._json = body.load(await self.body(), MAX_BODY)
        return self._json


class DoorRoute(APIRoute):
    """A route that reads bodies only through the door."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The usual handler, given a request with the strict body."""
        handle = super().get_route_handler()

        async def through_the_door(request: Request) -> Response:
            if request.method in ("POST", "PUT", "PATCH"):
                media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
                if media_type != "application/json":
                    raise refuse("media_type", media_type=media_type[:64])
            return await handle(_Request(request.scope, request.receive))

        return through_the_door


def router(noun: str) -> APIRouter:
    """A router for ``/v1/<noun>`` with every error declared."""
    return APIRouter(prefix=f"/v1/{noun}", tags=[noun], route_class=DoorRoute, responses=ERRORS)


class Paging:
    """The two query parameters every list takes."""

    def __init__(self, limit: Limit = 100, cursor: Cursor = None) -> None:
        self.limit = limit
        self.cursor = cursor


Paged = Annotated[Paging, Depends()]


def page_of(caller: Principal, paging: Paging, filters: dict[str, Any], newest_first: bool = False) -> Page:
    """What a list route asks for, in the caller's scope; filters that are None do not count."""
    scope = None if caller.scope is None else sorted(caller.scope)
    asked = {name: value for name, value in filters.items() if value is not None}
    return Page(paging.limit, paging.cursor, scope, asked, newest_first)


def one_of(caller: Principal, filters: dict[str, Any]) -> Page:
    """The page that holds one record, if the caller may see it."""
    return page_of(caller, Paging(1), filters)


def answer(items: list[Any], following: str | None) -> dict[str, Any]:
    """The one shape of lists."""
    return {"items": items, "next": following}
