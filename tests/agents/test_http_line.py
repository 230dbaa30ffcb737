"""HTTP on a bare socket: framing, deadlines, and what is known when no answer comes."""

from __future__ import annotations

import functools
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from agents.http_line import HttpLine, NotSent, NoWholeAnswer

CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
REQUEST = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}"


@contextmanager
def server(answer: Callable[[socket.socket], None]) -> Iterator[tuple[str, int]]:
    """Accepts once, reads once, answers as told, closes."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.recv(65536)
                answer(connection)

        thread = threading.Thread(target=serve)
        thread.start()
        yield listener.getsockname()
        thread.join()


def send_all(connection: socket.socket, data: bytes) -> None:
    connection.sendall(data)


def exchange(address: tuple[str, int], timeout: float = 1.0, limit: int = 1000) -> tuple[int, bytes, bool]:
    line = HttpLine(address, 1.0)
    try:
        line.send(REQUEST, 1.0)
        answer = line.receive(timeout, limit)
        return answer.status, answer.body, answer.keep
    finally:
        line.close()


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc", (200, b"abc", True)),
        (b"HTTP/1.1 204\r\ncontent-length:0\r\n\r\n", (204, b"", True)),
        (b"HTTP/1.1 503 No\r\nConnection: Close\r\nContent-Length: 1\r\n\r\n.", (503, b".", False)),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabcde", (200, b"abc", False)),
        (CHUNKED + b"2\r\nab\r\n1;x=y\r\nc\r\n0\r\n\r\n", (200, b"abc", True)),
    ],
)
def test_framing(raw: bytes, expected: tuple[int, bytes, bool]) -> None:
    with server(lambda connection: connection.sendall(raw)) as address:
        assert exchange(address) == expected


def test_an_answer_in_single_bytes() -> None:
    def drip(connection: socket.socket) -> None:
        for byte in CHUNKED + b"2\r\nab\r\n0\r\n\r\n":
            connection.sendall(bytes([byte]))

    with server(drip) as address:
        assert exchange(address) == (200, b"ab", True)


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        (b"", "closed"),
        (b"HTTP/1.1 200 OK\r\nContent-Len", "closed"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc", "closed"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n", "http"),
        (b"HTTP/1.1 200 OK\r\n\r\nabc", "http"),
        (b"SSH-2.0-OpenSSH\r\n\r\n", "http"),
        (b"x" * 70000, "http"),
        (CHUNKED + b"zz\r\n", "http"),
        (CHUNKED + b"ffff\r\n", "http"),
    ],
)
def test_no_whole_answer(raw: bytes, code: str) -> None:
    with server(lambda connection: connection.sendall(raw)) as address, pytest.raises(NoWholeAnswer) as raised:
        exchange(address)
    assert raised.value.code == code


def test_a_trickle_is_no_answer() -> None:
    """Each byte comes in time, the whole does not."""

    def trickle(connection: socket.socket) -> None:
        try:
            for byte in b"HTTP/1.1 200 OK\r\n" * 3:
                connection.sendall(bytes([byte]))
                time.sleep(0.02)
        except OSError:
            return

    with server(trickle) as address:
        started = time.monotonic()
        with pytest.raises(NoWholeAnswer) as raised:
            exchange(address, timeout=0.2)
        assert raised.value.code == "timeout" and time.monotonic() - started < 0.5


def test_nobody_there() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        address = listener.getsockname()
    with pytest.raises(NotSent) as raised:
        HttpLine(address, 1.0)
    assert raised.value.code == "connection_refused"


def test_a_kept_connection_that_was_closed_or_has_a_late_answer_is_not_fresh() -> None:
    for late in (b"", b"HTTP/1.1 200 OK\r\n"):
        with server(functools.partial(send_all, data=late)) as address:
            line = HttpLine(address, 1.0)
            assert line.fresh()
            line.send(REQUEST, 1.0)
        assert not line.fresh()
        line.close()


def test_wake_ends_a_wait() -> None:
    held = threading.Event()
    with server(lambda connection: (held.wait(5), None)[1]) as address:
        line = HttpLine(address, 1.0)
        line.send(REQUEST, 1.0)
        threading.Timer(0.1, line.wake).start()
        with pytest.raises(NoWholeAnswer):
            line.receive(5.0, 100)
        held.set()
        line.close()


def test_an_untrusted_certificate_is_not_talked_to(tmp_path: Path) -> None:
    certificate, key = self_signed(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)

    def serve(listener: socket.socket) -> None:
        for _ in range(2):
            connection, _ = listener.accept()
            try:
                with context.wrap_socket(connection, server_side=True) as secured:
                    secured.recv(1000)
                    secured.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
            except OSError:
                connection.close()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve, args=(listener,))
        thread.start()
        with pytest.raises(NotSent) as raised:
            HttpLine(listener.getsockname(), 1.0, secured_by="")
        assert raised.value.code == "no_connection"
        line = HttpLine(listener.getsockname(), 1.0, secured_by=str(certificate))
        line.send(REQUEST, 1.0)
        assert line.receive(1.0, 100).body == b"ok"
        line.close()
        thread.join()


def self_signed(folder: Path) -> tuple[Path, Path]:
    """A certificate for 127.0.0.1 that trusts itself."""
    import ipaddress
    from datetime import UTC, datetime, timedelta

    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    built = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), True)
        .sign(key, hashes.SHA256())
    )
    (folder / "cert.pem").write_bytes(built.public_bytes(serialization.Encoding.PEM))
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (folder / "key.pem").write_bytes(private)
    return folder / "cert.pem", folder / "key.pem"
