"""Random lives of numbers on real simulated devices: nothing is lost, nothing has two owners, all books agree."""

from __future__ import annotations

import itertools
import shutil
from pathlib import Path

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from controlplane.store.engine import Ledger
from controlplane.store.times import system_clock
from tests import servers
from tests.controlplane.operations.number_stage import Outside, Stage
from tests.controlplane.operations.scene import body

TERMINALS = ("1", "2")
WAYS: set[tuple[str, str]] = set()
"""(verb, how it ended) of everything that was done."""
_names = itertools.count(1)
STEP = st.one_of(
    st.tuples(st.just("stock"), st.integers(0, 1), st.integers(1, 12)),
    st.tuples(st.just("apply"), st.integers(0, 1), st.integers(1, 12)),
    st.tuples(st.just("receive"), st.integers(0, 1), st.just(0)),
    st.tuples(st.just("distribute"), st.integers(0, 1), st.integers(0, 40)),
    st.tuples(st.just("reclaim"), st.integers(0, 1), st.integers(0, 40)),
    st.tuples(st.just("return"), st.integers(0, 1), st.integers(0, 40)),
    st.tuples(st.just("issue"), st.integers(0, 1), st.integers(1, 3)),
    st.tuples(st.just("wait"), st.integers(0, 1), st.integers(1, 3)),
    st.tuples(st.just("observe"), st.integers(0, 1), st.just(0)),
)


def _piece(seed: int, run: tuple[int, int, int], tail: bool) -> tuple[int, int]:
    """(first number, count) of a part of a run (start, end, next): anywhere, or a tail, sometimes a wrong one."""
    start, end, following = run
    left = end - following + 1
    count = 1 + seed % max(1, left)
    if tail:
        if seed % 7 == 6 and left > 1:
            # Reaching back into what is used, or stopping before the end.
            return (following - 1, left + 1) if following > start and seed % 2 else (following, left - 1)
        return end - count + 1, count
    return following + seed % max(1, left - count + 1), count


class Life:
    """Two devices of one taxpayer and one of another, doing what the steps say."""

    def __init__(self, stage: Stage, other: str) -> None:
        self.stage = stage
        self.devices = [stage.device(*TERMINALS), stage.device(*TERMINALS, owner=other)]
        self.owners = [stage.owner, other]

    def step(self, what: str, which: int, seed: int) -> None:
        device_id, device_no = self.devices[which]
        if what == "stock":
            for part in ("apply", "receive", "distribute"):
                self.step(part, which, seed)
        elif what == "apply":
            WAYS.add(("apply", self.stage.tried(device_id, "apply", kind="026", count=seed)))
        elif what == "receive":
            if self.stage.scene.rows(
                "SELECT 1 AS one FROM applications WHERE device_id = :id AND state = 'applied'", id=device_id
            ):
                assert self.stage.tried(device_id, "receive", kind="026") == "done"
        elif what == "observe":
            self.stage.observe(device_no)
        elif what in ("issue", "wait"):
            for _ in range(seed):
                wanted = body(self.owners[which], f"n{next(_names)}", device_no=device_no)
                self.stage.scene.request(wanted)
            if what == "issue":
                self.stage.work_off()
        else:
            self.move(what, device_id, seed)

    def move(self, what: str, device_id: str, seed: int) -> None:
        places = TERMINALS if what == "reclaim" else ("",)
        runs = [run for place in places for run in self.stage.runs(device_id, place)]
        if not runs:
            return
        run = runs[seed % len(runs)]
        terminal = run["terminal_code"]
        bounds = (run["start_no"], run["end_no"], run["next_no"])
        start, count = _piece(seed, bounds, tail=what != "distribute")
        arguments = {"kind": "026", "invoice_code": run["invoice_code"], "start_no": f"{start:08d}", "count": count}
        if what != "return":
            arguments["terminal_code"] = terminal or TERMINALS[seed % 2]
        stock = self.stage.scene.rows(
            "SELECT * FROM stock WHERE device_id = :id AND terminal_code = :terminal", id=device_id, terminal=terminal
        )
        reserved = stock[0]["reserved"] if stock else 0
        answer = self.stage.tried(device_id, what, **arguments)
        WAYS.add((what, answer))
        if what == "distribute":
            assert answer == "done", answer
        elif start < run["next_no"] or start + count - 1 != run["end_no"]:
            assert answer == "run_not_tail", answer
        elif what == "reclaim" and count > run["end_no"] - run["next_no"] + 1 - reserved:
            assert answer == "numbers_spoken_for", answer
        else:
            assert answer == "done", answer


def test_no_number_is_lost_or_has_two_owners(session_folder: Path, tmp_path: Path) -> None:
    outside = Outside(tmp_path / "outside")
    copy = tmp_path / "ledger.db"
    shutil.copy(servers.sqlite_template(session_folder), copy)
    stage = Stage(outside, Ledger(f"sqlite:///{copy}", system_clock))
    other = stage.scene.taxpayer(2)

    @settings(
        max_examples=40, deadline=None, derandomize=True, database=None, phases=[Phase.explicit, Phase.generate],
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    )  # fmt: skip
    @given(st.lists(STEP, min_size=8, max_size=40))
    def live(steps: list[tuple[str, int, int]]) -> None:
        life = Life(stage, other)
        for what, which, seed in [("stock", 0, 9), ("stock", 1, 5), ("wait", 0, 2), *steps]:
            life.step(what, which, seed)
        stage.work_off()
        for _, device_no in life.devices:
            stage.observe(device_no)
        stage.work_off()
        stage.books_agree()
        # Whatever waited for numbers of these devices is out of the way of the next life.
        stage.scene.change("UPDATE invoices SET state = 'refused', live = 0 WHERE state = 'waiting'")

    try:
        live()
        again = stage.scene.one(
            "SELECT COUNT(*) AS n FROM segments r JOIN grants g ON g.invoice_code = r.invoice_code "
            "AND g.start_no <= r.end_no AND g.end_no >= r.start_no AND g.grant_no <> r.grant_no WHERE r.state = 'returned'"
        )["n"]
        issued = stage.scene.one("SELECT COUNT(*) AS n FROM invoices WHERE state = 'issued'")["n"]
        assert again > 5 and issued > 20, "numbers were returned, granted again and issued"
        ways = {(what, "done") for what in ("reclaim", "return")} | {
            (what, "run_not_tail") for what in ("reclaim", "return")
        }
        assert ways | {("reclaim", "numbers_spoken_for"), ("apply", "application_open")} <= WAYS
    finally:
        stage.close()
        outside.close()
