"""A tax class code (税收分类编码): its structure, its table, and the versions of the table that follow each other."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final, NamedTuple

from controlplane.domain.acts import ActSpec, Field, Words
from controlplane.domain.dated import Row, last_day_of
from controlplane.domain.lifecycle import machine
from controlplane.domain.refusals import Refusal, refuse

LENGTH: Final = 19
LEVELS: Final = (1, 3, 5, 7, 9, 11, 13, 15, 17, 19)
"""Digits up to and including each level: 篇 类 章 节 条 款 项 目 子目 细目."""

MACHINE: Final = machine(
    "code_version",
    "fetching",
    (
        ("fetching", "finish", "complete"),
        ("fetching", "recognise", "known"),
        ("fetching", "fail", "stopped"),
        ("fetching", "stop", "stopped"),
        ("stopped", "resume", "fetching"),
        ("complete", "activate", "active"),
        ("active", "rollback", "rolled_back"),
        ("rolled_back", "activate", "active"),
    ),
)
"""A version comes page by page, is whole, and is put in force by an act. ``known``: we have that version already."""

SUCCEEDED: Final = frozenset({"complete", "known", "active", "rolled_back"})
"""States of a synchronisation that came to its end."""

_NOUN = "code-versions"
ACTS: Final = (
    ActSpec(
        _NOUN,
        "synchronise",
        (Field("tax_server_id", "id", optional=True), Field("wanted", "word", optional=True)),
        "tables.change",
        "collection",
    ),
    ActSpec(_NOUN, "resume", permission="tables.change"),
    ActSpec(_NOUN, "stop", permission="tables.change"),
    ActSpec(_NOUN, "activate", (Field("valid_from", "day"),), "tables.change", dangerous=True),
    ActSpec(_NOUN, "rollback", permission="tables.change", dangerous=True),
)
"""What may be done with versions of the code table."""

WORDS: Final[Words] = {
    "verb": {
        "resume": ("恢复", "resume"),
        "stop": ("中止", "stop"),
        "activate": ("启用版本", "put in force"),
        "rollback": ("回退版本", "roll back"),
    },
    "field": {
        "tax_server_id": ("税控服务器", "tax server"),
        "wanted": ("版本号", "version wanted"),
        "valid_from": ("有效期起", "valid from"),
    },
}
"""Words for verbs and fields."""

LABELS: Final = {
    "fetching": ("同步中", "fetching"),
    "stopped": ("已中断", "stopped"),
    "complete": ("已同步未启用", "complete"),
    "known": ("无更新", "nothing new"),
    "active": ("已启用", "in force"),
    "rolled_back": ("已回退", "rolled back"),
}
"""State → (Chinese, English) as shown."""

_FORM = re.compile(r"\A[0-9]{19}\Z")


class TaxCode(NamedTuple):
    """One row of a table. ``usual_rates`` as decimals in text.

    ``summary``: the row sums up others (汇总项) and may not stand on an invoice; having children does not matter.
    """

    code: str
    name: str
    usual_rates: tuple[str, ...]
    summary: bool
    short_name: str = ""
    usable: bool = True
    valid_from: date | None = None
    valid_to: date | None = None


class TaxCodeTable:
    """A version of the code table, looked up by code."""

    def __init__(self, codes: Iterable[TaxCode]) -> None:
        self._codes = {row.code: row for row in codes}

    @staticmethod
    def shipped(rows: Iterable[Row]) -> TaxCodeTable:
        """From rows with code, name, vat_rate_percent (blank = summary; several separated by ``/``)."""
        found = ((row["code"], row["name"], _rates(row["vat_rate_percent"])) for row in rows)
        return TaxCodeTable(TaxCode(code, name, rates, not rates) for code, name, rates in found)

    def __len__(self) -> int:
        return len(self._codes)

    def __iter__(self) -> Iterator[TaxCode]:
        return iter(self._codes.values())

    def get(self, code: str) -> TaxCode | None:
        """The row, usable or not."""
        return self._codes.get(code)

    def refusal(self, code: str, field: str, day: date) -> Refusal | None:
        """Why the code may not stand on an invoice of that day, or None."""
        row = self._codes.get(code)
        if row is not None:
            if row.summary:
                return refuse("tax_code_summary", field, code=code, name=row.name)
            if row.usable and (row.valid_from is None or row.valid_from <= day <= (row.valid_to or day)):
                return None
            last = row.valid_to.isoformat() if row.valid_to else "—"
            return refuse("tax_code_ended", field, code=code, name=row.name, last=last)
        if not _FORM.match(code):
            return refuse("tax_code_format", field)
        return refuse("tax_code_unknown", field, code=code)

    def parents(self, code: str) -> tuple[TaxCode, ...]:
        """The rows above a code that the table holds, nearest first."""
        above = (self._codes.get(parent) for parent in parent_codes(code))
        return tuple(row for row in above if row is not None)


SHIPPED: Final = "shipped"
"""Name of the table that ships with the product, in force until the first activated version."""


@dataclass(frozen=True, slots=True)
class CodeEdition:
    """A version that is in force from a day on, until the next one is."""

    record_id: str
    version: str
    valid_from: date
    table: TaxCodeTable


class CodeBook:
    """The shipped table and the activated versions over it: an invoice uses the one valid on its day.

    The editions are exchanged as a whole by ``take``, so whoever holds the book always sees one sound state of it.
    """

    def __init__(self, shipped: TaxCodeTable) -> None:
        self._shipped = shipped
        self._editions: tuple[CodeEdition, ...] = ()

    @property
    def editions(self) -> tuple[CodeEdition, ...]:
        """The activated versions by first day."""
        return self._editions

    @property
    def shipped(self) -> TaxCodeTable:
        """The table in force before any version."""
        return self._shipped

    def take(self, editions: Iterable[CodeEdition]) -> None:
        """From now on these are the activated versions."""
        self._editions = tuple(sorted(editions, key=lambda one: one.valid_from))

    def edition_on(self, day: date) -> CodeEdition | None:
        """The version in force on a day; None = the shipped table."""
        return next((one for one in reversed(self._editions) if one.valid_from <= day), None)

    def on(self, day: date) -> TaxCodeTable:
        """The table in force on a day."""
        edition = self.edition_on(day)
        return edition.table if edition else self._shipped

    def changed_between(self, first: date, last: date) -> bool:
        """True when another table was in force on the one day than on the other."""
        return self.on(first) is not self.on(last)


# --- what a version is made of


class CodeFactsLike(NamedTuple):
    """A row as the bureau gives it; ``rates`` as ``0.13`` joined by blanks, days YYYY-MM-DD or empty."""

    code: str
    name: str
    short_name: str
    rates: str
    sum_only: bool
    usable: bool
    parent: str
    note: str
    valid_from: str
    valid_to: str


def digest_of(rows: Iterable[CodeFactsLike]) -> str:
    """SHA-256 hex over a whole version in its order: fields joined by tabs, truths as Y and N, a newline after each."""
    digest = hashlib.sha256()
    for row in rows:
        parts = ("Y" if part is True else "N" if part is False else part for part in row)
        digest.update("\t".join(parts).encode() + b"\n")
    return digest.hexdigest()


def of_facts(row: CodeFactsLike) -> TaxCode:
    """The row as issuing knows it."""
    first, last = last_day_of(row.valid_from), last_day_of(row.valid_to)
    # A row that only says when it ends was always there.
    first = first or (date.min if last else None)
    return TaxCode(row.code, row.name, tuple(row.rates.split()), row.sum_only, row.short_name, row.usable, first, last)


@dataclass(frozen=True, slots=True)
class CodeChange:
    """One difference between two versions. ``what`` added, ended, rate_changed or renamed."""

    what: str
    code: str
    old: str
    new: str


def differences(old: Iterable[TaxCode], new: Iterable[TaxCode]) -> list[CodeChange]:
    """What changed from one table to another, by code; a code may have changed in more than one way."""
    before = {row.code: row for row in old}
    after = {row.code: row for row in new}
    found: list[CodeChange] = []
    for code in sorted(before.keys() | after.keys()):
        was, now = before.get(code), after.get(code)
        if was is None or (now is not None and now.usable and not was.usable):
            assert now is not None
            found.append(CodeChange("added", code, "", now.name))
        elif now is None or (was.usable and not now.usable):
            found.append(CodeChange("ended", code, was.name, ""))
        else:
            found += _changes(was, now)
    return found


def _changes(was: TaxCode, now: TaxCode) -> Sequence[CodeChange]:
    found = []
    if was.usual_rates != now.usual_rates:
        found.append(CodeChange("rate_changed", now.code, " ".join(was.usual_rates), " ".join(now.usual_rates)))
    if was.name != now.name:
        found.append(CodeChange("renamed", now.code, was.name, now.name))
    if was.valid_to != now.valid_to and now.valid_to is not None:
        found.append(CodeChange("ended", now.code, was.name, now.valid_to.isoformat()))
    return found


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
