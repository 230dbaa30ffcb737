"""Tolerant readers of JSON records: a missing or oddly typed field is an absent fact, never an error."""

from __future__ import annotations

import math
from datetime import UTC, date, datetime
from typing import Any, Final

Record = dict[str, Any]
"""One object of the API as it came; its texts are foreign until they pass ``console.plain``."""

_LARGEST: Final = 2**63


def pick(record: Record, path: str) -> Any:
    """The value under a dotted path (``health.verdict``), or None."""
    value: Any = record
    for step in path.split("."):
        if not isinstance(value, dict):
            return None
        value = value.get(step)
    return value


def text(record: Record, path: str) -> str:
    """The value as text; empty when absent or not a scalar."""
    value = pick(record, path)
    if isinstance(value, str):
        return value
    if isinstance(value, bool) or not isinstance(value, int | float):
        return ""
    return str(value) if abs(value) < _LARGEST else ""


def number(record: Record, path: str) -> float | None:
    """A finite number, or None."""
    value = pick(record, path)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if abs(value) < _LARGEST and math.isfinite(value) else None


def whole(record: Record, path: str) -> int | None:
    """An integer, or None."""
    value = number(record, path)
    return None if value is None else int(value)


def flag(record: Record, path: str) -> bool | None:
    """True, False, or None when the field is not a boolean."""
    value = pick(record, path)
    return value if isinstance(value, bool) else None


def mapping(record: Record, path: str) -> Record:
    """The object under the path; empty when it is none."""
    value = pick(record, path)
    return value if isinstance(value, dict) else {}


def rows(record: Record, path: str) -> list[Record]:
    """The objects of a list; what is no object is left out."""
    value = pick(record, path)
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def instant(record: Record, path: str) -> datetime | None:
    """An aware time from RFC 3339 text; a time without zone counts as UTC."""
    value = pick(record, path)
    if not isinstance(value, str):
        return None
    try:
        moment = datetime.fromisoformat(value)
        return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        return None


def day(record: Record, path: str) -> date | None:
    """A date from YYYYMMDD or YYYY-MM-DD text."""
    value = pick(record, path)
    if not isinstance(value, str):
        return None
    try:
        return date.fromisoformat(value[:10])
    except ValueError:
        return None


def identity(record: Record) -> str:
    """What tells one record from another: its ``id``, or for records without one the keys that make it."""
    value = record.get("id")
    if isinstance(value, str) and value:
        return value
    keys = ("seq", "taxpayer_id", "device_no", "terminal_code", "kind", "invoice_code", "start_no", "region", "service")
    return "|".join(text(record, key) for key in (*keys, "address"))
