"""Names to addresses without blocking threads: hosts file, then the name servers over UDP with retries of our own."""

from __future__ import annotations

import asyncio
import contextlib
import random
import socket
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from ipaddress import ip_address
from pathlib import Path
from typing import Protocol

from probes import dns_message
from probes.dns_message import Address, BadMessage, QueryType
from probes.reading import Reason

Server = tuple[str, int]
_PATIENCE = (0.4, 0.8, 1.6, 3.2)
"""Seconds to wait before the question is sent again: a burst loses datagrams even on loopback."""
_NO_SUCH_NAME = 3


class LookupFailed(Exception):
    """No address; ``reason`` says whether the name does not exist, the servers failed or time ran out."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason)
        self.reason: Reason = reason


class Resolver(Protocol):
    """Finds the addresses of a name; ``deadline`` by ``time.monotonic``. Raises LookupFailed."""

    async def addresses(self, name: str, deadline: float) -> tuple[Address, ...]:
        """IPv4 addresses, or IPv6 ones where the name has no other; at least one."""
        ...


class NameServers:
    """Asks the given name servers in turn; randomness only numbers the questions."""

    def __init__(self, servers: Sequence[Server], hosts: Mapping[str, tuple[Address, ...]], rng: random.Random) -> None:
        self._servers = tuple(servers)
        self._hosts = hosts
        self._rng = rng

    async def addresses(self, name: str, deadline: float) -> tuple[Address, ...]:
        """See Resolver."""
        name = name.lower()
        if name in self._hosts:
            return self._hosts[name]
        for kind in (dns_message.A, dns_message.AAAA):
            found = await self._ask(name, kind, deadline)
            if found:
                return found
        raise LookupFailed("no_such_name")

    async def _ask(self, name: str, kind: QueryType, deadline: float) -> tuple[Address, ...]:
        exchange = _Exchange(name, kind, self._rng.randrange(1 << 16))
        try:
            reply = await exchange.run(self._servers, deadline)
        except TimeoutError as error:
            raise LookupFailed("timeout") from error
        except OSError as error:
            raise LookupFailed("name_server_failed") from error
        if reply.code == _NO_SUCH_NAME:
            raise LookupFailed("no_such_name")
        if reply.code:
            raise LookupFailed("name_server_failed")
        return reply.addresses


class _Exchange:
    """One question to any of several servers; the first answer that fits it counts, all else is ignored."""

    def __init__(self, name: str, kind: QueryType, identity: int) -> None:
        self._name, self._kind, self._identity = name, kind, identity
        self._question = dns_message.question(identity, name, kind)
        self._reply: asyncio.Future[tuple[dns_message.Answer, Server]] = asyncio.get_running_loop().create_future()
        self._doors: dict[Server, asyncio.DatagramTransport] = {}

    async def run(self, servers: Sequence[Server], deadline: float) -> dns_message.Answer:
        """The answer; raises TimeoutError, or OSError when no server can be reached at all."""
        try:
            async with asyncio.timeout(max(0.0, deadline - time.monotonic())):
                reply, server = await self._first_reply(servers)
                return await self._again_by_tcp(server) if reply.truncated else reply
        finally:
            for door in self._doors.values():
                door.abort()

    async def _first_reply(self, servers: Sequence[Server]) -> tuple[dns_message.Answer, Server]:
        for turn in range(len(servers) * len(_PATIENCE)):
            server = servers[turn % len(servers)]
            try:
                (await self._door(server)).sendto(self._question)
            except OSError:
                continue  # no way to this one (IPv6 without a route, say): the next may do
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_PATIENCE[turn // len(servers)]):
                    return await asyncio.shield(self._reply)
        if not self._doors:
            raise ConnectionError("no name server can be reached")
        return await self._reply

    async def _door(self, server: Server) -> asyncio.DatagramTransport:
        # A connected socket: the kernel drops answers from any other address.
        if server not in self._doors:
            loop = asyncio.get_running_loop()
            door, _ = await loop.create_datagram_endpoint(lambda: _Door(self, server), remote_addr=server)
            self._doors[server] = door
        return self._doors[server]

    def heard(self, data: bytes, server: Server) -> None:
        """Take a datagram; anything that is not our answer is dropped."""
        with contextlib.suppress(BadMessage):
            reply = dns_message.answer(data, self._identity, self._name, self._kind)
            if not self._reply.done():
                self._reply.set_result((reply, server))

    async def _again_by_tcp(self, server: Server) -> dns_message.Answer:
        reader, writer = await asyncio.open_connection(*server)
        try:
            writer.write(len(self._question).to_bytes(2, "big") + self._question)
            length = int.from_bytes(await reader.readexactly(2), "big")
            data = await reader.readexactly(length)
            return dns_message.answer(data, self._identity, self._name, self._kind)
        except (BadMessage, asyncio.IncompleteReadError) as error:
            raise ConnectionResetError("name server broke off") from error
        finally:
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()


class _Door(asyncio.DatagramProtocol):
    """The socket to one name server. A refusal there is no reason to stop: the next server is asked in its turn."""

    def __init__(self, exchange: _Exchange, server: Server) -> None:
        self._exchange, self._server = exchange, server

    def datagram_received(self, data: bytes, addr: tuple[str | object, int]) -> None:
        """Hand the datagram to the exchange."""
        self._exchange.heard(data, self._server)


class SystemNames:
    """The operating system's own lookup, for hosts without a resolver file; at most eight threads ever."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(max_workers=8, thread_name_prefix="names")

    async def addresses(self, name: str, deadline: float) -> tuple[Address, ...]:
        """See Resolver."""
        loop = asyncio.get_running_loop()
        lookup = loop.run_in_executor(self._threads, _system_lookup, name)
        try:
            async with asyncio.timeout(max(0.0, deadline - time.monotonic())):
                return await lookup
        except TimeoutError as error:
            raise LookupFailed("timeout") from error
        except socket.gaierror as error:
            known = error.errno in (socket.EAI_NONAME, getattr(socket, "EAI_NODATA", socket.EAI_NONAME))
            raise LookupFailed("no_such_name" if known else "name_server_failed") from error


def _system_lookup(name: str) -> tuple[Address, ...]:
    rows = socket.getaddrinfo(name, None, type=socket.SOCK_STREAM)
    found = tuple(dict.fromkeys(ip_address(row[4][0]) for row in rows))
    return tuple(address for address in found if address.version == 4) or found


class SystemResolver:
    """The resolver of this host: its resolver and hosts files where it has them (read again when they change), else its
    own lookup."""

    def __init__(self, rng: random.Random, etc: Path = Path("/etc")) -> None:
        self._rng = rng
        self._files = (etc / "resolv.conf", etc / "hosts")
        self._stamps: tuple[int, ...] = ()
        self._chosen: Resolver | None = None
        self._names = SystemNames()

    async def addresses(self, name: str, deadline: float) -> tuple[Address, ...]:
        """See Resolver."""
        stamps = tuple(file.stat().st_mtime_ns if file.is_file() else 0 for file in self._files)
        if self._chosen is None or stamps != self._stamps:
            servers = _name_servers(self._files[0])
            self._chosen = NameServers(servers, _hosts(self._files[1]), self._rng) if servers else self._names
            self._stamps = stamps
        return await self._chosen.addresses(name, deadline)


def _name_servers(file: Path) -> list[Server]:
    if not file.is_file():
        return []
    words = [line.split() for line in file.read_text("utf-8", "replace").splitlines()]
    return [(word[1], 53) for word in words if len(word) > 1 and word[0] == "nameserver"]


def _hosts(file: Path) -> dict[str, tuple[Address, ...]]:
    if not file.is_file():
        return {}
    table: dict[str, list[Address]] = {}
    for line in file.read_text("utf-8", "replace").splitlines():
        first, *names = line.partition("#")[0].split() or [""]
        with contextlib.suppress(ValueError):
            address = ip_address(first)
            for name in names:
                table.setdefault(name.lower(), []).append(address)
    return {name: tuple(a for a in found if a.version == 4) or tuple(found) for name, found in table.items()}
