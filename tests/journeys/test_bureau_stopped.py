"""The bureau stopped: the watch turns, issuing goes on inside the device's limits and not beyond, uploads drain in order."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.journeys.asking import simple
from tests.journeys.books import Books
from tests.journeys.demo_process import Demo, prepared
from tests.journeys.desk import Desk
from tests.journeys.front_door import until
from tests.journeys.test_outage import _in_order

LIMIT = 6
"""Invoices the bureau lets the device issue while it is offline."""
SPEED = 40
SLOT = 300.0 / SPEED
"""Seconds of a slot of the line watch."""


@pytest.fixture
def demo(tmp_path: Path) -> Iterator[Demo]:
    """A demo of its own, whose slots are short."""
    with prepared(tmp_path / "data", "--speed", str(SPEED)) as demo:
        demo.start()
        yield demo


@pytest.fixture
def desk(demo: Demo) -> Desk:
    return demo.desk()


@pytest.fixture
def narrow(demo: Demo, desk: Desk) -> str:
    """A device of the ready-line taxpayer with narrow offline limits."""
    device = desk.devices(demo.taxpayer_id)[2]
    demo.control().put(f"/bureau/taxpayers/{demo.taxpayer_id}", {"offline_max_count": LIMIT})
    desk.act("virtual-devices", device["id"], "certify")
    desk.act("virtual-devices", device["id"], "fetch_kinds")
    return str(device["device_no"])


def test_the_limits_hold_and_the_uploads_drain(demo: Demo, desk: Desk, narrow: str) -> None:
    front_end, books = demo.door(), Books(demo)
    (line,) = desk.all("/v1/lines", service="simulated")
    demo.control().put("/bureau", {"state": "down"})

    def offline() -> bool:
        return desk.devices(demo.taxpayer_id)[2]["bureau_online"] is False

    until(offline, 20, "the device to say that it is offline")
    issued = [f"narrow-{n}" for n in range(LIMIT)]
    for name in issued:
        body = simple(demo.taxpayer_id, name, device_no=narrow)
        assert front_end.post("/v1/invoices", body, wait=10)["state"] == "issued", name
    beyond = front_end.post("/v1/invoices", simple(demo.taxpayer_id, "beyond", device_no=narrow), wait=10)
    assert beyond["state"] == "waiting"

    def named() -> bool:
        reason = front_end.get(f"/v1/invoices/{beyond['id']}")["waiting_reason"]
        return reason["code"] == "offline_count" and str(LIMIT) in reason["message"]

    until(named, 20, "the limit to be named")

    def turned() -> bool:
        return bool(desk.get(f"/v1/lines/{line['id']}")["verdict"] == "abnormal")

    until(turned, 2 * SLOT + 15, "the line watch to turn within two slots")
    demo.control().put("/bureau", {"state": "up"})
    books.uploaded([*issued, "beyond"], 60)
    books.compare()
    _in_order(books, narrow)

    def normal() -> bool:
        return bool(desk.get(f"/v1/lines/{line['id']}")["verdict"] == "normal")

    until(normal, SLOT + 15, "the line watch to turn back")
