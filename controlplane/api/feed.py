"""``GET /v1/events``: the change feed as server-sent events, resumable by the number of the last event seen."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Sequence

import msgspec
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from controlplane.api.access import caller_of, permit
from controlplane.api.services import Services, services_of
from controlplane.domain.principal import Principal
from controlplane.domain.refusals import Refusal, refuse
from controlplane.store import regions
from controlplane.store.transaction import Event

_SHOWN = ("seq", "at", "noun", "record_id", "taxpayer_id", "verb", "version")
KEEP_ALIVE = 15.0
"""Seconds of silence after which something is said."""
_PLATFORM = "-"


async def events(request: Request) -> Response:
    """Events after ``?after=`` or ``Last-Event-ID``; without either, from now on. Only what the caller may see.

    The caller is asked for again all the while: a session that is over, or a person who was disabled, is cut off
    within five seconds, and a changed scope shows as soon.
    """
    permit(await caller_of(request), "fleet.read")
    services = services_of(request)
    given = request.headers.get("last-event-id") or request.query_params.get("after")
    if given is not None and not (given.isascii() and given.isdigit() and len(given) <= 18):
        raise refuse("query_invalid", "after", name="after", problem="a whole number")
    after = int(given) if given is not None else services.hub.seq
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return StreamingResponse(_stream(request, services, after), headers=headers, media_type="text/event-stream")


async def _stream(request: Request, services: Services, after: int) -> AsyncIterator[bytes]:
    yield b": connected\n\n"
    spoke = time.monotonic()
    async for batch in services.hub.follow(after):
        try:
            caller = permit(await caller_of(request), "fleet.read")
        except Refusal:
            return
        if not batch:
            if time.monotonic() - spoke >= KEEP_ALIVE:
                yield b": keep-alive\n\n"
                spoke = time.monotonic()
            continue
        told = b"".join(_event(event) for event in await _seen(services, caller, batch))
        # A caller of narrow scope still learns how far the feed is, so that it resumes from there.
        yield told or f"id: {batch[-1].seq}\nevent: position\ndata: {{}}\n\n".encode()
        spoke = time.monotonic()


async def _seen(services: Services, caller: Principal, batch: Sequence[Event]) -> list[Event]:
    """The events of a batch that the caller may see: by taxpayer, or by the region of what belongs to none."""
    if caller.scope is None:
        return list(batch)
    platform = [event for event in batch if event.taxpayer_id == _PLATFORM] if caller.regions else []
    ids = sorted({name for event in platform for name in (event.record_id, event.topic) if name})
    of = await services.ledger.read(lambda hand: regions.of_records(hand, ids)) if ids else {}

    def seen(event: Event) -> bool:
        if event.taxpayer_id != _PLATFORM:
            return caller.sees(event.taxpayer_id)
        area = of.get(event.record_id) or of.get(event.topic or "")
        return area is not None and caller.sees_region(area)

    return [event for event in batch if seen(event)]


def _event(event: Event) -> bytes:
    shown = {name: getattr(event, name) for name in _SHOWN}
    shown["id"] = shown.pop("record_id")
    return b"id: %d\nevent: change\ndata: %s\n\n" % (event.seq, msgspec.json.encode(shown))
