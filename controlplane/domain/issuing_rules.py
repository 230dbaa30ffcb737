"""Everything dated that issuing goes by, put together once and handed to the rules."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Final

from controlplane.domain.certificate import CertificateRule
from controlplane.domain.clock_rule import ClockRule
from controlplane.domain.dated import Row, day_of, in_force, last_day_of
from controlplane.domain.invoice_kind import KindTable
from controlplane.domain.issuing_right import RightRules
from controlplane.domain.offset_rule import OffsetRule
from controlplane.domain.report import ReportingRule
from controlplane.domain.tax_code import CodeBook
from controlplane.domain.taxpayer import Level

BUILT_KINDS: Final = frozenset({"026", "028"})
"""Kinds this product issues so far; other known kinds are refused as ``not_built_yet``."""


@dataclass(frozen=True, slots=True)
class Tolerances:
    """How far given amounts may differ from computed ones, in fen."""

    line_amount_fen: int
    line_tax_fen: int
    total_tax_fen: int
    valid_from: date
    valid_to: date | None


@dataclass(frozen=True, slots=True)
class PreferenceNote:
    """One 优惠政策 text that may stand on a line."""

    note: str
    valid_from: date
    valid_to: date | None


@dataclass(frozen=True, slots=True)
class IssuingRules:
    """Dated tables and settings; built once per process. Only the book of tax codes takes in new versions later."""

    kinds: KindTable
    codes: CodeBook
    clock: tuple[ClockRule, ...]
    tolerances: tuple[Tolerances, ...]
    notes: tuple[PreferenceNote, ...]
    offsets: tuple[OffsetRule, ...] = ()
    warn_minutes: Mapping[str, int] = field(default_factory=dict)
    """Cause → how many minutes before it stops issuing a device's health warns."""
    reporting: tuple[ReportingRule, ...] = ()
    """When a device has been silent for too long to be cleared from afar."""
    id_check: Level = "warn"
    """What a failed check digit of a buyer's tax id is."""
    certificates: tuple[CertificateRule, ...] = ()
    facts_max_age: timedelta = timedelta(minutes=10)
    """Readings older than this prove nothing: the device does not sign until it is read again."""
    rights: RightRules = field(default_factory=RightRules)
    """Which flag of a taxpayer allows what."""
    table_rules: Mapping[str, int] = field(default_factory=dict)
    """Rule → number: page sizes, days and levels of the tables' own upkeep."""

    def tolerance(self, day: date) -> Tolerances:
        """The tolerances in force; LookupError on a day without any."""
        for row in self.tolerances:
            if in_force(row, day):
                return row
        raise LookupError(f"no tolerances in force on {day}")

    def knows_note(self, note: str, day: date) -> bool:
        """True when the preference note may be used on that day."""
        return any(row.note == note and in_force(row, day) for row in self.notes)


def load_tolerances(rows: Iterable[Row]) -> tuple[Tolerances, ...]:
    """Tolerances from rows with line_amount_fen, line_tax_fen, total_tax_fen, valid_from, valid_to."""
    return tuple(
        Tolerances(
            int(row["line_amount_fen"]),
            int(row["line_tax_fen"]),
            int(row["total_tax_fen"]),
            day_of(row["valid_from"]),
            last_day_of(row["valid_to"]),
        )
        for row in rows
    )


def load_notes(rows: Iterable[Row]) -> tuple[PreferenceNote, ...]:
    """Preference notes from rows with note, valid_from, valid_to."""
    return tuple(PreferenceNote(row["note"], day_of(row["valid_from"]), last_day_of(row["valid_to"])) for row in rows)
