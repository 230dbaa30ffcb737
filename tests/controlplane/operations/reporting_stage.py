"""One device whose November is to be reported, and what agents bring back of it."""

from __future__ import annotations

from typing import Any

import pytest

from controlplane.domain.principal import Principal
from controlplane.domain.refusals import Refusal
from controlplane.operations import report_clock, report_schedules, reports
from controlplane.operations.acts import Act, Viewer
from controlplane.operations.reports import When
from controlplane.store import listing
from controlplane.store.statement import Row
from controlplane.wire import agents as wire
from controlplane.wire import evidence
from tests.controlplane.operations.paper_devices import KINDS, Paper, kind_facts
from tests.controlplane.operations.scene import ADMIN, RULES, Agent, Clock, Scene, body

NOVEMBER = {"report_from": "20261101", "report_to": "20261130", "last_report_date": "20261103"}
DUE = {**NOVEMBER, "issue_deadline": "20261215"}
AFTER = {
    "report_from": "20261201", "report_to": "20261231", "last_report_date": "20261204", "issue_deadline": "20270118",
}  # fmt: skip
SOURCE = listing.Source(reports.SOURCE, "r.id", "r.taxpayer_id", reports.COLUMNS)


class Stage:
    """One device whose November is to be reported, looked at on 4 December; kind 026 has one invoice of 21.80."""

    def __init__(self, scene: Scene, agent: Agent, clock: Clock) -> None:
        self.scene, self.agent, self.clock = scene, agent, clock
        self.owner = scene.taxpayer(1)
        self.paper: Paper = scene.ready(agent, self.owner, scene.server(agent))
        self.device_id = scene.id_of(self.paper)
        scene.request(body(self.owner, "november"))
        agent.work_off()
        clock.forward(days=12)

    def read(self, uploaded: bool = True, **kinds: str) -> None:
        """A reading of the device; ``kinds``: its monitor data."""
        told = [kind_facts(kind, self.clock(), **{**DUE, **kinds}) for kind in KINDS]
        self.agent.observe(self.paper, kinds=told, uploads=self.paper.uploads() if uploaded else [])

    def device(self) -> Row:
        return self.scene.device(self.device_id)

    def opened(self) -> dict[str, Row]:
        """Kind → report, after the clock's look."""
        when = When(self.clock(), RULES)
        ledger = self.scene.ledger
        for device_id in ledger.read_now(lambda hand: report_clock.to_open(hand, when)):
            ledger.write_now(lambda tx, one=device_id: report_clock.open_due(tx, one, RULES))
        return self.rows()

    def rows(self) -> dict[str, Row]:
        return {row["kind"]: row for row in self.scene.rows("SELECT * FROM reports ORDER BY id")}

    def row(self, kind: str = "026") -> Row:
        return self.rows()[kind]

    def act(self, verb: str, kind: str = "026", caller: Principal = ADMIN, reason: str = "for the test") -> str | None:
        row = self.row(kind)
        wanted = Act(caller, verb, row["id"], row["version"], reason, {})
        job_id: str | None = self.scene.ledger.write_now(lambda tx: reports.act(tx, wanted, RULES))
        return job_id

    def refused(self, verb: str, kind: str = "026") -> str:
        """The code by which the act is refused; nothing but the operation log is changed by it."""
        before = self.scene.dump()
        with pytest.raises(Refusal) as caught:
            self.act(verb, kind)
        assert self.scene.dump() == before
        return caught.value.code

    def turn(self) -> None:
        """One turn of the clock."""
        when, ledger = When(self.clock(), RULES), self.scene.ledger
        for report_id in ledger.read_now(lambda hand: report_clock.to_step(hand, when)):
            ledger.write_now(lambda tx, one=report_id: report_clock.step(tx, one, RULES))

    def order(self) -> wire.Order:
        (order,) = self.agent.lease()
        return order

    def settle(self, result: str = "done", found: evidence.Evidence | None = None, **fields: str) -> wire.Order:
        order = self.order()
        assert self.agent.settle(self.agent.answer(order, result, evidence=found, **fields)) == "settled"
        return order

    def through(self, kind: str = "026") -> None:
        """Report and acceptance, done by hand."""
        self.act("report", kind)
        self.settle(found=summary(kind))
        self.act("verify", kind)
        self.settle(found=verdict(kind))

    def shown(self, kind: str = "026", caller: Principal = ADMIN) -> dict[str, Any]:
        viewer = Viewer(caller, self.clock(), RULES)
        wanted = listing.Page(filters={"r.kind": kind})

        def read(hand: Any) -> dict[str, Any]:
            return reports.view(hand, listing.page(hand, SOURCE, wanted)[0][0], viewer)

        return self.scene.ledger.read_now(read)

    def allowed(self, kind: str = "026") -> dict[str, str]:
        """Verb → why not; empty where it may be done."""
        return {one["verb"]: one["why"] for one in self.shown(kind)["allowed"]}

    def schedule(self, owner: str | None = None, **changes: int) -> str:
        values = {"taxpayer_id": owner, "hour": 8, "minute": 0, "days_before": 12, **changes}
        return self.scene.ledger.write_now(lambda tx: report_schedules.set_times(tx, ADMIN, values))


def summary(kind: str = "026", **changes: Any) -> evidence.Summary:
    used = 1 if kind == "026" else 0
    fields: dict[str, Any] = {
        "kind": kind, "period": "2026-11", "report_no": "CB1", "opening": 100, "received": 0, "returned": 0,
        "closing": 100 - used, "blue_count": used, "blue_net": "20.00" if used else "0.00",
        "blue_tax": "1.80" if used else "0.00", "red_count": 0, "red_net": "0.00", "red_tax": "0.00", "void_count": 0,
    }  # fmt: skip
    return evidence.Summary(**{**fields, **changes})


def verdict(kind: str = "026", status: str = "accepted", wants: bool = False, filed: bool = False) -> Any:
    return evidence.ReportVerdict(
        kind=kind, period="2026-11", status=status, code="1", message="比对不符" if status == "refused" else "",
        clear_needs_return=wants, return_filed=filed,
    )  # fmt: skip


def cleared(stage: Stage, kind: str = "026", **changes: str) -> evidence.Cleared:
    facts = kind_facts(kind, stage.clock(), **{**AFTER, **changes})
    return evidence.Cleared(kind=kind, period="2026-11", facts=facts)
