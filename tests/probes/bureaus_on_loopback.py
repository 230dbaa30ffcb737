"""Bureaus on loopback: real listeners behind real names, each of which can be told how to fail."""

from __future__ import annotations

import asyncio
import socket
import ssl
import struct
from dataclasses import dataclass, field
from typing import cast

from tests.probes.conftest import NameServer

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
FAULTY = b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n"
SAYS: dict[tuple[str, str], tuple[str, str]] = {
    ("tcp", "refuse"): ("tcp", "refused"),
    ("http", "refuse"): ("tcp", "refused"),
    ("https", "refuse"): ("tcp", "refused"),
    ("tls", "refuse"): ("tcp", "refused"),
    ("tcp", "no_name"): ("dns", "no_such_name"),
    ("http", "no_name"): ("dns", "no_such_name"),
    ("https", "no_name"): ("dns", "no_such_name"),
    ("tls", "no_name"): ("dns", "no_such_name"),
    ("http", "reset"): ("ttfb", "reset"),
    ("https", "reset"): ("tls", "reset"),
    ("tls", "reset"): ("tls", "reset"),
    ("http", "stall"): ("ttfb", "timeout"),
    ("https", "stall"): ("tls", "timeout"),
    ("tls", "stall"): ("tls", "timeout"),
    ("http", "error"): ("ttfb", "server_error"),
    ("https", "error"): ("ttfb", "server_error"),
    ("https", "expired"): ("tls", "certificate_expired"),
    ("tls", "expired"): ("tls", "certificate_expired"),
}
"""(scheme, fault) → the failing phase and the reason a probe must tell."""


class _Peer(asyncio.Protocol):
    """Answers the first bytes it gets, resets, or never says a word."""

    def __init__(self, mode: str) -> None:
        self._mode = mode

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        if self._mode == "reset":
            door = self._transport.get_extra_info("socket")
            door.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self._transport.abort()
        elif self._mode != "stall":
            self._transport.write(FAULTY if self._mode == "error" else ANSWER)


@dataclass
class Bureau:
    """One address. ``mode`` ok, or a fault of SAYS."""

    scheme: str
    host: str
    names: NameServer
    tls: ssl.SSLContext
    tls_expired: ssl.SSLContext
    mode: str = "ok"
    port: int = 0
    _server: asyncio.Server | None = field(default=None, repr=False)

    @property
    def target(self) -> str:
        """As the address book has it."""
        return f"{self.scheme}://{self.host}:{self.port}"

    async def become(self, mode: str) -> None:
        """Fail in this way from now on; on the same port."""
        if self._server is not None and mode == self.mode:
            return
        self.mode = mode
        self.close()
        self.names.table.pop(self.host, None)
        if mode != "no_name":
            self.names.table[self.host] = ["127.0.0.1"]
        if mode == "refuse":
            return
        # A stall or a reset happens before TLS has begun, so those peers speak plain.
        tls = None if mode in ("stall", "reset") or self.scheme in ("tcp", "http") else self.tls
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(
            lambda: _Peer(mode), "127.0.0.1", self.port, ssl=self.tls_expired if mode == "expired" else tls
        )
        self.port = self._server.sockets[0].getsockname()[1]

    def close(self) -> None:
        """Stop listening."""
        if self._server is not None:
            self._server.close()
            self._server = None
