"""Two hundred requests from twenty connections, and what may and may not be asked twice."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import pytest

from tests.journeys.asking import Asked, ask, simple
from tests.journeys.books import Books
from tests.journeys.conftest import SPEED
from tests.journeys.demo_process import Demo
from tests.journeys.front_door import Answer, Door, Row

REQUESTS, CONNECTIONS = 200, 20
A_MINUTE = 60 / SPEED
MOVES = ("version", "updated_at", "upload_status", "upload_message", "uploaded_at", "upload_receipt_no")
LIMIT_026 = "99999.99"


class Sent(NamedTuple):
    """What was asked for, and what the first answers were."""

    asked: list[Asked]
    answers: dict[str, Answer]


def send_all(door: Door, asked: list[Asked]) -> dict[str, Answer]:
    """Send requests over ``CONNECTIONS`` kept connections; answers by request."""
    answers: dict[str, Answer] = {}

    def work(share: list[Asked]) -> None:
        connection = door.open()
        for one in share:
            answers[one.request_id] = door.ask("POST", "/v1/invoices", one.body, wait=10, over=connection)
        connection.close()

    with ThreadPoolExecutor(CONNECTIONS) as pool:
        for done in [pool.submit(work, asked[n::CONNECTIONS]) for n in range(CONNECTIONS)]:
            done.result()
    return answers


@pytest.fixture(scope="module")
def sent(demo: Demo, front_end: Door) -> Sent:
    asked = [ask(demo.taxpayer_id, f"walk-{n:03d}", order_no=f"walk-order-{n:03d}") for n in range(REQUESTS)]
    started = time.monotonic()
    answers = send_all(front_end, asked)
    print(f"{REQUESTS} requests, {CONNECTIONS} connections: {time.monotonic() - started:.1f} s")
    return Sent(asked, answers)


def test_all_are_issued_and_right_to_the_fen(sent: Sent) -> None:
    natures: set[int] = set()
    for one in sent.asked:
        answer = sent.answers[one.request_id]
        assert answer.status == 200 and answer.json["state"] == "issued", answer
        one.check(answer.json)
        natures |= {nature for nature, _, _ in one.lines}
    assert natures == {0, 1, 2} and {one.body["tax_inclusive"] for one in sent.asked} == {True, False}


def test_each_number_is_given_once_and_none_is_left_out(sent: Sent, books: Books) -> None:
    told = [answer.json for answer in sent.answers.values()]
    assert len({(row["invoice_code"], row["invoice_no"]) for row in told}) == REQUESTS
    assert len({row["device_no"] for row in told}) == 4
    books.numbers(books.ledger())


def test_ledger_journals_and_bureau_list_the_same_within_a_minute(sent: Sent, books: Books) -> None:
    requests = {one.request_id for one in sent.asked}
    books.uploaded(requests, A_MINUTE)
    ledger = books.compare()
    assert requests <= ledger.keys()
    assert all(ledger[name]["upload_status"] == "uploaded" for name in requests)


def test_posting_all_again_changes_nothing(sent: Sent, demo: Demo, books: Books, front_end: Door) -> None:
    books.uploaded(sent.answers, 4 * A_MINUTE)
    mark = _newest(demo)
    second, third = send_all(front_end, sent.asked), send_all(front_end, sent.asked)
    for name, first in sent.answers.items():
        assert second[name].status == 200 and _still(second[name]) == _still(first)
        assert third[name] == second[name]
    assert _logged_since(demo, mark) == []


def _still(answer: Answer) -> Row:
    return {name: value for name, value in answer.json.items() if name not in MOVES}


def _newest(demo: Demo) -> int:
    rows: list[Row] = demo.door("auditor").get("/v1/operation-log", limit="1")["items"]
    return int(rows[0]["seq"])


def _logged_since(demo: Demo, mark: int) -> list[Row]:
    """Operation-log rows about the taxpayer that came after ``mark``."""
    rows: list[Row] = demo.door("auditor").get("/v1/operation-log", limit="1000")["items"]
    assert rows[-1]["seq"] <= mark + 1 or len(rows) < 1000
    return [row for row in rows if row["seq"] > mark and row["taxpayer_id"] == demo.taxpayer_id]


def test_one_request_on_two_connections_at_once_is_one_invoice(demo: Demo, front_end: Door, books: Books) -> None:
    def both(number: int) -> list[Answer]:
        body, together = ask(demo.taxpayer_id, f"twin-{number}").body, threading.Barrier(2)

        def one(_place: int) -> Answer:
            connection = front_end.open()
            connection.connect()
            together.wait()
            try:
                return front_end.ask("POST", "/v1/invoices", body, wait=10, over=connection)
            finally:
                connection.close()

        with ThreadPoolExecutor(2) as pool:
            return list(pool.map(one, range(2)))

    for number in range(10):
        one, other = both(number)
        assert one.status == other.status == 200
        assert one.json["state"] == "issued" and _still(one) == _still(other)
    requests = [row["request_id"] for row in books.journal()]
    assert [requests.count(f"twin-{number}") for number in range(10)] == [1] * 10


def test_another_body_under_a_known_request_is_refused_naming_the_fields(demo: Demo, front_end: Door) -> None:
    asked = ask(demo.taxpayer_id, "same-request", order_no="same-request")
    first = front_end.post("/v1/invoices", asked.body, wait=10)
    other = json.loads(json.dumps(asked.body))
    other["buyer"]["name"] = "另一家公司"
    other["lines"][0] |= {"tax_class_code": "1010303010000000001"}
    mark = _newest(demo)
    answer = front_end.ask("POST", "/v1/invoices", other)
    assert answer.status == 422 and answer.json["code"] == "request_body_differs"
    assert "buyer.name, lines[0].tax_class_code" in answer.json["detail"]
    assert [row["outcome"] for row in _logged_since(demo, mark)] == ["refused"]
    assert _still(front_end.ask("POST", "/v1/invoices", asked.body)) == {
        name: value for name, value in first.items() if name not in MOVES
    }


def test_the_same_meaning_in_another_spelling_is_the_same_request(demo: Demo, front_end: Door) -> None:
    body = simple(demo.taxpayer_id, "spelling", remark="备注")
    first = front_end.post("/v1/invoices", body, wait=10)
    respelled = dict(reversed(body.items())) | {"payee": None, "direction": "blue", "tax_inclusive": False}
    assert front_end.post("/v1/invoices", respelled, wait=10)["id"] == first["id"]


def test_an_order_with_a_live_invoice_takes_no_second(demo: Demo, front_end: Door) -> None:
    first = front_end.post("/v1/invoices", simple(demo.taxpayer_id, "live-1", order_no="live-order"), wait=10)
    answer = front_end.ask("POST", "/v1/invoices", simple(demo.taxpayer_id, "live-2", order_no="live-order"))
    assert answer.status == 409 and answer.json["code"] == "order_has_live_invoice"
    assert "live-order" in answer.json["detail"] and first["id"] in answer.json["detail"]
    found = front_end.all("/v1/invoices", taxpayer_id=demo.taxpayer_id, order_no="live-order")
    assert [row["id"] for row in found] == [first["id"]]


def test_over_the_single_limit_is_refused_and_may_be_corrected(demo: Demo, front_end: Door, books: Books) -> None:
    """100,000.00 and 13 % tax: the excess over the device's limit is named; the correction is a second attempt."""
    body = simple(demo.taxpayer_id, "too-much", "100000.00", order_no="corrected")
    refused = front_end.ask("POST", "/v1/invoices", body, wait=10)
    assert refused.status == 200 and refused.json["state"] == "refused"
    refusal = refused.json["refusal"]
    assert refusal["code"] == "over_single_limit" and refusal["remedy"] and refusal["runbook"]
    assert LIMIT_026 in refusal["message"] and "13000.01" in refusal["message"]
    assert front_end.ask("POST", "/v1/invoices", body, wait=10).json == refused.json

    corrected = simple(demo.taxpayer_id, "enough", "80000.00", order_no="corrected")
    issued = front_end.post("/v1/invoices", corrected, wait=10)
    assert issued["state"] == "issued" and issued["gross_total"] == "90400.00"
    linked = [(one["request_id"], one["state"]) for one in issued["attempts"]]
    assert linked == [("too-much", "refused"), ("enough", "issued")]
    orders = front_end.all("/v1/orders", taxpayer_id=demo.taxpayer_id, order_no="corrected")
    assert sorted((row["attempt"], row["request_id"], row["invoice_state"]) for row in orders) == [
        (1, "too-much", "refused"),
        (2, "enough", "issued"),
    ]
    assert [row["request_id"] for row in books.journal() if row["order_no"] == "corrected"] == ["enough"]


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("rate_not_authorised", lambda body: body["lines"][0].update(rate="0.17")),
        ("buyer_tax_id_missing", lambda body: body.update(kind="028", buyer={"name": "无税号"})),
        ("discount_invalid", lambda body: body["lines"][0].update(discount_amount="100.01")),
        ("device_unknown", lambda body: body.update(device_no="999")),
    ],
)
def test_a_broken_rule_is_named_and_listed_with_its_remedy(
    demo: Demo, front_end: Door, name: str, change: Callable[[Row], None]
) -> None:
    body = simple(demo.taxpayer_id, f"broken-{name}")
    change(body)
    told = front_end.post("/v1/invoices", body, wait=10)
    assert told["state"] == "refused", told
    assert told["refusal"]["code"] == name, told["refusal"]
    listed = front_end.all("/v1/invoices", taxpayer_id=demo.taxpayer_id, state="refused")
    refusal = next(row["refusal"] for row in listed if row["id"] == told["id"])
    assert refusal["reason_class"] == "data" and refusal["remedy"]
