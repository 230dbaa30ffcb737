"""What a device can take and what keeps it from issuing now, from facts read off it and the clock."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from controlplane.domain import certificate, tax_server, virtual_device
from controlplane.domain.clock_rule import rule_at
from controlplane.domain.dated import DEVICE_ZONE
from controlplane.domain.foreign_text import codepoint
from controlplane.domain.invoice_request import Original, PricedInvoice
from controlplane.domain.issuing_rules import IssuingRules
from controlplane.domain.money import yuan
from controlplane.domain.refusals import Refusal, refuse
from controlplane.domain.stop import Stop

_HOUR = timedelta(hours=1)
_MINUTE = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class KindLimits:
    """监控数据 of one kind. 0 = not limited; money in fen."""

    issue_deadline: date | None = None
    """Last day, included, on which the device issues (device time)."""
    single_limit_fen: int = 0
    upload_deadline_day: int = 0
    offline_max_hours: int = 0
    offline_max_count: int = 0
    offline_max_fen: int = 0
    red_needs_original: bool = False
    """负数发票标志: the blue invoice must be on the device itself."""
    red_max_days: int = 0
    """负数限定天数: how old the blue invoice may be."""


@dataclass(frozen=True, slots=True)
class DeviceFacts:
    """What is known of a device, as last read. Moments are aware; None = not known, which limits nothing by itself."""

    device_no: str
    state: str
    """State of the virtual device."""
    server_state: str = "certified"
    """State of its tax server."""
    device_kind: str = "new_tax_server"
    may_issue: bool = True
    """开票标志 of the taxpayer, as the device holds it."""
    read_at: datetime | None = None
    reachable: bool = True
    clock_offset_seconds: float | None = None
    bureau_online: bool | None = None
    offline_since: datetime | None = None
    offline_count: int = 0
    offline_fen: int = 0
    late_uploads: int = 0
    """Invoices of earlier months that are not uploaded yet."""
    certificate_not_after: datetime | None = None
    certificate_issued_at: datetime | None = None
    server_certificate_not_after: datetime | None = None
    server_certificate_status: str = ""
    """As the tax server told it last (00, 01, 02, 03); empty = not told."""
    kinds: Mapping[str, KindLimits] = field(default_factory=dict)
    rates: frozenset[str] = frozenset()
    """授权税率 in their one spelling (``money.rate_text``)."""
    stock: Mapping[str, int] = field(default_factory=dict)
    """Kind → numbers that can still be given; a kind never received is missing."""
    stop: Stop | None = None
    """The emergency stop that holds it."""
    charset: str = ""
    """Python codec of a device that does not take all of Unicode; empty = takes all."""


def fits(facts: DeviceFacts, invoice: PricedInvoice, rules: IssuingRules, day: date) -> list[Refusal]:
    """Rules of this device about the invoice's own data: kind, rates, single limit, charset."""
    kind = invoice.kind
    limits = facts.kinds.get(kind)
    if limits is None or rules.kinds.support(facts.device_kind, kind, day) == "no":
        return [refuse("kind_not_on_device", "kind", device_no=facts.device_no, kind=kind)]
    found = [
        _rate_refusal(facts, line.rate, line.order_line)
        for line in invoice.lines
        if line.rate not in facts.rates and (line.amount_fen > 0) == (invoice.gross_fen > 0)
    ]
    if 0 < limits.single_limit_fen < abs(invoice.gross_fen):
        found.append(_over_single_limit(facts.device_no, limits.single_limit_fen, abs(invoice.gross_fen)))
    if invoice.request.original is not None:
        found += _red_refusals(facts, limits, invoice.request.original, day)
    if facts.charset:
        found += _charset_refusals(facts.charset, invoice)
    return found


def _red_refusals(facts: DeviceFacts, limits: KindLimits, blue: Original, day: date) -> list[Refusal]:
    found, number, days = [], facts.device_no, (day - blue.issued_on).days
    if limits.red_needs_original and blue.device_no != number:
        found.append(refuse("red_original_elsewhere", device_no=number, original=blue.device_no))
    if 0 < limits.red_max_days < days:
        issued = blue.issued_on.isoformat()
        found.append(refuse("red_too_late", device_no=number, limit=limits.red_max_days, issued_on=issued, days=days))
    return found


def blocks(facts: DeviceFacts, kind: str, gross_fen: int, now: datetime, rules: IssuingRules) -> list[Refusal]:
    """What keeps the device from issuing one more invoice of that kind and total now, stock included."""
    found = device_blocks(facts, kind, gross_fen, now, rules)
    if facts.stock.get(kind, 0) <= 0:
        found.append(out_of_stock(facts.device_no, kind))
    return found


def device_blocks(facts: DeviceFacts, kind: str, gross_fen: int, now: datetime, rules: IssuingRules) -> list[Refusal]:
    """As :func:`blocks` without stock, which may lie on a terminal."""
    unusable = _not_usable(facts, now, rules)
    if unusable is not None:
        return [unusable]
    found = _certificate_blocks(facts, now)
    found += _clock_blocks(facts, now, rules)
    limits = facts.kinds.get(kind)
    if limits is not None:
        found += _limit_blocks(facts, kind, limits, now)
        found += _offline_blocks(facts, limits, gross_fen, now)
    return found


def out_of_stock(device_no: str, kind: str, terminal_code: str = "—") -> Refusal:
    """The refusal for a terminal, or a whole device, without numbers of a kind."""
    return refuse("no_stock", "", device_no=device_no, terminal_code=terminal_code, kind=kind)


def _not_usable(facts: DeviceFacts, now: datetime, rules: IssuingRules) -> Refusal | None:
    """The first thing without which no other fact counts."""
    number = facts.device_no
    if facts.stop is not None and facts.state != "cancelled":
        return facts.stop.refusal()
    if facts.state == "suspended":
        return refuse("device_stopped", device_no=number)
    if facts.state == "cancelled":
        return refuse("device_cancelled", device_no=number)
    if facts.state not in virtual_device.ISSUING:
        next_step = virtual_device.NEXT_STEP.get(facts.state, "—")
        return refuse("device_not_ready", device_no=number, state=facts.state, next_step=next_step)
    if facts.server_state not in tax_server.SERVING:
        return refuse("server_stopped", device_no=number, state=facts.server_state)
    if not facts.may_issue:
        return refuse("taxpayer_stopped", device_no=number)
    if facts.read_at is None:
        return refuse("device_not_read", device_no=number)
    age = now - facts.read_at
    if age > rules.facts_max_age:
        return refuse(
            "device_facts_old", device_no=number, minutes=age // _MINUTE, limit=rules.facts_max_age // _MINUTE
        )
    return None if facts.reachable else refuse("device_unreachable", device_no=number)


def _certificate_blocks(facts: DeviceFacts, now: datetime) -> list[Refusal]:
    found = []
    if facts.server_certificate_status in certificate.STOPPED:
        status = facts.server_certificate_status
        found.append(refuse("server_certificate_stopped", device_no=facts.device_no, status=status))
    for code, not_after in (
        ("certificate_expired", facts.certificate_not_after),
        ("server_certificate_expired", facts.server_certificate_not_after),
    ):
        if not_after is not None and not_after <= now:
            shown = f"{not_after.astimezone(DEVICE_ZONE):%Y-%m-%d %H:%M}"
            found.append(refuse(code, device_no=facts.device_no, not_after=shown))
    return found


def _clock_blocks(facts: DeviceFacts, now: datetime, rules: IssuingRules) -> list[Refusal]:
    rule = rule_at(rules.clock, now)
    if rule is None or facts.clock_offset_seconds is None:
        return []
    off_by = abs(facts.clock_offset_seconds)
    if off_by <= rule.refuse_seconds:
        return []
    code = "clock_off" if rule.window == "any" else "clock_off_month_end"
    return [refuse(code, device_no=facts.device_no, seconds=round(off_by), limit=rule.refuse_seconds)]


def _limit_blocks(facts: DeviceFacts, kind: str, limits: KindLimits, now: datetime) -> list[Refusal]:
    today = now.astimezone(DEVICE_ZONE).date()
    found = []
    deadline = limits.issue_deadline
    if deadline is not None and today > deadline:
        found.append(refuse("issue_deadline", device_no=facts.device_no, kind=kind, deadline=deadline.isoformat()))
    day = limits.upload_deadline_day
    if 0 < day < today.day and facts.late_uploads > 0:
        found.append(refuse("upload_deadline", device_no=facts.device_no, day=day, count=facts.late_uploads))
    return found


def _offline_blocks(facts: DeviceFacts, limits: KindLimits, gross_fen: int, now: datetime) -> list[Refusal]:
    """Hours, count and amount that one more invoice would reach or pass; each counts only where the device sets it."""
    found = []
    number = facts.device_no
    if limits.offline_max_hours > 0 and facts.offline_since is not None:
        hours = (now - facts.offline_since) // _HOUR
        if hours >= limits.offline_max_hours:
            found.append(refuse("offline_hours", device_no=number, hours=hours, limit=limits.offline_max_hours))
    if 0 < limits.offline_max_count <= facts.offline_count:
        count, limit = facts.offline_count, limits.offline_max_count
        found.append(refuse("offline_count", device_no=number, count=count, limit=limit))
    if 0 < limits.offline_max_fen < facts.offline_fen + gross_fen:
        amount, most = yuan(facts.offline_fen), yuan(limits.offline_max_fen)
        found.append(refuse("offline_amount", device_no=number, amount=amount, limit=most))
    return found


def _rate_refusal(facts: DeviceFacts, rate: str, order_line: int) -> Refusal:
    allowed = ", ".join(sorted(facts.rates)) or "—"
    field_name = f"lines[{order_line}].rate"
    return refuse("rate_not_authorised", field_name, rate=rate, device_no=facts.device_no, allowed=allowed)


def _over_single_limit(device_no: str, limit_fen: int, gross_fen: int) -> Refusal:
    return refuse(
        "over_single_limit",
        "",
        device_no=device_no,
        gross=yuan(gross_fen),
        limit=yuan(limit_fen),
        excess=yuan(gross_fen - limit_fen),
    )


def _charset_refusals(charset: str, invoice: PricedInvoice) -> list[Refusal]:
    found = []
    for field_name, text in invoice.request.texts():
        try:
            text.encode(charset)
        except UnicodeEncodeError as error:
            character = f"{text[error.start]} ({codepoint(text[error.start])})"
            params = {"character": character, "charset": charset}
            found.append(refuse("character_not_in_charset", field_name, position=error.start + 1, **params))
    return found
