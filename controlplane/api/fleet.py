"""Lists of what the fleet holds: ``/v1/devices``, ``/v1/terminals``, ``/v1/segments``, ``/v1/stock``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fastapi import APIRouter
from starlette.requests import Request

from controlplane.api.access import FleetReader
from controlplane.api.door import ERRORS, DoorRoute, Paged, Word, answer, one_of, page_of
from controlplane.api.services import services_of
from controlplane.domain.refusals import refuse
from controlplane.store import listing
from controlplane.store.listing import Page, Source
from controlplane.store.statement import Row
from controlplane.wire.records import Device, Listing, Segment, Stock, Terminal

routes = APIRouter(prefix="/v1", route_class=DoorRoute, responses=ERRORS)

_DEVICES = Source(
    "devices d LEFT JOIN bindings b ON b.target_id = d.id", "d.id", "d.taxpayer_id",
    "d.id, d.device_no, d.device_kind, d.custody, d.medium, d.taxpayer_id, d.tax_server_id, d.name, d.state, "
    "d.version, d.created_at, d.updated_at, b.agent_id, b.epoch",
)  # fmt: skip
_TERMINALS = Source("terminals x JOIN devices d ON d.id = x.device_id", "x.id", "x.taxpayer_id", "x.*, d.device_no")
_SEGMENTS = Source("segments x JOIN devices d ON d.id = x.device_id", "x.id", "x.taxpayer_id", "x.*, d.device_no")
_STOCK = Source(
    "(SELECT k.*, d.device_no, k.device_id || '.' || k.terminal_code || '.' || k.kind AS place FROM stock k "
    "JOIN devices d ON d.id = k.device_id) k",
    "k.place", "k.taxpayer_id", "k.*",
)  # fmt: skip


async def _page(
    request: Request, source: Source, wanted: Page, view: Callable[[Row], Row] = lambda row: row
) -> dict[str, Any]:
    rows, following = await services_of(request).ledger.read(lambda hand: listing.page(hand, source, wanted))
    return answer([view(row) for row in rows], following)


async def _one(request: Request, source: Source, wanted: Page, view: Callable[[Row], Row] = lambda row: row) -> Row:
    rows = (await _page(request, source, wanted, view))["items"]
    if not rows:
        raise refuse("not_found")
    found: Row = rows[0]
    return found


@routes.get("/devices", response_model=Listing[Device], tags=["devices"])
async def list_devices(
    request: Request, caller: FleetReader, paging: Paged, taxpayer_id: Word = None
) -> dict[str, Any]:
    """Devices of every kind."""
    return await _page(request, _DEVICES, page_of(caller, paging, {"d.taxpayer_id": taxpayer_id}))


@routes.get("/devices/{device_id}", response_model=Device, tags=["devices"])
async def get_device(request: Request, caller: FleetReader, device_id: str) -> Row:
    """One device."""
    return await _one(request, _DEVICES, one_of(caller, {"d.id": device_id}))


@routes.get("/terminals", response_model=Listing[Terminal], tags=["terminals"])
async def list_terminals(
    request: Request, caller: FleetReader, paging: Paged, device_id: Word = None
) -> dict[str, Any]:
    """Terminals."""
    return await _page(request, _TERMINALS, page_of(caller, paging, {"x.device_id": device_id}), _enabled)


@routes.get("/terminals/{terminal_id}", response_model=Terminal, tags=["terminals"])
async def get_terminal(request: Request, caller: FleetReader, terminal_id: str) -> Row:
    """One terminal."""
    return await _one(request, _TERMINALS, one_of(caller, {"x.id": terminal_id}), _enabled)


def _enabled(row: Row) -> Row:
    return row | {"enabled": bool(row["enabled"])}


@routes.get("/segments", response_model=Listing[Segment], tags=["segments"])
async def list_segments(
    request: Request,
    caller: FleetReader,
    paging: Paged,
    device_id: Word = None,
    taxpayer_id: Word = None,
    kind: Word = None,
) -> dict[str, Any]:
    """Segments of numbers."""
    filters = {"x.device_id": device_id, "x.taxpayer_id": taxpayer_id, "x.kind": kind}
    return await _page(request, _SEGMENTS, page_of(caller, paging, filters), _segment)


@routes.get("/segments/{segment_id}", response_model=Segment, tags=["segments"])
async def get_segment(request: Request, caller: FleetReader, segment_id: str) -> Row:
    """One segment."""
    return await _one(request, _SEGMENTS, one_of(caller, {"x.id": segment_id}), _segment)


def _segment(row: Row) -> Row:
    numbers = {name: f"{row[name]:08d}" for name in ("start_no", "end_no")}
    left = row["end_no"] - row["next_no"] + 1
    next_no = f"{row['next_no']:08d}" if left else None
    terminal = row["terminal_code"] or None
    count = row["end_no"] - row["start_no"] + 1
    return row | numbers | {"next_no": next_no, "left": left, "count": count, "terminal_code": terminal}


@routes.get("/stock", response_model=Listing[Stock], tags=["stock"])
async def list_stock(
    request: Request,
    caller: FleetReader,
    paging: Paged,
    taxpayer_id: Word = None,
    device_id: Word = None,
    kind: Word = None,
) -> dict[str, Any]:
    """Numbers left, waited for and available, by taxpayer, device, terminal and kind."""
    filters = {"k.taxpayer_id": taxpayer_id, "k.device_id": device_id, "k.kind": kind}
    return await _page(request, _STOCK, page_of(caller, paging, filters), _stock)


def _stock(row: Row) -> Row:
    shown = {name: row[name] for name in ("taxpayer_id", "device_id", "device_no", "terminal_code", "kind", "read_at")}
    left, waiting = int(row["remaining"]), int(row["reserved"])
    return shown | {"left": left, "waiting": waiting, "available": max(0, left - waiting)}
