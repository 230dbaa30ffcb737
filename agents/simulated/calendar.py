"""Dated reference data of simulated practice: filing deadlines, kinds with their limits, authorised rates."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, timezone
from functools import cache
from importlib.resources import files

CHINA = timezone(timedelta(hours=8))
"""All device and bureau times; China keeps no summer time."""


@dataclass(frozen=True)
class Period:
    """The tax period that a device must report next, and the last day it may issue before it does."""

    first: date
    last: date
    deadline: date


@dataclass(frozen=True)
class KindLimits:
    """Limits of one invoice kind as a bureau grants them by default; money is decimal text, 0 = not limited."""

    kind: str
    code_suffix: str
    single_limit: str
    offline_max_hours: int
    offline_max_count: int
    offline_max_amount: str


def now_utc() -> datetime:
    """The clock of a process that is given no other."""
    return datetime.now(UTC)


def stamp(moment: datetime) -> str:
    """Device time ``yyyyMMddHHmmss``."""
    return moment.astimezone(CHINA).strftime("%Y%m%d%H%M%S")


def read_stamp(text: str) -> datetime:
    """The moment of a device time; raises ValueError for anything else."""
    return datetime.strptime(text, "%Y%m%d%H%M%S").replace(tzinfo=CHINA)


def read_day(text: str) -> date:
    """The day of a device date; raises ValueError for anything else."""
    return datetime.strptime(text, "%Y%m%d").date()  # noqa: DTZ007 a day has no zone


def day(moment: date) -> str:
    """Device date ``yyyyMMdd``; a datetime must already be in device time."""
    return moment.strftime("%Y%m%d")


def today(moment: datetime) -> date:
    """The calendar day in China at this moment."""
    return moment.astimezone(CHINA).date()


@cache
def _rows(name: str) -> tuple[dict[str, str], ...]:
    text = (files("agents.simulated") / "data" / name).read_text(encoding="utf-8")
    return tuple(csv.DictReader(text.splitlines()))


def filing_deadline(year: int, month: int) -> date:
    """Last day of the filing period in this month: the published date, else the 15th moved off a weekend."""
    wanted = f"{year:04d}-{month:02d}"
    for row in _rows("filing_deadlines.csv"):
        if row["month"] == wanted:
            return date.fromisoformat(row["deadline"])
    fifteenth = date(year, month, 15)
    return fifteenth + timedelta(days=max(0, 7 - fifteenth.weekday()) if fifteenth.weekday() >= 5 else 0)


def open_period(on: date) -> Period:
    """Where a new device starts: last month unreported, its deadline the next filing date still ahead or today."""
    deadline = filing_deadline(on.year, on.month)
    if deadline < on:
        following = _next_month(on)
        deadline = filing_deadline(following.year, following.month)
    last = on.replace(day=1) - timedelta(days=1)
    return Period(last.replace(day=1), last, deadline)


def period_after(period: str, deadline: date) -> Period:
    """The period that follows a cleared one (``yyyyMM``), with a deadline later than the one before."""
    first = _next_month(date(int(period[:4]), int(period[4:]), 1))
    reported = _next_month(first)
    given = filing_deadline(reported.year, reported.month)
    while given <= deadline:
        following = _next_month(given)
        given = filing_deadline(following.year, following.month)
    return Period(first, reported - timedelta(days=1), given)


def _next_month(on: date) -> date:
    return (on.replace(day=1) + timedelta(days=32)).replace(day=1)


def kinds_on(on: date) -> list[KindLimits]:
    """The invoice kinds in force on this day."""
    return [
        KindLimits(
            row["kind"],
            row["code_suffix"],
            row["single_limit"],
            int(row["offline_max_hours"]),
            int(row["offline_max_count"]),
            row["offline_max_amount"],
        )
        for row in _rows("invoice_kinds.csv")
        if date.fromisoformat(row["valid_from"]) <= on
    ]


def rates_on(taxpayer_kind: str, on: date) -> list[str]:
    """Rates a bureau authorises for a taxpayer kind (01 general, 02 small-scale, 03 converted) on this day."""
    return [
        row["rate"]
        for row in _rows("authorised_rates.csv")
        if row["taxpayer_kind"] == taxpayer_kind
        and date.fromisoformat(row["valid_from"]) <= on
        and (not row["valid_to"] or on <= date.fromisoformat(row["valid_to"]))
    ]
