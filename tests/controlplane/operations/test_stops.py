"""Emergency stops: nothing is placed after one, what an agent holds is left to it, and what waits goes out afterwards."""

from __future__ import annotations

import json
import threading
import time
from typing import Any

import pytest

from controlplane.domain import stop as rules
from controlplane.domain.principal import Principal
from controlplane.domain.refusals import Refusal
from controlplane.operations import board, placement, stops, tax_servers, virtual_devices
from controlplane.operations.acts import Act, Viewer
from controlplane.store import listing
from controlplane.store import tax_servers as store
from controlplane.store.engine import Ledger
from controlplane.wire import work
from tests.controlplane.operations.paper_devices import Paper
from tests.controlplane.operations.scene import ADMIN, RULES, Agent, Clock, Scene, body

TARGETS = ("taxpayer", "device", "tax_server", "region")


class Fleet:
    """A taxpayer with one ready device, and hands to stop and resume."""

    def __init__(self, scene: Scene, agent: Agent) -> None:
        self.scene, self.agent = scene, agent
        self.owner = scene.taxpayer(1)
        self.server_id = scene.server(agent)
        self.paper: Paper = scene.ready(agent, self.owner, self.server_id)
        self.device_id = scene.id_of(self.paper)

    def target(self, noun: str) -> str:
        return {
            "taxpayer": self.owner,
            "device": str(self.paper.device_no),
            "tax_server": "SK0001",
            "region": "4400",
        }[noun]

    def stop(self, noun: str, caller: Principal = ADMIN, target: str = "", reason: str = "suspicion") -> str:
        values = {"target_noun": noun, "target": target or self.target(noun), "reason": reason}
        stop_id = self.scene.ledger.write_now(lambda tx: stops.register(tx, caller, values))
        self.scene.ledger.write_now(lambda tx: stops.settle(tx, stop_id, RULES))
        return stop_id

    def resume(self, stop_id: str, caller: Principal = ADMIN) -> None:
        version = self.scene.one("SELECT version FROM stops WHERE id = :id", id=stop_id)["version"]
        wanted = Act(caller, "resume", stop_id, version, "it is over", {})
        self.scene.ledger.write_now(lambda tx: stops.act(tx, wanted))
        self.scene.ledger.write_now(lambda tx: stops.settle(tx, stop_id, RULES))

    def queued(self) -> int:
        return int(self.scene.one("SELECT COUNT(*) AS n FROM jobs WHERE kind = 'invoice.issue' AND state = 'queued'")["n"])

    def reason(self, invoice_id: str) -> dict[str, Any]:
        told = self.scene.invoice(invoice_id)["waiting_reason"]
        return dict(json.loads(told)) if told else {}


@pytest.fixture
def fleet(scene: Scene, agent: Agent) -> Fleet:
    return Fleet(scene, agent)


def test_every_pair_of_state_and_move() -> None:
    by_hand = {("active", "resume"): "resumed"}
    for state in ("active", "resumed"):
        for move in ("resume", "register"):
            assert rules.MACHINE.may(state, move) == ((state, move) in by_hand)
    assert rules.MACHINE.table == by_hand


@pytest.mark.parametrize("noun", TARGETS)
def test_a_stop_takes_back_what_is_queued_and_says_who_when_and_why(fleet: Fleet, noun: str) -> None:
    invoice_id, state = fleet.scene.request(body(fleet.owner, "before"))
    assert state == "waiting" and fleet.queued() == 1
    stop_id = fleet.stop(noun)
    assert fleet.queued() == 0
    for waiting in (invoice_id, fleet.scene.request(body(fleet.owner, "after"))[0]):
        reason = fleet.reason(waiting)
        assert (reason["code"], reason["reason_class"]) == ("emergency_stop", "device")
        details = reason["details"]
        assert (details["actor"], details["at"], details["reason"]) == ("admin", "2026-11-22 11:00:00", "suspicion")
        assert details["stop_id"] == stop_id and stop_id in reason["message"] and "suspicion" in reason["message"]
    assert fleet.queued() == 0 and fleet.agent.lease() == []
    fleet.resume(stop_id)
    assert fleet.queued() == 2, "placed at once"
    assert len(fleet.agent.work_off()) == 2
    assert {fleet.scene.invoice(one)["state"] for one in (invoice_id,)} == {"issued"}


@pytest.mark.parametrize("noun", TARGETS)
def test_what_an_agent_holds_is_left_to_it(fleet: Fleet, noun: str) -> None:
    invoice_id, _ = fleet.scene.request(body(fleet.owner, "held"))
    (order,) = fleet.agent.lease()
    fleet.stop(noun)
    assert fleet.scene.one("SELECT state FROM jobs WHERE id = :id", id=order.job_id)["state"] == "leased"
    assert fleet.agent.settle(fleet.agent.done(order)) == "settled"
    assert fleet.scene.invoice(invoice_id)["state"] == "issued"


def test_an_order_in_doubt_still_goes_to_the_new_session_to_be_read_back(fleet: Fleet) -> None:
    fleet.scene.request(body(fleet.owner, "held"))
    (order,) = fleet.agent.lease()
    fleet.stop("device")
    fleet.agent.session = "session-2"
    (again,) = fleet.agent.lease()
    assert (again.job_id, again.redelivered, again.epoch) == (order.job_id, True, order.epoch + 1)


def test_reading_reporting_and_stock_go_on(fleet: Fleet) -> None:
    fleet.stop("region")
    for verb, arguments in (("read", {}), ("apply", {"kind": "026", "count": 10}), ("calibrate", {})):
        fleet.scene.act(virtual_devices, fleet.device_id, verb, **arguments)
        assert len(fleet.agent.work_off()) == 1, verb
    fleet.agent.observe(fleet.paper)


def test_a_queued_order_of_before_is_not_handed_out_under_a_stop(fleet: Fleet) -> None:
    """Though the withdrawal has not come to it yet, as in a large region."""
    fleet.scene.request(body(fleet.owner, "q"))
    most, stops.MOST_DEVICES = stops.MOST_DEVICES, 0
    try:
        stop_id = fleet.stop("taxpayer")
    finally:
        stops.MOST_DEVICES = most
    assert fleet.queued() == 1 and fleet.agent.lease() == []
    fleet.scene.ledger.write_now(lambda tx: placement.look_after(tx, fleet.device_id, RULES))
    assert fleet.queued() == 0, "the clock's sweep takes it back"
    fleet.resume(stop_id)
    assert [type(order.work) for order in fleet.agent.lease()] == [work.IssueInvoice]


def test_another_taxpayer_and_another_device_go_on(fleet: Fleet) -> None:
    other = fleet.scene.taxpayer(2)
    fleet.scene.ready(fleet.agent, other, fleet.server_id)
    second = fleet.scene.ready(fleet.agent, fleet.owner, fleet.server_id)
    fleet.stop("device")
    fleet.scene.request(body(fleet.owner, "a"))
    fleet.scene.request(body(other, "b"))
    orders = fleet.agent.lease()
    assert {order.address.taxpayer_id for order in orders} == {fleet.owner, other}
    assert str(second.device_no) in {order.address.device_no for order in orders}
    assert str(fleet.paper.device_no) not in {order.address.device_no for order in orders}
    fleet.stop("taxpayer")
    fleet.scene.request(body(fleet.owner, "c"))
    fleet.scene.request(body(other, "d"))
    assert {order.address.taxpayer_id for order in fleet.agent.lease(orders)} == {other}


def test_several_stops_hold_until_the_last_is_resumed(fleet: Fleet) -> None:
    first, second = fleet.stop("taxpayer"), fleet.stop("region")
    invoice_id, _ = fleet.scene.request(body(fleet.owner, "w"))
    fleet.resume(first)
    assert fleet.queued() == 0 and fleet.reason(invoice_id)["details"]["stop_id"] == second
    fleet.resume(second)
    assert fleet.queued() == 1


def test_one_target_has_one_stop_at_a_time_and_a_history(fleet: Fleet) -> None:
    first = fleet.stop("device")
    with pytest.raises(Refusal) as refused:
        fleet.stop("device", target=fleet.device_id)
    assert refused.value.code == "already_stopped" and refused.value.details["stop_id"] == first
    fleet.resume(first)
    with pytest.raises(Refusal) as refused:
        fleet.resume(first)
    assert refused.value.code == "move_not_allowed"
    second = fleet.stop("device", reason="once more")
    rows = fleet.scene.rows("SELECT * FROM stops ORDER BY id")
    assert [(row["id"], row["state"], row["reason"]) for row in rows] == [
        (first, "resumed", "suspicion"), (second, "active", "once more"),
    ]  # fmt: skip
    assert (rows[0]["resumed_by"], rows[0]["resume_reason"]) == ("admin", "it is over")
    log = [row for row in fleet.scene.log() if row["noun"] == "stops"]
    assert [(row["action"], row["outcome"]) for row in log] == [
        ("stops.register", "allowed"), ("stops.register", "refused"), ("stops.resume", "allowed"),
        ("stops.resume", "refused"), ("stops.register", "allowed"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("noun", "target"), [("taxpayer", "919900000000000000"), ("device", "x"), ("tax_server", "x"), ("region", "44")]
)
def test_a_target_that_is_not_there_is_refused(fleet: Fleet, noun: str, target: str) -> None:
    with pytest.raises(Refusal) as refused:
        fleet.stop(noun, target=target)
    assert refused.value.code == ("field_invalid" if noun == "region" else "not_found")
    assert fleet.scene.rows("SELECT id FROM stops") == []
    # A refused stop must not leave the writer believing in one.
    fleet.scene.request(body(fleet.owner, "still"))
    assert fleet.queued() == 1


def test_nobody_stops_or_resumes_beyond_the_own_scope(fleet: Fleet) -> None:
    own = fleet.scene.taxpayer(2)
    narrow = Principal("p", "narrow", "person", "operator", frozenset({own}), frozenset({"3100"}))
    for noun in TARGETS:
        with pytest.raises(Refusal) as refused:
            fleet.stop(noun, narrow)
        assert refused.value.code == "not_found", noun
    held = fleet.stop("region")
    with pytest.raises(Refusal) as refused:
        fleet.resume(held, narrow)
    assert refused.value.code == "not_found"
    fleet.resume(fleet.stop("taxpayer", narrow, own), narrow)
    fleet.resume(fleet.stop("region", narrow, "3100"), narrow)


def test_the_board_and_the_server_name_it_as_the_cause(fleet: Fleet, clock: Clock) -> None:
    fleet.stop("tax_server")
    viewer = Viewer(ADMIN, clock(), RULES)

    def look(hand: Any) -> tuple[Any, Any]:
        source = listing.Source(board.SOURCE, "d.id", "d.taxpayer_id", board.COLUMNS)
        rows, _ = listing.page(hand, source, listing.Page())
        server = store.find(hand, fleet.server_id)
        assert server is not None
        return board.views(hand, rows, viewer)[0]["health"], tax_servers.view(hand, server, viewer)["health"]

    for health in fleet.scene.ledger.read_now(look):
        assert (health["verdict"], health["cause"], health["runbook"]) == ("stopped", "emergency_stop", "emergency-stop")
        assert "suspicion" in health["text"] and health["minutes_until_stop"] == 0


def test_nothing_is_placed_after_the_commit_of_a_stop_while_intake_runs(scene: Scene, agent: Agent) -> None:
    """Two servers: one takes requests in without pause, the other stops the taxpayer in the middle of it, many times."""
    fleet = Fleet(scene, agent)
    fleet.paper.stock("026", 500_001, 5_000)
    agent.observe(fleet.paper)
    # On SQLite one process writes: both parts share the ledger. On PostgreSQL each is a replica of its own.
    other = scene.ledger if scene.ledger.dialect == "sqlite" else Ledger(scene.ledger.url, scene.ledger.clock)
    done = threading.Event()
    failed: list[BaseException] = []

    def intake() -> None:
        count = 0
        try:
            while not done.is_set():
                scene.request(body(fleet.owner, f"race-{count}"))
                count += 1
                time.sleep(0.002 * (count // 50))
        except BaseException as fault:
            failed.append(fault)

    workers = [threading.Thread(target=intake)]
    for worker in workers:
        worker.start()
    try:
        for _ in range(25):
            values = {"target_noun": "taxpayer", "target": fleet.owner, "reason": "race"}
            stop_id = other.write_now(lambda tx, values=values: stops.register(tx, ADMIN, values))
            placed = fleet.queued()
            for _ in range(20):
                assert fleet.queued() <= placed, "placed after the commit"
            other.write_now(lambda tx, stop_id=stop_id: stops.settle(tx, stop_id, RULES))
            for _ in range(20):
                assert fleet.queued() == 0, "all is taken back once the stop is answered"
            wanted = Act(ADMIN, "resume", stop_id, 1, "on", {})
            other.write_now(lambda tx, wanted=wanted: stops.act(tx, wanted))
            other.write_now(lambda tx, stop_id=stop_id: stops.settle(tx, stop_id, RULES))
    finally:
        done.set()
        for worker in workers:
            worker.join(30)
        if other is not scene.ledger:
            other.close()
    assert failed == []
    waiting = scene.one("SELECT COUNT(*) AS n FROM invoices WHERE state = 'waiting'")["n"]
    assert waiting > 8 and fleet.queued() == waiting, "all of them are placed in the end, each once"
    told = scene.one("SELECT COUNT(*) AS n FROM invoices WHERE waiting_reason IS NOT NULL")["n"]
    assert told == 0
