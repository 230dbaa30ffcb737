"""The parts of an xlsx file as they are met in the stream: index, links, texts, styles, and the cells of a sheet."""

from __future__ import annotations

import re
from typing import Protocol

from inventory.cell import Kind, Limits, RawCell, RawRow, SheetRefused

Attributes = dict[str, str]

_LAST_ROW = 1_048_576
_REFERENCE = re.compile(r"([A-Z]{1,3})([1-9][0-9]{0,6})\Z")
_LONGEST_TEXT = 32_767
"""Characters a spreadsheet cell can hold."""
_DATE_FORMATS = frozenset((*range(14, 23), *range(27, 37), *range(45, 48), *range(50, 59)))
"""Built-in number formats that show a date or a time."""
_NOT_SHOWN = re.compile(r'"[^"]*"|\\.|\[[^\]]*\]')


class Part(Protocol):
    """A reader of one part: called for each element begun and ended, and for the text between."""

    def begin(self, tag: str, attributes: Attributes) -> None:
        """An element begins."""
        ...

    def end(self, tag: str) -> None:
        """An element ends."""
        ...

    def text(self, data: str) -> None:
        """Text within the element."""
        ...


def _local(tag: str) -> str:
    return tag.rpartition(" ")[2]


class _Quiet:
    """A part of which only the attributes matter."""

    def end(self, tag: str) -> None:
        """Nothing to do."""

    def text(self, data: str) -> None:
        """Nothing to do."""


class WorkbookIndex(_Quiet):
    """Which sheet comes first, and from which year dates count."""

    def __init__(self) -> None:
        self.first_sheet = ""
        self.dates_from_1904 = False

    def begin(self, tag: str, attributes: Attributes) -> None:
        """See Part."""
        name = _local(tag)
        if name == "workbookPr":
            self.dates_from_1904 = attributes.get("date1904") in ("1", "true")
        if name == "sheet" and not self.first_sheet and attributes.get("state", "visible") == "visible":
            self.first_sheet = next((value for key, value in attributes.items() if _local(key) == "id"), "")


class Links(_Quiet):
    """Where the workbook's relations lead."""

    def __init__(self) -> None:
        self.targets: dict[str, str] = {}
        self.external = False

    def begin(self, tag: str, attributes: Attributes) -> None:
        """See Part."""
        if _local(tag) == "Relationship":
            self.external = self.external or attributes.get("TargetMode") == "External"
            self.targets[attributes.get("Id", "")] = attributes.get("Target", "")


class Styles(_Quiet):
    """Which cell styles show a number as a date."""

    def __init__(self) -> None:
        self.dates: set[int] = set()
        self._own_formats: dict[str, str] = {}
        self._count = 0
        self._in_cells = False

    def begin(self, tag: str, attributes: Attributes) -> None:
        """See Part."""
        name = _local(tag)
        if name == "numFmt":
            self._own_formats[attributes.get("numFmtId", "")] = attributes.get("formatCode", "")
        elif name == "cellXfs":
            self._in_cells = True
        elif name == "xf" and self._in_cells:
            if self._shows_date(attributes.get("numFmtId", "0")):
                self.dates.add(self._count)
            self._count += 1

    def end(self, tag: str) -> None:
        """See Part."""
        if _local(tag) == "cellXfs":
            self._in_cells = False

    def _shows_date(self, number: str) -> bool:
        own = self._own_formats.get(number)
        if own is not None:
            return any(letter in "dmyhs" for letter in _NOT_SHOWN.sub("", own.lower()))
        return number.isdecimal() and int(number) in _DATE_FORMATS


class Texts:
    """The table of texts that cells point into; spoken hints (phonetic runs) are left out."""

    def __init__(self, most: int) -> None:
        self.texts: list[str] = []
        self._most = most
        self._pieces: list[str] = []
        self._hint = 0
        self._open = False

    def begin(self, tag: str, attributes: Attributes) -> None:
        """See Part."""
        name = _local(tag)
        if name == "si":
            self._pieces = []
        elif name == "rPh":
            self._hint += 1
        elif name == "t":
            self._open = not self._hint

    def end(self, tag: str) -> None:
        """See Part."""
        name = _local(tag)
        if name == "si":
            if len(self.texts) == self._most:
                raise SheetRefused("too_many_texts", str(self._most))
            self.texts.append(unescaped("".join(self._pieces)))
        elif name == "rPh":
            self._hint -= 1
        elif name == "t":
            self._open = False

    def text(self, data: str) -> None:
        """See Part."""
        if self._open:
            self._pieces.append(data)


class SheetCells:
    """The cells of one sheet, row by row; ``take`` hands over what is complete."""

    def __init__(self, texts: list[str], dates: set[int], dates_from_1904: bool, limits: Limits) -> None:
        self._texts, self._dates, self._from_1904, self._limits = texts, dates, dates_from_1904, limits
        self._ready: list[RawRow] = []
        self._line = self._column = self._rows = self._hint = 0
        self._cells: list[RawCell] = []
        self._attributes: Attributes = {}
        self._pieces: list[str] = []
        self._length = 0
        self._open = self._formula = False

    def take(self) -> list[RawRow]:
        """The rows completed since the last call."""
        ready, self._ready = self._ready, []
        return ready

    def begin(self, tag: str, attributes: Attributes) -> None:
        """See Part."""
        name = _local(tag)
        if name == "c":
            self._attributes, self._pieces, self._length, self._formula = attributes, [], 0, False
            self._column = self._place(attributes.get("r"))
        elif name == "row":
            self._begin_row(attributes.get("r"))
        elif name == "f":
            self._formula = True
        elif name == "rPh":
            self._hint += 1
        elif name == "v" or (name == "t" and not self._hint):
            self._open = True

    def end(self, tag: str) -> None:
        """See Part."""
        name = _local(tag)
        if name == "c":
            self._end_cell()
        elif name == "row":
            if self._cells:
                self._ready.append(RawRow(self._line, tuple(self._cells)))
        elif name == "rPh":
            self._hint -= 1
        elif name in ("v", "t"):
            self._open = False

    def text(self, data: str) -> None:
        """See Part."""
        if self._open:
            self._length += len(data)
            if self._length > _LONGEST_TEXT:
                raise SheetRefused("bad_content", f"row {self._line}: text too long")
            self._pieces.append(data)

    def _begin_row(self, number: str | None) -> None:
        line = int(number) if number and number.isdecimal() and len(number) <= 7 else self._line + 1
        self._rows += 1
        if not self._line < line <= _LAST_ROW:
            raise SheetRefused("bad_content", f"row {line}")
        if self._rows > self._limits.rows + 1:  # the header is not counted
            raise SheetRefused("too_many_rows", str(self._limits.rows))
        self._line, self._column, self._cells = line, -1, []

    def _place(self, reference: str | None) -> int:
        column = self._column + 1
        if reference is not None:
            match = _REFERENCE.match(reference)
            if not match or int(match[2]) != self._line:
                raise SheetRefused("bad_content", f"row {self._line}")
            place = 0
            for letter in match[1]:
                place = place * 26 + ord(letter) - 64
            column = place - 1
        if column <= self._column:
            raise SheetRefused("bad_content", f"row {self._line}")
        return column

    def _end_cell(self) -> None:
        kind, value = self._value("".join(self._pieces))
        if not value and kind != "formula":
            return
        if self._column >= self._limits.columns:
            raise SheetRefused("too_wide", f"row {self._line}")
        self._cells.append(RawCell(self._column, kind, value))

    def _value(self, written: str) -> tuple[Kind, str]:
        if self._formula:
            return "formula", ""
        kind = self._attributes.get("t", "n")
        if kind == "s":
            return "text", self._shared(written) if written else ""
        if kind in ("str", "inlineStr"):
            return "text", unescaped(written)
        if kind == "b":
            return "boolean", written
        if kind == "e":
            return "error", written
        if kind == "d":
            return "date", written
        style = self._attributes.get("s", "0")
        if style.isdecimal() and int(style) in self._dates and written:
            return "date", self._since_1900(written)
        return "number", written

    def _shared(self, written: str) -> str:
        if not written.isdecimal() or len(written) > 9 or int(written) >= len(self._texts):
            raise SheetRefused("bad_content", f"row {self._line}: text")
        return self._texts[int(written)]

    def _since_1900(self, serial: str) -> str:
        """Days since 1904 written as days since 1900."""
        whole, dot, rest = serial.partition(".")
        if self._from_1904 and whole.isdecimal() and len(whole) < 8:
            return f"{int(whole) + 1462}{dot}{rest}"
        return serial


def unescaped(text: str) -> str:
    """A spreadsheet writes a character that XML cannot hold as ``_x000B_``; this is the text it means."""
    return re.sub(r"_x([0-9A-Fa-f]{4})_", lambda match: chr(int(match[1], 16)), text) if "_x" in text else text
