"""The cell as it stands in a file, before anybody believes it, and the refusal of a file as a whole."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal["text", "number", "date", "boolean", "error", "formula"]
"""``date``: a number that the sheet shows as a date."""

Refusal = Literal[
    "too_large",
    "unpacks_too_large",
    "too_many_rows",
    "too_wide",
    "too_many_texts",
    "not_a_sheet",
    "old_format",
    "encrypted",
    "macros",
    "external_links",
    "embedded_file",
    "bad_name",
    "bad_content",
    "document_type",
    "unknown_encoding",
    "no_header",
]


class SheetRefused(Exception):
    """The file as a whole is not read; ``code`` says why, ``detail`` where."""

    def __init__(self, code: Refusal, detail: str = "") -> None:
        super().__init__(f"{code}: {detail}" if detail else code)
        self.code: Refusal = code
        self.detail = detail


@dataclass(frozen=True, slots=True)
class RawCell:
    """A cell that is not empty: ``column`` from 0; ``text`` as written (of a formula: empty)."""

    column: int
    kind: Kind
    text: str


@dataclass(frozen=True, slots=True)
class RawRow:
    """A row that is not empty; ``line`` as the operator counts it, from 1."""

    line: int
    cells: tuple[RawCell, ...]


@dataclass(frozen=True, slots=True)
class Limits:
    """How much of a file is read before it is refused."""

    file_bytes: int = 10 * 1024 * 1024
    unpacked_bytes: int = 200 * 1024 * 1024
    text_bytes: int = 32 * 1024 * 1024
    """Unpacked size of a workbook's table of texts, which is kept in memory."""
    texts: int = 1_000_000
    rows: int = 100_000
    columns: int = 64
    parts: int = 1_000
    ratio: int = 200
    """Most a part larger than a mebibyte may grow by unpacking."""


def letters(column: int) -> str:
    """The name of a column, as a spreadsheet shows it: 0 is A, 26 is AA."""
    name = ""
    column += 1
    while column:
        column, rest = divmod(column - 1, 26)
        name = chr(65 + rest) + name
    return name
