"""Writes tables that hold no formula, whatever their text begins with; what is written reads back as it was."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import IO

from openpyxl import Workbook
from openpyxl.cell import Cell, WriteOnlyCell
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE
from openpyxl.worksheet._write_only import WriteOnlyWorksheet

from inventory.csv_text import guarded
from inventory.sheet import Column, Value

_LONGEST_TEXT = 32_767
_REPLACEMENT = "\ufffd"
_ESCAPE = re.compile(r"_(?=x[0-9A-Fa-f]{4}_)")


def write_xlsx(target: IO[bytes], columns: Sequence[Column], rows: Iterable[Mapping[str, Value]]) -> None:
    """Write one sheet: header, then rows by column name. Raises ValueError for a text no cell can hold."""
    book = Workbook(write_only=True)
    sheet = book.create_sheet("taxplane")
    sheet.append([_text_cell(sheet, column.titles[0]) for column in columns])
    for row in rows:
        sheet.append([_cell(sheet, _shown(column, row.get(column.name))) for column in columns])
    book.save(target)


def write_csv(target: IO[bytes], columns: Sequence[Column], rows: Iterable[Mapping[str, Value]]) -> None:
    """The same as CSV in UTF-8 with a byte-order mark, as spreadsheets expect it."""
    text = io.TextIOWrapper(target, "utf-8-sig", newline="", write_through=True)
    writer = csv.writer(text)
    writer.writerow([column.titles[0] for column in columns])
    for row in rows:
        values = [_shown(column, row.get(column.name)) for column in columns]
        writer.writerow([guarded(_clean(value)) if isinstance(value, str) else value for value in values])
    text.detach()


def _shown(column: Column, value: Value) -> Value:
    """A choice by the first word that stands for it; all else as it is."""
    if column.kind != "choice":
        return value
    return next((word for word, meant in column.choices.items() if meant == value), value)


def _cell(sheet: WriteOnlyWorksheet, value: Value) -> Cell | int | Decimal | date | None:
    return _text_cell(sheet, value) if isinstance(value, str) else value


def _text_cell(sheet: WriteOnlyWorksheet, text: str) -> Cell:
    text = _clean(text)
    if len(text) > _LONGEST_TEXT:
        raise ValueError("text is too long for a cell")
    cell = WriteOnlyCell(sheet, _ESCAPE.sub("_x005F_", text))
    cell.data_type = "s"  # the library takes a leading = for a formula
    if guarded(text) != text:
        cell.quotePrefix = True  # keeps it text also when an operator edits the cell
    return cell


def _clean(text: str) -> str:
    """Without the characters no table file can hold."""
    text = text.encode("utf-8", "replace").decode("utf-8") if not text.isascii() else text
    return ILLEGAL_CHARACTERS_RE.sub(_REPLACEMENT, text)
