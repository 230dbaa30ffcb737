"""Health names what stops a device first, and in how many minutes."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta

import pytest

from controlplane.domain.health import TEXTS, Burn, Health, ServerFacts, duration, health, server_health
from controlplane.domain.readiness import KindLimits
from tests.controlplane.domain.examples import LIMITS, NOW, RULES, facts

FAR = {"026": replace(LIMITS, issue_deadline=date(2027, 12, 31))}


def of(burn: Burn | None = None, now: datetime = NOW, **changes: object) -> Health:
    given = {"kinds": FAR, "stock": {"026": 100}, "certificate_not_after": None, **changes}
    return health(facts(**given), now, RULES, burn)


def seen(one: Health) -> tuple[str, str, int | None]:
    return one.verdict, one.cause, one.minutes_until_stop


def test_nothing_in_sight_is_fine() -> None:
    assert seen(of(kinds={"026": KindLimits()})) == ("ok", "fine", None)
    assert of(kinds={"026": KindLimits()}).text == "正常"


def test_the_first_limit_is_named_while_it_is_far() -> None:
    verdict, cause, minutes = seen(of(kinds={"026": LIMITS}))
    assert (verdict, cause) == ("ok", "issue_deadline")
    assert minutes == 23 * 1440 + 13 * 60, "23 days and 13 hours until the deadline day has ended"


@pytest.mark.parametrize(
    ("changes", "burn", "expected"),
    [
        ({"stock": {"026": 100}}, Burn({"026": 1.0}), ("warn", "no_stock", 100)),
        ({"stock": {"026": 1000}}, Burn({"026": 1.0}), ("ok", "no_stock", 1000)),
        ({"stock": {"026": 9000, "028": 10}}, Burn({"026": 1.0, "028": 0.5}), ("warn", "no_stock", 20)),
        (
            {"kinds": {"026": replace(LIMITS, issue_deadline=date(2026, 11, 23))}},
            None,
            ("warn", "issue_deadline", 2220),
        ),
        ({"certificate_not_after": NOW + timedelta(days=29)}, None, ("warn", "certificate_expired", 29 * 1440)),
        ({"server_certificate_not_after": NOW + timedelta(days=2)}, None, ("warn", "server_certificate_expired", 2880)),
        ({"clock_offset_seconds": 301.0}, None, ("warn", "clock_off_month_end", 8 * 1440 + 12 * 60)),
    ],
)
def test_what_comes_near_warns(changes: dict, burn: Burn | None, expected: tuple) -> None:
    result = of(burn, **changes)
    assert seen(result) == expected
    assert result.text and result.told("en")


def test_offline_limits_run_out() -> None:
    since = {"bureau_online": False, "offline_since": NOW - timedelta(hours=70)}
    hours = {"026": replace(LIMITS, offline_max_hours=72)}
    assert seen(of(kinds=hours, **since)) == ("warn", "offline_hours", 120)
    count = {"026": replace(LIMITS, offline_max_count=100)}
    assert seen(of(Burn({"026": 2.0}), kinds=count, offline_count=80, stock={"026": 9999}, **since)) == (
        "warn",
        "offline_count",
        10,
    )
    amount = {"026": replace(LIMITS, offline_max_fen=100_000)}
    assert seen(of(Burn({}, 500.0), kinds=amount, offline_fen=90_000, **since)) == ("warn", "offline_amount", 20)


def test_a_line_that_is_down_warns_even_without_limits() -> None:
    assert seen(of(kinds={"026": KindLimits()}, bureau_online=False)) == ("warn", "bureau_unreachable", None)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"state": "suspended"}, ("stopped", "device_stopped", 0)),
        ({"state": "registered"}, ("stopped", "device_not_ready", 0)),
        ({"stock": {"026": 5, "028": 0}}, ("stopped", "no_stock", 0)),
        ({"stock": {}}, ("stopped", "no_stock", 0)),
        ({"clock_offset_seconds": 3000.0}, ("stopped", "clock_off", 0)),
        ({"reachable": False}, ("stopped", "device_unreachable", 0)),
        ({"read_at": None}, ("unknown", "device_not_read", None)),
        ({"read_at": NOW - timedelta(hours=1)}, ("unknown", "device_facts_old", None)),
    ],
)
def test_what_stops_it_now(changes: dict, expected: tuple) -> None:
    result = of(**changes)
    assert seen(result) == expected
    assert result.refusal is not None and result.text == result.refusal.message


def test_a_kind_that_was_never_stocked_does_not_count() -> None:
    assert of(kinds={"026": KindLimits(), "028": KindLimits()}).verdict == "ok"


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, ("ok", "fine", None)),
        ({"state": "suspended"}, ("stopped", "server_not_in_service", 0)),
        ({"read_at": None}, ("unknown", "device_not_read", None)),
        ({"read_at": NOW - timedelta(minutes=90)}, ("unknown", "device_facts_old", None)),
        ({"reachable": False}, ("stopped", "device_unreachable", 0)),
        ({"certificate_not_after": NOW}, ("stopped", "certificate_lapsed", 0)),
        ({"certificate_not_after": NOW + timedelta(days=400)}, ("ok", "certificate_expired", 400 * 1440)),
        ({"certificate_not_after": NOW + timedelta(days=3)}, ("warn", "certificate_expired", 3 * 1440)),
        ({"clock_offset_seconds": 2000.0}, ("warn", "clock_off_month_end", 8 * 1440 + 12 * 60)),
    ],
)
def test_a_tax_server_has_a_health_too(changes: dict, expected: tuple) -> None:
    result = server_health(ServerFacts(**{"state": "certified", "read_at": NOW, **changes}), NOW, RULES)
    assert seen(result) == expected
    assert "{" not in result.told("zh") + result.told("en")


def test_texts_of_a_server_are_in_the_language_asked_for() -> None:
    old = server_health(ServerFacts("certified", NOW - timedelta(minutes=90)), NOW, RULES)
    assert (old.told("zh"), old.told("en")) == ("读数已有 1 小时 30 分钟", "last read 1 h 30 min ago")
    stopped = server_health(ServerFacts("suspended", NOW), NOW, RULES)
    assert (stopped.told("zh"), stopped.told("en")) == ("税控服务器状态: 已停用", "tax server state: suspended")


@pytest.mark.parametrize(
    ("minutes", "text"), [(0, "0 分钟"), (59, "59 分钟"), (60, "1 小时"), (1441, "1 天 1 分钟"), (1571, "1 天 2 小时")]
)
def test_durations_show_two_units(minutes: int, text: str) -> None:
    assert duration(minutes) == text


def test_every_text_comes_in_both_languages() -> None:
    assert all(len(texts) == 2 and all(texts) for texts in TEXTS.values())
