"""Flags of taxpayers: one value per stretch of time, and the copy of them on the taxpayer's own row."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import msgspec

from controlplane.domain.dated import day_of
from controlplane.domain.refusals import refuse
from controlplane.store import taxpayers
from controlplane.store.statement import Connection
from controlplane.store.taxpayers import FlagRow
from controlplane.store.transaction import Transaction


def enter(
    tx: Transaction, taxpayer_id: str, name: str, value: str, days: tuple[str, str], source: str = "entered"
) -> None:
    """From ``days[0]`` on (empty: always) the flag has the value, until ``days[1]`` (empty: no end known).

    What was said of that time before gives way; what was said of earlier days stays.
    """
    first, last = days
    for day, field in ((first, "valid_from"), (last, "valid_to")):
        _checked(day, field)
    if last and first > last:
        raise refuse("days_reversed", "valid_to", first=first, last=last)
    taxpayers.drop_flags(tx, taxpayer_id, name, first)
    if first:
        taxpayers.end_flag(tx, taxpayer_id, name, (day_of(first) - timedelta(days=1)).isoformat())
    row = FlagRow(taxpayer_id=taxpayer_id, name=name, valid_from=first, valid_to=last, value=value, source=source,
                  created_at=tx.now)  # fmt: skip
    taxpayers.add_flag(tx, row)


def end(tx: Transaction, taxpayer_id: str, name: str, last: str) -> None:
    """The flag holds until that day and no longer; ``not_found`` when it is not set."""
    _checked(last, "last_day")
    spans = [row for row in taxpayers.flags(tx, taxpayer_id) if row["name"] == name]
    if not spans:
        raise refuse("not_found", "flag")
    following = (day_of(last) + timedelta(days=1)).isoformat()
    if spans[0]["valid_from"] >= following:
        raise refuse("days_reversed", "last_day", first=spans[0]["valid_from"], last=last)
    taxpayers.drop_flags(tx, taxpayer_id, name, following)
    taxpayers.end_flag(tx, taxpayer_id, name, last)


def publish(tx: Transaction, taxpayer_id: str, **columns: Any) -> None:
    """Copy the flags to the taxpayer's row, where issuing reads them; ``columns`` change with it."""
    kept: dict[str, list[tuple[str, str, str]]] = {}
    for row in taxpayers.flags(tx, taxpayer_id):
        kept.setdefault(row["name"], []).append((row["value"], row["valid_from"], row["valid_to"]))
    taxpayers.change(tx, taxpayer_id, {**columns, "flags": msgspec.json.encode(kept).decode()}, tx.now)


def latest(hand: Connection, taxpayer_id: str) -> dict[str, dict[str, str]]:
    """Per flag the stretch that begins last: value, valid_from, valid_to."""
    return {
        row["name"]: {name: row[name] for name in ("value", "valid_from", "valid_to")}
        for row in taxpayers.flags(hand, taxpayer_id)
    }


def _checked(day: str, field: str) -> None:
    try:
        if day:
            day_of(day)
    except ValueError as fault:
        raise refuse("field_invalid", field, problem="no such day") from fault
