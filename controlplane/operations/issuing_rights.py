"""What a taxpayer may issue now, from the one row every request reads anyway."""

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
from controlplane.store.statement import Row

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


@lru_cache(_MOST)
def _flags(text: str) -> Mapping[str, tuple[FlagSpan, ...]]:
    kept: dict[str, list[tuple[str, str, str]]] = msgspec.json.decode(text, type=dict[str, list[tuple[str, str, str]]])
    found = {
        name: tuple(FlagSpan(value, last_day_of(first), last_day_of(last)) for value, first, last in spans)
        for name, spans in kept.items()
    }
    return MappingProxyType(found)
