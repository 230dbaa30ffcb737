"""Validation and pricing of one request for an invoice: the priced invoice, or every rule it breaks, by name."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from controlplane.domain import taxpayer
from controlplane.domain.invoice_kind import InvoiceKind
from controlplane.domain.invoice_request import PricedInvoice, RequestedInvoice
from controlplane.domain.issuing_rules import BUILT_KINDS, IssuingRules
from controlplane.domain.line_rules import line_refusals, text_refusals
from controlplane.domain.pricing import price
from controlplane.domain.refusals import Refusal, refuse


@dataclass(frozen=True, slots=True)
class Examined:
    """What came of a request: ``invoice`` is None exactly when there are refusals; warnings refuse nothing."""

    invoice: PricedInvoice | None
    refusals: tuple[Refusal, ...] = ()
    warnings: tuple[Refusal, ...] = ()


def examine(request: RequestedInvoice, rules: IssuingRules, day: date) -> Examined:
    """Validate and price a request on a day (device zone). Rules of a device come later, with the choice of it."""
    refusals = _not_built(request)
    kind = rules.kinds.find(request.kind, day)
    if kind is None:
        allowed = ", ".join(sorted(k.code for k in rules.kinds.on_day(day) if k.code in BUILT_KINDS))
        return Examined(None, (*refusals, refuse("kind_unknown", "kind", kind=request.kind, allowed=allowed)))
    if kind.code not in BUILT_KINDS:
        return Examined(None, (*refusals, refuse("not_built_yet", "kind", what=f"{kind.code} {kind.name}")))
    buyer_refusals, warnings = _buyer(request, kind, rules)
    refusals += buyer_refusals
    refusals += text_refusals(request.texts())
    refusals += _remark(request, kind)
    if not request.lines:
        refusals.append(refuse("no_lines", "lines"))
    for index, line in enumerate(request.lines):
        refusals += line_refusals(line, index, kind, rules, day)
    invoice, unpriced = price(request, rules.tolerance(day))
    refusals += [one for one in unpriced if one not in refusals and (request.lines or one.field != "lines")]
    if invoice is not None and len(invoice.lines) > kind.max_lines:
        count = len(invoice.lines)
        refusals.append(refuse("too_many_lines", "lines", count=count, kind=kind.code, limit=kind.max_lines))
    return Examined(None if refusals else invoice, tuple(refusals), tuple(warnings))


def _not_built(request: RequestedInvoice) -> list[Refusal]:
    found = []
    if request.direction != "blue":
        found.append(refuse("not_built_yet", "direction", what="红字发票 (red; 见 POST /v1/invoices/{id}/red_offset)"))
    if request.special_type not in ("", "00"):
        found.append(refuse("not_built_yet", "special_type", what=f"特殊票种 (special_type) {request.special_type}"))
    if request.taxation_method not in ("", "0"):
        found.append(
            refuse("not_built_yet", "taxation_method", what=f"征税方式 (taxation_method) {request.taxation_method}")
        )
    if request.deduction_amount is not None:
        found.append(refuse("not_built_yet", "deduction_amount", what="差额征税扣除额 (deduction_amount)"))
    return found


def _buyer(request: RequestedInvoice, kind: InvoiceKind, rules: IssuingRules) -> tuple[list[Refusal], list[Refusal]]:
    errors: list[Refusal] = []
    warnings: list[Refusal] = []
    if not request.buyer.name.strip():
        errors.append(refuse("buyer_name_missing", "buyer.name"))
    if request.buyer.tax_id:
        errors_of_id, warnings = taxpayer.examine(request.buyer.tax_id, "buyer.tax_id", rules.id_check)
        errors += errors_of_id
    elif kind.special:
        errors.append(refuse("buyer_tax_id_missing", "buyer.tax_id"))
    return errors, warnings


def _remark(request: RequestedInvoice, kind: InvoiceKind) -> list[Refusal]:
    # Lone surrogates are the only text GB 18030 cannot hold; they are reported as characters, here they just count.
    length = len(request.remark.encode("gb18030", errors="replace"))
    if length <= kind.remark_bytes:
        return []
    return [refuse("remark_too_long", "remark", length=length, kind=kind.code, limit=kind.remark_bytes)]
