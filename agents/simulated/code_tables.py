"""Two versions of the code table as the simulated bureau publishes them, made the same way every time."""

from __future__ import annotations

import csv
import hashlib
from dataclasses import dataclass, replace
from functools import cache
from importlib.resources import files

_SUFFIXES = ("01", "02", "03", "04")
"""Endings of the rows added below each usable code, so that a version has some hundreds of rows."""
_NEWEST = "50.0"


@dataclass(frozen=True)
class CodeRow:
    """One row; ``rates`` joined by blanks, days yyyyMMdd or empty."""

    code: str
    name: str
    short_name: str
    rates: str
    sum_only: bool
    usable: bool = True
    parent: str = ""
    note: str = ""
    valid_from: str = ""
    valid_to: str = ""

    def shown(self) -> dict[str, str]:
        """As the wire has it."""
        return {
            "SPBM": self.code,
            "MC": self.name,
            "SPBMJC": self.short_name,
            "ZZSSL": self.rates,
            "HZX": "Y" if self.sum_only else "N",
            "KYZT": "Y" if self.usable else "N",
            "PID": self.parent,
            "BZ": self.note,
            "QYSJ": self.valid_from,
            "ZZSJ": self.valid_to,
        }

    def line(self) -> str:
        """The row as the digest of a version takes it: days with hyphens."""
        days = [f"{day[:4]}-{day[4:6]}-{day[6:]}" if day else "" for day in (self.valid_from, self.valid_to)]
        shown = list(self.shown().values())
        return "\t".join([*shown[:8], *days]) + "\n"


@dataclass(frozen=True)
class Edition:
    """A version as published; ``published_on`` yyyyMMdd."""

    version: str
    published_on: str
    rows: tuple[CodeRow, ...]

    @property
    def digest(self) -> str:
        """SHA-256 over all rows in their order."""
        digest = hashlib.sha256()
        for row in self.rows:
            digest.update(row.line().encode())
        return digest.hexdigest()


def edition(version: str) -> Edition | None:
    """The version of that name; the newest for an empty one; None when there is none."""
    return editions().get(version or _NEWEST)


@cache
def editions() -> dict[str, Edition]:
    """49.0: the national table and rows below its codes. 50.0: some of them added, ended, renamed, of another rate."""
    older = tuple(_rows())
    return {
        "49.0": Edition("49.0", "20250101", older),
        _NEWEST: Edition(_NEWEST, "20260901", tuple(_changed(older))),
    }


def _rows() -> list[CodeRow]:
    text = files("agents.simulated").joinpath("data", "tax_codes.csv").read_text(encoding="utf-8")
    found: dict[str, CodeRow] = {}
    table = list(csv.DictReader(text.splitlines()))
    for line in table:
        rates = " ".join(_fraction(percent) for percent in line["vat_rate_percent"].split("/") if percent)
        found[line["code"]] = CodeRow(line["code"], line["name"], line["name"][:8], rates, not rates)
    for row in list(found.values()):
        if row.sum_only or not row.code.endswith("00"):
            continue
        for suffix in _SUFFIXES:
            code = row.code[:-2] + suffix
            found.setdefault(code, replace(row, code=code, name=f"{row.name}（{suffix}）", parent=row.code))
    return sorted(found.values(), key=lambda row: row.code)


def _changed(rows: tuple[CodeRow, ...]) -> list[CodeRow]:
    """Of the added rows every 12th is gone, every 15th renamed, every 20th taxed otherwise; a few are new."""
    found = []
    for number, row in enumerate(rows):
        if not row.parent:
            found.append(row)
        elif number % 12 == 0:
            continue
        elif number % 15 == 0:
            found.append(replace(row, name=f"{row.name}新"))
        elif number % 20 == 0:
            found.append(replace(row, rates="0.06"))
        else:
            found.append(row)
    base = next(row for row in rows if row.parent)
    found += [
        replace(base, code=f"{base.code[:-2]}{number:02d}", name=f"新增品目{number}", note="50.0 新增")
        for number in range(50, 60)
    ]
    return sorted(found, key=lambda row: row.code)


def _fraction(percent: str) -> str:
    whole, _, part = percent.partition(".")
    digits = whole.rjust(3, "0")
    return f"{digits[:-2]}.{digits[-2:]}{part}".rstrip("0").rstrip(".") or "0"
