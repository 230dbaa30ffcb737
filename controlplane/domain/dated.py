"""Rules that change over time: rows with a first and a last day, never constants."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, timedelta, timezone
from typing import Final, Protocol, TypeVar

DEVICE_ZONE: Final = timezone(timedelta(hours=8), "Asia/Shanghai")
"""The zone of device time; China keeps one offset all year."""

Row = Mapping[str, str]
"""One row of a shipped table, as text."""


class Dated(Protocol):
    """Anything that is in force from one day to another, both included; ``valid_to`` None = still."""

    @property
    def valid_from(self) -> date:
        """First day."""
        ...

    @property
    def valid_to(self) -> date | None:
        """Last day, or None."""
        ...


T = TypeVar("T", bound=Dated)


def in_force(rule: Dated, day: date) -> bool:
    """True when the rule holds on that day."""
    return rule.valid_from <= day and (rule.valid_to is None or day <= rule.valid_to)


def on_day(rules: Iterable[T], day: date) -> tuple[T, ...]:
    """The rules that hold on that day, in their order."""
    return tuple(rule for rule in rules if in_force(rule, day))


def day_of(text: str) -> date:
    """A date from ``2026-11-22`` or the device's ``20261122``; ValueError otherwise."""
    return date.fromisoformat(text)


def last_day_of(text: str) -> date | None:
    """As :func:`day_of`; empty text means "still in force"."""
    return date.fromisoformat(text) if text else None
