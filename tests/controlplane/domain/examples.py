"""Valid examples that tests change in one place."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from controlplane import data
from controlplane.domain.invoice_request import PricedInvoice, RequestedBuyer, RequestedInvoice, RequestedLine
from controlplane.domain.issuing import Examined, examine
from controlplane.domain.issuing_rules import IssuingRules
from controlplane.domain.readiness import DeviceFacts, KindLimits

TODAY = date(2026, 11, 22)
NOW = datetime(2026, 11, 22, 3, 0, tzinfo=UTC)
"""11:00 device time."""
RULES: IssuingRules = data.issuing_rules()
STRICT_IDS: IssuingRules = data.issuing_rules("error")
RICE = "1010101010000000000"
SUMMARY = "1010100000000000000"


def line(**changes: object) -> RequestedLine:
    fields = {"item_name": "稻谷", "tax_class_code": RICE, "rate": "0.09", "quantity": "2", "unit_price": "10.00"}
    return RequestedLine(**{**fields, **changes})


def invoice(*lines: RequestedLine, **changes: object) -> RequestedInvoice:
    buyer = RequestedBuyer(name="购方有限公司", tax_id="91990000MA0000AB0C")
    return RequestedInvoice(**{"kind": "026", "buyer": buyer, "lines": lines or (line(),), **changes})


def examined(request: RequestedInvoice, rules: IssuingRules = RULES) -> Examined:
    return examine(request, rules, TODAY)


def priced(*lines: RequestedLine, **changes: object) -> PricedInvoice:
    result = examined(invoice(*lines, **changes))
    assert result.invoice is not None, result.refusals
    return result.invoice


def codes(request: RequestedInvoice, rules: IssuingRules = RULES) -> list[tuple[str, str]]:
    """(code, field) of every refusal."""
    return [(one.code, one.field) for one in examined(request, rules).refusals]


LIMITS = KindLimits(issue_deadline=date(2026, 12, 15), single_limit_fen=1_000_000)


def facts(**changes: object) -> DeviceFacts:
    fields: dict[str, object] = {
        "device_no": "499000000001",
        "state": "ready",
        "read_at": NOW - timedelta(seconds=20),
        "clock_offset_seconds": 1.0,
        "bureau_online": True,
        "certificate_not_after": NOW + timedelta(days=365),
        "kinds": {"026": LIMITS, "028": LIMITS},
        "rates": frozenset({"0.09", "0.13", "0"}),
        "stock": {"026": 100, "028": 100},
    }
    return DeviceFacts(**{**fields, **changes})
