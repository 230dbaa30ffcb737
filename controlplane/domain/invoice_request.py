"""What a front end asks for: one invoice as received, before any rule has looked at it. Amounts and rates are text."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date


@dataclass(frozen=True, slots=True)
class RequestedLine:
    """One line of goods. ``amount`` or ``quantity`` × ``unit_price``; with tax when the invoice is tax-inclusive."""

    item_name: str
    tax_class_code: str
    rate: str
    quantity: str | None = None
    unit_price: str | None = None
    amount: str | None = None
    discount_amount: str | None = None
    """Above zero; becomes a discount line of its own."""
    tax: str | None = None
    """Tax the front end computed for the undiscounted line; checked against the tolerance and then kept."""
    unit: str = ""
    spec: str = ""
    preference_flag: int = 0
    preference_note: str = ""
    zero_rate_kind: str = ""
    """Empty normal, 0 export, 1 exempt, 2 not taxed, 3 ordinary zero rate."""
    own_code: str = ""


@dataclass(frozen=True, slots=True)
class RequestedBuyer:
    """The buyer as it shall be printed."""

    name: str
    tax_id: str = ""
    address_phone: str = ""
    bank_account: str = ""
    email: str = ""
    mobile: str = ""


@dataclass(frozen=True, slots=True)
class Original:
    """The blue invoice that a red one offsets, and what the red one says of it."""

    invoice_code: str
    invoice_no: str
    device_no: str
    """The device that issued it; preferred for the red one."""
    issued_on: date
    red_reason: str
    red_form_no: str = ""


@dataclass(frozen=True, slots=True)
class RequestedInvoice:
    """One invoice as requested. Special types, other taxation methods and deductions come later."""

    kind: str
    buyer: RequestedBuyer
    lines: tuple[RequestedLine, ...]
    direction: str = "blue"
    tax_inclusive: bool = False
    device_no: str = ""
    terminal_code: str = ""
    business_type: str = ""
    issuer: str = ""
    payee: str = ""
    reviewer: str = ""
    remark: str = ""
    special_type: str = ""
    taxation_method: str = ""
    deduction_amount: str | None = None
    original: Original | None = None
    """Of a red invoice only."""

    def texts(self) -> tuple[tuple[str, str], ...]:
        """(field, text) of everything that gets printed or signed, for rules about characters."""
        buyer = self.buyer
        found = [
            ("buyer.name", buyer.name),
            ("buyer.address_phone", buyer.address_phone),
            ("buyer.bank_account", buyer.bank_account),
            ("issuer", self.issuer),
            ("payee", self.payee),
            ("reviewer", self.reviewer),
            ("remark", self.remark),
        ]
        for index, line in enumerate(self.lines):
            at = f"lines[{index}]"
            found.append((f"{at}.item_name", line.item_name))
            found.append((f"{at}.spec", line.spec))
            found.append((f"{at}.unit", line.unit))
            found.append((f"{at}.own_code", line.own_code))
        return tuple(pair for pair in found if pair[1])


@dataclass(frozen=True, slots=True)
class PricedLine:
    """One line as it is signed: ``nature`` 0 normal, 1 discount, 2 discounted; money in fen, the rate as ``0.13``."""

    nature: int
    item_name: str
    tax_class_code: str
    rate: str
    amount_fen: int
    tax_fen: int
    order_line: int
    """Index of the requested line it comes from."""
    quantity: str | None = None
    unit_price: str | None = None
    unit: str = ""
    spec: str = ""
    preference_flag: int = 0
    preference_note: str = ""
    zero_rate_kind: str = ""
    own_code: str = ""
    original_line_no: int = 0
    """Of a red invoice: the line of the blue one that it offsets, from 1."""


@dataclass(frozen=True, slots=True)
class PricedInvoice:
    """One invoice with its lines priced; totals are sums of the lines."""

    request: RequestedInvoice
    lines: tuple[PricedLine, ...]
    net_fen: int
    tax_fen: int
    gross_fen: int
    rates: frozenset[str] = field(default_factory=frozenset)
    """Rates in use, in their one spelling."""

    @property
    def kind(self) -> str:
        """Invoice kind, as requested."""
        return self.request.kind
