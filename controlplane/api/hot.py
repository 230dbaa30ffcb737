"""Ground for the hot routes: plain Starlette endpoints with msgspec that share the application's door and problems."""

from __future__ import annotations

from typing import Any, TypeVar

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from controlplane.domain.refusals import refuse
from controlplane.wire import body

T = TypeVar("T")
_ENCODER = msgspec.json.Encoder()


async def read_body(request: Request, form: type[T], max_bytes: int) -> T:
    """The request's body as a struct, through the strict door."""
    return body.shape((await read_json(request, max_bytes))[1], form)


async def read_json(request: Request, max_bytes: int) -> tuple[bytes, Any]:
    """The request's body, raw and loaded through the strict door; no more than ``max_bytes`` are ever held."""
    raw = await read_raw(request, "application/json", max_bytes)
    return raw, body.load(raw, max_bytes)


async def read_raw(request: Request, wanted: str, max_bytes: int) -> bytes:
    """The request's body of one media type as it is; no more than ``max_bytes`` are ever held."""
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type != wanted:
        raise refuse("media_type", media_type=media_type[:64])
    length = request.headers.get("content-length", "0")
    if not length.isdigit() or int(length) > max_bytes:
        raise refuse("body_too_large", max_bytes=max_bytes)
    raw = bytearray()
    async for chunk in request.stream():
        raw += chunk
        if len(raw) > max_bytes:
            raise refuse("body_too_large", max_bytes=max_bytes)
    return bytes(raw)


def reply(content: Any, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """A JSON answer."""
    return Response(_ENCODER.encode(content), status, headers, "application/json")


def preferred_wait(request: Request) -> float:
    """Seconds of ``Prefer: wait=N`` (RFC 7240), at most 30; 0 without."""
    for preference in request.headers.get("prefer", "").split(","):
        name, _, value = preference.strip().partition("=")
        if name.strip().lower() == "wait" and value.strip().isascii() and value.strip().isdigit():
            return min(30.0, float(value.strip()[:4]))
    return 0.0
