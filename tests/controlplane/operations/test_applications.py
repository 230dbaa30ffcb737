"""Applications and grants as device and bureau tell of them; what was written and not confirmed is taken up by the clock."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from controlplane.domain.refusals import Refusal
from controlplane.operations import applications, virtual_devices
from controlplane.operations.acts import Act, Viewer
from controlplane.store.engine import Ledger
from controlplane.store.statement import Row
from controlplane.store.times import utc_text
from controlplane.wire import agents as wire
from controlplane.wire import evidence, work
from tests.controlplane.operations.paper_devices import CODES, Paper, run
from tests.controlplane.operations.scene import ADMIN, RULES, Agent, Clock, Scene


class Desk:
    """A ready device without numbers."""

    def __init__(self, scene: Scene, agent: Agent) -> None:
        self.scene, self.agent = scene, agent
        self.paper: Paper = scene.ready(agent, scene.taxpayer(1), scene.server(agent), numbers=0)
        self.device_id = scene.id_of(self.paper)

    def apply(self, number: str = "SL1", kind: str = "026") -> Row:
        self.scene.act(virtual_devices, self.device_id, "apply", kind=kind, count=100)
        self.answered(evidence.Applied(application_no=number))
        return self.row(number)

    def row(self, number: str = "SL1") -> Row:
        return self.scene.one("SELECT * FROM applications WHERE application_no = :number", number=number)

    def act(self, verb: str, number: str = "SL1") -> str:
        row = self.row(number)
        wanted = Act(ADMIN, verb, row["id"], row["version"], "for the test", {})
        job_id = self.scene.ledger.write_now(lambda tx: applications.act(tx, wanted))
        assert job_id
        return job_id

    def answered(self, found: Any = None, result: str = "done", **fields: Any) -> wire.Order:
        (order,) = self.agent.lease()
        if result == "done":
            fields["evidence"] = found or evidence.Nothing()
        assert self.agent.settle(self.agent.answer(order, result, **fields)) == "settled"
        return order

    def told(self, status: str, number: str = "SL1", message: str = "", grants: Any = ()) -> None:
        """A query, answered."""
        self.act("query", number)
        one = evidence.ApplicationFacts(application_no=number, kind="026", count=100, status=status, message=message)  # type: ignore[arg-type]
        self.answered(evidence.Applications(applications=[one], grants=list(grants)))

    def received(self, *grants: evidence.GrantFacts, stopped_by: str = "", patient: bool = True) -> None:
        """A receive, answered with these grants; what is written is on the device."""
        if patient:
            self.scene.act(virtual_devices, self.device_id, "receive", kind="026")
        held = [
            run("026", int(one.start_no), int(one.end_no), None, grant_no=one.grant_no)
            for one in grants
            if one.status != "granted"
        ]
        self.paper.segments = held
        self.answered(evidence.Segments(segments=held, grants=list(grants), stopped_by=stopped_by))

    def grants(self) -> list[tuple[str, str, str]]:
        rows = self.scene.rows("SELECT grant_no, state, message FROM grants ORDER BY grant_no")
        return [(row["grant_no"], row["state"], row["message"]) for row in rows]

    def due(self) -> list[tuple[str, str]]:
        now = utc_text(self.scene.ledger.clock())
        return self.scene.ledger.read_now(lambda hand: applications.unconfirmed(hand, now))

    def reconcile(self) -> list[str | None]:
        return [self.scene.ledger.write_now(lambda tx, o=one: applications.reconcile(tx, *o)) for one in self.due()]


def grant(number: int, status: str, application_no: str = "SL1") -> evidence.GrantFacts:
    return evidence.GrantFacts(
        grant_no=f"LP{number}", kind="026", invoice_code=CODES["026"], start_no=f"{number * 1000 + 1:08d}",
        end_no=f"{number * 1000 + 50:08d}", status=status, application_no=application_no,  # type: ignore[arg-type]
    )  # fmt: skip


@pytest.fixture
def desk(scene: Scene, agent: Agent) -> Desk:
    return Desk(scene, agent)


def test_from_application_to_receipt(desk: Desk) -> None:
    assert desk.apply()["state"] == "applied"
    desk.told("waiting")
    assert desk.row()["state"] == "applied" and desk.row()["queried_at"]
    desk.told("granted", grants=[grant(1, "granted"), grant(2, "granted")])
    assert desk.row()["state"] == "granted"
    desk.received(grant(1, "confirmed"), grant(2, "written"), stopped_by="300001 无法连接税局")
    assert desk.row()["state"] == "granted", "not all of it is confirmed"
    assert desk.grants() == [("LP1", "confirmed", ""), ("LP2", "written", "300001 无法连接税局")]
    desk.reconcile()
    desk.received(grant(1, "confirmed"), grant(2, "confirmed"), patient=False)
    assert desk.row()["state"] == "received" and desk.row()["decided_at"]
    assert desk.grants() == [("LP1", "confirmed", ""), ("LP2", "confirmed", "")]


def test_received_at_once_without_any_question(desk: Desk) -> None:
    desk.apply()
    desk.received(grant(1, "confirmed"))
    assert desk.row()["state"] == "received"


def test_a_second_application_is_refused_naming_the_first(desk: Desk) -> None:
    desk.apply("SL77")
    before = desk.scene.dump()
    with pytest.raises(Refusal) as caught:
        desk.scene.act(virtual_devices, desk.device_id, "apply", kind="026", count=5)
    assert caught.value.code == "application_open" and caught.value.details["application_no"] == "SL77"
    assert "SL77" in caught.value.message and desk.scene.dump() == before
    desk.apply("SL78", kind="028")
    desk.told("refused", "SL77", "超过核定数量")
    assert (desk.row("SL77")["state"], desk.row("SL77")["message"]) == ("refused", "超过核定数量")
    desk.apply("SL79")


def test_cancelled_while_undecided(desk: Desk) -> None:
    desk.apply()
    desk.act("cancel")
    order = desk.answered()
    assert isinstance(order.work, work.CancelApplication) and order.work.application_no == "SL1"
    assert desk.row()["state"] == "cancelled"
    desk.apply("SL2")


def test_the_bureau_decided_first(desk: Desk) -> None:
    desk.apply()
    desk.act("cancel")
    desk.answered(result="refused", code="300002", message="申领已审批，不能撤销")
    row = desk.row()
    assert row["state"] == "applied" and "不能撤销" in row["message"]
    desk.told("granted", grants=[grant(1, "granted")])
    with pytest.raises(Refusal) as caught:
        desk.act("cancel")
    assert caught.value.code == "move_not_allowed"


def test_what_may_be_done_is_told(desk: Desk) -> None:
    desk.apply()
    viewer = Viewer(ADMIN, desk.scene.ledger.clock(), RULES)

    def allowed() -> dict[str, bool]:
        shown = desk.scene.ledger.read_now(lambda hand: applications.view(hand, desk.row(), viewer))
        return {one["verb"]: one["enabled"] for one in shown["allowed"]}

    assert allowed() == {"query": True, "cancel": True}
    desk.act("query")
    assert allowed() == {"query": False, "cancel": False}, "its open job first"
    desk.answered(evidence.Applications(applications=[], grants=[grant(1, "granted")]))
    assert allowed() == {"query": True, "cancel": False}


def test_an_application_made_elsewhere_is_taken_up(desk: Desk) -> None:
    desk.apply()
    desk.act("query")
    facts = [
        evidence.ApplicationFacts(application_no="SL0", kind="026", count=7, status="granted"),
        evidence.ApplicationFacts(application_no="SL1", kind="026", count=100, status="waiting"),
        evidence.ApplicationFacts(application_no="SL9", kind="028", count=7, status="waiting"),
    ]
    desk.answered(evidence.Applications(applications=facts))
    assert (desk.row("SL0")["state"], desk.row("SL0")["requested_by"]) == ("granted", "")
    assert desk.scene.rows("SELECT * FROM applications WHERE application_no = 'SL9'") == [], "of another kind"


def test_a_grant_never_walks_back(desk: Desk) -> None:
    desk.apply()
    desk.received(grant(1, "confirmed"))
    desk.scene.act(virtual_devices, desk.device_id, "receive", kind="026")
    held = evidence.Segments(segments=desk.paper.segments, grants=[grant(1, "written")])
    desk.answered(held)
    assert desk.grants() == [("LP1", "confirmed", "")] and desk.due() == []


def test_the_clock_takes_up_what_is_not_confirmed(desk: Desk, clock: Clock) -> None:
    desk.apply()
    desk.received(grant(1, "written"), stopped_by="300001 无法连接税局")
    assert desk.due() == [(desk.device_id, "026")]
    (job_id,) = desk.reconcile()
    assert job_id and desk.due() == [] and desk.reconcile() == [], "somebody is at it"
    (order,) = desk.agent.lease()
    assert order.work == work.ReceiveSegments(kind="026", patient=False)
    held = evidence.Segments(
        segments=desk.paper.segments, grants=[grant(1, "written")], stopped_by="300001 无法连接税局"
    )
    desk.agent.settle(desk.agent.answer(order, "done", evidence=held))
    pauses = []
    for _ in range(7):
        waited = 0
        while not desk.due():
            clock.forward(seconds=30)
            waited += 30
        pauses.append(waited)
        desk.reconcile()
        (order,) = desk.agent.lease()
        desk.agent.settle(desk.agent.answer(order, "refused", code="300001", message="无法连接税局"))
    assert pauses == [30, 60, 120, 240, 480, 900, 900], "tried again with growing pauses, for ever"
    assert "grants.reconcile" in {row["action"] for row in desk.scene.log()}


def test_many_replicas_open_one_job(desk: Desk, database_url: str, clock: Clock) -> None:
    desk.apply()
    desk.received(grant(1, "written"))
    ledgers = [Ledger(database_url, clock) for _ in range(4)]
    found: list[str | None] = []
    start = threading.Barrier(4)

    def one(ledger: Ledger) -> None:
        start.wait()
        found.append(ledger.write_now(lambda tx: applications.reconcile(tx, desk.device_id, "026")))

    threads = [threading.Thread(target=one, args=(ledger,)) for ledger in ledgers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for ledger in ledgers:
        ledger.close()
    assert len([job for job in found if job]) == 1 and len(found) == 4
    assert len(desk.scene.rows("SELECT * FROM jobs WHERE kind = 'segment.receive' AND state = 'queued'")) == 1


def test_a_device_with_an_open_job_is_left_alone(desk: Desk) -> None:
    desk.apply()
    desk.received(grant(1, "written"))
    desk.scene.act(virtual_devices, desk.device_id, "read")
    assert desk.due() == []
    assert desk.scene.ledger.write_now(lambda tx: applications.reconcile(tx, desk.device_id, "026")) is None


def test_odd_words_of_a_device_are_set_aside(desk: Desk) -> None:
    for odd in ("", "x" * 65, "a b", "单号"):
        desk.scene.change("UPDATE devices SET state = 'ready'")
        desk.scene.change("UPDATE jobs SET state = 'refused' WHERE state IN ('queued', 'leased', 'unknown')")
        desk.scene.change("UPDATE bindings SET rest_until = '', failures = 0")
        job_id = desk.scene.act(virtual_devices, desk.device_id, "apply", kind="026", count=1)
        (order,) = desk.agent.lease()
        desk.agent.settle(desk.agent.answer(order, "done", evidence=evidence.Applied(application_no=odd)))
        job = desk.scene.one("SELECT * FROM jobs WHERE id = :id", id=job_id)
        assert job["code"] == "evidence_differs", odd
    assert desk.scene.rows("SELECT * FROM applications") == []
