"""Rules about one requested line: its texts, its tax class code, its rate, its preference and zero-rate marks."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Final

from controlplane.domain import money
from controlplane.domain.foreign_text import first_hazard
from controlplane.domain.invoice_kind import InvoiceKind
from controlplane.domain.invoice_request import RequestedLine
from controlplane.domain.issuing_rules import IssuingRules
from controlplane.domain.refusals import Refusal, refuse

EXEMPT: Final = "免税"
NOT_TAXED: Final = "不征税"

_ZERO_RATE_NEEDS: Final = {"1": (1, EXEMPT), "2": (1, NOT_TAXED), "3": (0, "")}
"""zero_rate_kind → (preference flag, note) it demands; 0 (export) demands none but may not say exempt or not taxed."""


def line_refusals(line: RequestedLine, index: int, kind: InvoiceKind, rules: IssuingRules, day: date) -> list[Refusal]:
    """Every rule of ours that the line breaks; amounts are the business of pricing."""
    at = f"lines[{index}]"
    found: list[Refusal] = []
    if not line.item_name.strip():
        found.append(refuse("text_blank", f"{at}.item_name"))
    unusable = rules.codes.on(day).refusal(line.tax_class_code, f"{at}.tax_class_code", day)
    if unusable is not None:
        found.append(unusable)
    found += _preference_refusals(line, at, rules, day)
    try:
        rate = money.rate_of(line.rate, f"{at}.rate")
    except Refusal as refusal:
        return [*found, refusal]
    if rate == 0:
        found += _zero_rate_refusals(line, at, kind)
    else:
        found += _taxed_refusals(line, at)
    return found


def text_refusals(texts: Iterable[tuple[str, str]]) -> list[Refusal]:
    """Control and invisible characters, by field and position."""
    found = []
    for field, text in texts:
        hazard = first_hazard(text)
        if hazard is not None:
            found.append(refuse("control_character", field, position=hazard[0], character=hazard[1]))
    return found


def _preference_refusals(line: RequestedLine, at: str, rules: IssuingRules, day: date) -> list[Refusal]:
    if bool(line.preference_flag) != bool(line.preference_note):
        return [refuse("preference_flag_and_note", f"{at}.preference_note")]
    if line.preference_note and not rules.knows_note(line.preference_note, day):
        return [refuse("preference_note_unknown", f"{at}.preference_note", note=line.preference_note)]
    return []


def _zero_rate_refusals(line: RequestedLine, at: str, kind: InvoiceKind) -> list[Refusal]:
    if not kind.zero_rate_allowed:
        return [refuse("zero_rate_on_special", f"{at}.rate")]
    if line.zero_rate_kind not in ("0", "1", "2", "3"):
        return [refuse("zero_rate_kind_missing", f"{at}.zero_rate_kind")]
    needed = _ZERO_RATE_NEEDS.get(line.zero_rate_kind)
    given = (line.preference_flag, line.preference_note)
    if needed is None and line.preference_note in (EXEMPT, NOT_TAXED):
        needed = (0, "")
    if needed is None or given == needed:
        return []
    return [_note_differs(line, at, needed)]


def _taxed_refusals(line: RequestedLine, at: str) -> list[Refusal]:
    if line.zero_rate_kind:
        return [refuse("zero_rate_kind_unexpected", f"{at}.zero_rate_kind")]
    if line.preference_note in (EXEMPT, NOT_TAXED):
        return [_note_differs(line, at, (0, ""))]
    return []


def _note_differs(line: RequestedLine, at: str, needed: tuple[int, str]) -> Refusal:
    return refuse(
        "zero_rate_note_differs",
        f"{at}.preference_note",
        zero_rate_kind=line.zero_rate_kind or "—",
        flag=needed[0],
        expected=needed[1] or "—",
        flag_given=line.preference_flag,
        note=line.preference_note or "—",
    )
