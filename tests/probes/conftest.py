"""Peers on loopback, good and bad: listeners, a certificate authority made on the spot, a name server."""

import asyncio
import contextlib
import datetime
import ipaddress
import random
import socket
import ssl
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from probes.reach import Reach
from probes.settings import ProbeSettings

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"
Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


def clock() -> datetime.datetime:
    return datetime.datetime.now(datetime.UTC)


@pytest.fixture
def settings() -> ProbeSettings:
    return ProbeSettings(reach=Reach(["127.0.0.0/8", "::1/128"]), clock=clock)


@pytest.fixture
def rng() -> random.Random:
    return random.Random(1)


@contextlib.asynccontextmanager
async def listener(handler: Handler, tls: ssl.SSLContext | None = None) -> AsyncIterator[int]:
    """A server on a free port; its connections are cut when the test is done."""

    calls = set()

    async def guarded(reader, writer):
        calls.add(asyncio.current_task())
        try:
            with contextlib.suppress(OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
                await handler(reader, writer)
        finally:
            writer.transport.abort()
            with contextlib.suppress(OSError):
                await writer.wait_closed()

    server = await asyncio.start_server(guarded, "127.0.0.1", 0, ssl=tls)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        await asyncio.sleep(0)
        for call in calls:
            call.cancel()
        await asyncio.gather(*calls, return_exceptions=True)


def answering(answer: bytes) -> Handler:
    """Reads a request head, then sends the same bytes to everybody and closes."""

    async def handler(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer)
        await writer.drain()
        writer.write_eof() if writer.can_write_eof() else None
        await reader.read()

    return handler


def unused_port() -> int:
    with socket.socket() as door:
        door.bind(("127.0.0.1", 0))
        return door.getsockname()[1]


async def silent(reader, writer):
    await reader.read()


class Authority:
    """A certificate authority that signs whatever a test needs."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "测试根证书 Test Root")])
        self.certificate = self._sign(self.name, self.key, days=3650, authority=True)

    def _sign(self, subject, key, *, days, authority=False, address="127.0.0.1", names=()):
        san = [x509.IPAddress(ipaddress.ip_address(address)), *(x509.DNSName(name) for name in names)]
        begin = clock() + datetime.timedelta(days=min(days, 0) - 2)
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self.name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(begin)
            .not_valid_after(clock() + datetime.timedelta(days=days))
            .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
            .add_extension(x509.SubjectAlternativeName(san), critical=False)
        )
        return builder.sign(self.key, hashes.SHA256())

    def server(self, *, days: int = 90, address: str = "127.0.0.1", names: tuple[str, ...] = ()) -> ssl.SSLContext:
        """Context of a server whose certificate has so many days left, for this address and these names."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "server")])
        signed = self._sign(subject, key, days=days, address=address, names=names)
        file = self.folder / f"server{days}{address}{len(names)}.pem"
        private = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        file.write_bytes(private + signed.public_bytes(serialization.Encoding.PEM))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(file)
        return context

    def client(self) -> ssl.SSLContext:
        """Context of a client that trusts this authority."""
        text = self.certificate.public_bytes(serialization.Encoding.PEM).decode()
        return ssl.create_default_context(cadata=text)


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


class NameServer(asyncio.DatagramProtocol):
    """A name server that answers from a table, and can be told to misbehave."""

    def __init__(self, table: dict[str, list[str]]) -> None:
        self.table = table
        self.asked: list[str] = []
        self.deaf = 0
        """So many questions are not answered."""
        self.wrong_identity = False
        self.truncate = False
        self.code: int | None = None

    def connection_made(self, transport):
        self.transport = transport

    def datagram_received(self, data, addr):
        if self.deaf:
            self.deaf -= 1
            return
        if self.wrong_identity:
            data = bytes([data[0] ^ 1]) + data[1:]
        self.transport.sendto(self.reply(data, short=self.truncate), addr)

    def reply(self, data: bytes, *, short: bool = False) -> bytes:
        name, end = self._question(data)
        self.asked.append(name)
        kind = struct.unpack(">H", data[end : end + 2])[0]
        known = [ipaddress.ip_address(text) for text in self.table.get(name, [])]
        rows = [address.packed for address in known if (address.version == 4) == (kind == 1)]
        code = self.code if self.code is not None else 0 if name in self.table else 3
        rows = [] if short or code else rows
        flags = 0x8180 | code | (0x0200 if short else 0)
        head = data[:2] + struct.pack(">HHHHH", flags, 1, len(rows), 0, 0)
        body = b"".join(struct.pack(">HHHIH", 0xC00C, kind, 1, 60, len(row)) + row for row in rows)
        return head + data[12 : end + 4] + body

    @staticmethod
    def _question(data: bytes) -> tuple[str, int]:
        labels, at = [], 12
        while data[at]:
            labels.append(data[at + 1 : at + 1 + data[at]].decode())
            at += 1 + data[at]
        return ".".join(labels), at + 1


@contextlib.asynccontextmanager
async def name_server(table: dict[str, list[str]]) -> AsyncIterator[tuple[NameServer, int]]:
    """The server over UDP and, on the same port, over TCP."""
    names = NameServer(table)

    async def by_tcp(reader, writer):
        length = int.from_bytes(await reader.readexactly(2), "big")
        reply = names.reply(await reader.readexactly(length))
        writer.write(len(reply).to_bytes(2, "big") + reply)
        await writer.drain()

    async with listener(by_tcp) as port:
        loop = asyncio.get_running_loop()
        transport, _ = await loop.create_datagram_endpoint(lambda: names, local_addr=("127.0.0.1", port))
        try:
            yield names, port
        finally:
            transport.close()
