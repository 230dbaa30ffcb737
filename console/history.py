"""What the console remembers of what it saw: issued invoices per interval, and the last readings of each record."""

from __future__ import annotations

from collections import deque
from datetime import datetime
from typing import Final

from console.records import Record, instant, text, whole

INTERVAL: Final = 30
"""Seconds of one bar of a trend."""
BARS: Final = 20
"""Bars that are kept."""
READINGS: Final = 5

_READ: Final = (
    "read_at",
    "health",
    "clock_offset_seconds",
    "waiting_uploads",
    "waiting_invoices",
    "stock",
    "bureau_online",
)


class Trends:
    """Issued invoices per interval and device, from what each reading adds to the day's count."""

    def __init__(self) -> None:
        self._bars: dict[str, dict[int, int]] = {}
        self._last: dict[str, int] = {}
        self._first: int | None = None

    def seed(self, invoices: list[Record], now: datetime) -> None:
        """Begin with invoices issued before the console was opened, keyed by ``virtual_device_no``."""
        latest = _slot(now)
        for invoice in invoices:
            at = instant(invoice, "issued_at")
            device_no = text(invoice, "virtual_device_no") or text(invoice, "device_no")
            if at is None or not device_no or not latest - BARS < _slot(at) <= latest:
                continue
            self._add(device_no, _slot(at), 1)
            self._first = _slot(at) if self._first is None else min(self._first, _slot(at))

    def observe(self, device: Record, now: datetime) -> None:
        """Take in a reading of a virtual device; a count that went down began a new day."""
        device_no, issued = text(device, "device_no"), whole(device, "issued_today")
        if not device_no or issued is None:
            return
        slot = _slot(now)
        self._first = slot if self._first is None else self._first
        before = self._last.get(device_no, issued)
        self._last[device_no] = issued
        self._add(device_no, slot, max(0, issued - before))

    def bars(self, device_nos: list[str], now: datetime) -> list[int]:
        """Issued per interval by these devices together, oldest first, as far back as is known."""
        latest = _slot(now)
        if self._first is None:
            return []
        first = max(self._first, latest - BARS + 1)
        found = [self._bars.get(device_no, {}) for device_no in device_nos]
        return [sum(bars.get(slot, 0) for bars in found) for slot in range(first, latest + 1)]

    def _add(self, device_no: str, slot: int, count: int) -> None:
        bars = self._bars.setdefault(device_no, {})
        bars[slot] = bars.get(slot, 0) + count
        for old in [known for known in bars if known <= slot - BARS]:
            del bars[old]


def _slot(at: datetime) -> int:
    return int(at.timestamp()) // INTERVAL


class Readings:
    """The last few different readings of each record."""

    def __init__(self) -> None:
        self._kept: dict[str, deque[Record]] = {}

    def observe(self, record: Record) -> None:
        """Remember a record's reading when it differs from the one before."""
        reading: Record = {key: record[key] for key in _READ if key in record}
        kept = self._kept.setdefault(record["id"], deque(maxlen=READINGS))
        if reading and (not kept or kept[0] != reading):
            kept.appendleft(reading)

    def of(self, record_id: str) -> list[Record]:
        """Readings of one record, newest first."""
        return list(self._kept.get(record_id, ()))
