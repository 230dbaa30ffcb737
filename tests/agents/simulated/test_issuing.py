"""What a device checks before it signs, and what it signs then."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from agents.simulated.device import Company, Device, DeviceFacts, KindFacts, Segment
from agents.simulated.issuing import body_hash, check, check_upload_day, sign
from agents.simulated.refusals import Refusal
from tests.agents.simulated.practice import TAXPAYER, invoice

NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)


def device(**facts: Any) -> Device:
    kind = KindFacts("026", "20261215", "20261101", "20261130", "20261101", 15, "999.99", 72, 3, "1000.00")
    company = Company(TAXPAYER, "测试", "01", True, "11100000000", "某局", {})
    known = DeviceFacts(
        **{
            "taxpayer_id": TAXPAYER,
            "taxpayer_name": "测试",
            "area": "1100",
            "company": company,
            "certificate_not_after": "20261122",
            "key": "k",
            "kinds": [kind],
            "rates": ["0.13", "0"],
            "terminals": {"T1": "一号"},
            **facts,
        }
    )
    one = Device("661100000001", "S0", known, lambda: NOW)
    one.add_segment(Segment(1, "LP1", "026", "011002600111", 1, 10, 4, "T1", "20261122"))
    return one


def refusal(one: Device, **changes: Any) -> str:
    with pytest.raises(Refusal) as refused:
        check(one, invoice(one.device_no, "L1", **changes))
    return refused.value.code


def line(**changes: str) -> list[dict[str, str]]:
    return [{"JE": "100.00", "SL": "0.13", "SE": "13.00"} | changes]


def test_a_good_invoice_gets_the_terminals_next_number():
    one = device()
    body = invoice(one.device_no, "L1")
    record = sign(one, check(one, body), body)
    assert (record.invoice_code, record.invoice_no, record.index) == ("011002600111", "00000004", 1)
    assert record.issued_at == "2026-11-22T17:00:00+08:00" and record.gross_total == "113.00"
    assert record.payload_hash == body_hash(body)
    assert one.segments[0].next == 4, "nothing is used before it is stored"


def test_the_hash_leaves_out_serial_and_expected_number_only():
    one = invoice("d", "L1")
    assert body_hash(one) == body_hash(one | {"LSH": "L2", "DQFPDM": "1", "DQFPHM": "2"})
    assert body_hash(one) != body_hash(one | {"BZ": "x"})


@pytest.mark.parametrize(
    ("code", "changes"),
    [
        ("09d110", {"FPLXDM": "004"}),
        ("1002", {"KPZDDM": "T9"}),
        ("1003", {"DQFPDM": "011002600111", "DQFPHM": "00000005"}),
        ("092400", {"XFSH": "OTHER"}),
        ("092400", {"FYXM": []}),
        ("092400", {"FYXM": "x"}),
        ("092400", {"FYXM": line(JE="1e2")}),
        ("092400", {"FYXM": line(JE="99.99")}),
        ("092400", {"FYXM": line(SE="13.07")}),
        ("092400", {"FYXM": line(SL="x")}),
        ("092400", {"JSHJ": "113.01"}),
        ("092400", {"JSHJ": None}),
        ("092400", {"KPLX": "1"}),
        ("09d116", {"FYXM": line(SL="0.17")}),
        ("09d115", {"FYXM": line(JE="1000.00", SE="130.00"), "HJJE": "1000.00", "HJSE": "130.00", "JSHJ": "1130.00"}),
    ],
)
def test_what_the_body_may_not_say(code: str, changes: dict[str, Any]):
    assert refusal(device(), **changes) == code


def test_the_expected_number_may_be_given_when_it_is_right():
    one = device()
    body = invoice(one.device_no, "L1", DQFPDM="011002600111", DQFPHM="00000004")
    assert check(one, body) is one.segments[0]


def test_the_limit_refusal_names_limit_and_excess():
    big = {"FYXM": line(JE="1000.00", SE="130.00"), "HJJE": "1000.00", "HJSE": "130.00", "JSHJ": "1130.00"}
    with pytest.raises(Refusal) as refused:
        check(device(), invoice("d", "L1", **big))
    assert "999.99" in refused.value.message and "0.01" in refused.value.message


@pytest.mark.parametrize(
    ("code", "facts"),
    [
        ("09c001", {"certificate_not_after": ""}),
        ("09c001", {"certificate_not_after": "20261121"}),
        ("300002", {"company": Company(TAXPAYER, "", "01", False, "", "", {})}),
        ("09e105", {"clock_offset": 1801.0}),
        ("09e105", {"clock_offset": -1801.0}),
        ("09d11f", {"offline_since": "20261119165900"}),
    ],
)
def test_what_the_device_may_not_be(code: str, facts: dict[str, Any]):
    assert refusal(device(**facts)) == code


@pytest.mark.parametrize("facts", [{"clock_offset": 1800.0}, {"offline_since": "20261119170100"}])
def test_just_inside_a_limit_is_allowed(facts: dict[str, Any]):
    one = device(**facts)
    assert check(one, invoice(one.device_no, "L1"))


def test_the_deadline_day_itself_is_allowed_and_the_next_is_not():
    one = device(certificate_not_after="20300101")
    one.clock = lambda: datetime(2026, 12, 15, 15, 59, tzinfo=UTC)
    assert check(one, invoice(one.device_no, "L1"))
    one.clock = lambda: datetime(2026, 12, 15, 16, 0, tzinfo=UTC)
    assert refusal(one) == "09d109"


def test_offline_count_and_amount_are_limited_only_while_offline():
    one = device()
    one.waiting_count, one.waiting_fen = 3, 90000
    assert check(one, invoice(one.device_no, "L1"))
    one.facts.offline_since = "20261122165900"
    assert refusal(one) == "09d120"
    one.waiting_count = 2
    assert refusal(one) == "09d121"
    one.waiting_fen = 88700
    assert check(one, invoice(one.device_no, "L1"))


def test_last_months_invoices_must_be_uploaded_by_the_upload_day():
    one = device()
    with pytest.raises(Refusal) as refused:
        check_upload_day(one, "026", "20261031")
    assert refused.value.code == "09d122"
    check_upload_day(one, "026", "20261101")
    check_upload_day(one, "026", "")
    one.clock = lambda: NOW - timedelta(days=10)
    check_upload_day(one, "026", "20261031")


def test_a_spent_segment_gives_way_to_the_next_and_then_to_none():
    one = device()
    one.segments[0].next = 11
    assert refusal(one) == "1002"
    one.add_segment(Segment(2, "LP2", "026", "011002600111", 50, 50, 50, "T1", "20261122"))
    assert check(one, invoice(one.device_no, "L1")).start == 50
