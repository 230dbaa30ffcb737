"""A table file (xlsx or csv) as typed rows: every fault named by line and column, none costing the other rows."""

from __future__ import annotations

import difflib
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal, InvalidOperation
from itertools import chain
from typing import Literal

from inventory import csv_text, workbook
from inventory.cell import Limits, RawCell, RawRow, SheetRefused, letters

Value = str | int | Decimal | date | None

FaultCode = Literal[
    "missing_column",
    "unknown_column",
    "double_column",
    "no_column",
    "required",
    "formula",
    "error_value",
    "store_as_text",
    "not_text",
    "too_long",
    "control_character",
    "not_an_integer",
    "not_a_number",
    "not_a_date",
    "not_a_choice",
]

_ZIP, _OLE = b"PK\x03\x04", b"\xd0\xcf\x11\xe0"
_MOST_DIGITS = 15
"""A spreadsheet keeps no more digits of a number than these."""
_DAY_ZERO = date(1899, 12, 30)
_FIRST_SOUND_DAY = 61
"""Before 1 March 1900 spreadsheets count a day that never was."""
_SEPARATORS = "\u2028\u2029"


@dataclass(frozen=True, slots=True)
class Column:
    """A column by its titles. ``kind`` ``id`` is text that must be stored as text, so that no digit or zero is lost."""

    name: str
    titles: tuple[str, ...]
    """What the header may say, the first being what we write ourselves; ``name`` is always understood."""
    kind: Literal["id", "text", "integer", "decimal", "date", "choice"] = "text"
    required: bool = False
    longest: int = 200
    choices: Mapping[str, str] = field(default_factory=dict)
    """Of a ``choice``: word in the file → value; values stand for themselves."""


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong in one cell or header. ``place`` is the cell as a spreadsheet names it, ``detail`` a hint."""

    line: int
    place: str
    column: str
    code: FaultCode
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Row:
    """One row: values by column name (None: empty), and its faults. With faults its values are not to be used."""

    line: int
    values: Mapping[str, Value]
    faults: tuple[Fault, ...] = ()
    places: Mapping[str, str] = field(default_factory=dict)
    """Column name → cell, as a spreadsheet names it."""


@dataclass(frozen=True, slots=True)
class Sheet:
    """A whole file: the sound rows and every fault found. An import takes all of it or nothing."""

    rows: tuple[Row, ...]
    faults: tuple[Fault, ...]


def read_sheet(data: bytes, columns: Sequence[Column], limits: Limits | None = None) -> Sheet:
    """Read a file by its content, whatever its name says. Raises SheetRefused when it cannot be read as a table."""
    rows = list(read_rows(data, columns, limits))
    return Sheet(tuple(row for row in rows if not row.faults), tuple(chain.from_iterable(row.faults for row in rows)))


def read_rows(data: bytes, columns: Sequence[Column], limits: Limits | None = None) -> Iterator[Row]:
    """The rows as they are read. A header with faults is the first and only row given."""
    limits = limits or Limits()
    if len(data) > limits.file_bytes:
        raise SheetRefused("too_large", str(limits.file_bytes))
    if data.startswith(_OLE):
        raise SheetRefused("old_format")
    raw = workbook.rows(data, limits) if data.startswith(_ZIP) else csv_text.rows(data, limits)
    header = next(raw, None)
    if header is None:
        raise SheetRefused("no_header")
    places, faults = _header(header, columns)
    if faults:
        yield Row(header.line, {}, tuple(faults))
        return
    for row in raw:
        yield _row(row, places, columns)


def _header(header: RawRow, columns: Sequence[Column]) -> tuple[dict[int, Column], list[Fault]]:
    known = {title.casefold(): column for column in columns for title in (*column.titles, column.name)}
    places: dict[int, Column] = {}
    faults: list[Fault] = []
    for cell in header.cells:
        title = _tidy(cell.text)
        column = known.get(title.casefold())
        place = f"{letters(cell.column)}{header.line}"
        if column is None:
            near = difflib.get_close_matches(title.casefold(), known, 1, 0.5)
            faults.append(
                Fault(header.line, place, title[:64], "unknown_column", known[near[0]].titles[0] if near else "")
            )
        elif column in places.values():
            faults.append(Fault(header.line, place, column.name, "double_column"))
        else:
            places[cell.column] = column
    missing = [column for column in columns if column.required and column not in places.values()]
    faults += [Fault(header.line, "", column.name, "missing_column", column.titles[0]) for column in missing]
    return places, faults


def _row(row: RawRow, places: Mapping[int, Column], columns: Sequence[Column]) -> Row:
    values: dict[str, Value] = {column.name: None for column in columns}
    faults: list[Fault] = []
    for cell in row.cells:
        place = f"{letters(cell.column)}{row.line}"
        column = places.get(cell.column)
        if column is None:
            faults.append(Fault(row.line, place, "", "no_column"))
            continue
        try:
            values[column.name] = _value(cell, column)
        except _CellFault as fault:
            faults.append(Fault(row.line, place, column.name, fault.code, fault.detail))
    judged = {fault.column for fault in faults}
    spots = {column.name: f"{letters(place)}{row.line}" for place, column in places.items()}
    faults += [
        Fault(row.line, spots[column.name], column.name, "required")
        for column in columns
        if column.required and values[column.name] is None and column.name not in judged
    ]
    return Row(row.line, values, tuple(faults), spots)


class _CellFault(Exception):
    """What is wrong with the cell being read."""

    def __init__(self, code: FaultCode, detail: str = "") -> None:
        super().__init__(code)
        self.code: FaultCode = code
        self.detail = detail


def _value(cell: RawCell, column: Column) -> Value:
    if cell.kind == "formula":
        raise _CellFault("formula")
    if cell.kind == "error":
        raise _CellFault("error_value", cell.text[:16])
    text = _checked(cell.text)
    if not text:
        return None
    if column.kind in ("id", "text"):
        return _text(cell, text, column)
    if column.kind == "choice":
        return _choice(text, column)
    if column.kind == "date":
        return _date(cell, text)
    wrong: FaultCode = "not_a_number" if column.kind == "decimal" else "not_an_integer"
    if cell.kind not in ("number", "text"):
        raise _CellFault(wrong)
    number = _number(text, cell.kind == "number", wrong)
    if column.kind == "decimal":
        return number
    if number != number.to_integral_value():
        raise _CellFault(wrong)
    return int(number)


def _checked(text: str) -> str:
    """The one form of a text: composed, without blanks at its ends; control characters are a fault."""
    text = _tidy(text)
    for letter in "" if text.isprintable() else text:
        if unicodedata.category(letter) in ("Cc", "Cs") or letter in _SEPARATORS:
            raise _CellFault("control_character", f"U+{ord(letter):04X}")
    return text


def _tidy(text: str) -> str:
    return unicodedata.normalize("NFC", text).strip(" \u3000\u00a0")


def _text(cell: RawCell, text: str, column: Column) -> str:
    if cell.kind == "number":
        number = _number(text, True, "not_text")
        if column.kind == "id" or len(number.as_tuple().digits) > _MOST_DIGITS or abs(number) >= 10**_MOST_DIGITS:
            raise _CellFault("store_as_text")
        text = f"{number:f}"
    elif cell.kind != "text":
        raise _CellFault("not_text")
    if len(text) > column.longest:
        raise _CellFault("too_long", str(column.longest))
    return text


def _choice(text: str, column: Column) -> str:
    value = column.choices.get(text, text)
    if value not in column.choices.values():
        raise _CellFault("not_a_choice", " / ".join(column.choices)[:200])
    return value


def _number(text: str, shortest: bool, code: FaultCode) -> Decimal:
    """The number as shown: a file may write 0.1 as 0.10000000000000001, ``shortest`` undoes that."""
    if len(text) > 40 or not text.isascii() or "_" in text:
        raise _CellFault(code)
    try:
        number = Decimal(repr(float(text)) if shortest else text)
    except (InvalidOperation, ValueError) as error:
        raise _CellFault(code) from error
    if not number.is_finite() or abs(number.adjusted()) > 30:
        raise _CellFault(code)
    whole = number.to_integral_value()
    return Decimal(f"{whole:f}") if number == whole else number.normalize()


def _date(cell: RawCell, text: str) -> date:
    if cell.kind == "date" and text.replace(".", "", 1).isdecimal() and len(text) < 24:
        days = int(float(text))
        if _FIRST_SOUND_DAY <= days < 2_958_466:  # the last day of the year 9999
            return _DAY_ZERO + timedelta(days=days)
    if cell.kind in ("text", "date"):
        parts = text[:10].replace("/", "-").split("-")
        if len(parts) == 3 and all(part.isascii() and part.isdecimal() for part in parts) and len(parts[0]) == 4:
            try:
                return date(*(int(part) for part in parts))
            except ValueError:
                pass
    raise _CellFault("not_a_date")
