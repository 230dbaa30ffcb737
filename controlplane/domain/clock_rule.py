"""How far a device's clock may be off: a bound that warns and one that refuses, tighter in the month's last hour."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final, Literal, cast

from controlplane.domain.dated import DEVICE_ZONE, Row, day_of, in_force, last_day_of

Window = Literal["any", "month_last_hour"]

_HOUR: Final = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class ClockRule:
    """Bounds in seconds for a window of time; a clock off by more than ``refuse_seconds`` does not sign."""

    window: Window
    warn_seconds: int
    refuse_seconds: int
    valid_from: date
    valid_to: date | None
    source: str


def load(rows: Iterable[Row]) -> tuple[ClockRule, ...]:
    """Clock rules from rows with window, warn_seconds, refuse_seconds, valid_from, valid_to, source."""
    return tuple(
        ClockRule(
            cast(Window, row["window"]),
            int(row["warn_seconds"]),
            int(row["refuse_seconds"]),
            day_of(row["valid_from"]),
            last_day_of(row["valid_to"]),
            row["source"],
        )
        for row in rows
    )


def rule_at(rules: Iterable[ClockRule], now: datetime) -> ClockRule | None:
    """The tightest rule in force at an aware moment, or None when nothing is laid down."""
    local = now.astimezone(DEVICE_ZONE)
    ending = in_month_last_hour(now)
    held = [rule for rule in rules if in_force(rule, local.date()) and (rule.window == "any" or ending)]
    return min(held, key=lambda rule: rule.refuse_seconds, default=None)


def in_month_last_hour(now: datetime) -> bool:
    """True in the last hour of a month, device time."""
    local = now.astimezone(DEVICE_ZONE)
    return (local + _HOUR).month != local.month


def next_month_last_hour(now: datetime) -> datetime:
    """When the running month's last hour begins (aware, device zone); in the past while that hour runs."""
    local = now.astimezone(DEVICE_ZONE)
    first = local.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    next_first = (first + timedelta(days=32)).replace(day=1)
    return next_first - _HOUR
