"""Deadlines from dated data."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from agents.simulated import calendar


@pytest.mark.parametrize(
    ("on", "first", "deadline"),
    [
        (date(2026, 11, 22), date(2026, 10, 1), date(2026, 12, 15)),
        (date(2026, 11, 16), date(2026, 10, 1), date(2026, 11, 16)),
        (date(2026, 11, 17), date(2026, 10, 1), date(2026, 12, 15)),
        (date(2026, 10, 20), date(2026, 9, 1), date(2026, 10, 26)),
        (date(2026, 12, 31), date(2026, 11, 1), date(2027, 1, 15)),
        (date(2024, 2, 20), date(2024, 1, 1), date(2024, 2, 23)),
    ],
)
def test_a_device_starts_with_last_month_unreported_and_a_deadline_ahead(on: date, first: date, deadline: date):
    period = calendar.open_period(on)
    assert (period.first, period.deadline) == (first, deadline)
    assert period.last.month == first.month and (period.deadline >= on)


def test_every_month_of_the_data_has_a_workday_not_before_the_fifteenth():
    for year in range(2024, 2028):
        for month in range(1, 13):
            deadline = calendar.filing_deadline(year, month)
            assert deadline.day >= 15 and deadline.month == month and deadline.weekday() < 5


def test_beyond_the_data_the_fifteenth_moves_off_the_weekend():
    assert calendar.filing_deadline(2028, 1) == date(2028, 1, 17)
    assert calendar.filing_deadline(2028, 10) == date(2028, 10, 16)
    assert calendar.filing_deadline(2028, 2) == date(2028, 2, 15)


def test_device_time_is_china_time():
    assert calendar.stamp(datetime(2026, 11, 22, 17, 0, tzinfo=UTC)) == "20261123010000"
    assert calendar.read_stamp("20261123010000") == datetime(2026, 11, 22, 17, 0, tzinfo=UTC)


def test_rates_are_dated():
    assert "0.01" in calendar.rates_on("02", date(2026, 11, 22))
    assert "0.01" not in calendar.rates_on("02", date(2028, 1, 1))
    assert calendar.rates_on("01", date(2026, 11, 22))[:3] == ["0.13", "0.09", "0.06"]


def test_kinds_are_dated():
    assert [k.kind for k in calendar.kinds_on(date(2026, 1, 1))] == ["026", "028"]
    assert [k.kind for k in calendar.kinds_on(date(2019, 1, 1))] == ["026"]
