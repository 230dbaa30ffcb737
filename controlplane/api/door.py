"""The one door for JSON bodies of management routes, and the shape of their lists and acts."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Coroutine
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query
from fastapi.routing import APIRoute
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope

from controlplane.api.access import caller_of
from controlplane.api.hot import read_json, read_raw
from controlplane.domain.principal import Principal
from controlplane.domain.refusals import refuse
from controlplane.store.listing import MOST, Page
from controlplane.wire.records import Problem

MAX_BODY = 1024 * 1024
MAX_FILE = 10 * 1024 * 1024
WORKBOOK = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_WRITES = frozenset({"POST", "PUT", "PATCH"})
_ID = re.compile(r"[0-9A-Za-z._:-]{1,64}")

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
        429: "asked for too often; Retry-After says when it may be asked again",
        500: "an unexpected error, with a reference",
        503: "the ledger cannot be written for the moment",
    }.items()
}


class _Request(Request):
    """A request whose body came through the door already."""

    def __init__(self, scope: Scope, receive: Receive, raw: bytes, value: Any) -> None:
        super().__init__(scope, receive)
        self._raw, self._value = raw, value

    async def body(self) -> bytes:
        return self._raw

    async def json(self) -> Any:
        return self._value


class DoorRoute(APIRoute):
    """A route that asks who is calling before it looks at anything else, and reads bodies only through the door."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The usual handler, given a request with the strict body."""
        handle, keeper = super().get_route_handler(), self._keeper()

        async def through_the_door(request: Request) -> Response:
            if keeper is not None:
                await keeper(request)
            if not all(_ID.fullmatch(value) for value in request.path_params.values()):
                raise refuse("not_found")
            if request.method not in _WRITES:
                return await handle(request)
            raw, value = await self._body(request)
            return await handle(_Request(request.scope, request.receive, raw, value))

        return through_the_door

    async def _body(self, request: Request) -> tuple[bytes, Any]:
        return await read_json(request, MAX_BODY)

    def _keeper(self) -> Callable[[Request], Awaitable[Principal]] | None:
        """The dependency that finds the caller and checks its role; None on a route that is open to all."""
        calls = (dependency.call for dependency in self.dependant.dependencies)
        return next((call for call in calls if call is caller_of or hasattr(call, "act")), None)


class FileRoute(DoorRoute):
    """A route whose body is a workbook, taken as it is: ``await request.body()``."""

    async def _body(self, request: Request) -> tuple[bytes, Any]:
        return await read_raw(request, WORKBOOK, MAX_FILE), None


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
    return Page(paging.limit, paging.cursor, scope, sorted(caller.regions or ()), asked, newest_first)


def one_of(caller: Principal, filters: dict[str, Any]) -> Page:
    """The page that holds one record, if the caller may see it."""
    return page_of(caller, Paging(1), filters)


def answer(items: list[Any], following: str | None) -> dict[str, Any]:
    """The one shape of lists."""
    return {"items": items, "next": following}
