"""The verdict on a line, slots on their grid, and when alerts open and close: rules against tables written by hand."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from controlplane import data
from controlplane.domain import alert_rule, delivery
from controlplane.domain.line_watch import Streak, days_left, grid, rules_on, slot_at
from controlplane.store.times import from_text, utc_text

CHECKS = {"+": True, "-": False, ".": None}


@pytest.mark.parametrize(
    ("thresholds", "checks", "verdicts"),
    [  # u unknown, n normal, a abnormal: one letter after each check
        ((2, 1), "+--+-+--", "nnannnna"),
        ((2, 1), "-+", "un"),
        ((2, 1), "--", "ua"),
        ((2, 1), "..", "uu"),
        ((2, 1), "+-.-", "nnna"),
        ((2, 1), "--.+", "uaan"),
        ((2, 1), "+-+-+-+-", "nnnnnnnn"),
        ((1, 1), "+-+-", "nana"),
        ((3, 2), "---+-++", "uuaaaan"),
        ((3, 2), "--+---+.+", "uunnnaaan"),
        ((2, 3), "--++-+++", "uaaaaaan"),
    ],
)
def test_verdicts(thresholds: tuple[int, int], checks: str, verdicts: str) -> None:
    streak, seen = Streak(), ""
    for check in checks:
        streak = streak.after(CHECKS[check], *thresholds)
        seen += streak.verdict[0]
    assert seen == verdicts


def test_streaks_do_not_grow_without_end() -> None:
    streak = Streak()
    for _ in range(500):
        streak = streak.after(True, 2, 1)
    assert streak == streak.after(True, 2, 1)


@pytest.mark.parametrize(
    ("is_open", "failed", "good", "move"),
    [(False, 0, 0, None), (False, 1, 0, None), (False, 2, 0, "opened"), (False, 9, 0, "opened"), (False, 0, 9, None),
     (True, 0, 0, None), (True, 9, 0, None), (True, 0, 1, None), (True, 0, 2, None), (True, 0, 3, "closed"),
     (True, 0, 9, "closed")],
)  # fmt: skip
def test_moves_of_an_alert(is_open: bool, failed: int, good: int, move: str | None) -> None:
    assert alert_rule.move(is_open, Streak("normal", failed, good), 2, 3) == move


LINE = {"id": "l1", "area_code": "1100", "service": "upload"}


@pytest.mark.parametrize(
    ("scope", "values", "covered"),
    [("all", [], True), ("regions", ["1100"], True), ("regions", ["3100"], False), ("services", ["upload"], True),
     ("services", ["1100"], False), ("lines", ["l1", "l2"], True), ("lines", ["l2"], False), ("lines", [], False)],
)  # fmt: skip
def test_what_a_scope_covers(scope: alert_rule.Scope, values: list[str], covered: bool) -> None:
    assert alert_rule.covers(scope, values, LINE) == covered


@pytest.mark.parametrize("period", [300.0, 60.0, 1.0, 300 / 7, 300 / 97, 3600.0])
def test_slots_written_with_milliseconds_are_found_again(period: float) -> None:
    begun = datetime(2026, 11, 22, 3, 0, 0, 123456, UTC)
    first = slot_at(begun, period)
    assert timedelta(0) <= begun - first < timedelta(seconds=period)
    written = [utc_text(first)]
    for _ in range(50):
        following = next(grid(from_text(written[-1]), from_text("2030-01-01T00:00:00.000Z"), period))
        assert utc_text(slot_at(from_text(utc_text(following)), period)) == utc_text(following)
        written.append(utc_text(following))
    assert len(set(written)) == 51
    assert [utc_text(slot) for slot in grid(from_text(written[0]), from_text(written[-1]), period)] == written[1:-1]


def test_days_left_are_whole_days() -> None:
    now = datetime(2026, 11, 22, tzinfo=UTC)
    assert [days_left(now + timedelta(hours=hours), now) for hours in (0, 23, 24, 49, -1, -25)] == [0, 0, 1, 2, -1, -2]


def test_rules_are_dated() -> None:
    assert data.line_rules(date(2026, 11, 22)).open_after == 2
    rows = [dict(row) for row in data.rows("line_rules")]
    for row in rows:
        row["valid_to"] = "2027-12-31"
    later = [row | {"value": "7", "valid_from": "2028-01-01", "valid_to": ""} for row in rows]
    assert rules_on(rows + later, date(2027, 12, 31)).open_after == 2
    assert rules_on(rows + later, date(2028, 1, 1)).open_after == 7
    with pytest.raises(TypeError):
        rules_on(rows, date(2028, 1, 1))


def test_pauses_double_up_to_a_quarter_of_an_hour() -> None:
    seconds = [delivery.pause(attempts).total_seconds() for attempts in range(1, 12)]
    assert seconds == [10, 20, 40, 80, 160, 320, 640, 900, 900, 900, 900]
    assert delivery.pause(0) == delivery.pause(1) and delivery.pause(10**6) == delivery.LONGEST_PAUSE
