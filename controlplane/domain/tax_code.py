"""A tax class code (税收分类编码): its structure, its parents, and whether it may stand on an invoice."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from controlplane.domain.dated import Row
from controlplane.domain.refusals import Refusal, refuse

LENGTH: Final = 19
LEVELS: Final = (1, 3, 5, 7, 9, 11, 13, 15, 17, 19)
"""Digits up to and including each level: 篇 类 章 节 条 款 项 目 子目 细目."""

_FORM = re.compile(r"\A[0-9]{19}\Z")


@dataclass(frozen=True, slots=True)
class TaxCode:
    """One row of the national table. ``usual_rates`` as decimals in text; empty for a summary row (汇总项)."""

    code: str
    name: str
    usual_rates: tuple[str, ...]

    @property
    def summary(self) -> bool:
        """True when the row sums up others and may not stand on an invoice; having children does not matter."""
        return not self.usual_rates


class TaxCodeTable:
    """The code table, looked up by code."""

    def __init__(self, rows: Iterable[Row]) -> None:
        """Rows have code, name, vat_rate_percent (blank = summary; several separated by ``/``)."""
        self._codes = {row["code"]: TaxCode(row["code"], row["name"], _rates(row["vat_rate_percent"])) for row in rows}

    def __len__(self) -> int:
        return len(self._codes)

    def __iter__(self) -> Iterator[TaxCode]:
        return iter(self._codes.values())

    def get(self, code: str) -> TaxCode | None:
        """The row, usable or not."""
        return self._codes.get(code)

    def refusal(self, code: str, field: str = "") -> Refusal | None:
        """Why the code may not stand on an invoice, or None."""
        row = self._codes.get(code)
        if row is not None:
            return refuse("tax_code_summary", field, code=code, name=row.name) if row.summary else None
        if not _FORM.match(code):
            return refuse("tax_code_format", field)
        return refuse("tax_code_unknown", field, code=code)

    def parents(self, code: str) -> tuple[TaxCode, ...]:
        """The rows above a code that the table holds, nearest first."""
        above = (self._codes.get(parent) for parent in parent_codes(code))
        return tuple(row for row in above if row is not None)


def parent_codes(code: str) -> tuple[str, ...]:
    """Codes above this one by structure, nearest first; empty for a top code. ValueError when it is not 19 digits."""
    if not _FORM.match(code):
        raise ValueError("a tax class code has exactly 19 digits")
    found: list[str] = []
    for digits in reversed(LEVELS):
        parent = code[:digits].ljust(LENGTH, "0")
        if parent != code and parent not in found:
            found.append(parent)
    return tuple(found)


def _rates(percents: str) -> tuple[str, ...]:
    return tuple(_fraction(percent) for percent in percents.split("/") if percent)


def _fraction(percent: str) -> str:
    whole, _, part = percent.partition(".")
    digits = whole.rjust(3, "0")
    return (f"{digits[:-2]}.{digits[-2:]}{part}".rstrip("0").rstrip(".")) or "0"
