"""Reclaim and return on the ledger of both databases: gates, holds, what is on record, and who may have numbers next."""

from __future__ import annotations

from typing import Any

import pytest

from controlplane.domain.refusals import Refusal
from controlplane.operations import virtual_devices
from controlplane.store.statement import Row
from controlplane.wire import agents as wire
from controlplane.wire import evidence
from tests.controlplane.operations.paper_devices import CODES, Paper, run
from tests.controlplane.operations.scene import ADMIN, RULES, Agent, Clock, Scene, body

CODE = CODES["026"]


class Desk:
    """A ready device with numbers 10001 to 10100 of 026 on terminal 1, and 20001 to 20050 not distributed."""

    def __init__(self, scene: Scene, agent: Agent) -> None:
        self.scene, self.agent = scene, agent
        self.owner = scene.taxpayer(1)
        self.server_id = scene.server(agent)
        self.paper: Paper = scene.ready(agent, self.owner, self.server_id)
        self.paper.stock("026", 20_001, 50, None)
        agent.observe(self.paper)
        self.device_id = scene.id_of(self.paper)

    def act(self, verb: str, start: int, count: int, **more: Any) -> str | None:
        asked = {"kind": "026", "invoice_code": CODE, "start_no": f"{start:08d}", "count": count, **more}
        if verb == "reclaim":
            asked.setdefault("terminal_code", "1")
        return self.scene.act(virtual_devices, self.device_id, verb, **asked)

    def refused(self, verb: str, start: int, count: int, **more: Any) -> Refusal:
        before = self.scene.dump()
        with pytest.raises(Refusal) as caught:
            self.act(verb, start, count, **more)
        assert self.scene.dump() == before, "a refusal leaves nothing but its row in the log"
        return caught.value

    def answered(self, result: str = "done", **fields: Any) -> wire.Order:
        (order,) = self.agent.lease()
        if result == "done":
            fields["evidence"] = evidence.Segments(segments=self.paper.segments)
        assert self.agent.settle(self.agent.answer(order, result, **fields)) == "settled"
        return order

    def rows(self) -> list[Row]:
        return self.scene.rows(
            "SELECT start_no, end_no, next_no, terminal_code, state FROM segments WHERE kind = '026' ORDER BY start_no, end_no, state"
        )

    def ranges(self) -> list[tuple[int, int]]:
        rows = self.scene.rows(
            "SELECT start_no, end_no FROM number_ranges WHERE invoice_code = :code ORDER BY start_no", code=CODE
        )
        return [(row["start_no"], row["end_no"]) for row in rows]

    def reclaimed(self, start: int) -> None:
        """The paper device takes the tail of its terminal's run back."""
        one = next(s for s in self.paper.segments if s.kind == "026" and s.terminal_code == "1")
        back = run("026", start, int(one.end_no), None)
        one.left -= back.left
        one.end_no = f"{start - 1:08d}"
        self.paper.segments.append(back)

    def gave_back(self, start: int) -> None:
        """The paper device gives the tail of its undistributed run back to the bureau."""
        one = next(s for s in self.paper.segments if s.kind == "026" and s.terminal_code is None)
        one.left = start - int(one.start_no)
        one.end_no = f"{start - 1:08d}"
        if not one.left:
            self.paper.segments.remove(one)


@pytest.fixture
def desk(scene: Scene, agent: Agent) -> Desk:
    return Desk(scene, agent)


def test_a_tail_is_reclaimed(desk: Desk) -> None:
    desk.act("reclaim", 10_061, 40)
    assert desk.scene.stock(desk.device_id) == (100, 40), "held from new invoices while the job is open"
    desk.reclaimed(10_061)
    desk.answered()
    assert desk.scene.stock(desk.device_id) == (60, 0)
    assert [(row["start_no"], row["end_no"], row["terminal_code"]) for row in desk.rows()] == [
        (10_001, 10_060, "1"), (10_061, 10_100, ""), (20_001, 20_050, ""),
    ]  # fmt: skip
    assert desk.ranges() == [(10_001, 10_100), (20_001, 20_050)], "the device still owns them"


def test_waiting_invoices_keep_their_numbers(desk: Desk) -> None:
    for number in range(30):
        desk.scene.request(body(desk.owner, f"r{number}"))
    assert desk.scene.stock(desk.device_id) == (100, 30)
    refusal = desk.refused("reclaim", 10_030, 71)
    assert (refusal.code, refusal.details["free"], refusal.details["waiting"]) == ("numbers_spoken_for", 70, 30)
    desk.act("reclaim", 10_031, 70)
    assert desk.scene.stock(desk.device_id) == (100, 100)
    invoice_id, state = desk.scene.request(body(desk.owner, "late"))
    assert state == "waiting" and not desk.scene.jobs_of(invoice_id), "no number is free any more"
    orders = desk.agent.lease(limit=64)
    assert [order.work.__class__.__name__ for order in orders] == ["IssueInvoice"] * 30 + ["ReclaimSegment"]
    for order in orders[:-1]:
        desk.agent.settle(desk.agent.done(order))
    desk.reclaimed(10_031)
    done = desk.agent.answer(orders[-1], "done", evidence=evidence.Segments(segments=desk.paper.segments))
    desk.agent.settle(done)
    assert desk.scene.stock(desk.device_id) == (0, 0)
    assert desk.scene.one("SELECT COUNT(*) AS n FROM invoices WHERE state = 'issued'")["n"] == 30


def test_a_refused_reclaim_lets_the_numbers_go(desk: Desk) -> None:
    desk.act("reclaim", 10_061, 40)
    desk.answered("refused", code="09d108", message="发票代码号码非法")
    assert desk.scene.stock(desk.device_id) == (100, 0)
    assert [row["state"] for row in desk.rows()] == ["on_terminal", "on_device"]


def test_an_unknown_reclaim_holds_on(desk: Desk) -> None:
    desk.act("reclaim", 10_061, 40)
    desk.answered("unknown", code="read_timeout", message="")
    assert desk.scene.stock(desk.device_id) == (100, 40)
    desk.reclaimed(10_061)
    desk.agent.observe(desk.paper)
    assert desk.scene.stock(desk.device_id) == (60, 40), "the reading came first; available is too low, never too high"


WRONG = [
    ("reclaim", 10_061, 39, {}, "run_not_tail"),
    ("reclaim", 10_061, 41, {}, "run_not_tail"),
    ("reclaim", 10_061, 40, {"terminal_code": "2"}, "run_not_there"),
    ("reclaim", 20_041, 10, {}, "run_not_there"),
    ("reclaim", 99_999, 1, {}, "run_not_there"),
    ("reclaim", 10_061, 40, {"kind": "028"}, "run_not_there"),
    ("return", 10_061, 40, {}, "run_not_there"),
    ("return", 20_041, 9, {}, "run_not_tail"),
    ("return", 20_041, 10, {"invoice_code": "044002699999"}, "run_not_there"),
]  # fmt: skip


def test_what_is_not_a_tail_stays(desk: Desk) -> None:
    for verb, start, count, more, code in WRONG:
        assert desk.refused(verb, start, count, **more).code == code, (verb, start, count, more)


def test_a_tail_is_returned_and_stays_on_record(desk: Desk) -> None:
    desk.act("return", 20_031, 20)
    desk.gave_back(20_031)
    desk.answered()
    assert [(row["start_no"], row["end_no"], row["state"]) for row in desk.rows()][1:] == [
        (20_001, 20_030, "on_device"), (20_031, 20_050, "returned"),
    ]  # fmt: skip
    assert desk.ranges() == [(10_001, 10_100), (20_001, 20_030)]
    desk.agent.observe(desk.paper)
    assert [row["state"] for row in desk.rows()] == ["on_terminal", "on_device", "returned"], (
        "a reading changes nothing"
    )
    assert desk.refused("return", 20_031, 20).code == "run_not_there", "it is gone"


def test_a_whole_run_is_returned(desk: Desk) -> None:
    desk.act("return", 20_001, 50)
    desk.gave_back(20_001)
    desk.answered()
    assert [(row["start_no"], row["end_no"], row["state"]) for row in desk.rows()][1:] == [(20_001, 20_050, "returned")]
    assert desk.ranges() == [(10_001, 10_100)]


def test_the_bureau_may_grant_them_to_anybody(desk: Desk) -> None:
    other = desk.scene.ready(desk.agent, desk.scene.taxpayer(2), desk.server_id, numbers=0)
    other_id = desk.scene.id_of(other)
    desk.act("return", 20_031, 20)
    desk.gave_back(20_031)
    (order,) = desk.agent.lease()
    other.stock("026", 20_031, 20, None)
    desk.agent.observe(other)
    assert desk.scene.rows("SELECT * FROM segments WHERE device_id = :id", id=other_id) == [], "not before we know"
    assert desk.scene.device(other_id)["state"] == "ready", "and nobody stops for it"
    found = evidence.Segments(segments=desk.paper.segments)
    desk.agent.settle(desk.agent.answer(order, "done", evidence=found))
    desk.agent.observe(other)
    assert desk.scene.one("SELECT state FROM segments WHERE device_id = :id", id=other_id)["state"] == "on_device"
    assert desk.scene.device(other_id)["state"] == desk.scene.device(desk.device_id)["state"] == "ready"
    assert desk.ranges() == [(10_001, 10_100), (20_001, 20_030), (20_031, 20_050)]
    # And back again to the first, which has a returned run of the same numbers on record.
    desk.scene.act(virtual_devices, other_id, "return", kind="026", invoice_code=CODE, start_no="00020031", count=20)
    (order,) = desk.agent.lease()
    other.segments.clear()
    desk.agent.settle(desk.agent.answer(order, "done", evidence=evidence.Segments(segments=[])))
    desk.paper.stock("026", 20_031, 20, "1")
    desk.agent.observe(desk.paper)
    assert [(row["start_no"], row["state"]) for row in desk.rows()] == [
        (10_001, "on_terminal"), (20_001, "on_device"), (20_031, "on_terminal"), (20_031, "returned"), (20_031, "returned"),
    ]  # fmt: skip
    assert desk.scene.stock(desk.device_id) == (120, 0)


def test_numbers_of_another_without_a_return_stop_the_device(desk: Desk) -> None:
    other = desk.scene.ready(desk.agent, desk.scene.taxpayer(2), desk.server_id, numbers=0)
    other.stock("026", 20_031, 20, None)
    desk.agent.observe(other)
    assert desk.scene.device(desk.scene.id_of(other))["state"] == "suspended"


def test_a_reading_from_before_brings_nothing_back(desk: Desk, clock: Clock) -> None:
    before = [run("026", 20_001, 20_050, None), *desk.paper.segments[:2]]
    taken_at = clock.moment
    clock.forward(seconds=1)
    desk.act("return", 20_031, 20)
    desk.gave_back(20_031)
    desk.answered()
    clock.moment, now = taken_at, clock.moment
    desk.agent.observe(desk.paper, segments=before)
    clock.moment = now
    assert desk.ranges() == [(10_001, 10_100), (20_001, 20_030)]
    assert [row["state"] for row in desk.rows()] == ["on_terminal", "on_device", "returned"]


def test_a_device_that_still_holds_what_it_returned_is_looked_at(desk: Desk) -> None:
    job_id = desk.act("return", 20_031, 20)
    (order,) = desk.agent.lease()
    desk.agent.settle(desk.agent.answer(order, "done", evidence=evidence.Segments(segments=desk.paper.segments)))
    job = desk.scene.one("SELECT state, code FROM jobs WHERE id = :id", id=job_id)
    assert (job["state"], job["code"]) == ("unknown", "evidence_differs")
    assert desk.scene.device(desk.device_id)["state"] == "suspended"
    assert "returned" not in {row["state"] for row in desk.rows()}


def test_one_thing_at_a_time(desk: Desk) -> None:
    desk.act("return", 20_031, 20)
    assert desk.refused("return", 20_041, 10).code == "open_job"
    assert desk.refused("reclaim", 10_061, 40).code == "open_job", "and nothing is held for it"
    assert desk.scene.stock(desk.device_id) == (100, 0)


def test_what_may_be_moved_is_told(desk: Desk) -> None:
    from controlplane.operations import board
    from controlplane.operations.acts import Viewer
    from controlplane.store import listing

    source = listing.Source(board.SOURCE, key="d.id", taxpayer="d.taxpayer_id", columns=board.COLUMNS)

    def allowed() -> dict[str, bool]:
        def read(hand: Any) -> dict[str, bool]:
            rows, _ = listing.page(hand, source, listing.Page(filters={"d.id": desk.device_id}))
            shown = board.views(hand, rows, Viewer(ADMIN, desk.scene.ledger.clock(), RULES))[0]["allowed"]
            return {one["verb"]: one["enabled"] for one in shown if one["verb"] in ("distribute", "reclaim", "return")}

        return desk.scene.ledger.read_now(read)

    assert allowed() == {"distribute": True, "reclaim": True, "return": True}
    desk.act("return", 20_001, 50)
    desk.gave_back(20_001)
    desk.answered()
    assert allowed() == {"distribute": False, "reclaim": True, "return": False}
    desk.scene.change("UPDATE stock SET reserved = remaining")
    assert allowed()["reclaim"] is False
