"""What may be done about an issued invoice, by kind, as dated rows: how it is voided, what its red invoice needs."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Literal, cast

from controlplane.domain.dated import Row, day_of, in_force, last_day_of
from controlplane.domain.refusals import refuse

Void = Literal["same_month", "signature_rejected"]
"""Paper is voided in the month it was issued, an electronic invoice only when its signature was rejected."""
Remark = Literal["original", "form"]


@dataclass(frozen=True, slots=True)
class OffsetRule:
    """The rules of one kind during one span of time. Kinds of one ``family`` may red-offset each other."""

    kind: str
    family: str
    void: Void
    needs_upload: bool
    """The blue invoice must be at the bureau before it is red-offset."""
    needs_form: bool
    """A red invoice needs an approved 红字信息表."""
    form_lines: int
    """Most lines of a red form; 0 = no form."""
    remark: Remark
    """What the remark of a red invoice must begin with: number of the blue invoice, or of the form."""
    valid_from: date
    valid_to: date | None
    source: str


def load(rows: Iterable[Row]) -> tuple[OffsetRule, ...]:
    """Rules from rows as in ``offset_rules.csv``."""
    return tuple(
        OffsetRule(
            kind=row["kind"],
            family=row["family"],
            void=cast(Void, row["void"]),
            needs_upload=row["needs_upload"] == "1",
            needs_form=row["needs_form"] == "1",
            form_lines=int(row["form_lines"]),
            remark=cast(Remark, row["remark"]),
            valid_from=day_of(row["valid_from"]),
            valid_to=last_day_of(row["valid_to"]),
            source=row["source"],
        )
        for row in rows
    )


def rule_of(rules: Iterable[OffsetRule], kind: str, day: date) -> OffsetRule:
    """The rule of a kind on a day; ``offset_not_ruled`` when nothing is laid down."""
    for rule in rules:
        if rule.kind == kind and in_force(rule, day):
            return rule
    raise refuse("offset_not_ruled", "kind", kind=kind)


def red_kinds(rules: Iterable[OffsetRule], kind: str, day: date) -> tuple[str, ...]:
    """The kinds that may red-offset an invoice of this kind on that day, the kind itself among them."""
    held = [rule for rule in rules if in_force(rule, day)]
    family = next((rule.family for rule in held if rule.kind == kind), None)
    return tuple(rule.kind for rule in held if rule.family == family)


def remark_of(rule: OffsetRule, blue: tuple[str, str], form_no: str, own: str) -> str:
    """The remark of a red invoice: the mandatory beginning, then the caller's own. ``blue``: its code and number."""
    if rule.remark == "form":
        first = f"开具红字增值税专用发票信息表编号{form_no}"
    else:
        first = f"对应正数发票代码:{blue[0]}号码:{blue[1]}"
    return f"{first} {own}" if own else first
