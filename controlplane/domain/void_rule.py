"""Whether an issued invoice may be voided (作废): by its kind, its month, its upload, and what offsets it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from controlplane.domain.money import yuan
from controlplane.domain.offset_rule import OffsetRule
from controlplane.domain.refusals import Refusal, refuse


@dataclass(frozen=True, slots=True)
class VoidFacts:
    """What is known of an issued invoice. Amounts in fen, above zero; days by the device's clock."""

    issued_on: date
    upload_status: str
    reported_before: date | None = None
    """First day that is not yet reported to the bureau; None = not known."""
    red_fen: int = 0
    """Gross total of its red invoices, those under way included."""
    reds: int = 0
    forms: int = 0
    """Red forms that are open for it."""


def void_refusals(facts: VoidFacts, rule: OffsetRule, today: date) -> list[Refusal]:
    """Every rule that keeps the invoice from being voided today; empty when it may be."""
    found: list[Refusal] = []
    if rule.void == "signature_rejected":
        if facts.upload_status != "signature_rejected":
            found.append(refuse("void_electronic", kind=rule.kind, upload_status=facts.upload_status))
    else:
        found += _paper(facts, rule, today)
    if facts.reds:
        found.append(refuse("void_red_offset", count=facts.reds, amount=yuan(facts.red_fen)))
    if facts.forms:
        found.append(refuse("void_red_form", count=facts.forms))
    return found


def _paper(facts: VoidFacts, rule: OffsetRule, today: date) -> list[Refusal]:
    found = []
    issued = facts.issued_on
    if (issued.year, issued.month) != (today.year, today.month):
        found.append(refuse("void_other_month", kind=rule.kind, issued_on=issued.isoformat(), month=f"{today:%Y-%m}"))
    if facts.reported_before is not None and issued < facts.reported_before:
        until = facts.reported_before.isoformat()
        found.append(refuse("void_reported", issued_on=issued.isoformat(), reported_before=until))
    return found
