"""Who works on which device when."""

from __future__ import annotations

import random
import threading
import time

import msgspec

from agents.backoff import Backoff
from agents.lanes import Lanes, Task, fence_of, lane_of
from controlplane.wire.agents import Order
from controlplane.wire.work import CommissionDevice, SynchroniseServer
from tests.agents.orders import order
from tests.agents.peers.tax_server import TaxServer


def task(asked: Order) -> Task:
    return Task(asked, Backoff(0.01, 0.1, random.Random(1)))


def taken(lanes: Lanes) -> Task:
    found = lanes.take()
    assert found is not None
    return found


def nothing_ready(lanes: Lanes, seconds: float = 0.1) -> bool:
    """Whether a worker gets nothing within some time. Ends the lanes."""
    found: list[Task | None] = []
    worker = threading.Thread(target=lambda: found.append(lanes.take()))
    worker.start()
    worker.join(seconds)
    lanes.stop()
    worker.join()
    return found == [None]


def test_one_at_a_time_per_device_in_order(tax_server: TaxServer) -> None:
    lanes = Lanes(4)
    orders = [order(tax_server) for _ in range(3)]
    for asked in orders:
        assert lanes.accept(task(asked))
    first = taken(lanes)
    assert first.order == orders[0]
    lanes.finish(first)
    second = taken(lanes)
    assert second.order == orders[1]
    assert nothing_ready(lanes)


def test_devices_work_side_by_side(tax_server: TaxServer) -> None:
    lanes = Lanes(4)
    for n in range(3):
        lanes.accept(task(order(tax_server, device_no=f"d{n}")))
    assert {lane_of(taken(lanes).order) for _ in range(3)} == {"d0", "d1", "d2"}


def test_a_delayed_task_keeps_its_place(tax_server: TaxServer) -> None:
    lanes = Lanes(4)
    first, second = order(tax_server), order(tax_server)
    lanes.accept(task(first))
    lanes.accept(task(second))
    lanes.again(taken(lanes), 0.05)
    started = time.monotonic()
    assert taken(lanes).order == first
    assert time.monotonic() - started >= 0.045


def test_the_same_job_twice_is_one(tax_server: TaxServer) -> None:
    lanes = Lanes(4)
    asked = order(tax_server)
    assert lanes.accept(task(asked)) and not lanes.accept(task(asked))
    assert lanes.in_hand() == {asked.job_id}
    lanes.finish(taken(lanes))
    assert nothing_ready(lanes)


def test_a_newer_lease_renews_the_task_in_hand(tax_server: TaxServer) -> None:
    lanes = Lanes(4)
    asked = order(tax_server)
    lanes.accept(task(asked))
    held = taken(lanes)
    assert not lanes.accept(task(msgspec.structs.replace(asked, epoch=2, redelivered=True)))
    lanes.again(held, 0)
    renewed = taken(lanes)
    assert renewed is held and renewed.order.epoch == 2 and renewed.must_recall


def test_a_newer_lease_of_a_task_that_ends_comes_next(tax_server: TaxServer) -> None:
    lanes = Lanes(4)
    asked, behind = order(tax_server), order(tax_server)
    lanes.accept(task(asked))
    lanes.accept(task(behind))
    held = taken(lanes)
    lanes.accept(task(msgspec.structs.replace(asked, epoch=2, redelivered=True)))
    lanes.finish(held)
    following = taken(lanes)
    assert (following.order.job_id, following.order.epoch, following.must_recall) == (asked.job_id, 2, True)


def test_a_task_of_an_earlier_life_is_renewed_by_its_own_epoch(tax_server: TaxServer) -> None:
    lanes = Lanes(4)
    asked = order(tax_server)
    recovered = task(asked)
    recovered.recovered = recovered.must_recall = True
    lanes.accept(recovered)
    lanes.accept(task(asked))
    lanes.again(taken(lanes), 0)
    assert not taken(lanes).recovered


def test_clear_behind_leaves_the_task_and_keeps_order(tax_server: TaxServer) -> None:
    lanes = Lanes(4)
    orders = [order(tax_server) for _ in range(3)]
    for asked in orders:
        lanes.accept(task(asked))
    held = taken(lanes)
    assert [other.order for other in lanes.clear_behind(held)] == orders[1:]
    lanes.finish(held)
    later = order(tax_server)
    lanes.accept(task(later))
    assert taken(lanes).order == later


def test_drain_takes_only_what_nobody_began(tax_server: TaxServer) -> None:
    lanes = Lanes(4)
    orders = [order(tax_server, device_no=f"d{n // 2}") for n in range(4)]
    for asked in orders:
        lanes.accept(task(asked))
    held = taken(lanes)
    assert [other.order for other in lanes.drain()] == orders[1:]
    assert lanes.in_hand() == {held.order.job_id}


def test_a_silent_tax_server_does_not_hold_all_workers(tax_server: TaxServer) -> None:
    lanes = Lanes(8)
    other = TaxServer()
    try:
        for n in range(8):
            lanes.accept(task(order(tax_server, device_no=f"sick{n}")))
        lanes.heard_from(first := taken(lanes), silent=True)
        taken(lanes)
        lanes.accept(task(order(other, device_no="well")))
        assert lane_of(taken(lanes).order) == "well"
        lanes.heard_from(first, silent=False)
        assert lane_of(taken(lanes).order).startswith("sick"), "well again: more of its devices are worked on"
    finally:
        other.close()


def test_lane_and_fence_of_orders_for_the_server_itself(tax_server: TaxServer) -> None:
    commission = CommissionDevice(taxpayer_id="t", taxpayer_name="n", region="1100")
    for_server = order(tax_server, SynchroniseServer(), device_no=None)
    new_device = order(tax_server, commission, device_no=None)
    assert lane_of(for_server) == lane_of(new_device)
    assert fence_of(for_server) != fence_of(new_device), "a device without number has its own epoch"
