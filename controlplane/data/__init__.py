"""Reference data shipped with the control plane: dated rows with their source, and the tables made of them."""

from __future__ import annotations

import csv
from datetime import date
from functools import cache
from pathlib import Path

from controlplane.domain import (
    certificate,
    clock_rule,
    device_kind,
    issuing_right,
    line_watch,
    offset_rule,
    report,
)
from controlplane.domain.calendar import Calendar
from controlplane.domain.invoice_kind import KindTable
from controlplane.domain.issuing_rules import IssuingRules, load_notes, load_tolerances
from controlplane.domain.release import FreezeCalendar
from controlplane.domain.seal import SealRuleTable
from controlplane.domain.tax_code import CodeBook, TaxCodeTable
from controlplane.domain.taxpayer import Level

_FOLDER = Path(__file__).parent


def rows(name: str) -> list[dict[str, str]]:
    """Rows of ``<name>.csv``, each a fresh dict of texts; FileNotFoundError for a table that is not shipped."""
    with (_FOLDER / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@cache
def kinds() -> KindTable:
    """Invoice kinds and the matrix kinds × device kinds."""
    return KindTable(rows("invoice_kinds"), rows("device_invoice_kinds"))


@cache
def tax_codes() -> TaxCodeTable:
    """The national tax class codes as shipped."""
    return TaxCodeTable.shipped(rows("tax_codes"))


@cache
def calendar() -> Calendar:
    """Filing deadlines."""
    return Calendar(rows("filing_deadlines"))


@cache
def seal_rules() -> SealRuleTable:
    """How long a request waits for its second person, and when the end of a seal is told."""
    return SealRuleTable(rows("seal_rules"))


@cache
def freezes() -> FreezeCalendar:
    """Days on which nothing is upgraded."""
    return FreezeCalendar(rows("release_freezes"), calendar())


@cache
def vendor_codes() -> dict[str, device_kind.VendorCode]:
    """Device codes of the order-system vendor, taken apart into kind × custody × medium."""
    return device_kind.load_vendor_codes(rows("device_codes"))


@cache
def issuing_rules(id_check: Level = "warn") -> IssuingRules:
    """The rules issuing goes by; one object per level of the tax-id check."""
    return IssuingRules(
        kinds=kinds(),
        codes=CodeBook(tax_codes()),
        clock=clock_rule.load(rows("clock_rules")),
        tolerances=load_tolerances(rows("tolerances")),
        notes=load_notes(rows("preference_notes")),
        offsets=offset_rule.load(rows("offset_rules")),
        warn_minutes={row["cause"]: int(row["warn_minutes"]) for row in rows("health_thresholds")},
        reporting=report.load_rules(rows("reporting_rules")),
        id_check=id_check,
        certificates=certificate.load(rows("certificate_rules")),
        rights=issuing_right.RightRules(
            flags=issuing_right.load_flag_rules(rows("flag_rules")),
            names=issuing_right.load_flag_names(rows("flag_names")),
            rates=issuing_right.load_kind_rates(rows("kind_rates")),
        ),
        table_rules={row["rule"]: int(row["value"]) for row in rows("table_rules")},
    )


@cache
def line_rules(day: date) -> line_watch.LineRules:
    """The numbers the watch over bureau lines goes by on a day."""
    return line_watch.rules_on(rows("line_rules"), day)
