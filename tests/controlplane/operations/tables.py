"""What the bureau would say of taxpayers and code tables, for tests that speak as agents."""

from __future__ import annotations

from typing import Any

from controlplane.domain.tax_code import CodeFactsLike, digest_of
from controlplane.wire import evidence


def facts(taxpayer_id: str, **changes: Any) -> evidence.TaxpayerFacts:
    """A small-scale taxpayer with one flag."""
    fields: dict[str, Any] = {
        "taxpayer_id": taxpayer_id,
        "name": "税局登记名称",
        "taxpayer_kind": "02",
        "registration_seq": "10119900000000000001",
        "tax_authority_code": "14400000000",
        "tax_authority_name": "某税务局",
        "may_issue": True,
        "flags": [evidence.FlagFacts("xgmkjzpbs", "01", "2026-01-01", "2026-12-31")],
    }
    return evidence.TaxpayerFacts(**{**fields, **changes})


def code(number: int, **changes: Any) -> evidence.CodeFacts:
    """One usable row."""
    fields: dict[str, Any] = {
        "code": f"10101010{number:011d}",
        "name": f"品目{number}",
        "short_name": "谷物",
        "rates": "0.09",
        "sum_only": False,
        "usable": True,
    }
    return evidence.CodeFacts(**{**fields, **changes})


def digest(rows: list[evidence.CodeFacts]) -> str:
    """The bureau's digest over a version."""
    return digest_of(CodeFactsLike(*(getattr(row, name) for name in CodeFactsLike._fields)) for row in rows)


def page(rows: list[evidence.CodeFacts], first: int, most: int, **changes: Any) -> evidence.CodePage:
    """A page of a version made of these rows."""
    fields: dict[str, Any] = {
        "version": "50.0",
        "published_on": "2026-09-01",
        "total": len(rows),
        "start": first,
        "digest": digest(rows),
        "rows": rows[first : first + most],
    }
    return evidence.CodePage(**{**fields, **changes})
