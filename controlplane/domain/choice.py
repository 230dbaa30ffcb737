"""The one function that chooses device and terminal: named in the request, else by business type, else by stock."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from controlplane.domain import virtual_device
from controlplane.domain.dated import DEVICE_ZONE
from controlplane.domain.invoice_request import PricedInvoice
from controlplane.domain.issuing_rules import IssuingRules
from controlplane.domain.readiness import DeviceFacts, device_blocks, fits, out_of_stock
from controlplane.domain.refusals import Language, Param, Refusal, refuse

REASONS: Final = {
    "named": ("请求指定了设备 {device_no} 终端 {terminal_code}",
              "the request names device {device_no} / {terminal_code}"),
    "named_device": ("请求指定了设备 {device_no}, 其中终端 {terminal_code} 余票最多 ({available})",
                     "the request names device {device_no}; terminal {terminal_code} has most numbers ({available})"),
    "business_type": ("业务类型 {business_type} 绑定在设备 {device_no} 终端 {terminal_code}",
                      "business type {business_type} is bound to device {device_no} / {terminal_code}"),
    "original_device": ("蓝字发票的设备 {device_no}, 终端 {terminal_code}",
                        "the blue invoice's device {device_no}, terminal {terminal_code}"),
    "most_stock": ("设备 {device_no} 终端 {terminal_code} 余票最多 ({available})",
                   "device {device_no} / {terminal_code} has most numbers left ({available})"),
}  # fmt: skip
"""Reason code of a choice → (Chinese, English)."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """One enabled terminal of one device of the taxpayer. ``available`` = numbers left less those waited for."""

    facts: DeviceFacts
    terminal_code: str
    available: int
    business_types: frozenset[str] = frozenset()
    """Business types bound to this terminal; a terminal bound to some is used for others only when nothing else is."""


@dataclass(frozen=True, slots=True)
class Choice:
    """Where an invoice will be issued, and why there; kept on the invoice as reason and params."""

    device_no: str
    terminal_code: str
    reason: str
    params: dict[str, Param] = field(default_factory=dict)

    def told(self, language: Language = "zh") -> str:
        """The reason as text."""
        return told(self.reason, self.params, language)


def told(reason: str, params: dict[str, Param], language: Language = "zh") -> str:
    """A kept reason as text."""
    chinese, english = REASONS[reason]
    return (chinese if language == "zh" else english).format_map(params)


def choose(
    invoice: PricedInvoice, candidates: Sequence[Candidate], now: datetime, rules: IssuingRules
) -> Choice | Refusal:
    """The terminal to issue on, or why there is none now.

    A refusal whose ``waits`` is True means: keep the invoice waiting and choose again when facts change.
    """
    wanted = _wanted(invoice, candidates)
    if isinstance(wanted, Refusal):
        return wanted
    reason, pool = wanted
    commissioned = [one for one in pool if one.facts.state not in virtual_device.NEXT_STEP]
    if not commissioned:
        return _stops(pool[0], invoice, now, rules)[0]
    day = now.astimezone(DEVICE_ZONE).date()
    # Best first: as a rule the first can issue, and the others are not even looked at.
    first = invoice.request.original.device_no if invoice.request.original else ""
    for best in sorted(commissioned, key=lambda one: (one.facts.device_no != first, *_rank(one))):
        if not fits(best.facts, invoice, rules, day) and not _stops(best, invoice, now, rules):
            return _chosen(best, _told_as(reason, best, first), invoice)
    misfits = [fits(one.facts, invoice, rules, day) for one in commissioned]
    fitting = [one for one, found in zip(commissioned, misfits, strict=True) if not found]
    if not fitting:
        return _nothing_fits(invoice, commissioned, misfits)
    stops = [_stops(one, invoice, now, rules) for one in fitting]
    # The one that comes nearest to issuing says why it does not.
    return min(zip(fitting, stops, strict=True), key=lambda pair: (len(pair[1]), *_rank(pair[0])))[1][0]


def _chosen(best: Candidate, reason: str, invoice: PricedInvoice) -> Choice:
    params: dict[str, Param] = {"device_no": best.facts.device_no, "terminal_code": best.terminal_code}
    params["business_type" if reason == "business_type" else "available"] = (
        invoice.request.business_type if reason == "business_type" else best.available
    )
    return Choice(best.facts.device_no, best.terminal_code, reason, params)


def _told_as(reason: str, best: Candidate, first: str) -> str:
    """A red invoice that cannot be issued where the blue one was goes where most numbers are."""
    return "most_stock" if reason == "original_device" and best.facts.device_no != first else reason


def _wanted(invoice: PricedInvoice, candidates: Sequence[Candidate]) -> tuple[str, list[Candidate]] | Refusal:
    """(reason, pool) by the rule that applies first."""
    request = invoice.request
    pool = [one for one in candidates if one.facts.state != "cancelled"]
    if request.device_no:
        pool = [one for one in pool if one.facts.device_no == request.device_no]
        if not pool:
            return refuse("device_unknown", "device_no", device_no=request.device_no)
    if request.terminal_code:
        pool = [one for one in pool if one.terminal_code == request.terminal_code]
        if not pool:
            return refuse("terminal_unknown", "terminal_code", terminal_code=request.terminal_code)
        return "named", pool
    if request.device_no:
        return "named_device", pool
    bound = [one for one in pool if request.business_type and request.business_type in one.business_types]
    if bound:
        return "business_type", bound
    if request.original is not None and pool:
        return "original_device", pool
    pool = [one for one in pool if not one.business_types] or pool
    if not pool:
        return refuse("no_device", "", kind=invoice.kind)
    return "most_stock", pool


def _stops(one: Candidate, invoice: PricedInvoice, now: datetime, rules: IssuingRules) -> list[Refusal]:
    found = device_blocks(one.facts, invoice.kind, invoice.gross_fen, now, rules)
    if one.available <= 0:
        found.append(out_of_stock(one.facts.device_no, invoice.kind, one.terminal_code))
    return found


def _nothing_fits(invoice: PricedInvoice, pool: list[Candidate], misfits: list[list[Refusal]]) -> Refusal:
    """Why no terminal of the pool takes the invoice: the misfit of the nearest one, the highest limit first."""
    kind = invoice.kind
    holding = [(one, found) for one, found in zip(pool, misfits, strict=True) if kind in one.facts.kinds]
    if not holding:
        named = invoice.request.device_no or invoice.request.terminal_code
        return misfits[0][0] if named else refuse("no_device", "", kind=kind)
    nearest = min(holding, key=lambda pair: (len(pair[1]), -pair[0].facts.kinds[kind].single_limit_fen))
    return nearest[1][0]


def _rank(one: Candidate) -> tuple[int, str, str]:
    return -one.available, one.facts.device_no, one.terminal_code
