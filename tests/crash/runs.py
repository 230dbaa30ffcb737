"""Crash runs: requests from many connections, processes killed under them, and the three books compared afterwards."""

from __future__ import annotations

import random
import time
from dataclasses import dataclass, field

from tests.crash import check
from tests.crash.demo import Demo
from tests.crash.front_end import FrontEnd, Row, Wanted

CONNECTIONS = 28
REQUESTS = 36
UNSETTLED = 20
QUIET_WITHIN = 60.0
VICTIMS = (("agent",), ("server",), ("agent", "server"))
MISHAPS = (
    *("answer_lost", "half_answer", "sent_not_executed", "lost_write_back", "not_found"),
    *("busy", "refuse_before_sign"),
)
UPLOADING = ("lost_write_back", "not_found")


@dataclass
class Kill:
    """One moment of killing."""

    victims: tuple[str, ...]
    unsettled: int
    open_calls: int


@dataclass
class Verdict:
    """What one run showed; ``broken`` is empty when every promise was kept."""

    seed: int
    kills: list[Kill] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)
    seconds: float = 0.0

    def __str__(self) -> str:
        kills = ", ".join(
            f"{'+'.join(kill.victims)} with {kill.unsettled} unsettled, {kill.open_calls} open device calls"
            for kill in self.kills
        )
        return f"seed {self.seed}: killed {kills}: {len(self.broken) or 'no'} promises broken ({self.seconds:.1f} s)"


class Runs:
    """Runs against one demo. The books grow from run to run and are compared as a whole each time."""

    def __init__(self, demo: Demo) -> None:
        self._demo = demo
        self._devices = demo.devices()
        self._lines: dict[str, list[Row]] = {}
        self._answers: list[Row] = []

    def run(self, seed: int) -> Verdict:
        """One run; everything chance decides follows from ``seed``."""
        started = time.monotonic()
        rng, verdict = random.Random(seed), Verdict(seed)
        front_end = FrontEnd(self._demo.api, self._demo.tokens["front_end"], CONNECTIONS)
        wanted = [Wanted(self._demo.taxpayer_id, f"crash-{seed}-{n}", rng) for n in range(REQUESTS)]
        self._trouble(rng)
        threads = front_end.send(wanted, QUIET_WITHIN)
        for number in range(rng.choice((1, 1, 1, 2))):
            kill = self._kill(VICTIMS[(seed + number) % len(VICTIMS)], front_end, rng)
            if kill is not None:
                verdict.kills.append(kill)
        for thread in threads:
            thread.join()
        for device_no in self._devices:
            self._demo.put_faults(device_no, [])
        for one in rng.sample(wanted, 5):
            front_end.repeat(one)
        verdict.broken = self._compare(front_end, wanted)
        verdict.seconds = time.monotonic() - started
        return verdict

    def _trouble(self, rng: random.Random) -> None:
        """Make signing slow enough to be killed in, and now and then lose an answer on top."""
        slow = {"kind": "slow", "calls": ["GP_FPKJ"], "seconds": round(rng.uniform(0.1, 0.3), 3)}
        for device_no in self._devices:
            faults: list[Row] = [slow]
            if rng.random() < 0.15:
                mishap = rng.choice(MISHAPS)
                call = "RESULT" if mishap in UPLOADING else "GP_FPKJ"
                faults.append({"kind": mishap, "calls": [call], "times": 1, "after": rng.randint(0, 4)})
            self._demo.put_faults(device_no, faults)

    def _kill(self, victims: tuple[str, ...], front_end: FrontEnd, rng: random.Random) -> Kill | None:
        """Kill at a random moment at which enough requests are unsettled; None when that moment did not come."""
        most = REQUESTS - UNSETTLED
        least = min(len(front_end.settled) + rng.randint(0, 6), most)

        def moment() -> bool:
            settled = len(front_end.settled)
            return settled > most or (settled >= least and front_end.unsettled() >= UNSETTLED)

        _wait_until(moment, QUIET_WITHIN)
        time.sleep(rng.uniform(0, 0.15))
        before, unsettled = self._demo.open_calls(), front_end.unsettled()
        if unsettled < UNSETTLED:
            return None
        for victim in victims:
            self._demo.kill(victim)
        # A call that was open before and still is was open all the while.
        return Kill(victims, unsettled, len(before & self._demo.open_calls()))

    def _compare(self, front_end: FrontEnd, wanted: list[Wanted]) -> list[str]:
        self._answers += front_end.answers
        broken = list(front_end.objections)
        stuck = [one.request_id for one in wanted if one.request_id not in front_end.settled]
        broken += [f"request {request_id} never settled" for request_id in stuck]
        api = check.Http(self._demo.api, self._demo.tokens["auditor"])
        try:
            broken += [f"not uploaded: {row}" for row in self._not_uploaded(api)]
            taxpayers = [self._demo.taxpayer_id]
            ledger = check.read_ledger(api, taxpayers, self._lines)
            journal = check.read_journals(self._demo.journals, taxpayers)
        finally:
            api.close()
        bureau = check.Http(self._demo.bureau)
        receipts = check.read_receipts(bureau, taxpayers)
        bureau.close()
        evidence = check.Evidence(*ledger, journal, receipts, self._answers)
        return broken + [f"{promise} broken: {text}" for promise, text in check.check(evidence)]

    def _not_uploaded(self, api: check.Http) -> list[str]:
        """Wait until all that was issued is uploaded; what is left when the time is over."""
        left: list[str] = []

        def done() -> bool:
            rows = api.all("/v1/invoices", taxpayer_id=self._demo.taxpayer_id)
            left[:] = [row["invoice_no"] for row in rows if row["state"] == "issued" and not row["uploaded_at"]]
            return not left

        _wait_until(done, QUIET_WITHIN, every=0.2)
        return left


def _wait_until(happened, seconds: float, every: float = 0.005) -> bool:
    until = time.monotonic() + seconds
    while not happened():
        if time.monotonic() > until:
            return False
        time.sleep(every)
    return True
