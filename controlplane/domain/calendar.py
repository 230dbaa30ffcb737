"""Filing deadlines: dated rows with their source, and the plain rule for months without a row."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from controlplane.domain.dated import Row, day_of

NOMINAL_DAY: Final = 15
"""The day of the month on which filing ends when nothing moves it."""


@dataclass(frozen=True, slots=True)
class Deadline:
    """Last day, included, of one month's filing period, and who says so."""

    month: str
    due: date
    source: str


class Calendar:
    """Deadlines by month (``2026-11``)."""

    def __init__(self, rows: Iterable[Row]) -> None:
        """Rows have month, due, source."""
        self._by_month = {row["month"]: Deadline(row["month"], day_of(row["due"]), row["source"]) for row in rows}

    def deadline(self, month: str) -> Deadline:
        """The dated row of a month, or the 15th moved past a weekend, which names itself as a rule."""
        known = self._by_month.get(month)
        if known is not None:
            return known
        due = day_of(f"{month}-{NOMINAL_DAY:02d}")
        while due.isoweekday() > 5:
            due += timedelta(days=1)
        return Deadline(month, due, "rule: the 15th, moved past a weekend")

    def next_deadline(self, day: date) -> Deadline:
        """The first deadline that is not before the day."""
        this_month = self.deadline(f"{day:%Y-%m}")
        if day <= this_month.due:
            return this_month
        return self.deadline(f"{(day.replace(day=1) + timedelta(days=32)):%Y-%m}")
