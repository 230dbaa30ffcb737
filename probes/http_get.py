"""``http://`` and ``https://``: does it answer a GET? The body is counted, not kept; no redirect is followed."""

from __future__ import annotations

import contextlib
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass

from probes.connection import Stream, connected
from probes.measurement import Failed, Measurement, measured
from probes.reading import Reading
from probes.settings import ProbeSettings
from probes.target import Target
from probes.tls_handshake import secured

_STATUS = re.compile(rb"HTTP/1\.[01] ([1-5][0-9]{2})(?: [^\r\n]*)?\Z")
_HEADER = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([^\r\n]*?)[ \t]*\Z")
_LONGEST_HEAD = 16 * 1024
_MOST_BODY = 32 * 1024
"""With the head and a TLS handshake this stays below what a connection may read."""
_SERVER_ERROR = 500


@dataclass(frozen=True, slots=True)
class Head:
    """Status and headers (lower-case names, last one wins) of an answer."""

    status: int
    headers: dict[str, str]


async def probe(target: Target, settings: ProbeSettings, deadline: float) -> Reading:
    """Phases dns, tcp, (tls,) ttfb; facts ``status`` and ``bytes``. Any status below 500 shows a service at work."""
    return await measured(Measurement(target, settings, deadline), _get)


async def _get(measurement: Measurement) -> None:
    async with opened(measurement) as stream:
        head, rest = await ask(measurement, stream)
        measurement.facts["status"] = head.status
        measurement.enter("body")
        measurement.facts["bytes"] = await _count_body(stream, head, rest)
        if head.status >= _SERVER_ERROR:
            raise Failed("server_error", "ttfb")


@contextlib.asynccontextmanager
async def opened(measurement: Measurement) -> AsyncIterator[Stream]:
    """A stream to the target, under TLS where its scheme says so."""
    async with secured(measurement) if measurement.target.secure else connected(measurement) as stream:
        yield stream


async def ask(measurement: Measurement, stream: Stream) -> tuple[Head, bytes]:
    """Phase ``ttfb``: send the GET, read the head; also what came of the body with it."""
    target = measurement.target
    measurement.enter("ttfb")
    stream.send(_request(target))
    data = await stream.receive()
    if not data:
        raise Failed("closed")
    measurement.passed("ttfb", stream.arrived_at)
    while b"\r\n\r\n" not in data:
        if len(data) > _LONGEST_HEAD:
            raise Failed("bad_answer")
        more = await stream.receive()
        if not more:
            raise Failed("closed", "body")
        data += more
    head, _, rest = data.partition(b"\r\n\r\n")
    return _read_head(head), rest


def _request(target: Target) -> bytes:
    shown = Target(target.scheme, target.host, target.port).url.partition("://")[2]
    return (
        f"GET {target.path} HTTP/1.1\r\nHost: {shown}\r\nUser-Agent: taxplane-probe\r\n"
        "Accept: */*\r\nAccept-Encoding: identity\r\nConnection: close\r\n\r\n"
    ).encode("ascii")


def _read_head(data: bytes) -> Head:
    first, *lines = data.split(b"\r\n")
    status = _STATUS.match(first)
    headers = [_HEADER.match(line) for line in lines]
    if not status or None in headers or len(data) > _LONGEST_HEAD:
        raise Failed("bad_answer")
    found = {header[1].decode("ascii").lower(): header[2].decode("latin-1") for header in headers if header}
    return Head(int(status[1]), found)


async def _count_body(stream: Stream, head: Head, rest: bytes) -> int:
    """Read to the end of the answer or to the limit, keeping nothing; raises Failed when it is cut short."""
    length = head.headers.get("content-length")
    if length is not None and not re.fullmatch(r"\d{1,18}", length):
        raise Failed("bad_answer")
    bodiless = head.status in (204, 304) or head.status < 200
    wanted = 0 if bodiless else min(int(length), _MOST_BODY) if length is not None else _MOST_BODY
    seen, tail = len(rest), rest[-5:]
    while seen < wanted and not _last_chunk(head, tail):
        data = await stream.receive()
        if not data:
            if length is not None or _chunked(head):
                raise Failed("closed")
            break
        seen += len(data)
        tail = (tail + data)[-5:]
    return min(seen, wanted)


def _chunked(head: Head) -> bool:
    return head.headers.get("transfer-encoding", "").lower() == "chunked"


def _last_chunk(head: Head, tail: bytes) -> bool:
    return _chunked(head) and tail == b"0\r\n\r\n"
