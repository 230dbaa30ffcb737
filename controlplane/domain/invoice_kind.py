"""Invoice kinds (票种) as dated rows: names, code per dialect, limits, and which device kind can issue which."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final, Literal, cast

from controlplane.domain.dated import Row, day_of, in_force, last_day_of, on_day

Support = Literal["stated", "plausible", "no"]
"""``stated`` by a source, ``plausible`` but unverified, or stated as ``no``."""

DIALECTS: Final = ("fplxdm", "hangxin", "verify", "digital")
"""Columns of codes: 百望/UKey/税总, 航信, 查验平台, 数电 analogue."""


@dataclass(frozen=True, slots=True)
class InvoiceKind:
    """One kind during one span of time. ``code`` is the 3-digit fplxdm by which the product knows it."""

    code: str
    name: str
    name_en: str
    paper: bool
    special: bool
    """专用发票: needs the buyer's tax id and a rate above zero."""
    code_length: int
    no_length: int
    max_lines: int
    """Lines including discount lines."""
    remark_bytes: int
    """In GB 18030 bytes, as devices count."""
    dialect_codes: Mapping[str, str]
    valid_from: date
    valid_to: date | None
    source: str

    @property
    def zero_rate_allowed(self) -> bool:
        """A zero rate stands on non-special kinds only."""
        return not self.special


@dataclass(frozen=True, slots=True)
class Compatibility:
    """Whether devices of one kind issue one invoice kind, during one span of time."""

    device_kind: str
    invoice_kind: str
    support: Support
    valid_from: date
    valid_to: date | None
    source: str


class KindTable:
    """All kinds and the matrix kinds × device kinds, asked for a day."""

    def __init__(self, kinds: Iterable[Row], matrix: Iterable[Row]) -> None:
        """Rows as in ``invoice_kinds.csv`` and ``device_invoice_kinds.csv``."""
        self._kinds = tuple(_kind(row) for row in kinds)
        self._matrix = tuple(_compatibility(row) for row in matrix)

    def on_day(self, day: date) -> tuple[InvoiceKind, ...]:
        """Kinds in force on that day."""
        return on_day(self._kinds, day)

    def find(self, code: str, day: date) -> InvoiceKind | None:
        """The kind of that code on that day, or None."""
        return next((kind for kind in self._kinds if kind.code == code and in_force(kind, day)), None)

    def support(self, device_kind: str, code: str, day: date) -> Support:
        """What is known of that device kind issuing that kind; a pair without a row is ``no``."""
        for row in self._matrix:
            if row.device_kind == device_kind and row.invoice_kind == code and in_force(row, day):
                return row.support
        return "no"


def _kind(row: Row) -> InvoiceKind:
    return InvoiceKind(
        code=row["code"],
        name=row["name"],
        name_en=row["name_en"],
        paper=row["paper"] == "1",
        special=row["special"] == "1",
        code_length=int(row["code_length"]),
        no_length=int(row["no_length"]),
        max_lines=int(row["max_lines"]),
        remark_bytes=int(row["remark_bytes"]),
        dialect_codes={dialect: row[dialect] for dialect in DIALECTS if row[dialect]},
        valid_from=day_of(row["valid_from"]),
        valid_to=last_day_of(row["valid_to"]),
        source=row["source"],
    )


def _compatibility(row: Row) -> Compatibility:
    return Compatibility(
        row["device_kind"],
        row["invoice_kind"],
        cast(Support, row["support"]),
        day_of(row["valid_from"]),
        last_day_of(row["valid_to"]),
        row["source"],
    )
