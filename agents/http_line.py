"""HTTP/1.1 on a bare socket: one request, one answer, and what is known when there is none.

The difference between *nothing sent* and *sent without answer* decides what an agent may do next, and a general HTTP
library costs several times as much time per call and a quarter of this program's memory.
"""

from __future__ import annotations

import select
import socket
import time

from msgspec import Struct

_CHUNK = 1 << 14
_HEAD_LIMIT = 1 << 16


class NotSent(Exception):
    """No byte of the request left this host. ``code`` is a word for programs."""

    def __init__(self, code: str, detail: object) -> None:
        super().__init__(f"{code}: {detail}")
        self.code = code
        self.detail = str(detail)


class NoWholeAnswer(Exception):
    """The request went out, at least in part, and no whole answer came: ``timeout``, ``closed`` or ``http``."""

    def __init__(self, code: str, detail: object) -> None:
        super().__init__(f"{code}: {detail}")
        self.code = code
        self.detail = str(detail)


class Answer(Struct):
    """``head`` is the answer's head in lower case; ``keep``: the connection may be used again."""

    status: int
    head: bytes
    body: bytes
    keep: bool

    def header(self, name: bytes) -> bytes:
        """The value of a header, in lower case; empty when it is not there."""
        return _header(self.head, name)


class HttpLine:
    """One connection, used by one thread at a time."""

    def __init__(self, address: tuple[str, int], timeout: float, secured_by: str | None = None) -> None:
        """Connect within ``timeout`` seconds; ``secured_by``: with TLS, trusting this file (empty: the system's trust).

        Raises:
            NotSent: nobody there, or nobody trusted.
        """
        try:
            connection = socket.create_connection(address, timeout=timeout)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if secured_by is not None:
                connection = _secured(connection, address[0], secured_by)
        except ConnectionRefusedError as error:
            raise NotSent("connection_refused", error) from error
        except TimeoutError as error:
            raise NotSent("connect_timeout", error) from error
        except OSError as error:
            raise NotSent("no_connection", error) from error
        self._socket = connection

    def fresh(self) -> bool:
        """Whether a kept connection can take a request. Readable before we asked means closed, or a late answer."""
        return not select.select((self._socket,), (), (), 0)[0]

    def send(self, request: bytes, timeout: float) -> None:
        """Send a whole request.

        Raises:
            NotSent: not one byte went out.
            NoWholeAnswer: it broke off in the middle.
        """
        try:
            self._socket.settimeout(timeout)
            sent = self._socket.send(request)
        except OSError as error:
            raise NotSent("connection_lost", error) from error
        try:
            if sent < len(request):
                self._socket.sendall(memoryview(request)[sent:])
        except OSError as error:
            raise NoWholeAnswer("closed", error) from error

    def receive(self, timeout: float, limit: int) -> Answer:
        """Read a whole answer of at most ``limit`` bytes. The time is for all of it: a trickle is no answer.

        Raises:
            NoWholeAnswer: it did not come in time, broke off, or is not HTTP.
        """
        deadline = time.monotonic() + timeout
        data = self._more(deadline)
        while (end := data.find(b"\r\n\r\n")) < 0:
            if len(data) > _HEAD_LIMIT:
                raise NoWholeAnswer("http", "endless head")
            data += self._more(deadline)
        head, rest = data[:end].lower(), data[end + 4 :]
        if not head.startswith(b"http/1.") or not head[9:12].isdigit():
            raise NoWholeAnswer("http", data[: min(end, 120)].decode("latin-1"))
        body, clean = self._body(head, rest, deadline, limit)
        return Answer(int(head[9:12]), head, body, clean and _header(head, b"connection") != b"close")

    def wake(self) -> None:
        """End a call in progress; may be called from any thread."""
        try:
            self._socket.shutdown(socket.SHUT_RDWR)
        except OSError:
            return

    def close(self) -> None:
        """Drop the connection."""
        self._socket.close()

    def _body(self, head: bytes, rest: bytes, deadline: float, limit: int) -> tuple[bytes, bool]:
        if b"chunked" in _header(head, b"transfer-encoding"):
            return self._chunks(rest, deadline, limit)
        length = _header(head, b"content-length")
        if not length.isdigit() or int(length) > limit:
            raise NoWholeAnswer("http", "content-length missing or too large")
        rest = self._at_least(rest, int(length), deadline)
        return rest[: int(length)], len(rest) == int(length)

    def _chunks(self, rest: bytes, deadline: float, limit: int) -> tuple[bytes, bool]:
        parts: list[bytes] = []
        total = 0
        while True:
            while (end := rest.find(b"\r\n")) < 0:
                rest += self._more(deadline)
            try:
                size = int(rest[:end].partition(b";")[0], 16)
            except ValueError as error:
                raise NoWholeAnswer("http", "damaged chunk") from error
            total += size
            if total > limit:
                raise NoWholeAnswer("http", "answer too large")
            rest = self._at_least(rest[end + 2 :], size + 2, deadline)
            if size == 0:
                return b"".join(parts), rest == b"\r\n"
            parts.append(rest[:size])
            rest = rest[size + 2 :]

    def _at_least(self, data: bytes, size: int, deadline: float) -> bytes:
        if len(data) >= size:
            return data
        parts, have = [data], len(data)
        while have < size:
            parts.append(self._more(deadline))
            have += len(parts[-1])
        return b"".join(parts)

    def _more(self, deadline: float) -> bytes:
        left = deadline - time.monotonic()
        if left <= 0:
            raise NoWholeAnswer("timeout", "no whole answer in time")
        try:
            self._socket.settimeout(left)
            data = self._socket.recv(_CHUNK)
        except TimeoutError as error:
            raise NoWholeAnswer("timeout", "no whole answer in time") from error
        except OSError as error:
            raise NoWholeAnswer("closed", error) from error
        if not data:
            raise NoWholeAnswer("closed", "closed before the whole answer")
        return data


def _secured(connection: socket.socket, host: str, ca_file: str) -> socket.socket:
    import ssl

    context = ssl.create_default_context(cafile=ca_file or None)
    return context.wrap_socket(connection, server_hostname=host)


def _header(head: bytes, name: bytes) -> bytes:
    start = head.find(b"\r\n" + name + b":")
    if start < 0:
        return b""
    start += len(name) + 3
    end = head.find(b"\r\n", start)
    return head[start : end if end >= 0 else len(head)].strip()
