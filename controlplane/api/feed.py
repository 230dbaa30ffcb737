"""``GET /v1/events``: the change feed as server-sent events, resumable by the number of the last event seen."""

from __future__ import annotations

from collections.abc import AsyncIterator

import msgspec
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from controlplane.api.access import caller_of, permit
from controlplane.api.services import Services, services_of
from controlplane.domain.principal import Principal
from controlplane.domain.refusals import refuse
from controlplane.store.transaction import Event

_SHOWN = ("seq", "at", "noun", "record_id", "taxpayer_id", "verb", "version")


async def events(request: Request) -> Response:
    """Events after ``?after=`` or ``Last-Event-ID``; without either, from now on. Only what the caller may see."""
    caller = permit(await caller_of(request), "fleet.read")
    services = services_of(request)
    given = request.headers.get("last-event-id") or request.query_params.get("after")
    if given is not None and not (given.isascii() and given.isdigit() and len(given) <= 18):
        raise refuse("query_invalid", "after", name="after", problem="a whole number")
    after = int(given) if given is not None else services.hub.seq
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return StreamingResponse(_stream(services, caller, after), headers=headers, media_type="text/event-stream")


async def _stream(services: Services, caller: Principal, after: int) -> AsyncIterator[bytes]:
    yield b": connected\n\n"
    async for batch in services.hub.follow(after):
        if not batch:
            yield b": keep-alive\n\n"
            continue
        told = b"".join(_event(event) for event in batch if caller.sees(event.taxpayer_id))
        # A caller of narrow scope still learns how far the feed is, so that it resumes from there.
        yield told or f"id: {batch[-1].seq}\nevent: position\ndata: {{}}\n\n".encode()


def _event(event: Event) -> bytes:
    shown = {name: getattr(event, name) for name in _SHOWN}
    shown["id"] = shown.pop("record_id")
    return b"id: %d\nevent: change\ndata: %s\n\n" % (event.seq, msgspec.json.encode(shown))
