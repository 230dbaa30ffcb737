"""Lists by keyset: one bounded page at a time, scoped, in key order, with a cursor that names the last key seen."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from controlplane.store.statement import Connection, Row, Statement, among

MOST = 1000
_KEY = re.compile(r"\A[0-9A-Za-z._:-]{1,64}\Z")


class CursorInvalid(ValueError):
    """The cursor was not made by this list."""


@dataclass(frozen=True, slots=True)
class Page:
    """What is asked for.

    ``scope`` None lists everything; else only rows of these taxpayers, and rows of no taxpayer of these ``regions``.
    ``filters`` are equalities.
    """

    limit: int = 100
    cursor: str | None = None
    scope: Sequence[str] | None = None
    regions: Sequence[str] = ()
    filters: Mapping[str, Any] = field(default_factory=dict)
    newest_first: bool = False


@dataclass(frozen=True, slots=True)
class Source:
    """A table (or a joined FROM clause) that can be listed: its key column and, if it has them, the column of its
    taxpayer and that of its region (an area code; null where the row belongs to a taxpayer)."""

    table: str
    key: str = "id"
    taxpayer: str | None = "taxpayer_id"
    columns: str = "*"
    key_is_number: bool = False
    region: str | None = None


def page(hand: Connection, source: Source, wanted: Page) -> tuple[list[Row], str | None]:
    """One page of rows and the cursor of the next, None at the end."""
    parameters: dict[str, Any] = {"limit": wanted.limit + 1}
    clauses = _scope(hand.dialect, source, wanted, parameters)
    for number, (column, value) in enumerate(sorted(wanted.filters.items())):
        parameters[f"filter{number}"] = value
        clauses.append(f"{column} = :filter{number}")
    if wanted.cursor is not None:
        parameters["after"] = _decode(wanted.cursor, source)
        clauses.append(f"{source.key} {'<' if wanted.newest_first else '>'} :after")
    where = f"WHERE {' AND '.join(clauses)}" if clauses else ""
    order = f"ORDER BY {source.key} {'DESC' if wanted.newest_first else 'ASC'} LIMIT :limit"
    rows = hand.rows(Statement(f"SELECT {source.columns} FROM {source.table} {where} {order}"), parameters)
    if len(rows) <= wanted.limit:
        return rows, None
    rows = rows[: wanted.limit]
    return rows, _encode(rows[-1][source.key.split(".")[-1]])


def after(wanted: Page) -> str:
    """The key a page begins after; empty at the beginning."""
    return "" if wanted.cursor is None else str(_decode(wanted.cursor, Source("")))


def page_of(rows: Sequence[Row], wanted: Page, key: str = "id") -> tuple[list[Row], str | None]:
    """The same for rows that were computed: in the order of their key, which is a plain word."""
    found = list(rows)
    if wanted.cursor is not None:
        after = _decode(wanted.cursor, Source(""))
        found = [row for row in found if row[key] > after]
    if len(found) <= wanted.limit:
        return found, None
    found = found[: wanted.limit]
    return found, _encode(found[-1][key])


def _scope(dialect: str, source: Source, wanted: Page, parameters: dict[str, Any]) -> list[str]:
    if wanted.scope is None:
        return []
    found = []
    if source.taxpayer is not None:
        found.append(among(dialect, source.taxpayer, "scope", wanted.scope, parameters))
    if source.region is not None:
        found.append(among(dialect, source.region, "region", wanted.regions, parameters))
    return [f"({' OR '.join(found)})"] if found else ["1 = 0"]


def _encode(key: Any) -> str:
    return base64.urlsafe_b64encode(str(key).encode()).decode().rstrip("=")


def _decode(cursor: str, source: Source) -> str | int:
    try:
        key = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode("ascii")
    except (binascii.Error, ValueError) as fault:
        raise CursorInvalid(cursor) from fault
    if not _KEY.match(key) or (source.key_is_number and (not key.isdigit() or len(key) > 18)):
        raise CursorInvalid(cursor)
    return int(key) if source.key_is_number else key
