"""9a and 9c: HTTP in, order committed, leased, journal synced, signed, read back, reported, settled, answered.

Signing itself takes no time here, so the whole of a request's time counts as above the device's own.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tests.bench import books, load
from tests.bench.books import Verdict
from tests.bench.floors import Floor
from tests.bench.plant import Plant, running
from tests.bench.table import Figures, Row

CONNECTIONS = 128
WAIT = 30
SETTLED_WITHIN = 60.0


@dataclass(frozen=True)
class Sizes:
    """How much to do: devices, seconds a round of load, single invoices on the idle system."""

    devices: int = 100
    numbers: int = 2000
    seconds: float = 5.0
    singles: int = 40


class Bench:
    """A running plant, its load, and what came of it."""

    def __init__(self, plant: Plant, floor: Floor, sizes: Sizes) -> None:
        self._plant, self._floor, self._sizes = plant, floor, sizes
        self._runs = 0
        self.answered = 0
        self.full: list[tuple[float, float]] = []
        self.half: list[tuple[float, float]] = []
        self.single: list[float] = []
        self.cpu_us: dict[str, float] = {}

    def round(self) -> None:
        """The floor, full load, half of that."""
        seconds = self._sizes.seconds
        floor = self._floor.one_row(seconds / 4)
        before = self._plant.cpu_seconds()
        result = self._load(CONNECTIONS, seconds=seconds)
        used = {name: value - before[name] for name, value in self._plant.cpu_seconds().items()}
        self.cpu_us = {name: value / len(result.times_ms) * 1e6 for name, value in used.items()}
        self.full.append((result.per_second, floor))
        half = self._load(CONNECTIONS, seconds=seconds, rate=result.per_second / 2)
        self.half.append((half.percentile(0.5), half.percentile(0.99)))

    def idle(self) -> None:
        """One invoice after the other."""
        result = self._load(1, seconds=60.0, count=self._sizes.singles)
        self.single = result.times_ms

    def _load(self, connections: int, seconds: float, count: int = 10**9, rate: float = 0.0) -> load.Result:
        self._runs += 1
        plant = self._plant
        task = load.Task(
            plant.server.port, plant.token, plant.taxpayers, f"W{self._runs}", connections, seconds, count, rate, WAIT
        )
        result = load.run(task)
        self.answered += len(result.times_ms)
        if set(result.statuses) != {"200"}:
            raise RuntimeError(f"not every request was issued within {WAIT} s: {result.statuses}")
        return result


def measure(folder: Path, rounds: int, sizes: Sizes) -> tuple[list[Row], Verdict]:
    """Load the whole product, then compare its books: without that no figure counts."""
    floor = Floor(folder)
    with running(folder, sizes.devices, sizes.numbers) as plant:
        bench = Bench(plant, floor, sizes)
        bench.idle()
        for _ in range(rounds):
            bench.round()
        settled = books.settled(plant.ledger, SETTLED_WITHIN)
        verdict = books.check(plant.ledger, plant.journals, bench.answered)
    floor.close()
    if not settled:
        verdict.faults.append("invoices still wait")
    return _rows(bench, sizes), verdict


def _rows(bench: Bench, sizes: Sizes) -> list[Row]:
    rates, floors = Figures([one for one, _ in bench.full]), Figures([one for _, one in bench.full])
    p50, p99 = Figures([one for one, _ in bench.half]), Figures([one for _, one in bench.half])
    cpu = ", ".join(f"{name} {used:,.0f}" for name, used in bench.cpu_us.items())
    single = Figures(sorted(bench.single))
    return [
        Row("9a", f"whole path, {sizes.devices} devices: invoices/s", 0.15, rates.over(floors),
            f"{rates} invoices/s; us CPU each: {cpu}", f"floor, one row a commit: {floors} rows/s"),
        Row("9c", "request to issued at half that load, above signing: p50", 60.0, p50.median, f"{p50} ms",
            at_least=False, unit=" ms"),
        Row("9c", "request to issued at half that load, above signing: p99", 400.0, p99.median, f"{p99} ms",
            at_least=False, unit=" ms"),
        Row("9c", "one invoice on the idle system, above signing: p50", 25.0, single.median, f"{single} ms",
            at_least=False, unit=" ms"),
    ]  # fmt: skip
