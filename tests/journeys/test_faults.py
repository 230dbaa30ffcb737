"""Each fault, while issuing and while uploading, ends in one invoice per order; the API names the cause meanwhile."""

from __future__ import annotations

import queue
import time
from concurrent.futures import Future, ThreadPoolExecutor

import pytest

from tests.journeys.asking import simple
from tests.journeys.books import Books
from tests.journeys.demo_process import Demo
from tests.journeys.desk import Desk
from tests.journeys.fault_cases import ISSUING, SETTLED_WITHIN, UPLOADING, Case, Trial
from tests.journeys.front_door import Door, until

Results = dict[tuple[str, str], Future[float]]


@pytest.fixture(scope="module")
def trials(demo: Demo, desk: Desk) -> Results:
    """Every case once, each on the next device that is free; the results are told by the tests below."""
    free: queue.SimpleQueue[str] = queue.SimpleQueue()
    devices = [device["device_no"] for device in desk.devices(demo.taxpayer_id)]
    for device_no in devices:
        free.put(device_no)

    def run(moment: str, case: Case) -> float:
        device_no, started = free.get(), time.monotonic()
        try:
            Trial(demo, device_no, case, f"{moment}-{case}").run()
        finally:
            free.put(device_no)
        return time.monotonic() - started

    with ThreadPoolExecutor(len(devices)) as pool:
        cases = [("issuing", case) for case in ISSUING] + [("uploading", case) for case in UPLOADING]
        return {(moment, case.name): pool.submit(run, moment, case) for moment, case in cases}


@pytest.mark.parametrize("case", ISSUING, ids=str)
def test_while_issuing(trials: Results, case: Case) -> None:
    print(f"{case}: {trials['issuing', case.name].result():.1f} s", end=" ")


@pytest.mark.parametrize("case", UPLOADING, ids=str)
def test_while_uploading(trials: Results, case: Case) -> None:
    print(f"{case}: {trials['uploading', case.name].result():.1f} s", end=" ")


def test_a_tax_server_that_is_down_stops_its_devices_and_loses_nothing(demo: Demo, desk: Desk, front_end: Door) -> None:
    """Its port is really closed: nothing is sent, every device of it says so, and all goes on when it is back."""
    devices = desk.devices(demo.taxpayer_id)
    server_no = devices[0]["tax_server_no"]
    demo.faults(server_no, {"kind": "down"})
    try:
        bodies = [
            simple(demo.taxpayer_id, f"server-down-{device['device_no']}", device_no=device["device_no"])
            for device in devices
        ]
        waiting = [front_end.post("/v1/invoices", body)["id"] for body in bodies]

        def all_say_so() -> bool:
            causes = {device["health"]["cause"] for device in desk.devices(demo.taxpayer_id)}
            reasons = [front_end.get(f"/v1/invoices/{name}")["waiting_reason"] for name in waiting]
            codes = {reason["code"] if reason else None for reason in reasons}
            return causes == {"device_unreachable"} and codes == {"device_unreachable"}

        until(all_say_so, SETTLED_WITHIN, "device_unreachable on every device and invoice")
    finally:
        demo.faults(server_no)
    settled = [front_end.post("/v1/invoices", body, wait=30) for body in bodies]
    assert {row["state"] for row in settled} == {"issued"}


def test_afterwards_the_books_agree_row_by_row(trials: Results, books: Books, front_end: Door, demo: Demo) -> None:
    waiting = front_end.all("/v1/invoices", taxpayer_id=demo.taxpayer_id, state="waiting")
    assert waiting == []
    books.uploaded(books.ledger(), SETTLED_WITHIN)
    ledger = books.compare()
    rejected = {name for name, row in ledger.items() if row["upload_status"] == "signature_rejected"}
    assert rejected == {f"{moment}-signature_rejected-{n}" for moment in ("issuing", "uploading") for n in (1, 2)}
