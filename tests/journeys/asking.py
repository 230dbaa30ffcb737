"""Requests for invoices, and what each must come to: the money rule written down a second time."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal

from tests.journeys.front_door import Row

GOODS = (
    ("糕点", "1030201010000000000", "0.13"),
    ("水产品罐头", "1010401000000000000", "0.09"),
    ("奶酪", "1010303010000000000", "0.09"),
)
BUYERS = (
    {"name": "南桥进出口有限公司", "tax_id": "91990000MA0001608A"},
    {"name": "Vins et alcools Chevalier", "tax_id": "91990000MA0001843A"},
)
NORMAL, DISCOUNT, DISCOUNTED = 0, 1, 2


def _round(value: Decimal) -> Decimal:
    return value.quantize(Decimal("0.01"), ROUND_HALF_UP)


@dataclass
class Asked:
    """A request's body, and its lines as they must be signed: (nature, amount, tax)."""

    body: Row
    lines: list[tuple[int, Decimal, Decimal]] = field(default_factory=list)

    @property
    def request_id(self) -> str:
        return str(self.body["request_id"])

    def check(self, told: Row) -> None:
        """The invoice's lines and totals are right to the fen."""
        signed = [(line["nature"], Decimal(line["amount"]), Decimal(line["tax"])) for line in told["lines"]]
        assert signed == self.lines, (self.body, told["lines"])
        net, tax = (sum((line[place] for line in self.lines), Decimal(0)) for place in (1, 2))
        totals = (told["net_total"], told["tax_total"], told["gross_total"])
        assert totals == (f"{net:.2f}", f"{tax:.2f}", f"{net + tax:.2f}"), (self.body, totals)


def ask(taxpayer_id: str, request_id: str, seed: object = "", **more: object) -> Asked:
    """A request of one to four lines, some discounted, some tax-inclusive; all of it follows from the seed."""
    rng = random.Random(f"{request_id}:{seed}")
    inclusive = rng.random() < 0.35
    body: Row = {
        "taxpayer_id": taxpayer_id,
        "request_id": request_id,
        "kind": rng.choice(("026", "028")),
        "buyer": rng.choice(BUYERS),
        "tax_inclusive": inclusive,
        "lines": [],
        **more,
    }
    asked = Asked(body)
    for _ in range(rng.randint(1, 4)):
        _add_line(asked, rng, inclusive)
    return asked


def _add_line(asked: Asked, rng: random.Random, inclusive: bool) -> None:
    item, code, rate = rng.choice(GOODS)
    quantity, price = Decimal(rng.randint(1, 400)) / 10, Decimal(rng.randint(1, 30000)) / 100
    given = _round(quantity * price)
    line = {"item_name": item, "tax_class_code": code, "rate": rate}
    if given <= 0 or rng.random() < 0.3:
        given = Decimal(rng.randint(1, 999999)) / 100
        line["amount"] = f"{given:.2f}"
    else:
        line |= {"quantity": str(quantity), "unit_price": str(price)}
    discount = _round(given * Decimal(rng.choice(("0", "0", "0.015", "0.1", "0.333", "1"))))
    if discount and rng.random() < 0.7 and not (discount == given and not asked.lines):
        line["discount_amount"] = f"{discount:.2f}"
        asked.lines.append((DISCOUNTED, *_priced(given, Decimal(rate), inclusive)))
        net, tax = _priced(discount, Decimal(rate), inclusive)
        asked.lines.append((DISCOUNT, -net, -tax))
    else:
        asked.lines.append((NORMAL, *_priced(given, Decimal(rate), inclusive)))
    asked.body["lines"].append(line)


def _priced(given: Decimal, rate: Decimal, inclusive: bool) -> tuple[Decimal, Decimal]:
    """(net, tax) of an amount as given."""
    if not inclusive:
        return given, _round(given * rate)
    net = _round(given / (1 + rate))
    return net, given - net


def simple(taxpayer_id: str, request_id: str, amount: str = "100.00", **more: object) -> Row:
    """The body of a plain request of one line."""
    item, code, rate = GOODS[0]
    line = {"item_name": item, "tax_class_code": code, "rate": rate, "amount": amount}
    body = {"taxpayer_id": taxpayer_id, "request_id": request_id, "kind": "026", "buyer": BUYERS[0], "lines": [line]}
    return body | more
