"""One TCP connection as a light protocol: bytes are stamped the moment they arrive, and read when there is time."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from typing import Protocol, cast

from probes.measurement import Failed, Measurement
from probes.reach import BadHost, NotAllowed
from probes.resolver import LookupFailed

MOST_BYTES = 64 * 1024
"""Most that is ever read from one peer, TLS records included."""
_BUFFER = 8 * 1024


class Stream(Protocol):
    """Bytes to and from a peer, plain or under TLS."""

    def send(self, data: bytes) -> None:
        """Send; never waits."""
        ...

    async def receive(self) -> bytes:
        """The next bytes, empty at the end of the stream; raises OSError when the connection breaks."""
        ...

    @property
    def arrived_at(self) -> float:
        """When the bytes last received came in, by ``time.monotonic``."""
        ...


class Connection(asyncio.BufferedProtocol):
    """A Stream over plain TCP. After MOST_BYTES it is read no further and ends: a peer cannot fill our memory."""

    def __init__(self) -> None:
        self.connected_at = 0.0
        self.peer = ""
        self._transport: asyncio.Transport | None = None
        self._buffer = bytearray(_BUFFER)
        self._arrived: list[tuple[float, bytes]] = []
        self._stamp = 0.0
        self._room = MOST_BYTES
        self._ended = False
        self._error: Exception | None = None
        self._news = asyncio.Event()
        self._closed = asyncio.Event()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Stamp the moment and note who is really at the other end."""
        self.connected_at = time.monotonic()
        self._transport = cast(asyncio.Transport, transport)
        peer = transport.get_extra_info("peername")
        self.peer = str(peer[0]) if peer else ""

    def get_buffer(self, sizehint: int) -> memoryview:
        """Room for the next bytes, never more than may still be read."""
        return memoryview(self._buffer)[: self._room]

    def buffer_updated(self, nbytes: int) -> None:
        """Stamp and keep; nothing slow may happen here, or the stamps of all other checks suffer."""
        self._arrived.append((time.monotonic(), bytes(self._buffer[:nbytes])))
        self._room -= nbytes
        if not self._room and self._transport is not None:
            self._transport.pause_reading()
            self._ended = True
        self._news.set()

    def eof_received(self) -> bool:
        """The peer sends no more; our side stays open until we have read what came."""
        self._ended = True
        self._news.set()
        return True

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection is gone, by error or by us."""
        self._ended = True
        self._error = exc
        self._news.set()
        self._closed.set()

    @property
    def arrived_at(self) -> float:
        """See Stream."""
        return self._stamp

    def send(self, data: bytes) -> None:
        """See Stream."""
        if self._transport is not None:
            self._transport.write(data)

    async def receive(self) -> bytes:
        """See Stream."""
        while not self._arrived and not self._ended:
            self._news.clear()
            await self._news.wait()
        if self._arrived:
            self._stamp, data = self._arrived.pop(0)
            return data
        if self._error is not None:
            raise self._error
        return b""

    async def close(self) -> None:
        """Let go of the socket at once."""
        if self._transport is not None:
            self._transport.abort()
            await self._closed.wait()


@contextlib.asynccontextmanager
async def connected(measurement: Measurement) -> AsyncIterator[Connection]:
    """Phases ``dns`` and ``tcp``: a connection to the target, to an address that the allow-list admits and no other.

    The address that was tested is the one connected to; nothing is looked up a second time.
    """
    target = measurement.target
    address = await looked_up(measurement, target.host)
    measurement.enter("tcp")
    loop = asyncio.get_running_loop()
    _, connection = await loop.create_connection(Connection, address, target.port)
    try:
        if not connection.peer:
            raise ConnectionResetError("gone before it could be looked at")
        measurement.settings.reach.confirm(connection.peer)
        measurement.passed("tcp", connection.connected_at)
        yield connection
    except NotAllowed as error:
        raise Failed("not_allowed", "reach") from error
    finally:
        await connection.close()


async def looked_up(measurement: Measurement, host: str) -> str:
    """Phase ``dns``: the admitted address of a host; notes it in the reading."""
    measurement.enter("dns")
    try:
        address = await measurement.settings.reach.resolve(host, measurement.deadline)
    except (BadHost, NotAllowed) as error:
        raise Failed("not_allowed", "reach") from error
    except LookupFailed as error:
        raise Failed(error.reason) from error
    measurement.passed("dns")
    measurement.address = str(address)
    return measurement.address
