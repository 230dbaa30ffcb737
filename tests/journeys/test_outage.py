"""The bureau is away: issuing goes on, uploads wait and say so, and then go out in order."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.journeys.asking import simple
from tests.journeys.books import Books
from tests.journeys.demo_process import Demo
from tests.journeys.desk import Desk
from tests.journeys.front_door import Door, until

INVOICES = 45
"""More than two batches of uploads on one device."""


@pytest.fixture
def bureau_back(demo: Demo) -> Iterator[None]:
    yield
    demo.control().put("/bureau", {"state": "up"})


def test_without_the_bureau_issuing_goes_on_and_uploads_follow_in_order(
    demo: Demo, desk: Desk, front_end: Door, books: Books, bureau_back: None
) -> None:
    device_no, other_no = (device["device_no"] for device in desk.devices(demo.taxpayer_id)[:2])
    books.uploaded(books.ledger(), 30)
    assert demo.control().put("/bureau", {"state": "down"})["state"] == "down"
    with pytest.raises(OSError, match="refused"):
        demo.bureau().get("/receipts")
    names = [f"outage-{n}" for n in range(INVOICES)]
    chosen = {name: other_no if name.endswith("7") else device_no for name in names}
    here = list(chosen.values()).count(device_no)
    for name in names:
        body = simple(demo.taxpayer_id, name, device_no=chosen[name])
        assert front_end.post("/v1/invoices", body, wait=10)["state"] == "issued"

    def offline() -> bool:
        device = desk.devices(demo.taxpayer_id)[0]
        return device["bureau_online"] is False and device["offline_count"] >= here

    until(offline, 15, "the device says that it is offline, and with how many invoices")
    device = desk.devices(demo.taxpayer_id)[0]
    assert device["offline_since"] and device["bureau_message"] and device["waiting_uploads"] == here
    assert (device["health"]["verdict"], device["health"]["cause"]) == ("warn", "bureau_unreachable")
    ledger = books.ledger()
    assert {ledger[name]["upload_status"] for name in names} == {"not_uploaded"}

    demo.control().put("/bureau", {"state": "up"})
    books.uploaded(names, 30)
    books.compare()
    for number in (device_no, other_no):
        _in_order(books, number)

    def online() -> bool:
        device = desk.devices(demo.taxpayer_id)[0]
        return device["bureau_online"] is True and device["offline_since"] is None

    until(online, 15, "the device says that it is online")


def _in_order(books: Books, device_no: str) -> None:
    """The device wrote its uploads, and the bureau received them, in the order of its journal."""
    issued = [(row["invoice_code"], row["invoice_no"]) for row in books.journal() if row["device_no"] == device_no]
    receipts = books.receipts()
    uploaded = [
        (row["invoice_code"], row["invoice_no"]) for row in books.journal("uploaded") if row["device_no"] == device_no
    ]
    assert uploaded == [number for number in issued if number in receipts]
    received = [receipts[number]["received_at"] for number in uploaded]
    assert received == sorted(received)


def test_a_slow_bureau_delays_uploads_and_nothing_else(
    demo: Demo, front_end: Door, books: Books, bureau_back: None
) -> None:
    demo.control().put("/bureau", {"state": "slow"})
    told = front_end.ask("POST", "/v1/invoices", simple(demo.taxpayer_id, "slow-bureau"), wait=10)
    assert told.status == 200 and told.json["state"] == "issued"
    books.uploaded(["slow-bureau"], 30)
