"""The load generator, a process of its own: ``python -m tests.bench.load`` reads its task and tells its result as JSON.

Keep-alive connections on one event loop; requests are glued together from prepared bytes, answers are not decoded.
Closed load: every connection sends again once it is answered. Open load (``rate``): requests come at fixed times and
wait for a free connection; their time counts from when they were due.
"""

from __future__ import annotations

import asyncio
import json
import re
import subprocess
import sys
import time
from collections import Counter, deque
from dataclasses import asdict, dataclass, field
from typing import Any, cast

import psutil

from tests.bench.bodies import split

PATIENCE = 60.0
"""Seconds an answer may take, after the end of sending."""
_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)


@dataclass(frozen=True)
class Task:
    """What to send. ``taxpayers`` take turns; ``count`` ends the run before ``seconds`` do; ``rate`` 0: closed load."""

    port: int
    token: str
    taxpayers: list[str]
    prefix: str
    connections: int = 64
    seconds: float = 5.0
    count: int = 10**9
    rate: float = 0.0
    wait: int = 0


@dataclass
class Result:
    """What came of it: seconds from the first request to the last answer, and each answer's milliseconds."""

    seconds: float
    cpu_seconds: float
    statuses: dict[str, int]
    times_ms: list[float] = field(repr=False)

    @property
    def per_second(self) -> float:
        """Answers per second."""
        return len(self.times_ms) / self.seconds

    def percentile(self, share: float) -> float:
        """Milliseconds within which this share of the answers came."""
        times = sorted(self.times_ms)
        return times[min(len(times) - 1, int(len(times) * share))]


def run(task: Task) -> Result:
    """Run a task in a process of its own; RuntimeError when an answer was not a success."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.bench.load"], input=json.dumps(asdict(task)), capture_output=True, text=True
    )
    if done.returncode:
        raise RuntimeError(done.stderr.strip()[-2000:])
    return Result(**json.loads(done.stdout))


class _Line(asyncio.Protocol):
    """One connection: one request at a time."""

    def __init__(self, generator: _Generator) -> None:
        self._generator = generator
        self._transport: asyncio.WriteTransport | None = None
        self._received = b""
        self._due = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # Not asserted: uvloop's transports are no subclass.
        self._transport = cast("asyncio.WriteTransport", transport)

    def send(self, request: bytes, due: float) -> None:
        """Send a request that was due at a moment of the monotonic clock."""
        assert self._transport is not None
        self._due = due
        self._transport.write(request)

    def data_received(self, data: bytes) -> None:
        self._received += data
        head = self._received.find(b"\r\n\r\n")
        if head < 0:
            return
        length = _LENGTH.search(self._received, 0, head)
        if length is None:
            raise RuntimeError("an answer without Content-Length")
        if len(self._received) < head + 4 + int(length.group(1)):
            return
        answer, self._received = self._received, b""
        self._generator.answered(self, answer, time.monotonic() - self._due)

    def connection_lost(self, exc: Exception | None) -> None:
        self._generator.lost(exc)

    def close(self) -> None:
        """Hang up."""
        assert self._transport is not None
        self._transport.close()


class _Generator:
    def __init__(self, task: Task) -> None:
        self._task = task
        preference = f"Prefer: wait={task.wait}\r\n" if task.wait else ""
        self._head = (
            f"POST /v1/invoices HTTP/1.1\r\nHost: 127.0.0.1:{task.port}\r\nAuthorization: Bearer {task.token}\r\n"
            f"Content-Type: application/json\r\n{preference}Content-Length: "
        ).encode()
        self._bodies = [split(taxpayer_id) for taxpayer_id in task.taxpayers]
        self._sent = self._in_flight = 0
        self._free: deque[_Line] = deque()
        self._due: deque[float] = deque()
        self._times: list[float] = []
        self._statuses: Counter[str] = Counter()
        self._first_failure = b""
        self._ended = False
        self._idle: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def run(self) -> dict[str, Any]:
        """Open the connections, send, wait for the last answer."""
        loop = asyncio.get_running_loop()
        for _ in range(self._task.connections):
            _, line = await loop.create_connection(lambda: _Line(self), "127.0.0.1", self._task.port)
            self._free.append(line)
        started = time.monotonic()
        loop.call_later(self._task.seconds, self._end)
        if self._task.rate:
            await self._open_load(started)
        else:
            while self._free and not self._ended:
                self._next(self._free.popleft(), time.monotonic())
        await asyncio.wait_for(self._idle, self._task.seconds + PATIENCE)
        return self._result(time.monotonic() - started)

    def _result(self, seconds: float) -> dict[str, Any]:
        used = psutil.Process().cpu_times()
        if set(self._statuses) - {"200", "202"}:
            raise RuntimeError(f"{dict(self._statuses)}: {self._first_failure.decode(errors='replace')}")
        times = [round(one * 1000, 3) for one in self._times]
        return asdict(Result(seconds, used.user + used.system, dict(self._statuses), times))

    async def _open_load(self, started: float) -> None:
        number = 0
        while not self._ended:
            due = started + number / self._task.rate
            if (ahead := due - time.monotonic()) > 0:
                await asyncio.sleep(ahead)
                continue
            number += 1
            if self._free:
                self._next(self._free.popleft(), due)
            else:
                self._due.append(due)

    def _next(self, line: _Line, due: float) -> None:
        before, after = self._bodies[self._sent % len(self._bodies)]
        body = b"%b%b-%d%b" % (before, self._task.prefix.encode(), self._sent, after)
        self._sent += 1
        self._in_flight += 1
        line.send(b"%b%d\r\n\r\n%b" % (self._head, len(body), body), due)
        if self._sent >= self._task.count:
            self._end()

    def answered(self, line: _Line, answer: bytes, seconds: float) -> None:
        """An answer came: note it, send what is next."""
        self._times.append(seconds)
        status = answer[9:12].decode()
        self._statuses[status] += 1
        if status not in ("200", "202") and not self._first_failure:
            self._first_failure = answer[:2000]
        self._in_flight -= 1
        if self._task.rate:
            if self._due:
                self._next(line, self._due.popleft())
            else:
                self._free.append(line)
        elif not self._ended:
            self._next(line, time.monotonic())
        self._look_for_the_end()

    def lost(self, fault: Exception | None) -> None:
        """A connection went away."""
        if not self._idle.done():
            words = f"connection lost ({fault}); {self._first_failure.decode(errors='replace')}"
            self._idle.set_exception(RuntimeError(words))

    def _end(self) -> None:
        self._ended = True
        self._look_for_the_end()

    def _look_for_the_end(self) -> None:
        if self._ended and not self._in_flight and not self._due and not self._idle.done():
            self._idle.set_result(None)


async def _main() -> None:
    task = Task(**json.loads(sys.stdin.read()))
    json.dump(await _Generator(task).run(), sys.stdout)


if __name__ == "__main__":
    try:
        import uvloop
    except ImportError:
        asyncio.run(_main())
    else:
        uvloop.run(_main())
