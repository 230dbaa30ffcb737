"""Everything that keeps a device from issuing, one test per cause; 0 means not limited."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from controlplane.domain import virtual_device
from controlplane.domain.invoice_request import RequestedBuyer
from controlplane.domain.readiness import DeviceFacts, KindLimits, blocks, device_blocks, fits
from tests.controlplane.domain.examples import LIMITS, NOW, RULES, TODAY, facts, line, priced


def stops(given: DeviceFacts, gross_fen: int = 100, now: datetime = NOW, kind: str = "026") -> list[str]:
    return [one.code for one in blocks(given, kind, gross_fen, now, RULES)]


def limited(**changes: object) -> dict[str, KindLimits]:
    return {"026": replace(LIMITS, **changes)}


def test_a_healthy_device_issues() -> None:
    assert stops(facts()) == []


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"state": "suspended"}, "device_stopped"),
        ({"state": "cancelled"}, "device_cancelled"),
        ({"server_state": "suspended"}, "server_stopped"),
        ({"server_state": "commissioned"}, "server_stopped"),
        ({"may_issue": False}, "taxpayer_stopped"),
        ({"read_at": None}, "device_not_read"),
        ({"read_at": NOW - timedelta(minutes=10, seconds=1)}, "device_facts_old"),
        ({"reachable": False}, "device_unreachable"),
        ({"certificate_not_after": NOW}, "certificate_expired"),
        ({"server_certificate_not_after": NOW - timedelta(days=1)}, "server_certificate_expired"),
        ({"clock_offset_seconds": 1800.5}, "clock_off"),
        ({"clock_offset_seconds": -1801.0}, "clock_off"),
        ({"stock": {"026": 0, "028": 5}}, "no_stock"),
        ({"stock": {}}, "no_stock"),
        ({"kinds": limited(issue_deadline=date(2026, 11, 21))}, "issue_deadline"),
        ({"kinds": limited(upload_deadline_day=15), "late_uploads": 1}, "upload_deadline"),
    ],
)
def test_each_cause_stops_the_device_by_name(changes: dict, code: str) -> None:
    assert stops(facts(**changes)) == [code]


@pytest.mark.parametrize("state", sorted(virtual_device.NEXT_STEP))
def test_a_device_in_commissioning_names_its_next_step(state: str) -> None:
    [refusal] = blocks(facts(state=state), "026", 100, NOW, RULES)[:1]
    assert refusal.code == "device_not_ready"
    assert refusal.details["next_step"] == virtual_device.NEXT_STEP[state]


@pytest.mark.parametrize(
    "changes",
    [
        {"clock_offset_seconds": 1800.0},
        {"clock_offset_seconds": None},
        {"certificate_not_after": None},
        {"kinds": limited(issue_deadline=TODAY)},
        {"kinds": limited(issue_deadline=None)},
        {"kinds": limited(upload_deadline_day=15)},
        {"kinds": limited(upload_deadline_day=22), "late_uploads": 3},
        {"read_at": NOW - timedelta(minutes=10)},
        {"bureau_online": False},
    ],
)
def test_bounds_belong_to_the_allowed_side(changes: dict) -> None:
    assert stops(facts(**changes)) == []


def test_the_deadline_day_lasts_until_midnight_device_time() -> None:
    given = facts(kinds=limited(issue_deadline=date(2026, 11, 22)), read_at=datetime(2026, 11, 22, 15, 59, tzinfo=UTC))
    assert stops(given, now=datetime(2026, 11, 22, 15, 59, 59, tzinfo=UTC)) == []
    assert stops(given, now=datetime(2026, 11, 22, 16, 0, tzinfo=UTC)) == ["issue_deadline"]


def test_the_clock_bound_tightens_in_the_months_last_hour() -> None:
    last_hour = datetime(2026, 11, 30, 15, 0, tzinfo=UTC)
    assert stops(facts(clock_offset_seconds=301.0, read_at=last_hour), now=last_hour) == ["clock_off_month_end"]
    assert stops(facts(clock_offset_seconds=300.0, read_at=last_hour), now=last_hour) == []


def test_offline_limits_count_this_invoice_and_zero_is_no_limit() -> None:
    offline = {"bureau_online": False, "offline_since": NOW - timedelta(hours=71, minutes=59)}
    hours, count, amount = limited(offline_max_hours=72), limited(offline_max_count=10), limited(offline_max_fen=1000)
    assert stops(facts(kinds=hours, **offline)) == []
    assert stops(facts(kinds=hours, **{**offline, "offline_since": NOW - timedelta(hours=72)})) == ["offline_hours"]
    assert stops(facts(kinds=count, offline_count=9, **offline)) == []
    assert stops(facts(kinds=count, offline_count=10, **offline)) == ["offline_count"]
    assert stops(facts(kinds=amount, offline_fen=900, **offline), 100) == []
    assert stops(facts(kinds=amount, offline_fen=900, **offline), 101) == ["offline_amount"]
    assert stops(facts(offline_count=10**6, offline_fen=10**12, **offline)) == []


def test_several_causes_are_all_told() -> None:
    given = facts(clock_offset_seconds=2000.0, stock={}, certificate_not_after=NOW)
    assert stops(given) == ["certificate_expired", "clock_off", "no_stock"]
    assert [one.code for one in device_blocks(given, "026", 1, NOW, RULES)] == ["certificate_expired", "clock_off"]


def misfits(given: DeviceFacts, *lines: object, **changes: object) -> list[tuple[str, str]]:
    return [(one.code, one.field) for one in fits(given, priced(*lines, **changes), RULES, TODAY)]


def test_an_invoice_fits_a_device_that_holds_its_kind_and_rates() -> None:
    assert misfits(facts()) == []


def test_kinds_the_device_does_not_hold_or_its_kind_cannot_issue() -> None:
    assert misfits(facts(kinds={"028": LIMITS})) == [("kind_not_on_device", "kind")]
    special = {"kind": "028"}
    assert misfits(facts(device_kind="golden_disk_c48"), **special) == [("kind_not_on_device", "kind")]


def test_rates_must_be_authorised_on_the_device() -> None:
    [refusal] = fits(facts(rates=frozenset({"0.13"})), priced(line(discount_amount="1.00")), RULES, TODAY)
    assert (refusal.code, refusal.field) == ("rate_not_authorised", "lines[0].rate")
    assert refusal.details["allowed"] == "0.13" and not refusal.waits


def test_over_the_single_limit_names_limit_and_excess() -> None:
    at_limit = line(quantity=None, unit_price=None, amount="10000.00", rate="0.09")
    [refusal] = fits(facts(), priced(at_limit), RULES, TODAY)
    assert refusal.code == "over_single_limit"
    assert [refusal.details[name] for name in ("gross", "limit", "excess")] == ["10900.00", "10000.00", "900.00"]
    assert misfits(facts(kinds=limited(single_limit_fen=1_090_000)), at_limit) == []
    assert misfits(facts(kinds=limited(single_limit_fen=0)), at_limit) == []


def test_text_the_device_cannot_write_is_refused_never_replaced() -> None:
    buyer = RequestedBuyer(name="Toms Spezialitäten")
    [refusal] = fits(facts(charset="gbk"), priced(buyer=buyer), RULES, TODAY)
    assert (refusal.code, refusal.field, refusal.details["position"]) == ("character_not_in_charset", "buyer.name", 15)
    assert "ä (U+00E4)" in refusal.message
    assert misfits(facts(charset=""), buyer=buyer) == []
