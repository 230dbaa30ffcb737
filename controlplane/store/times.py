"""Times and keys as they stand in every table: fixed-width UTC text, time-ordered UUIDs."""

from __future__ import annotations

import os
import time
import uuid
from collections.abc import Callable
from datetime import UTC, datetime

Clock = Callable[[], datetime]


def system_clock() -> datetime:
    """The real clock: now, aware, in UTC."""
    return datetime.now(UTC)


def utc_text(moment: datetime) -> str:
    """``2026-11-22T17:00:00.000Z``: 24 characters, sortable, the same in both databases and on the wire."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"


def from_text(text: str) -> datetime:
    """The aware UTC moment of a text made by :func:`utc_text`."""
    return datetime.fromisoformat(text)


def new_id() -> str:
    """A UUIDv7 (RFC 9562): 48 bits of milliseconds, a 12-bit fraction of the millisecond, 62 random bits."""
    nanoseconds = time.time_ns()
    milliseconds, fraction = divmod(nanoseconds, 1_000_000)
    value = milliseconds << 80 | 0x7 << 76 | (fraction * 4096 // 1_000_000) << 64
    value |= 0b10 << 62 | int.from_bytes(os.urandom(8), "big") >> 2
    return str(uuid.UUID(int=value))
