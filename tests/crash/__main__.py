"""``python -m tests.crash --runs N [--seed N]``: crash runs against the demo, their verdict and their seeds."""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import tempfile
import time
from pathlib import Path

from tests import servers
from tests.crash.demo import Demo
from tests.crash.runs import Runs, Verdict

SPEED = 5.0
FRESH_EVERY = 200
"""Runs per demo: the numbers of its devices and the size of its books are bounded."""


def main(argv: list[str]) -> int:
    """Run and tell; exit code 1 when a promise was broken."""
    parser = argparse.ArgumentParser(prog="python -m tests.crash", description=__doc__)
    parser.add_argument("--runs", type=int, default=100)
    parser.add_argument("--seed", type=int, default=None, help="seed of the first run; the others follow it")
    parser.add_argument("--speed", type=float, default=SPEED, help="divides the durations of simulated practice")
    parser.add_argument("--postgresql", action="store_true", help="keep the ledger in a PostgreSQL of its own")
    asked = parser.parse_args(argv)
    with tempfile.TemporaryDirectory(prefix="taxplane-crash-pg-") as folder:
        server = servers.postgresql_template(Path(folder), os.getpid(), "")[0] if asked.postgresql else None
        return _campaign(asked, server)


def _campaign(asked: argparse.Namespace, server: servers.PostgreSQL | None) -> int:
    first = asked.seed if asked.seed is not None else int(time.time())
    verdicts: list[Verdict] = []
    demo: Demo | None = None
    for seed in range(first, first + asked.runs):
        if demo is None:
            ledger = server.address(server.create()) if server else ""
            demo = Demo(Path(tempfile.mkdtemp(prefix="taxplane-crash-")), asked.speed, ledger)
            runs = Runs(demo)
        verdicts.append(runs.run(seed))
        print(verdicts[-1], flush=True)
        for text in verdicts[-1].broken:
            print(f"    {text}", flush=True)
        if verdicts[-1].broken or len(verdicts) % FRESH_EVERY == 0:
            _end(demo, keep=bool(verdicts[-1].broken))
            demo = None
    if demo is not None:
        _end(demo, keep=False)
    print(summed_up(verdicts))
    return 1 if any(verdict.broken for verdict in verdicts) else 0


def _end(demo: Demo, keep: bool) -> None:
    demo.close()
    if keep:
        print(f"    its books and logs are in {demo.folder}", flush=True)
    else:
        shutil.rmtree(demo.folder)


def summed_up(verdicts: list[Verdict]) -> str:
    """The verdict over all runs, with the seeds of those that broke a promise."""
    kills = [kill for verdict in verdicts for kill in verdict.kills]
    failed = [verdict.seed for verdict in verdicts if verdict.broken]
    count = {name: sum(name in kill.victims for kill in kills) for name in ("agent", "server")}
    both = sum(len(kill.victims) == 2 for kill in kills)
    during = sum(kill.open_calls > 0 for kill in kills)
    least = min((kill.unsettled for kill in kills), default=0)
    lines = [
        f"{len(verdicts)} runs, seeds {verdicts[0].seed} to {verdicts[-1].seed}",
        f"kill -9: agent {count['agent']}, server {count['server']}, of these both at once {both}; "
        f"{during} of {len(kills)} moments during an open device call; at least {least} requests unsettled each time",
        f"broken in {len(failed)} runs" + (f", seeds {failed}" if failed else
        f": below {3 / len(verdicts):.2%} at 95 % confidence (rule of three)"),
    ]  # fmt: skip
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
