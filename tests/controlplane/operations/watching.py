"""Hands on the line watch: lines, rules, slots worked or not, and what the letters say."""

from __future__ import annotations

import json
from typing import Any

from controlplane.operations import alert_rules, line_checks, line_slots, lines
from controlplane.operations.acts import Act, Viewer
from controlplane.store.statement import Row
from controlplane.store.times import from_text, utc_text
from controlplane.wire.lines import CheckReport, ClaimSlot, Sample, SampleReport, TakeChecks
from probes.reach import Reach
from tests.controlplane.operations.scene import ADMIN, RULES, Clock, Scene

PERIOD = 300.0
REACH = Reach(["public", "127.0.0.0/8"])


class Watch:
    """The watch over a scene's lines from vantage ``v``, slot by slot."""

    def __init__(self, scene: Scene, clock: Clock) -> None:
        self.scene = scene
        self.clock = clock

    def line(self, number: int = 1, enabled: bool = True, **changes: Any) -> str:
        values = {"region": "北京", "area_code": "1100", "service": "upload", "target": f"tcp://127.0.0.1:{number}",
                  "enabled": enabled, **changes}  # fmt: skip
        return str(self.scene.ledger.write_now(lambda tx: lines.add(tx, ADMIN, values, REACH))["id"])

    def rule(self, *recipients: str, name: str = "r", **changes: Any) -> str:
        values = {"name": name, "scope": "all", "recipients": list(recipients) or ["a@example.com"], **changes}
        return self.scene.ledger.write_now(lambda tx: alert_rules.register(tx, ADMIN, values))

    def on_rule(self, rule_id: str, verb: str, **arguments: Any) -> None:
        version = self.scene.one("SELECT version FROM alert_rules WHERE id = :id", id=rule_id)["version"]
        wanted = Act(ADMIN, verb, rule_id, version, "because", arguments)
        self.scene.ledger.write_now(lambda tx: alert_rules.act(tx, wanted))

    def switch(self, line_id: str, verb: str) -> None:
        version = self.scene.one("SELECT version FROM bureau_endpoints WHERE id = :id", id=line_id)["version"]
        wanted = Act(ADMIN, verb, line_id, version, "because", {})
        self.scene.ledger.write_now(lambda tx: lines.switch(tx, wanted))

    def slot(self) -> str:
        """The slot the clock is in."""
        return utc_text(line_slots.slot_at(self.clock(), PERIOD))

    def claim(self, slot: str = "", vantage: str = "v", holder: str = "h") -> list[Row] | None:
        wanted = ClaimSlot(slot=slot or self.slot(), period=PERIOD, vantage=vantage, holder=holder)
        return self.scene.ledger.write_now(lambda tx: line_slots.claim(tx, wanted))

    def report(self, slot: str = "", vantage: str = "v", holder: str = "h", **seen: bool | None) -> int:
        samples = [self.sample(line_id, ok) for line_id, ok in seen.items()]
        sent = SampleReport(slot=slot or self.slot(), vantage=vantage, holder=holder, samples=samples)
        return self.scene.ledger.write_now(lambda tx: line_slots.report(tx, sent))

    def sample(self, line_id: str, ok: bool | None) -> Sample:
        fault = {"failing_phase": "tcp", "reason": "refused"} if ok is False else {}
        return Sample(endpoint_id=line_id, at=utc_text(self.clock()), ok=ok, **fault)

    def sweep(self, forward: bool = True, **seen: bool | None) -> None:
        """One slot worked: line id → ok; then the clock stands at the next slot."""
        assert self.claim() is not None
        self.report(**seen)
        if forward:
            self.clock.forward(seconds=PERIOD)

    def check(self, line_id: str, ok: bool) -> None:
        """A check by hand, asked for, taken and handed in."""
        tell = self.scene.ledger.write_now
        tell(lambda tx: line_checks.ask(tx, ADMIN, [line_id]))
        (taken,) = tell(lambda tx: line_checks.take(tx, TakeChecks(vantage="v", holder="h")))
        sent = CheckReport(check_id=taken["id"], vantage="v", holder="h", sample=self.sample("-", ok))
        assert tell(lambda tx: line_checks.finish(tx, sent))

    def keep_up(self) -> None:
        """What the server's timetable does."""
        now = utc_text(self.clock())
        if self.scene.ledger.read_now(lambda hand: line_slots.is_behind(hand, now)):
            while self.scene.ledger.write_now(line_slots.keep_up):
                pass

    def delivered(self) -> None:
        """Every letter leaves now."""
        self.scene.change("UPDATE outbox SET state = 'sent', sent_at = :now WHERE state = 'queued'",
                          now=utc_text(self.clock()))  # fmt: skip

    # --- eyes

    def view(self, line_id: str) -> dict[str, Any]:
        row = self.scene.one("SELECT * FROM bureau_endpoints WHERE id = :id", id=line_id)
        viewer = Viewer(ADMIN, self.clock(), RULES)
        return self.scene.ledger.read_now(lambda hand: lines.view(hand, row, viewer))

    def verdict(self, line_id: str) -> str:
        return str(self.view(line_id)["verdict"])

    def samples(self, line_id: str, vantage: str = "v") -> list[tuple[str, int | None, str]]:
        """(slot, ok, reason) of a line, oldest first."""
        rows = self.scene.rows(
            "SELECT * FROM line_samples WHERE endpoint_id = :id AND vantage = :vantage AND kind = 'slot' ORDER BY slot",
            id=line_id, vantage=vantage,
        )  # fmt: skip
        return [(row["slot"], row["ok"], row["reason"]) for row in rows]

    def letters(self) -> list[dict[str, str]]:
        rows = self.scene.rows("SELECT * FROM outbox ORDER BY created_at, id")
        return [{"to": row["recipient"], "state": row["state"], **json.loads(row["payload"])} for row in rows]

    def flips(self) -> list[tuple[str, str]]:
        """(move, line id) of every flip, in order."""
        return [(row["move"], row["line_id"]) for row in self.scene.rows("SELECT * FROM alert_flips ORDER BY id")]


def slots(first: str, count: int) -> list[str]:
    """So many slots from the first on."""
    return [utc_text(from_text(first) + line_slots.timedelta(seconds=PERIOD * number)) for number in range(count)]
