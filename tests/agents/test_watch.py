"""When devices are read, and what reaches the control plane of it."""

from __future__ import annotations

import time

import msgspec

from agents.watch import Watch
from controlplane.wire.agents import Observation, UploadFacts
from tests.agents.orders import DEVICE, address, order
from tests.agents.peers.agent_process import AgentProcess
from tests.agents.peers.control_plane import ControlPlane
from tests.agents.peers.tax_server import TaxServer


def seen(last_index: int = 0, uploads: int = 0) -> Observation:
    rows = [
        UploadFacts(index=n, serial="s", invoice_code="c", invoice_no="n", status="uploaded", receipt_no="r", at="t")
        for n in range(1, uploads + 1)
    ]
    return Observation(
        device_no=DEVICE, tax_server_no=None, read_at="t", reachable=True, last_index=last_index, uploads=rows
    )


def wait_for_turn(watch: Watch) -> float:
    """Seconds until the device is due; it is released at once."""
    started = time.monotonic()
    batch = watch.take()
    watch.release((batch[0][0].host, batch[0][0].port))
    return time.monotonic() - started


def test_a_quiet_device_is_read_at_the_interval(tax_server: TaxServer) -> None:
    watch = Watch(interval=0.3)
    watch.serve([address(tax_server), address(tax_server, None)])
    assert wait_for_turn(watch) < 0.1, "at once, and the tax server itself not at all"
    watch.seen(seen())
    assert 0.25 < wait_for_turn(watch) < 0.5


def test_a_device_that_issued_is_read_soon(tax_server: TaxServer) -> None:
    watch = Watch(interval=30)
    watch.serve([address(tax_server)])
    wait_for_turn(watch)
    watch.seen(seen())
    watch.issued(DEVICE)
    assert wait_for_turn(watch) < 1.0
    watch.issued(DEVICE)
    watch.seen(seen(1))
    assert wait_for_turn(watch) < 1.0, "issued while it was being read"


def test_awaited_uploads_are_looked_for_less_and_less_often(tax_server: TaxServer) -> None:
    watch = Watch(interval=0.2)
    watch.serve([address(tax_server)])
    wait_for_turn(watch)
    watch.seen(seen(5, uploads=2))
    wait_for_turn(watch)
    watch.seen(seen(5, uploads=5))
    assert wait_for_turn(watch) > 0.15


def test_uploads_are_read_from_the_acknowledged_position(tax_server: TaxServer) -> None:
    watch = Watch(interval=30)
    watch.serve([address(tax_server)])
    watch.cursors({DEVICE: 7, "unknown": 1})
    ((_, cursor),) = watch.take()
    assert cursor == 7


def test_one_tax_server_is_read_by_one_thread(tax_server: TaxServer) -> None:
    other = TaxServer()
    try:
        watch = Watch(interval=30)
        elsewhere = msgspec.structs.replace(address(other), device_no="500000000009")
        here = [address(tax_server), address(tax_server, "500000000002")]
        watch.serve([*here, elsewhere])
        batches = [watch.take(), watch.take()]
        assert sorted(len(batch) for batch in batches) == [1, 2]
        watch.stop()
        assert watch.take() == []
    finally:
        other.close()


def test_readings_reach_the_control_plane(plane: ControlPlane, tax_server: TaxServer, agent: AgentProcess) -> None:
    plane.serves = [address(tax_server)]
    asked = order(tax_server)
    plane.put(asked)
    agent.start()
    plane.wait(plane.settled)
    tax_server.device(DEVICE).uploaded = 1
    plane.wait(lambda: any(row.uploads for row in plane.observations))
    found = next(row for row in plane.observations if row.uploads)
    assert found.reachable and found.last_index == 1 and found.uploads[0].serial == asked.serial
    plane.cursors = {DEVICE: 1}
    plane.wait(lambda: not plane.observations[-1].uploads)


def test_unreachable_devices_are_reported(plane: ControlPlane, tax_server: TaxServer, agent: AgentProcess) -> None:
    plane.serves = [address(tax_server, f"50000000000{n}") for n in range(4)]
    tax_server.down()
    agent.start()
    plane.wait(lambda: len({row.device_no for row in plane.observations}) == 4)
    assert not any(row.reachable for row in plane.observations)
    assert all("connection_refused" in row.message for row in plane.observations)


def test_a_device_of_unknown_kind_does_not_hold_up_others(
    plane: ControlPlane, tax_server: TaxServer, agent: AgentProcess
) -> None:
    strange = msgspec.structs.replace(address(tax_server, "500000000002"), device_kind="teapot")
    plane.serves = [strange, address(tax_server)]
    agent.start()
    plane.wait(lambda: len({row.device_no for row in plane.observations}) == 2)
    assert {row.device_no: row.reachable for row in plane.observations} == {DEVICE: True, "500000000002": False}


def test_a_silent_tax_server_does_not_hold_up_another(
    plane: ControlPlane, tax_server: TaxServer, agent: AgentProcess
) -> None:
    """Eight devices of a hanging server time out one after the other; the ninth, elsewhere, issues at once (F17)."""
    hanging = TaxServer()
    try:
        hanging.before = lambda code, body: time.sleep(30)
        plane.serves = [address(hanging, f"50000000000{n}") for n in range(8)]
        plane.put(*(order(hanging, device_no=f"50000000000{n}") for n in range(8)))
        agent.start()
        plane.wait(lambda: len(hanging.devices) == 0 and plane.leases >= 2)
        asked = order(tax_server, device_no="500000000099")
        started = time.monotonic()
        plane.put(asked)
        plane.wait(lambda: plane.jobs[asked.job_id].state == "done")
        assert time.monotonic() - started < 1.5
    finally:
        hanging.close()
