"""Just enough HTTP/1.1 over asyncio: a listener whose answers can be cut or withheld, and a keep-alive client."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

import msgspec

HEAD_LIMIT = 64 * 1024
BODY_LIMIT = 10 * 1024 * 1024
_IDLE_KEPT = 32


@dataclass(frozen=True, slots=True)
class Request:
    """One request as read: path without query, query as pairs (the last of a name wins), whole body."""

    method: str
    path: str
    query: dict[str, str]
    body: bytes

    def json(self) -> dict[str, Any]:
        """The body as a JSON object; raises msgspec.DecodeError or ValidationError for anything else."""
        return msgspec.json.decode(self.body or b"{}", type=dict[str, Any])


@dataclass(frozen=True, slots=True)
class Reply:
    """What to answer. ``cut`` sends the first half of the bytes and closes."""

    body: bytes
    status: int = 200
    cut: bool = False

    @staticmethod
    def of(value: Any, status: int = 200) -> Reply:
        """A JSON reply."""
        return Reply(msgspec.json.encode(value), status)


Handler = Callable[[Request], Awaitable[Reply | None]]
"""Answers one request; None closes the connection without an answer."""


class _Refused(Exception):
    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


class _Connection(asyncio.Protocol):
    """One accepted connection: requests are answered one after the other, in the order they came."""

    def __init__(self, listener: Listener) -> None:
        self._listener = listener
        self._transport: asyncio.Transport | None = None
        self._buffer = bytearray()
        self._answering = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._listener.connections.add(self)

    def connection_lost(self, exc: Exception | None) -> None:
        # A call under way goes on: a device does not notice that its caller hung up.
        self._transport = None
        self._listener.connections.discard(self)

    def abort(self) -> None:
        """Drop the connection at once."""
        if self._transport is not None:
            self._transport.abort()

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        if not self._answering:
            self._next()

    def _next(self) -> None:
        try:
            request = _take_request(self._buffer)
        except _Refused as refused:
            self._send(Reply(b"{}", refused.status), last=True)
            return
        if request is not None:
            self._answering = True
            self._listener.start(self._answer(request))

    async def _answer(self, request: Request) -> None:
        try:
            reply = await self._listener.handler(request)
        except BaseException:
            self.abort()
            raise
        self._answering = False
        if reply is None:
            self.abort()
            return
        self._send(reply, last=reply.cut)
        if self._transport is not None and self._buffer and not reply.cut:
            self._next()

    def _send(self, reply: Reply, last: bool) -> None:
        if self._transport is None:
            return
        head = (
            f"HTTP/1.1 {reply.status} {HTTPStatus(reply.status).phrase}\r\n"
            "Content-Type: application/json; charset=utf-8\r\n"
            f"Content-Length: {len(reply.body)}\r\n\r\n"
        ).encode()
        whole = head + reply.body
        self._transport.write(whole[: len(whole) // 2] if reply.cut else whole)
        if last:
            self._transport.close()


def _take_request(buffer: bytearray) -> Request | None:
    """Remove one whole request from the buffer, or None while it is incomplete."""
    end = buffer.find(b"\r\n\r\n")
    if end < 0:
        if len(buffer) > HEAD_LIMIT:
            raise _Refused(431)
        return None
    lines = bytes(buffer[:end]).decode("latin-1").split("\r\n")
    words = lines[0].split(" ")
    headers = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:])}
    length = headers.get("content-length", "0")
    if len(words) != 3 or not length.isdigit():
        raise _Refused(400)
    if "transfer-encoding" in headers:
        raise _Refused(411)
    if int(length) > BODY_LIMIT:
        raise _Refused(413)
    stop = end + 4 + int(length)
    if len(buffer) < stop:
        return None
    body = bytes(buffer[end + 4 : stop])
    del buffer[:stop]
    target = urlsplit(words[1])
    return Request(words[0], unquote(target.path), dict(parse_qsl(target.query, keep_blank_values=True)), body)


class Listener:
    """A loopback HTTP server that can really close and reopen its port."""

    def __init__(self, handler: Handler, port: int = 0, host: str = "127.0.0.1") -> None:
        self.handler = handler
        self.host = host
        self.port = port
        self.connections: set[_Connection] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None

    def start(self, answer: Coroutine[Any, Any, None]) -> None:
        """Run one answer to its end, whatever becomes of the connection."""
        task = asyncio.get_running_loop().create_task(answer)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def open(self) -> int:
        """Listen; port 0 means any, and then stays the same for reopening. Raises OSError if it is taken."""
        if self._server is None:
            loop = asyncio.get_running_loop()
            self._server = await loop.create_server(lambda: _Connection(self), self.host, self.port, backlog=1024)
            self.port = self._server.sockets[0].getsockname()[1]
        return self.port

    def close(self) -> None:
        """Stop listening and drop all connections: callers are then refused."""
        if self._server is not None:
            self._server.close()
            self._server = None
        for connection in list(self.connections):
            connection.abort()


class PeerUnreachable(Exception):
    """No connection: nothing was sent."""


class PeerSilent(Exception):
    """Sent, but no whole answer came back in time: the peer may have done it."""


@dataclass(slots=True)
class _Line:
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    used: bool = False


@dataclass(slots=True)
class Peer:
    """A client of one address; connections are kept and used again."""

    url: str
    timeout: float = 10.0
    _idle: list[_Line] = field(default_factory=list)

    async def call(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        """Send one request and read its JSON answer: (status, value). Only for calls that may be repeated.

        Raises PeerUnreachable or PeerSilent. A kept connection that the peer closed meanwhile is replaced once.
        """
        content = b"" if body is None else msgspec.json.encode(body)
        host = urlsplit(self.url).netloc
        head = f"{method} {path} HTTP/1.1\r\nHost: {host}\r\nContent-Length: {len(content)}\r\n\r\n".encode()
        try:
            async with asyncio.timeout(self.timeout):
                while True:
                    line = await self._line()
                    try:
                        return await self._exchange(line, head + content)
                    except (OSError, EOFError, ValueError, msgspec.DecodeError) as error:
                        line.writer.transport.abort()
                        if not line.used:
                            raise PeerSilent(str(error)) from error
        except TimeoutError as error:
            raise PeerSilent("time-out") from error

    async def _line(self) -> _Line:
        if self._idle:
            return self._idle.pop()
        address = urlsplit(self.url)
        try:
            return _Line(*await asyncio.open_connection(address.hostname, address.port, limit=2**20))
        except OSError as error:
            raise PeerUnreachable(str(error)) from error

    async def _exchange(self, line: _Line, request: bytes) -> tuple[int, Any]:
        kept = False
        try:
            line.writer.write(request)
            head = (await line.reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
            length = int(head.partition("content-length:")[2].partition("\r\n")[0])
            value = msgspec.json.decode(await line.reader.readexactly(length))
            kept = len(self._idle) < _IDLE_KEPT
            return int(head.split(" ", 2)[1]), value
        finally:
            if kept:
                line.used = True
                self._idle.append(line)
            elif not line.writer.transport.is_closing():
                line.writer.transport.abort()

    def close(self) -> None:
        """Drop the kept connections."""
        for line in self._idle:
            line.writer.transport.abort()
        self._idle.clear()
