"""Records on a terminal that is no screen: columns that line up, pairs that hang, nothing that data could do to it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any
from unicodedata import combining, east_asian_width

import msgspec

from console.plain import plain
from console.records import Record

_FIRST = (
    "id", "seq", "at", "device_no", "tax_server_no", "taxpayer_id", "name", "kind", "state", "period", "region",
    "area_code", "service", "target", "verdict", "order_no", "invoice_code", "invoice_no", "upload_status", "version",
)  # fmt: skip
"""Fields worth a column, in this order, where a record has them."""
_WIDEST = 40
_MOST_COLUMNS = 9


def width(text: str) -> int:
    """Cells a text takes on a terminal."""
    return sum(0 if combining(one) else 2 if east_asian_width(one) in "WF" else 1 for one in text)


def shown(value: Any) -> str:
    """A value in one line."""
    if isinstance(value, str):
        return plain(value)
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return plain(value if isinstance(value, int | float) else msgspec.json.encode(value).decode())


def table(records: Sequence[Record]) -> Iterable[str]:
    """The records as lines of a table."""
    if not records:
        return
    names = [name for name in _FIRST if any(shown(record.get(name)) for record in records)]
    names = (names or sorted(records[0]))[:_MOST_COLUMNS]
    cells = [[_cut(shown(record.get(name))) for name in names] for record in records]
    wide = [max(map(width, (name, *column))) for name, column in zip(names, zip(*cells, strict=True), strict=True)]
    for row in (names, *cells):
        yield "  ".join(cell + " " * (size - width(cell)) for cell, size in zip(row, wide, strict=True)).rstrip()


def pairs(record: Record) -> Iterable[str]:
    """One record, a field per line; a list of acts as what is allowed now."""
    wide = max(map(len, record), default=0)
    for name, value in record.items():
        if name == "allowed" and isinstance(value, list):
            now = [str(entry.get("verb")) for entry in value if isinstance(entry, dict) and entry.get("enabled")]
            value = " ".join(now)
        yield f"{plain(name):<{wide}}  {shown(value)}".rstrip()


def line(value: Any) -> str:
    """One JSON object on one line."""
    return msgspec.json.encode(value).decode()


def _cut(text: str) -> str:
    while width(text) > _WIDEST:
        text = text[:-2] + "…"
    return text
