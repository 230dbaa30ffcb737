"""``python -m tests.bench [--rounds N] [--seconds S] [--json]``: measures the product and its peers in one run."""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from tests.bench import intake, ledger_core, probing, table, whole_path
from tests.bench.books import Verdict
from tests.bench.table import Row
from tests.bench.whole_path import Sizes


def main(argv: Sequence[str]) -> int:
    """Run and print; exit code 1 only when the books were broken."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5, help="interleaved rounds; ratios are medians over them")
    parser.add_argument("--seconds", type=float, default=4.0, help="length of one side's round")
    parser.add_argument("--json", action="store_true", help="print JSON")
    asked = parser.parse_args(argv)
    rows, verdict = measure(asked.rounds, asked.seconds, Sizes(seconds=asked.seconds))
    told = [*notes(asked.rounds, asked.seconds, rows), f"books after the run: {verdict}"]
    if verdict.faults:
        told.append("The books are broken: NO FIGURE OF THIS RUN IS VALID.")
    print(table.as_json(rows, told) if asked.json else table.text(rows, told))
    return 1 if verdict.faults else 0


def measure(rounds: int, seconds: float, sizes: Sizes) -> tuple[list[Row], Verdict]:
    """All parts, one after the other, each in a folder of its own that is gone afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="taxplane-bench-"))
    try:
        places = [folder / name for name in ("intake", "core", "path", "probing")]
        for place in places:
            place.mkdir()
        _say("durable intake over HTTP")
        rows = intake.measure(places[0], rounds, seconds)
        _say("floor and ledger core")
        rows += ledger_core.measure(places[1], rounds, seconds / 2)
        _say("the whole path")
        found, verdict = whole_path.measure(places[2], rounds, sizes)
        _say("the line watch")
        found += probing.measure(places[3], rounds)
    finally:
        shutil.rmtree(folder)
    return [*rows, *found], verdict


def _say(what: str) -> None:
    print(f"bench: {what} …", file=sys.stderr, flush=True)


def notes(rounds: int, seconds: float, rows: Sequence[Row]) -> list[str]:
    """What a reader must know beside the rows."""
    one_row = next(row.measured for row in rows if row.subject == ledger_core.ONE_ROW)
    return [
        f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f} at the end; {rounds} rounds of {seconds:g} s a side, "
        "interleaved;",
        "ratios are medians over the rounds, figures medians [lowest..highest]. The load generator shares the cores.",
        "The SQLModel peer writes the same rows, without rules of issuing, chained log, and answers to repeats.",
        f"A synced one-row commit takes {1e6 / (one_row or 1):.0f} us on this disk; the goal of 9a (about 500/s) was set "
        "where it took 300 us.",
    ]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
