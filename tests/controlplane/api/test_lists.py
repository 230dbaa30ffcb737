"""Lists: walked completely by cursor; hostile queries are refused, and a spent segment is shown like any other."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote, urlencode

from controlplane.store.taxpayers import TaxpayerRow
from controlplane.store.times import new_id
from controlplane.store.transaction import Transaction
from tests.controlplane.api import doors
from tests.controlplane.api.house import House
from tests.controlplane.operations.scene import Agent, body

LISTS = {
    "agents", "devices", "invoices", "jobs", "lines", "operation-log", "orders", "people", "segments", "sessions",
    "stock", "stops", "tax-servers", "taxpayers", "terminals", "virtual-devices", *doors.lists(),
}  # fmt: skip


def fill(house: House) -> None:
    """Several rows in every list."""
    for number in range(5):
        house.scene.request(body(house.owner, f"r{number}", kind="026" if number % 2 else "028"))
        for path in ("/v1/lines", "/v1/tax-servers", "/v1/virtual-devices", "/v1/taxpayers", "/v1/stops"):
            url, sent, role = house.valid(path)
            assert house.post(url, sent, role)[0] == 201
    for number in range(4):
        url, sent, role = house.valid("/v1/virtual-devices/{record_id}/add_terminal")
        assert house.post(url, sent, role)[0] == 202
        house.agent.work_off()
        house.paper.stock("026", 30_000 + number * 100, 50, sent["terminal_code"])
    house.agent.observe(house.paper)
    doors.fill(house)
    for number in range(3):
        Agent(house.scene, host_id=f"h{number}")


def walk(house: House, noun: str, limit: int, **filters: str) -> list[Any]:
    found: list[Any] = []
    query: dict[str, Any] = {"limit": limit, **filters}
    while True:
        status, page = house.ask("GET", f"/v1/{noun}?{urlencode(query)}")
        assert status == 200 and len(page["items"]) <= limit, page
        found += page["items"]
        if page["next"] is None:
            return found
        assert len(page["items"]) == limit
        query["cursor"] = page["next"]


def test_every_list_is_walked_completely(house: House) -> None:
    fill(house)
    paths = house.openapi()["paths"]
    described = {path.removeprefix("/v1/") for path in paths if "get" in paths[path] and path.startswith("/v1/")}
    assert described >= LISTS, "every list that is walked here is described"
    for noun in sorted(LISTS):
        whole = walk(house, noun, 1000)
        assert len(whole) >= 3, (noun, len(whole))
        for limit in (1, 2, len(whole) - 1, len(whole)):
            assert walk(house, noun, limit) == whole, (noun, limit)


def test_filters_go_with_the_cursor(house: House) -> None:
    fill(house)
    filters = {"invoices": "state", "jobs": "kind", "segments": "kind", "taxpayers": "region", "tax-servers": "state"}
    for noun, name in {**filters, "stock": "kind"}.items():
        whole = walk(house, noun, 1000)
        for value in {one[name] for one in whole}:
            assert walk(house, noun, 2, **{name: value}) == [one for one in whole if one[name] == value], (noun, value)
        assert walk(house, noun, 2, **{name: "nothing"}) == []


def test_an_invoice_is_found_by_what_people_know_of_it(house: House) -> None:
    invoice_id = house.scene.request(body(house.owner, "r1", order_no="o/1?&=#"))[0]
    house.agent.work_off()
    number = house.scene.invoice(invoice_id)["invoice_no"]
    for query in ({"request_id": "r1"}, {"order_no": "o/1?&=#"}, {"invoice_no": number}, {"taxpayer_id": house.owner}):
        page = house.ask("GET", f"/v1/invoices?{urlencode(query)}")[1]
        assert [one["id"] for one in page["items"]] == [invoice_id], query
    for query in ({"request_id": "R1"}, {"request_id": "r"}, {"order_no": "o%"}, {"order_no": "_____"}):
        assert house.ask("GET", f"/v1/invoices?{urlencode(query)}")[1]["items"] == []


NUMBERS = (
    "-1", "0", "1001", "9223372036854775808", "-9223372036854775809", "1" * 5000, "1e3", "0x10", "NaN", "Infinity",
    "１０", "²", "", " ", "null", "1.5", "true", "1;drop", "\x00",
)  # fmt: skip
CURSORS = ("-", "AAAA", "a" * 129, "a" * 5000, "é", "%", "../", "\x00", " ", "=", "null", "MA==")
NO_NUMBERS = ("LTE", "OTk5OTk5OTk5OTk5OTk5OTk5OTk5", "YWJj")
"""Cursors that hold -1, a number beyond 2^63, and abc."""
WORDS = ("", " ", "\x00", "\n", "a b", "é", "\u202e", "x" * 65, "x" * 5000, "' OR '1'='1")
NO_WORDS = ("%", "'", '"', "*", "a,b", "[]")
"""Good for order numbers and request ids, which take any printable ASCII, and for nothing else."""


def hostile(noun: str, name: str) -> tuple[str, ...]:
    """What a query parameter of a list does not take."""
    if name == "limit":
        return NUMBERS
    if name == "cursor":
        return CURSORS + NO_NUMBERS if noun == "operation-log" else CURSORS
    return WORDS if name in ("order_no", "request_id") else WORDS + NO_WORDS


FREE = {"search"}
"""Parameters that take any words: what is not found is no fault."""


def test_hostile_queries_are_refused(house: House) -> None:
    paths = house.openapi()["paths"]
    for noun in LISTS:
        names = {one["name"] for one in paths[f"/v1/{noun}"]["get"]["parameters"]}
        assert {"limit", "cursor"} <= names
        for name in names:
            for value in hostile(noun, name):
                status, answer = house.ask("GET", f"/v1/{noun}?{quote(name)}={quote(value)}")
                if name in FREE and status == 200:
                    continue
                assert status == 422 and answer["code"] in ("query_invalid", "cursor_invalid"), (name, value, answer)
                assert answer["errors"][0]["field"] == name
                json.dumps(answer, ensure_ascii=False).encode("utf-8")


def test_extreme_times_break_nothing(house: House) -> None:
    for year in ("0000", "0001", "9999"):
        for zone in ("Z", "+23:59", "-23:59"):
            moment = quote(f"{year}-12-31T23:59:59{zone}")
            assert house.ask("GET", f"/v1/invoices?request_id={moment}")[0] == 200
            assert house.ask("GET", f"/v1/events?after={moment}")[0] == 422


def test_a_spent_segment_is_shown_like_any_other(house: House) -> None:
    segment = house.paper.segments[0]
    segment.left, segment.next_no = 0, f"{int(segment.end_no) + 1:08d}"
    house.agent.observe(house.paper)
    shown = next(one for one in walk(house, "segments", 10) if one["start_no"] == segment.start_no)
    assert (shown["left"], shown["next_no"], shown["state"]) == (0, None, "exhausted")
    assert house.ask("GET", f"/v1/segments/{shown['id']}")[0] == 200
    stock = next(one for one in walk(house, "stock", 10) if one["kind"] == segment.kind)
    assert (stock["left"], stock["available"]) == (0, 0)


def test_a_thousand_rows_are_the_most_at_once(house: House) -> None:
    def many(tx: Transaction) -> None:
        fixed = {"name": "x", "taxpayer_kind": "small", "region": "1100", "created_at": tx.now, "updated_at": tx.now}
        for number in range(1100):
            tx.add(TaxpayerRow(taxpayer_id=f"8{number:017d}", id=new_id(), **fixed))

    house.scene.ledger.write_now(many)
    assert len(house.ask("GET", "/v1/taxpayers?limit=1000")[1]["items"]) == 1000
    assert len(house.ask("GET", "/v1/taxpayers")[1]["items"]) == 100
    assert len(walk(house, "taxpayers", 1000)) == 1101
