"""The watch over bureau lines (局端网络监测): slots, streaks and the verdict, manual checks, and what may be done."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Final, Literal

from controlplane.domain.acts import ActSpec, Field, Words
from controlplane.domain.dated import Row, day_of, last_day_of
from controlplane.domain.lifecycle import machine

Verdict = Literal["normal", "abnormal", "unknown"]

NOUN: Final = "lines"
_MOST_STREAK: Final = 99
"""Longer streaks are not counted: no threshold is higher."""


@dataclass(frozen=True, slots=True)
class LineRules:
    """Numbers the watch goes by: thresholds in slots, times in seconds, warning in days."""

    open_after: int
    close_after: int
    group_seconds: int
    manual_check_seconds: int
    certificate_warn_days: int


def rules_on(rows: Iterable[Row], day: date) -> LineRules:
    """The rules in force on a day, from rows with rule, value, valid_from, valid_to; TypeError when one is missing."""
    found = {row["rule"]: int(row["value"]) for row in rows if _held(row, day)}
    return LineRules(**found)


def _held(row: Row, day: date) -> bool:
    last = last_day_of(row["valid_to"])
    return day_of(row["valid_from"]) <= day and (last is None or day <= last)


@dataclass(frozen=True, slots=True)
class Streak:
    """What the checks of a line say together: its verdict, and how many in a row were bad, or good."""

    verdict: Verdict = "unknown"
    failed: int = 0
    good: int = 0

    def after(self, ok: bool | None, open_after: int, close_after: int) -> Streak:
        """The streak after one more check; None (a slot that was missed) proves nothing and changes nothing.

        Abnormal after ``open_after`` bad ones in a row; an abnormal line is normal after ``close_after`` good ones.
        """
        if ok is None:
            return self
        if not ok:
            failed = min(self.failed + 1, _MOST_STREAK)
            return Streak("abnormal" if failed >= open_after else self.verdict, failed, 0)
        good = min(self.good + 1, _MOST_STREAK)
        stays = self.verdict == "abnormal" and good < close_after
        return Streak("abnormal" if stays else "normal", 0, good)


SLOT: Final = machine(
    "slot",
    "claimed",
    (("claimed", "report", "done"), ("claimed", "miss", "missed"), ("missed", "claim", "claimed")),
)
"""A slot of a vantage. A missed one is claimed again only when a clock that ran ahead was put right."""

CHECK: Final = machine(
    "line_check",
    "wanted",
    (("wanted", "take", "taken"), ("taken", "take", "taken"), ("taken", "finish", "done")),
)
"""A manual check. One that was taken and not finished is taken again by whoever asks next."""


_ROUNDING: Final = 0.002
"""Seconds that a slot's time may have lost when it was written with milliseconds."""


def slot_at(moment: datetime, period: float) -> datetime:
    """The slot a moment lies in: a multiple of ``period`` seconds since 1970."""
    return datetime.fromtimestamp((moment.timestamp() + _ROUNDING) // period * period, UTC)


def grid(after: datetime, before: datetime, period: float) -> Iterator[datetime]:
    """The slots after one moment and before another."""
    number = (after.timestamp() + _ROUNDING) // period + 1
    while (slot := datetime.fromtimestamp(number * period, UTC)) < before:
        yield slot
        number += 1


def days_left(not_after: datetime, now: datetime) -> int:
    """Whole days until a certificate ends, negative afterwards."""
    return (not_after - now) // timedelta(days=1)


EVERY: Final = "all"
"""In place of a line's id: every enabled line."""

ACTS: Final = (
    ActSpec(NOUN, "check", (Field("ids", "words"),), "lines.change", "collection"),
    ActSpec(NOUN, "enable", permission="lines.change"),
    ActSpec(NOUN, "disable", permission="lines.change"),
)
"""What may be done with lines. ``check`` of ``EVERY`` checks all that are enabled."""

WORDS: Final[Words] = {
    "verb": {
        "check": ("立即检测", "check now"),
        "enable": ("启用", "enable"),
        "disable": ("停用", "disable"),
    },
    "field": {
        "ids": ("线路编号, 或 all (全部)", "line ids, or all"),
    },
}
"""Words for verbs and fields."""
