"""2b: durable intake over HTTP, this server against the same route through SQLModel with one commit a request."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.bench import furnishing, load
from tests.bench.furnishing import Furnished
from tests.bench.processes import HOUSE, Server, serving
from tests.bench.table import Figures, Row

CONNECTIONS = 64
PEER = "tests.bench.peers.sqlmodel_app"
_TITLE = "durable invoice intake, 64 connections, 5 lines: "


class Side:
    """One side's figures, a value a round."""

    def __init__(self, server: Server, token: str) -> None:
        self._server, self._token = server, token
        self._rounds: list[tuple[float, float, float]] = []

    def run(self, seconds: float) -> None:
        """One round of load."""
        before = self._server.cpu_seconds()
        task = load.Task(
            self._server.port, self._token, [furnishing.TAXPAYER], f"{len(self._rounds)}", CONNECTIONS, seconds
        )
        result = load.run(task)
        cpu = (self._server.cpu_seconds() - before) / len(result.times_ms)
        self._rounds.append((result.per_second, result.percentile(0.99), cpu * 1e6))

    @property
    def per_second(self) -> Figures:
        """Requests per second."""
        return Figures([one for one, _, _ in self._rounds])

    @property
    def p99(self) -> Figures:
        """Milliseconds."""
        return Figures([one for _, one, _ in self._rounds])

    @property
    def cpu(self) -> Figures:
        """Microseconds of the server's CPU a request."""
        return Figures([one for _, _, one in self._rounds])


def measure(folder: Path, rounds: int, seconds: float) -> list[Row]:
    """Interleaved rounds of both sides."""
    furnished = furnishing.furnish(folder)
    environment = {"TAXPLANE_DATABASE_URL": furnished.url}
    command = ["controlplane", "run", "--socket-fd", "{fd}"]
    with serving(command, environment, folder / "server.log") as server, _peer(folder, furnished) as peer:
        ours = Side(server, furnished.token)
        theirs = Side(peer, furnished.token) if peer else None
        for _ in range(rounds):
            for side in (ours, theirs):
                if side is not None:
                    side.run(seconds)
    return _rows(ours, theirs)


@contextmanager
def _peer(folder: Path, furnished: Furnished) -> Iterator[Server | None]:
    if any(importlib.util.find_spec(name) is None for name in ("fastapi", "sqlmodel", "uvicorn")):
        yield None
        return
    url = f"sqlite:///{folder / 'peer.db'}"
    filling = [sys.executable, "-m", PEER, "fill", url, furnished.token, furnishing.TAXPAYER]
    subprocess.run(filling, cwd=HOUSE, check=True)
    with serving([PEER, "run", url, "{fd}"], {}, folder / "peer.log") as server:
        yield server


def _rows(ours: Side, theirs: Side | None) -> list[Row]:
    rate, p99 = f"{ours.per_second} requests/s, {ours.cpu} us CPU each", f"p99 {ours.p99} ms"
    if theirs is None:
        return [
            Row("2b", f"{_TITLE}requests/s", 5.0, None, rate),
            Row("2b", f"{_TITLE}the lean goal", 12.0, None, rate),
            Row("2b", f"{_TITLE}p99", 0.1, None, p99, at_least=False),
        ]
    times = ours.per_second.over(theirs.per_second)
    other = f"SQLModel, commit a request: {theirs.per_second} requests/s, {theirs.cpu} us CPU each"
    return [
        Row("2b", f"{_TITLE}requests/s", 5.0, times, rate, other),
        Row("2b", f"{_TITLE}the lean goal", 12.0, times, "as above"),
        Row(
            "2b", f"{_TITLE}p99", 0.1, ours.p99.over(theirs.p99), p99, f"SQLModel: p99 {theirs.p99} ms", at_least=False
        ),
    ]
