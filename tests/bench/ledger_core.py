"""2a: the ledger without HTTP: whole invoice requests through ``Ledger.submit`` against raw 64-row commits."""

from __future__ import annotations

import itertools
import sqlite3
import time
from concurrent.futures import Future
from pathlib import Path
from typing import Any

from controlplane import data
from controlplane.domain.issuing_rules import IssuingRules
from controlplane.domain.principal import Principal
from controlplane.operations import invoices
from controlplane.operations.invoices import Asked
from controlplane.store.engine import Ledger
from controlplane.store.times import system_clock
from controlplane.wire import body as door
from controlplane.wire.invoices import InvoiceBody
from tests.bench import bodies, furnishing
from tests.bench.floors import Floor
from tests.bench.table import Figures, Row

IN_FLIGHT = 64
ONE_ROW = "floor: SQLite FULL, one row a commit"
_SHOP = Principal("bench", "bench", "front_end", "front_end", None)


class Core:
    """A ledger in this process. Requests are examined before the clock runs, as the event loop does it."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "ledger.db"
        self._rules: IssuingRules = data.issuing_rules()
        self._ledger = Ledger(furnishing.furnish(folder).url, system_clock)
        self._numbers = itertools.count()

    def run(self, requests: int) -> tuple[float, float]:
        """(durable rows per second, requests per second), 64 requests in flight."""
        asked = [self._asked() for _ in range(requests)]
        before, started = self._rows(), time.monotonic()
        waiting: list[Future[Any]] = []
        for one in asked:
            waiting.append(self._ledger.submit(lambda tx, one=one: invoices.request(tx, _SHOP, one, self._rules)))
            if len(waiting) >= IN_FLIGHT:
                waiting.pop(0).result()
        for future in waiting:
            future.result()
        seconds = time.monotonic() - started
        return (self._rows() - before) / seconds, requests / seconds

    def close(self) -> None:
        """Let go of the ledger."""
        self._ledger.close()

    def _asked(self) -> Asked:
        before, after = bodies.split(furnishing.TAXPAYER)
        raw = b"%bC-%d%b" % (before, next(self._numbers), after)
        return invoices.ask(door.read(raw, InvoiceBody), system_clock(), self._rules)

    def _rows(self) -> int:
        connection = sqlite3.connect(self._path)
        try:
            names = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
            return sum(connection.execute(f"SELECT COUNT(*) FROM {name}").fetchone()[0] for (name,) in names)
        finally:
            connection.close()


def measure(folder: Path, rounds: int, seconds: float) -> list[Row]:
    """Interleaved rounds of the floor and the ledger."""
    (folder / "core").mkdir()
    core, floor = Core(folder / "core"), Floor(folder)
    ones, groups, found = [], [], []
    try:
        for _ in range(rounds):
            ones.append(floor.one_row(seconds / 2))
            groups.append(floor.group(seconds / 2))
            found.append(core.run(max(IN_FLIGHT, int(seconds * 1000))))
    finally:
        core.close()
        floor.close()
    rows, requests = Figures([one for one, _ in found]), Figures([one for _, one in found])
    return [
        Row("", ONE_ROW, None, Figures(ones).median, f"{Figures(ones)} rows/s", unit="/s"),
        Row("", "floor: SQLite FULL, 64 rows a commit", None, Figures(groups).median, f"{Figures(groups)} rows/s",
            unit="/s"),
        Row("2a", "ledger core, invoice requests: durable rows/s", 0.8, rows.over(Figures(groups)),
            f"{rows} rows/s, {requests} requests/s", f"floor, 64 rows a commit: {Figures(groups)} rows/s"),
    ]  # fmt: skip
