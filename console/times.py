"""Times as operators read them."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Final

from console.records import Record, instant, text

ZONE: Final = timezone(timedelta(hours=8))
"""Times are shown as in China, which keeps one offset all year."""


def moment(value: datetime | None, now: datetime) -> str:
    """``14:03:22`` today, ``11-21 14:03`` this year, ``2025-11-21`` before; empty when not known."""
    if value is None:
        return ""
    try:
        local, today = value.astimezone(ZONE), now.astimezone(ZONE)
    except (OverflowError, ValueError):
        return ""
    if local.date() == today.date():
        return local.strftime("%H:%M:%S")
    return local.strftime("%m-%d %H:%M") if local.year == today.year else local.strftime("%Y-%m-%d")


def stamp(record: Record, path: str) -> str:
    """A full time for detail pages; what is no time is shown as it is."""
    value = instant(record, path)
    try:
        return value.astimezone(ZONE).strftime("%Y-%m-%d %H:%M:%S") if value else text(record, path)
    except (OverflowError, ValueError):
        return text(record, path)
