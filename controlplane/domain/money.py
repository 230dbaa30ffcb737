"""Money: integer fen inside, decimal text outside, half-up rounding, never a float.

The rule of line amount, tax, discount and tax-inclusive split stands here once; everything else calls it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from decimal import ROUND_HALF_UP, Context, Decimal
from typing import Final

from controlplane.domain.refusals import refuse

DECIMAL_PATTERN: Final = r"-?(0|[1-9][0-9]{0,15})(\.[0-9]{1,8})?"
"""The only spelling of a decimal at the door (to be anchored with ``\\A`` and ``\\Z``)."""

MAX_FEN: Final = 10**15 - 1
"""Largest amount of a line or invoice: below 10 trillion yuan, so that any sum of lines stays far below 2^63."""

_DECIMAL = re.compile(rf"\A{DECIMAL_PATTERN}\Z")
_WIDE = Context(prec=80, rounding=ROUND_HALF_UP)
_FEN_PER_YUAN = Decimal(100)
_ONE = Decimal(1)
_PRICE_STEPS = tuple(Decimal(1).scaleb(-places) for places in range(2, 9))


def decimal_of(text: str, field: str = "") -> Decimal:
    """The exact value of a decimal text; ``decimal_invalid`` for any other spelling ("1e3", "+1", "01", "１")."""
    if not _DECIMAL.match(text):
        raise refuse("decimal_invalid", field, text=text[:40])
    return Decimal(text)


def fen_of(text: str, field: str = "") -> int:
    """Fen of a yuan amount; ``amount_decimals`` when it is finer than one fen, ``amount_too_large`` beyond MAX_FEN."""
    fen = _WIDE.multiply(decimal_of(text, field), _FEN_PER_YUAN)
    whole = int(fen)
    if whole != fen:
        raise refuse("amount_decimals", field, text=text)
    return _bounded(whole, field)


def yuan(fen: int) -> str:
    """``-1234`` → ``"-12.34"``: the one spelling of money that leaves the house."""
    sign = "-" if fen < 0 else ""
    whole, part = divmod(abs(fen), 100)
    return f"{sign}{whole}.{part:02d}"


def line_amount(quantity: Decimal, unit_price: Decimal, field: str = "") -> int:
    """Fen of quantity × unit price, half up; ``amount_too_large`` beyond MAX_FEN."""
    return _bounded(_whole(_WIDE.multiply(_WIDE.multiply(quantity, unit_price), _FEN_PER_YUAN)), field)


def tax_on(net_fen: int, rate: Decimal) -> int:
    """Fen of tax on a net amount, half up (away from zero for a negative amount)."""
    return _whole(_WIDE.multiply(Decimal(net_fen), rate))


def split_gross(gross_fen: int, rate: Decimal) -> tuple[int, int]:
    """(net, tax) of a tax-inclusive amount: net = round(gross / (1 + rate)), tax = gross − net."""
    net = _whole(_WIDE.divide(Decimal(gross_fen), _WIDE.add(_ONE, rate)))
    return net, gross_fen - net


def total(fens: Iterable[int]) -> int:
    """Sum of fen; totals are sums of lines and nothing else."""
    return sum(fens)


def difference(quantity: Decimal, unit_price: Decimal, amount_fen: int) -> Decimal:
    """Exact |quantity × unit price − amount| in fen, unrounded, for the tolerance rules."""
    exact = _WIDE.multiply(_WIDE.multiply(quantity, unit_price), _FEN_PER_YUAN)
    return _WIDE.abs(_WIDE.subtract(exact, Decimal(amount_fen)))


def tax_difference(net_fen: int, rate: Decimal, tax_fen: int) -> Decimal:
    """Exact |net × rate − tax| in fen, unrounded, for the tolerance rules."""
    return _WIDE.abs(_WIDE.subtract(_WIDE.multiply(Decimal(net_fen), rate), Decimal(tax_fen)))


def price_of(amount_fen: int, quantity: Decimal) -> Decimal:
    """Unit price that makes the amount: the first of 2 to 8 decimals that multiplies back exactly, else 8 decimals."""
    exact = _WIDE.divide(_WIDE.divide(Decimal(amount_fen), _FEN_PER_YUAN), quantity)
    for step in _PRICE_STEPS:
        price = exact.quantize(step, context=_WIDE)
        if line_amount_exactly(quantity, price) == amount_fen:
            return price
    return price


def line_amount_exactly(quantity: Decimal, unit_price: Decimal) -> int:
    """As ``line_amount`` without its bound: for comparing, never for storing."""
    return _whole(_WIDE.multiply(_WIDE.multiply(quantity, unit_price), _FEN_PER_YUAN))


def rate_of(text: str, field: str = "") -> Decimal:
    """A tax rate, 0 ≤ rate < 1; ``rate_invalid`` otherwise."""
    rate = decimal_of(text, field)
    if not 0 <= rate < 1:
        raise refuse("rate_invalid", field, rate=text)
    return rate


def rate_text(rate: Decimal) -> str:
    """The one spelling of a rate: ``Decimal("0.130")`` → ``"0.13"``, zero → ``"0"``."""
    return f"{rate.normalize(_WIDE):f}" if rate else "0"


def plain(value: Decimal) -> str:
    """A decimal as text without exponent, keeping its places: ``Decimal("1E+2")`` → ``"100"``."""
    return f"{value:f}"


def _whole(value: Decimal) -> int:
    return int(value.quantize(_ONE, context=_WIDE))


def _bounded(fen: int, field: str) -> int:
    if abs(fen) > MAX_FEN:
        raise refuse("amount_too_large", field)
    return fen
