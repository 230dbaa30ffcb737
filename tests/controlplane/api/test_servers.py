"""Servers side by side on one PostgreSQL: what one commits wakes who waits at the other; and a ledger that is away."""

from __future__ import annotations

import http.client
import json
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

import msgspec
import pytest
import sqlalchemy

from controlplane.store.engine import Ledger
from controlplane.wire import agents as wire
from tests.controlplane.api.conftest import serving
from tests.controlplane.api.house import House
from tests.controlplane.api.test_feed import feed
from tests.controlplane.operations.scene import Agent, Clock, Scene

JSON = {"Content-Type": "application/json"}


@pytest.fixture
def pair(postgresql_url: str, clock: Clock) -> Iterator[tuple[House, House]]:
    """Two servers on one database, with the same callers at both doors."""
    ledger = Ledger(postgresql_url, clock)
    scene = Scene(ledger)
    with serving(postgresql_url, clock) as first, serving(postgresql_url, clock) as second:
        house = House(first, scene, Agent(scene))
        both = house, house.at(second)
        for one in both:
            # FastAPI makes its routes when it first looks for one, and not safely in two threads at once.
            assert one.ask("GET", "/v1/nothing")[0] == 404
        yield both
    ledger.close()


def lease(house: House, wait: int) -> tuple[int, Any]:
    """A long poll of an agent that knows its addresses, so that it is answered by orders or by time alone."""
    asked: dict[str, Any] = {"session": house.agent.session, "wait": 0}
    status, answer = house.post("/v1/agent/lease", asked, "agent")
    if status != 200 or answer["orders"]:
        return status, answer
    return house.post("/v1/agent/lease", {**asked, "wait": wait, "revision": answer["revision"]}, "agent")


def work(house: House, wait: int = 10) -> list[wire.Order]:
    """Lease over HTTP, carry out, and report over HTTP."""
    status, answer = lease(house, wait)
    assert status == 200, answer
    orders = msgspec.convert(answer["orders"], list[wire.Order])
    outcomes = [msgspec.to_builtins(house.agent.done(order)) for order in orders]
    status, ack = house.post("/v1/agent/outcomes", {"session": house.agent.session, "outcomes": outcomes}, "agent")
    assert status == 200 and ack["settled"] == [order.job_id for order in orders], ack
    return orders


def timed(do: Callable[..., Any], *arguments: Any) -> tuple[float, Any]:
    begun = time.monotonic()
    found = do(*arguments)
    return time.monotonic() - begun, found


def request(house: House, number: int, wait: int) -> tuple[int, Any]:
    raw = json.dumps(house.invoice_body(number)).encode()
    status, given, content = house.send("POST", "/v1/invoices", raw, {**JSON, "Prefer": f"wait={wait}"}, "front_end")
    answer = json.loads(content)
    assert given["Location"] == f"/v1/invoices/{answer['id']}"
    return status, answer


def test_settled_at_one_server_wakes_who_waits_at_the_other(pair: tuple[House, House]) -> None:
    first, second = pair
    first.agent.work_off()
    with ThreadPoolExecutor(1) as pool:
        # The agent waits at the second server before there is anything to do.
        working = pool.submit(work, second)
        time.sleep(0.3)
        seconds, (status, answer) = timed(request, first, 1, 20)
        assert len(working.result(20)) == 1
    assert (status, answer["state"]) == (200, "issued") and seconds < 5
    status, again = request(second, 1, 0)
    assert (status, again["invoice_no"]) == (200, answer["invoice_no"]), "any server gives the same answer"


def test_a_feed_at_one_server_tells_what_the_other_commits(pair: tuple[House, House]) -> None:
    first, second = pair
    with feed(first) as followed:
        url, body, role = second.valid("/v1/lines")
        status, line = second.post(url, body, role)
        assert status == 201
        begun = time.monotonic()
        events = followed.changes(1)
        while events[-1]["id"] != line["id"]:
            events += followed.changes(1)
        assert time.monotonic() - begun < 5


def test_an_agent_revoked_at_one_server_is_cut_off_at_the_other(pair: tuple[House, House]) -> None:
    first, second = pair
    with ThreadPoolExecutor(1) as pool:
        polling = pool.submit(timed, lease, second, 25)
        time.sleep(0.5)
        body = {"reason": "gone", "version": first.version("agents", first.agent.id)}
        assert first.post(f"/v1/agents/{first.agent.id}/revoke", body)[0] == 200
        seconds, (status, answer) = polling.result(30)
    assert (status, answer["code"]) == (401, "agent_revoked") and seconds < 5
    time.sleep(3.1)
    for house in pair:
        assert house.post("/v1/agent/lease", {"session": "s"}, "agent")[0] == 401


@pytest.mark.parametrize("path", ["/v1/taxpayers", "/v1/tax-servers", "/v1/lines"])
def test_racing_to_make_one_record_one_wins(pair: tuple[House, House], path: str) -> None:
    url, body, role = pair[0].valid(path)
    with ThreadPoolExecutor(8) as pool:
        ends = list(pool.map(lambda number: pair[number % 2].post(url, body, role), range(16)))
    assert Counter(status for status, _ in ends) == {201: 1, 409: 15}
    assert {answer["code"] for status, answer in ends if status == 409} == {"already_exists"}
    listed = pair[0].ask("GET", f"{path}?limit=1000")[1]["items"]
    assert len([one for one in listed if all(one.get(name) == value for name, value in body.items())]) == 1


# --- one server


def test_waiting_ends_in_time_and_says_so(house: House) -> None:
    house.agent.work_off()
    seconds, (status, answer) = timed(request, house, 1, 1)
    assert (status, answer["state"]) == (202, "waiting") and 0.9 < seconds < 4
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(request, house, 1, 20)
        assert len(work(house)) == 1
        status, answer = waiting.result(20)
    assert (status, answer["state"], answer["invoice_no"]) == (200, "issued", "00010001")
    assert answer["net_total"] == "20.00" and len(answer["lines"]) == 1 and answer["virtual_device_no"]


@contextmanager
def locked(house: House) -> Iterator[None]:
    """Somebody else holds what every batch must write."""
    url, dialect = house.scene.ledger.url, house.scene.ledger.dialect
    engine = sqlalchemy.create_engine(url, poolclass=sqlalchemy.pool.NullPool)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("BEGIN IMMEDIATE" if dialect == "sqlite" else "BEGIN")
        connection.exec_driver_sql("UPDATE ledger_head SET id = id")
        yield
        connection.exec_driver_sql("ROLLBACK")


def test_a_ledger_that_cannot_be_written_is_told_and_comes_back(house: House) -> None:
    url, body, role = house.valid("/v1/taxpayers")
    before = house.scene.dump(but=())
    with locked(house), ThreadPoolExecutor(3) as pool:
        asked = [
            pool.submit(timed, house.send, "GET", "/readyz"),
            pool.submit(timed, house.send, "POST", url, json.dumps(body).encode(), JSON, role),
            pool.submit(timed, house.send, "POST", url, b"{}", JSON, role),
        ]
        assert house.ask("GET", "/healthz")[0] == 200
        assert house.ask("GET", "/v1/taxpayers")[0] == 200, "reading goes on"
        (_, ready), (_, valid), (_, refused) = (one.result(30) for one in asked)
    assert (ready[0], json.loads(ready[2])["faults"]) == (503, ["ledger"])
    for status, headers, content in (valid, refused):
        assert (status, headers["Retry-After"], json.loads(content)["code"]) == (503, "1", "service_unavailable")
    assert max(one.result()[0] for one in asked) < 15
    assert house.scene.dump(but=()) == before
    assert house.ask("GET", "/readyz")[0] == 200
    assert house.post(url, body, role)[0] == 201


def test_a_client_that_goes_away_while_waiting_harms_nobody(house: House) -> None:
    house.agent.work_off()
    for number in range(3):
        with pytest.raises(OSError):
            _leave_early(house, number)
    assert request(house, 10, 0)[0] == 202
    assert house.ask("GET", "/readyz")[0] == 200


def _leave_early(house: House, number: int) -> None:
    connection = http.client.HTTPConnection(urlsplit(house.url).netloc, timeout=0.2)
    headers = {**JSON, "Prefer": "wait=20", "Authorization": f"Bearer {house.tokens['front_end']}"}
    connection.request("POST", "/v1/invoices", json.dumps(house.invoice_body(number)).encode(), headers)
    try:
        connection.getresponse()
    finally:
        connection.close()


def test_many_at_once_are_all_answered(house: House) -> None:
    house.agent.work_off()
    stop = threading.Event()

    def serve() -> None:
        while not stop.is_set():
            work(house, 1)

    server = threading.Thread(target=serve)
    server.start()
    with ThreadPoolExecutor(20) as pool:
        ends = list(pool.map(lambda number: request(house, number, 20), range(60)))
    stop.set()
    server.join(20)
    assert {(status, answer["state"]) for status, answer in ends} == {(200, "issued")}
    assert sorted(int(answer["invoice_no"]) for _, answer in ends) == list(range(10_001, 10_061))
