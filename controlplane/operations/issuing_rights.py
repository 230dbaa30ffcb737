"""What a taxpayer may issue now, from the one row every request reads anyway; and what else time may have changed."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache
from types import MappingProxyType

import msgspec

from controlplane.domain.dated import DEVICE_ZONE, last_day_of
from controlplane.domain.issuing_right import FlagSpan, TaxpayerFacts, right_refusal
from controlplane.domain.issuing_rules import IssuingRules
from controlplane.domain.refusals import Refusal
from controlplane.operations.issue_orders import IssueOrder
from controlplane.store.statement import Row
from controlplane.store.times import from_text

_MOST = 4096


def of_taxpayer(row: Row) -> TaxpayerFacts:
    """A taxpayer's row as the rules know it."""
    return TaxpayerFacts(
        taxpayer_id=row["taxpayer_id"],
        taxpayer_kind=row["taxpayer_kind"],
        state=row["state"],
        may_issue=bool(row["may_issue"]),
        flags=_flags(row["flags"]),
    )


def refusal(taxpayer: Row, kind: str, special_type: str, rules: IssuingRules, now: datetime) -> Refusal | None:
    """Why the taxpayer may not issue such an invoice now."""
    day = now.astimezone(DEVICE_ZONE).date()
    return right_refusal(of_taxpayer(taxpayer), kind, special_type, rules.rights, day)


def against(
    taxpayer: Row | None, invoice: Row, order: IssueOrder, rules: IssuingRules, now: datetime
) -> Refusal | None:
    """What of the taxpayer's rights and of the code table stands against an invoice that has waited until now.

    A red one takes back what was right when it was issued: it only needs a taxpayer that may issue at all.
    """
    wish, blue = order.priced.request, invoice["direction"] == "blue"
    if taxpayer is not None:
        found = refusal(taxpayer, wish.kind if blue else "", wish.special_type if blue else "", rules, now)
        if found is not None:
            return found
    asked_on = from_text(invoice["created_at"]).astimezone(DEVICE_ZONE).date()
    today = now.astimezone(DEVICE_ZONE).date()
    if not blue or not rules.codes.changed_between(asked_on, today):
        return None
    # An invoice goes by the code table of the day it is issued on, whenever it was asked for.
    table, lines = rules.codes.on(today), order.priced.lines
    refusals = (table.refusal(line.tax_class_code, f"lines[{line.order_line}].tax_class_code", today) for line in lines)
    return next(filter(None, refusals), None)


@lru_cache(_MOST)
def _flags(text: str) -> Mapping[str, tuple[FlagSpan, ...]]:
    kept: dict[str, list[tuple[str, str, str]]] = msgspec.json.decode(text, type=dict[str, list[tuple[str, str, str]]])
    found = {
        name: tuple(FlagSpan(value, last_day_of(first), last_day_of(last)) for value, first, last in spans)
        for name, spans in kept.items()
    }
    return MappingProxyType(found)
