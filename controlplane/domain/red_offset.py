"""What may still be red-offset (冲红) of a blue invoice, line by line, and the lines of the red invoice made of it.

The fen of all red invoices never come to more than the blue one's, per line and so in total. A discount is offset with
the line it belongs to: red invoices have no discount lines.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from controlplane.domain import money
from controlplane.domain.invoice_kind import InvoiceKind
from controlplane.domain.invoice_request import PricedInvoice, PricedLine, RequestedInvoice
from controlplane.domain.issuing_rules import Tolerances
from controlplane.domain.line_rules import text_refusals
from controlplane.domain.pricing import DISCOUNT, NORMAL
from controlplane.domain.refusals import Refusal, refuse


@dataclass(frozen=True, slots=True)
class Taken:
    """What one red line (or a line of an open red form) offsets of a blue line; fen and quantity at or above zero."""

    line_no: int
    net_fen: int
    tax_fen: int
    quantity: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Left:
    """What is left of one blue line with its discount. ``quantity`` None: the line never had one."""

    line_no: int
    line: PricedLine
    net_fen: int
    tax_fen: int
    quantity: Decimal | None


@dataclass(frozen=True, slots=True)
class WantedLine:
    """What a caller wants offset of one blue line: a net amount, or a quantity, or both; neither = all that is left."""

    line_no: int
    quantity: str | None = None
    amount: str | None = None


def left_of(blue: Sequence[PricedLine], taken: Iterable[Taken]) -> list[Left]:
    """What is left of each line of a blue invoice, in print order; lines that are used up stand with zeros."""
    lines: list[Left] = []
    for number, line in enumerate(blue, 1):
        quantity = Decimal(line.quantity) if line.quantity is not None else None
        if line.nature != DISCOUNT:
            lines.append(Left(number, line, line.amount_fen, line.tax_fen, quantity))
            continue
        before = lines[-1]
        net_fen, tax_fen = before.net_fen + line.amount_fen, before.tax_fen + line.tax_fen
        lines[-1] = replace(before, line=_discounted(before, net_fen), net_fen=net_fen, tax_fen=tax_fen)
    found = {one.line_no: one for one in lines}
    for part in taken:
        found[part.line_no] = _less(found[part.line_no], part)
    return list(found.values())


def _discounted(whole: Left, net_fen: int) -> PricedLine:
    """A line with its discount taken off: its price is the one that makes the lower amount."""
    if whole.quantity is None or net_fen <= 0:
        return replace(whole.line, nature=NORMAL)
    price = money.plain(money.price_of(net_fen, whole.quantity))
    return replace(whole.line, nature=NORMAL, unit_price=price)


def _less(left: Left, part: Taken) -> Left:
    quantity = left.quantity
    if quantity is not None and part.quantity is not None:
        quantity -= part.quantity
    return replace(left, net_fen=left.net_fen - part.net_fen, tax_fen=left.tax_fen - part.tax_fen, quantity=quantity)


def total_left(left: Iterable[Left]) -> tuple[int, int]:
    """(net, tax) in fen of all that is left."""
    held = list(left)
    return sum(one.net_fen for one in held), sum(one.tax_fen for one in held)


def parts(left: Sequence[Left], wanted: Sequence[WantedLine] | None, tolerances: Tolerances) -> list[Taken]:
    """What will be offset of each line: of all lines all that is left, or what is wanted of some.

    Refused when a line is unknown, named twice or has less left than is wanted; the refusal names what is left.
    """
    if wanted is None:
        found = [Taken(one.line_no, one.net_fen, one.tax_fen, one.quantity) for one in left if _something(one)]
        if not found:
            raise refuse("red_nothing_left")
        return found
    by_number = {one.line_no: one for one in left}
    seen: set[int] = set()
    found = []
    for index, wish in enumerate(wanted):
        at = f"lines[{index}]"
        if wish.line_no in seen:
            raise refuse("red_line_twice", f"{at}.line_no", line_no=wish.line_no)
        seen.add(wish.line_no)
        if wish.line_no not in by_number:
            raise refuse("red_line_unknown", f"{at}.line_no", line_no=wish.line_no)
        found.append(_part(by_number[wish.line_no], wish, at, tolerances))
    if not found:
        raise refuse("no_lines", "lines")
    return found


def _something(left: Left) -> bool:
    return left.net_fen > 0 or left.tax_fen > 0


def _part(left: Left, wish: WantedLine, at: str, tolerances: Tolerances) -> Taken:
    if not _something(left):
        raise refuse("red_line_used_up", f"{at}.line_no", line_no=left.line_no)
    if wish.quantity is None and wish.amount is None:
        return Taken(left.line_no, left.net_fen, left.tax_fen, left.quantity)
    quantity = _quantity(left, wish, at)
    net_fen = _net(left, wish, quantity, (at, tolerances))
    if net_fen == left.net_fen:
        return Taken(left.line_no, net_fen, left.tax_fen, quantity)
    return Taken(left.line_no, net_fen, _tax(left, net_fen, tolerances.line_tax_fen), quantity)


def _quantity(left: Left, wish: WantedLine, at: str) -> Decimal | None:
    if wish.quantity is None:
        return None
    wanted = money.decimal_of(wish.quantity, f"{at}.quantity")
    if wanted <= 0:
        raise refuse("red_not_positive", f"{at}.quantity")
    if left.quantity is None:
        raise refuse("red_line_without_quantity", f"{at}.quantity", line_no=left.line_no)
    if wanted > left.quantity:
        had, has = Decimal(left.line.quantity or 0), left.quantity
        raise refuse(
            "red_quantity_exceeds", f"{at}.quantity", line_no=left.line_no, wanted=money.plain(wanted),
            left=money.plain(has), blue=money.plain(had),
        )  # fmt: skip
    return wanted


def _net(left: Left, wish: WantedLine, quantity: Decimal | None, where: tuple[str, Tolerances]) -> int:
    at, tolerances = where
    price = Decimal(left.line.unit_price or 0)
    if wish.amount is None:
        assert quantity is not None
        # The last of the goods takes what is left of the amount: rounding leaves nothing behind.
        net_fen = left.net_fen if quantity == left.quantity else money.line_amount(quantity, price, f"{at}.quantity")
    else:
        net_fen = money.fen_of(wish.amount, f"{at}.amount")
        off_by = Decimal(0) if quantity is None else money.difference(quantity, price, net_fen)
        if off_by > tolerances.line_amount_fen and quantity != left.quantity:
            limit = money.yuan(tolerances.line_amount_fen)
            difference = money.plain((off_by / 100).normalize())
            raise refuse(
                "line_amount_tolerance", f"{at}.amount", amount=wish.amount, difference=difference, limit=limit
            )
    if net_fen <= 0:
        raise refuse("red_not_positive", f"{at}.amount")
    if net_fen > left.net_fen:
        raise refuse(
            "red_amount_exceeds", f"{at}.amount", line_no=left.line_no, wanted=money.yuan(net_fen),
            left=money.yuan(left.net_fen),
        )  # fmt: skip
    return net_fen


def _tax(left: Left, net_fen: int, tolerance_fen: int) -> int:
    """Tax of a part of what is left, so that both the part and the rest stay within a line's tax tolerance.

    The part takes round(net × rate); where that would leave the rest with more or less tax than a device accepts,
    one fen moves over.
    """
    rate = Decimal(left.line.rate)
    tax_fen = money.tax_on(net_fen, rate)
    rest = left.tax_fen - tax_fen - (left.net_fen - net_fen) * rate
    if abs(rest) > tolerance_fen:
        tax_fen += 1 if rest > 0 else -1
    return max(0, min(tax_fen, left.tax_fen))


def red_lines(left: Sequence[Left], offset: Sequence[Taken], tolerances: Tolerances) -> list[PricedLine]:
    """The lines of the red invoice: as the blue ones, with amounts, taxes and quantities below zero."""
    by_number = {one.line_no: one.line for one in left}
    return [_red(by_number[part.line_no], part, index, tolerances) for index, part in enumerate(offset)]


def _red(line: PricedLine, part: Taken, index: int, tolerances: Tolerances) -> PricedLine:
    quantity, price = part.quantity or None, line.unit_price
    if quantity is not None and part.net_fen > 0:
        # The blue line's own price, unless an amount was named that it does not make.
        off_by = money.difference(quantity, Decimal(price or 0), part.net_fen)
        if off_by > tolerances.line_amount_fen:
            price = money.plain(money.price_of(part.net_fen, quantity))
    return replace(
        line,
        nature=NORMAL,
        amount_fen=-part.net_fen,
        tax_fen=-part.tax_fen,
        quantity=None if quantity is None else money.plain(-quantity),
        unit_price=None if quantity is None else price,
        order_line=index,
        original_line_no=part.line_no,
    )


def priced(request: RequestedInvoice, lines: Sequence[PricedLine], tolerances: Tolerances) -> PricedInvoice:
    """The red invoice with its totals; refused when a line's tax, or the whole, is off by more than a device takes."""
    for line in lines:
        off_by = money.tax_difference(line.amount_fen, Decimal(line.rate), line.tax_fen)
        if off_by > tolerances.line_tax_fen:
            raise refuse(
                "line_tax_tolerance", f"lines[{line.order_line}].tax", tax=money.yuan(line.tax_fen),
                difference=money.plain((off_by / 100).normalize()), limit=money.yuan(tolerances.line_tax_fen),
            )  # fmt: skip
    net_fen = money.total(line.amount_fen for line in lines)
    tax_fen = money.total(line.tax_fen for line in lines)
    return PricedInvoice(
        request, tuple(lines), net_fen, tax_fen, net_fen + tax_fen, frozenset(line.rate for line in lines)
    )


def text_refusal(request: RequestedInvoice, first: str, kind: InvoiceKind) -> Refusal | None:
    """What is wrong with the texts of a red invoice; its remark begins with ``first``, which counts."""
    found = text_refusals(request.texts())
    if found:
        return found[0]
    length = len(request.remark.encode("gb18030", errors="replace"))
    if length <= kind.remark_bytes:
        return None
    limit = kind.remark_bytes
    return refuse("red_remark_too_long", "remark", first=first, length=length, kind=kind.code, limit=limit)
