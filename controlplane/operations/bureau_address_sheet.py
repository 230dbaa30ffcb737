"""The address book as a sheet: taken in all or none with every fault named, given out as it reads back."""

from __future__ import annotations

import base64
import binascii
import io
import itertools
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from controlplane.domain.acts import PATTERNS
from controlplane.domain.bureau_address import CARRIERS, SERVICES, starts
from controlplane.domain.principal import Principal
from controlplane.domain.refusals import Refusal, refuse
from controlplane.operations import bureau_addresses
from controlplane.store import bureau_addresses as store
from controlplane.store import lines, times
from controlplane.store.lines import BureauEndpointRow
from controlplane.store.statement import Connection, Row
from controlplane.store.transaction import Entry, Transaction
from inventory import sheet, sheet_writer
from inventory.cell import Limits, SheetRefused
from inventory.sheet import Column

MOST_ROWS: Final = 5000
_YES_NO = {"是": "1", "否": "0"}
COLUMNS: Final = (
    Column("area_code", ("地区代码", "Area code"), "id", required=True, longest=4),
    Column("region", ("地区", "Region"), required=True, longest=40),
    Column("service", ("服务类别", "Service"), "choice", required=True,
           choices={**{words[0]: code for code, words in SERVICES.items()}}),
    Column("carrier", ("运营商", "Carrier"), "choice", choices={words[0]: code for code, words in CARRIERS.items()}),
    Column("target", ("地址", "Target"), "id", required=True, longest=210),
    Column("enabled", ("启用", "Enabled"), "choice", required=True, choices=_YES_NO),
    Column("valid_from", ("启用时间", "Starts at"), "id", longest=24),
    Column("valid_to", ("结束时间", "Ends at"), "id", longest=24),
    Column("note", ("备注", "Note"), longest=200),
    Column("source", ("来源", "Source"), longest=120),
)  # fmt: skip
"""Template, import and export are the same; times as tables have them, or as a field of shape ``moment``."""
_LIMITS = Limits(rows=MOST_ROWS + 1, unpacked_bytes=64 * 1024 * 1024)
_IDENTITY = ("area_code", "service", "carrier", "target", "valid_from")
_KEY = ("area_code", "service", "carrier")
_CHANGEABLE = ("region", "enabled", "valid_to", "note", "source")
_SHAPES = {"area_code": "area", "target": "target"}

Verdict = Literal["added", "changed", "unchanged"]


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong in one cell; ``place`` as a spreadsheet names it."""

    line: int
    place: str
    column: str
    refusal: Refusal


@dataclass(slots=True)
class Book:
    """A file as read: its sound rows as columns of the table with their line, and the faults found so far."""

    total: int
    rows: list[tuple[int, dict[str, Any], dict[str, str]]] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)

    def blame(self, line: int, places: dict[str, str], column: str, problem: str) -> None:
        """Note a fault in a column of a line."""
        place = places.get(column, str(line))
        told = refuse("sheet_cell", place, place=place, column=column, problem=problem)
        self.faults.append(Fault(line, place, column, told))


def read(content: str) -> Book:
    """A file given in base64; ``sheet_refused`` when it is no table, ``sheet_empty`` without rows."""
    try:
        raw = base64.b64decode(content, validate=True)
        found = list(sheet.read_rows(raw, COLUMNS, _LIMITS))
    except binascii.Error as fault:
        raise refuse("sheet_refused", "content", problem="not base64") from fault
    except SheetRefused as refused:
        raise refuse("sheet_refused", "content", problem=str(refused)[:120]) from refused
    if not found:
        raise refuse("sheet_empty", "content")
    if len(found) > MOST_ROWS:
        raise refuse("sheet_too_long", "content", limit=MOST_ROWS)
    book = Book(len(found))
    seen: Counter[tuple[Any, ...]] = Counter()
    for row in found:
        for wrong in row.faults:
            problem = f"{wrong.code}: {wrong.detail}" if wrong.detail else wrong.code
            place = wrong.place or str(wrong.line)
            told = refuse("sheet_cell", place, place=place, column=wrong.column, problem=problem)
            book.faults.append(Fault(wrong.line, place, wrong.column, told))
        if row.faults:
            continue
        places = dict(row.places)
        values = _values(book, row, places)
        identity = tuple(values[name] for name in _IDENTITY)
        seen[identity] += 1
        if seen[identity] > 1:
            book.blame(row.line, places, "target", "the row stands twice")
        book.rows.append((row.line, values, places))
    return book


def _values(book: Book, row: sheet.Row, places: dict[str, str]) -> dict[str, Any]:
    """A row as columns of the table; what its texts may not be is blamed."""
    values: dict[str, Any] = {column.name: str(row.values[column.name] or "") for column in COLUMNS}
    for name, shape in _SHAPES.items():
        if re.fullmatch(PATTERNS[shape], values[name]) is None:  # type: ignore[index]
            book.blame(row.line, places, name, "it is not written as it should be")
    for name in ("valid_from", "valid_to"):
        values[name] = _moment(book, row.line, places, name, values[name])
    values["valid_to"] = values["valid_to"] or None
    if values["valid_to"] is not None and values["valid_to"] <= values["valid_from"]:
        book.blame(row.line, places, "valid_to", "it ends before it begins")
    values["enabled"] = int(values["enabled"] or 0)
    return values


def _moment(book: Book, line: int, places: dict[str, str], name: str, text: str) -> str:
    if not text:
        return ""
    try:
        if re.fullmatch(PATTERNS["moment"], text) is None:
            raise ValueError(text)
        return times.utc_text(starts(text))
    except ValueError:
        book.blame(line, places, name, "no such time")
        return ""


def look(hand: Connection, caller: Principal, book: Book) -> list[tuple[Verdict, dict[str, Any], Row | None]]:
    """What each row would do; whatever stands in its way is added to the faults."""
    before = store.book(hand)
    known = {tuple(row[name] for name in _IDENTITY): row for row in before}
    found: list[tuple[Verdict, dict[str, Any], Row | None]] = []
    for line, values, places in book.rows:
        if not caller.sees_region(values["area_code"]):
            book.blame(line, places, "area_code", "no such region")
        row = known.get(tuple(values[name] for name in _IDENTITY))
        if row is None:
            found.append(("added", values, None))
        elif all(row[name] == values[name] for name in _CHANGEABLE):
            found.append(("unchanged", values, row))
        else:
            found.append(("changed", values, row))
    _check_overlaps(book, before, found)
    return found


def _check_overlaps(book: Book, before: list[Row], found: list[tuple[Verdict, dict[str, Any], Row | None]]) -> None:
    """Versions of one key follow each other; an older one without an end ends where the next begins."""
    touched = {tuple(values[name] for name in _KEY) for verdict, values, _ in found if verdict != "unchanged"}
    replaced = {row["id"] for _, _, row in found if row is not None}
    lines_of = {id(values): (line, places) for line, values, places in book.rows}
    by_key: dict[tuple[Any, ...], list[dict[str, Any]]] = {}
    for one in [*(row for row in before if row["id"] not in replaced), *(values for _, values, _ in found)]:
        by_key.setdefault(tuple(one[name] for name in _KEY), []).append(one)
    for key in touched:
        versions = sorted(by_key[key], key=lambda one: one["valid_from"])
        for older, newer in itertools.pairwise(versions):
            if older["valid_to"] is None and older["valid_from"] < newer["valid_from"]:
                older["valid_to"] = newer["valid_from"]
            elif older["valid_to"] is None or older["valid_to"] > newer["valid_from"]:
                line, places = lines_of.get(id(newer)) or lines_of.get(id(older)) or (0, {})
                book.blame(line, places, "valid_from", f"another address is in force then: {older['target']}")


def take(tx: Transaction, caller: Principal, book: Book) -> list[tuple[Verdict, dict[str, Any], Row | None]]:
    """Take the rows in, all or none; nothing is written when there is any fault."""
    entry = tx.begin_entry(Entry(caller.id, caller.name, caller.kind, "bureau-addresses.import", "bureau-addresses"))
    before = {row["id"]: row for row in store.book(tx)}
    found = look(tx, caller, book)
    if book.faults:
        raise book.faults[0].refusal
    entry.detail = dict(Counter(verdict for verdict, _, _ in found))
    for verdict, values, row in found:
        if row is None:
            _add(tx, values)
        elif verdict == "changed" or row["valid_to"] != values["valid_to"]:
            _update(tx, values, row)
    named = {row["id"] for _, _, row in found if row is not None}
    _close(tx, [row for row_id, row in before.items() if row_id not in named], found)
    return found


def _add(tx: Transaction, values: dict[str, Any]) -> None:
    row = BureauEndpointRow(id=times.new_id(), created_at=tx.now, updated_at=tx.now, **values)
    tx.add(row)
    if row.enabled and (row.valid_to is None or row.valid_to > tx.now):
        lines.watch(tx, row.id, max(tx.now, row.valid_from))
    bureau_addresses.tell(tx, row.id, "imported", 1)


def _update(tx: Transaction, values: dict[str, Any], row: Row) -> None:
    store.change(tx, row["id"], {name: values[name] for name in _CHANGEABLE if name != "enabled"}, tx.now)
    bureau_addresses.switch_rows(tx, [row], bool(values["enabled"]))
    bureau_addresses.tell(tx, row["id"], "imported", row["version"] + 1)


def _close(tx: Transaction, others: list[Row], found: list[tuple[Verdict, dict[str, Any], Row | None]]) -> None:
    """Versions on record that the file does not name end where a new one of theirs begins."""
    added = [values for verdict, values, _ in found if verdict == "added"]
    for row in others:
        later = [one["valid_from"] for one in added if all(one[name] == row[name] for name in _KEY)]
        following = min((start for start in later if start > row["valid_from"]), default=None)
        if row["valid_to"] is None and following is not None:
            store.change(tx, row["id"], {"valid_to": following}, tx.now)
            lines.end_watch(tx, row["id"], following)
            bureau_addresses.tell(tx, row["id"], "ended", row["version"] + 1)


def report(book: Book, found: Sequence[tuple[Verdict, dict[str, Any], Row | None]], dry_run: bool) -> dict[str, Any]:
    """What an import did, or would do."""
    counts = Counter(verdict for verdict, _, _ in found)
    return {
        "dry_run": dry_run,
        "total": book.total,
        **{verdict: counts[verdict] for verdict in ("added", "changed", "unchanged")},
        "faults": [
            {"line": one.line, "place": one.place, "column": one.column, **one.refusal.as_dict()}
            for one in sorted(book.faults, key=lambda one: (one.line, one.place))
        ],
    }


def write(hand: Connection, caller: Principal, form: Literal["xlsx", "csv"]) -> bytes:
    """The book the caller sees, every version that was not removed."""
    rows = [
        {**row, "enabled": str(row["enabled"]), **{name: row[name] or None for name in ("carrier", "valid_from")}}
        for row in store.book(hand)
        if caller.sees_region(row["area_code"])
    ]
    target = io.BytesIO()
    writer = sheet_writer.write_xlsx if form == "xlsx" else sheet_writer.write_csv
    writer(target, COLUMNS, rows)
    return target.getvalue()
