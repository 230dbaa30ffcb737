"""Pricing: from requested lines to signed lines in fen, discount lines included, within the tolerances."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from controlplane.domain import money
from controlplane.domain.invoice_request import PricedInvoice, PricedLine, RequestedInvoice, RequestedLine
from controlplane.domain.issuing_rules import Tolerances
from controlplane.domain.refusals import Refusal, refuse

NORMAL: Final = 0
DISCOUNT: Final = 1
DISCOUNTED: Final = 2


@dataclass(frozen=True, slots=True)
class _Figures:
    """What one requested line comes to, net of tax."""

    net_fen: int
    tax_fen: int
    quantity: str | None
    unit_price: str | None


def price(request: RequestedInvoice, tolerances: Tolerances) -> tuple[PricedInvoice | None, list[Refusal]]:
    """The priced invoice, or None and one refusal per line that cannot be priced (else about the whole)."""
    lines: list[PricedLine] = []
    refusals: list[Refusal] = []
    for index, line in enumerate(request.lines):
        try:
            lines += price_line(line, index, request.tax_inclusive, tolerances)
        except Refusal as refusal:
            refusals.append(refusal)
    if refusals:
        return None, refusals
    invoice = _summed(request, lines)
    refusals = whole_refusals(invoice, tolerances)
    return (None, refusals) if refusals else (invoice, [])


def price_line(line: RequestedLine, index: int, tax_inclusive: bool, tolerances: Tolerances) -> list[PricedLine]:
    """One line, or a discounted line and its discount line; raises the refusal that names the rule."""
    at = f"lines[{index}]"
    rate = money.rate_of(line.rate, f"{at}.rate")
    given_fen, quantity = _given_amount(line, at, tolerances)
    figures = _figures(line, at, (given_fen, quantity, rate), tax_inclusive)
    off_by = money.tax_difference(figures.net_fen, rate, figures.tax_fen)
    limit_fen = tolerances.line_tax_fen if rate else 0
    if off_by > limit_fen:
        raise refuse(
            "line_tax_tolerance",
            f"{at}.tax",
            tax=money.yuan(figures.tax_fen),
            difference=_yuan_exactly(off_by),
            limit=money.yuan(limit_fen),
        )
    if quantity is not None and tax_inclusive:
        _check_amount(quantity, Decimal(figures.unit_price or 0), figures.net_fen, (at, tolerances))
    if line.discount_amount is None:
        return [_line(line, index, NORMAL, (figures, rate))]
    discounted = _line(line, index, DISCOUNTED, (figures, rate))
    return [discounted, _discount(line, index, rate, (given_fen, tax_inclusive))]


def whole_refusals(invoice: PricedInvoice, tolerances: Tolerances) -> list[Refusal]:
    """Rules about the whole: the total is above zero and storable, line taxes add up to the tax of the sums."""
    if invoice.gross_fen <= 0:
        return [refuse("amount_not_positive", "lines")]
    if invoice.gross_fen > money.MAX_FEN:
        return [refuse("amount_too_large", "lines")]
    exact = sum((Decimal(line.amount_fen) * Decimal(line.rate) for line in invoice.lines), Decimal(0))
    off_by = abs(exact - invoice.tax_fen)
    if off_by <= tolerances.total_tax_fen:
        return []
    return [
        refuse(
            "total_tax_tolerance",
            "lines",
            total=money.yuan(invoice.tax_fen),
            difference=_yuan_exactly(off_by),
            limit=money.yuan(tolerances.total_tax_fen),
        )
    ]


def _given_amount(line: RequestedLine, at: str, tolerances: Tolerances) -> tuple[int, Decimal | None]:
    """(fen as given or computed, quantity), with tax when the invoice is tax-inclusive."""
    if (line.quantity is None) != (line.unit_price is None):
        raise refuse("quantity_and_price", f"{at}.{'quantity' if line.quantity is None else 'unit_price'}")
    if line.quantity is None or line.unit_price is None:
        if line.amount is None:
            raise refuse("amount_missing", f"{at}.amount")
        return _positive(money.fen_of(line.amount, f"{at}.amount"), f"{at}.amount"), None
    quantity = _above_zero(line.quantity, f"{at}.quantity")
    unit_price = _above_zero(line.unit_price, f"{at}.unit_price")
    if line.amount is None:
        return _positive(money.line_amount(quantity, unit_price, f"{at}.amount"), f"{at}.amount"), quantity
    amount_fen = _positive(money.fen_of(line.amount, f"{at}.amount"), f"{at}.amount")
    _check_amount(quantity, unit_price, amount_fen, (at, tolerances))
    return amount_fen, quantity


def _figures(line: RequestedLine, at: str, given: tuple[int, Decimal | None, Decimal], tax_inclusive: bool) -> _Figures:
    given_fen, quantity, rate = given
    given_tax = None if line.tax is None else money.fen_of(line.tax, f"{at}.tax")
    if given_tax is not None and given_tax < 0:
        raise refuse("amount_not_positive", f"{at}.tax")
    if not tax_inclusive:
        tax_fen = money.tax_on(given_fen, rate) if given_tax is None else given_tax
        return _Figures(given_fen, tax_fen, line.quantity, line.unit_price)
    net_fen, tax_fen = money.split_gross(given_fen, rate)
    if given_tax is not None:
        net_fen, tax_fen = _positive(given_fen - given_tax, f"{at}.tax"), given_tax
    unit_price = None if quantity is None else money.plain(money.price_of(net_fen, quantity))
    return _Figures(net_fen, tax_fen, line.quantity, unit_price)


def _discount(line: RequestedLine, index: int, rate: Decimal, given: tuple[int, bool]) -> PricedLine:
    """The discount as a line of its own: −discount and −round(discount × rate), split first when it includes tax."""
    given_fen, tax_inclusive = given
    field = f"lines[{index}].discount_amount"
    discount_fen = money.fen_of(line.discount_amount or "", field)
    if not 0 < discount_fen <= given_fen:
        raise refuse("discount_invalid", field, discount=line.discount_amount or "", amount=money.yuan(given_fen))
    if tax_inclusive:
        net_fen, tax_fen = money.split_gross(discount_fen, rate)
    else:
        net_fen, tax_fen = discount_fen, money.tax_on(discount_fen, rate)
    figures = _Figures(-net_fen, -tax_fen, None, None)
    return _line(line, index, DISCOUNT, (figures, rate))


def _line(line: RequestedLine, index: int, nature: int, priced: tuple[_Figures, Decimal]) -> PricedLine:
    figures, rate = priced
    goods = nature != DISCOUNT
    return PricedLine(
        nature=nature,
        item_name=line.item_name,
        tax_class_code=line.tax_class_code,
        rate=money.rate_text(rate),
        amount_fen=figures.net_fen,
        tax_fen=figures.tax_fen,
        order_line=index,
        quantity=figures.quantity,
        unit_price=figures.unit_price,
        unit=line.unit if goods else "",
        spec=line.spec if goods else "",
        preference_flag=line.preference_flag,
        preference_note=line.preference_note,
        zero_rate_kind=line.zero_rate_kind,
        own_code=line.own_code,
    )


def _summed(request: RequestedInvoice, lines: list[PricedLine]) -> PricedInvoice:
    net_fen = money.total(line.amount_fen for line in lines)
    tax_fen = money.total(line.tax_fen for line in lines)
    rates = frozenset(line.rate for line in lines)
    return PricedInvoice(request, tuple(lines), net_fen, tax_fen, net_fen + tax_fen, rates)


def _check_amount(quantity: Decimal, unit_price: Decimal, amount_fen: int, where: tuple[str, Tolerances]) -> None:
    at, tolerances = where
    off_by = money.difference(quantity, unit_price, amount_fen)
    if unit_price > 0 and off_by <= tolerances.line_amount_fen:
        return
    raise refuse(
        "line_amount_tolerance",
        f"{at}.amount",
        amount=money.yuan(amount_fen),
        difference=_yuan_exactly(off_by),
        limit=money.yuan(tolerances.line_amount_fen),
    )


def _above_zero(text: str, field: str) -> Decimal:
    value = money.decimal_of(text, field)
    if value <= 0:
        raise refuse("amount_not_positive", field)
    return value


def _positive(fen: int, field: str) -> int:
    if fen <= 0:
        raise refuse("amount_not_positive", field)
    return fen


def _yuan_exactly(fen: Decimal) -> str:
    return money.plain((fen / 100).normalize())
