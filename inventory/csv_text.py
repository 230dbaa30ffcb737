"""Rows of a CSV file: UTF-8 or GB18030, strict quoting, and the apostrophe that guards text from being a formula."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator

from inventory.cell import Limits, RawCell, RawRow, SheetRefused

_GUARDED = re.compile(r"'+(?=[=+\-@\t\r\n ＝＋－＠])")
_RISKY = re.compile(r"'*[=+\-@\t\r\n ＝＋－＠]")


def guarded(text: str) -> str:
    """Text that no spreadsheet takes for a formula: an apostrophe goes before what could begin one."""
    return "'" + text if _RISKY.match(text) else text


def unguarded(text: str) -> str:
    """The text as it was before ``guarded``."""
    return text[1:] if _GUARDED.match(text) else text


def rows(data: bytes, limits: Limits) -> Iterator[RawRow]:
    """The rows that are not empty, with the line each begins on. Raises SheetRefused."""
    reader = csv.reader(io.StringIO(_decoded(data), newline=""), strict=True)
    line = 1
    try:
        for number, fields in enumerate(reader):
            if number > limits.rows:
                raise SheetRefused("too_many_rows", str(limits.rows))
            if len(fields) > limits.columns:
                raise SheetRefused("too_wide", f"line {line}")
            cells = tuple(_cell(column, field) for column, field in enumerate(fields) if field)
            if cells:
                yield RawRow(line, cells)
            line = reader.line_num + 1
    except csv.Error as error:
        raise SheetRefused("bad_content", f"line {line}") from error


def _cell(column: int, field: str) -> RawCell:
    if field.startswith("="):
        return RawCell(column, "formula", "")
    return RawCell(column, "text", unguarded(field))


def _decoded(data: bytes) -> str:
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\0" in text:
            break
        return text
    raise SheetRefused("unknown_encoding")
