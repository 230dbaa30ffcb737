"""Invoices over HTTP: the strict body of a request, its canonical form and digest, and what is answered."""

from __future__ import annotations

import hashlib
import json
from itertools import zip_longest
from typing import Annotated, Any, Final, Literal

import msgspec
from msgspec import Meta, Struct

from controlplane.domain.invoice_request import PricedInvoice, RequestedBuyer, RequestedInvoice, RequestedLine
from controlplane.domain.money import DECIMAL_PATTERN, yuan
from controlplane.domain.refusals import Language, Refusal

MAX_BODY_BYTES: Final = 2 * 1024 * 1024
MAX_LINES: Final = 2000
_MOST_DIFFERENCES = 20

Decimal = Annotated[str, Meta(max_length=26, pattern=rf"\A{DECIMAL_PATTERN}\Z")]
Key = Annotated[str, Meta(min_length=1, max_length=64, pattern=r"\A[!-~]+\Z")]
"""Printable ASCII without blanks: two keys that look alike are the same key."""
TaxpayerId = Annotated[str, Meta(min_length=15, max_length=20, pattern=r"\A[0-9A-Z]+\Z")]
Kind = Annotated[str, Meta(pattern=r"\A[0-9]{3}\Z")]
Name = Annotated[str, Meta(min_length=1, max_length=200)]
Text20 = Annotated[str, Meta(max_length=20)]
Text64 = Annotated[str, Meta(max_length=64)]
Text200 = Annotated[str, Meta(max_length=200)]
Text500 = Annotated[str, Meta(max_length=500)]


class BuyerBody(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """The buyer of a request."""

    name: Name
    tax_id: Annotated[str, Meta(max_length=32)] | None = None
    address_phone: Text200 | None = None
    bank_account: Text200 | None = None
    email: Annotated[str, Meta(max_length=254)] | None = None
    mobile: Text20 | None = None


class LineBody(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """One line of a request: ``amount``, or ``quantity`` and ``unit_price``, or all three within the tolerance."""

    item_name: Name
    tax_class_code: Annotated[str, Meta(max_length=19, pattern=r"\A[0-9]+\Z")]
    rate: Decimal
    quantity: Decimal | None = None
    unit_price: Decimal | None = None
    amount: Decimal | None = None
    discount_amount: Decimal | None = None
    tax: Decimal | None = None
    unit: Text20 | None = None
    spec: Text64 | None = None
    preference_flag: Annotated[int, Meta(ge=0, le=1)] = 0
    preference_note: Text64 | None = None
    zero_rate_kind: Literal["", "0", "1", "2", "3"] | None = None
    own_code: Text64 | None = None


class InvoiceBody(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """``POST /v1/invoices`` and ``/v1/invoices/check``. What is not built yet is refused by name, never ignored."""

    taxpayer_id: TaxpayerId
    request_id: Key
    kind: Kind
    buyer: BuyerBody
    lines: Annotated[list[LineBody], Meta(max_length=MAX_LINES)]
    order_no: Key | None = None
    source: Text64 | None = None
    direction: Literal["blue", "red"] = "blue"
    tax_inclusive: bool = False
    business_type: Text64 | None = None
    terminal_code: Text64 | None = None
    device_no: Text64 | None = None
    issuer: Text64 | None = None
    payee: Text64 | None = None
    reviewer: Text64 | None = None
    remark: Text500 | None = None
    special_type: Text20 | None = None
    taxation_method: Text20 | None = None
    deduction_amount: Decimal | None = None


BODIES: Final = msgspec.json.Decoder(InvoiceBody)
"""Kept bodies; built at import, since two threads must not teach msgspec a type at once."""


def requested(body: InvoiceBody) -> RequestedInvoice:
    """The body as the rules see it; absent and empty text are the same."""
    return RequestedInvoice(
        kind=body.kind,
        buyer=_buyer(body.buyer),
        lines=tuple(_line(line) for line in body.lines),
        direction=body.direction,
        tax_inclusive=body.tax_inclusive,
        device_no=body.device_no or "",
        terminal_code=body.terminal_code or "",
        business_type=body.business_type or "",
        issuer=body.issuer or "",
        payee=body.payee or "",
        reviewer=body.reviewer or "",
        remark=body.remark or "",
        special_type=body.special_type or "",
        taxation_method=body.taxation_method or "",
        deduction_amount=body.deduction_amount,
    )


def canonical(body: InvoiceBody) -> bytes:
    """The body as one spelling: sorted keys, no blanks; absent, null, empty and default values all left out."""
    return msgspec.json.encode(_meant(msgspec.to_builtins(body)), order="sorted")


def digest(canonical_body: bytes) -> str:
    """SHA-256 hex of a canonical body: equal for two requests exactly when they ask for the same."""
    return hashlib.sha256(canonical_body).hexdigest()


def differing_fields(first: bytes, second: bytes) -> list[str]:
    """Paths at which two canonical bodies differ, sorted, at most 20; a field only one has counts as differing."""
    found: list[str] = []
    _compare(json.loads(first), json.loads(second), "", found)
    return sorted(found)[:_MOST_DIFFERENCES]


# --- answers


class RefusalAnswer(Struct, frozen=True, kw_only=True):
    """Why something waits or was refused."""

    code: str
    message: str
    remedy: str
    runbook: str
    reason_class: str
    field: str = ""
    details: dict[str, str | int] = {}


class LineAnswer(Struct, frozen=True, kw_only=True):
    """One signed line; ``nature`` 0 normal, 1 discount, 2 discounted."""

    nature: int
    item_name: str
    tax_class_code: str
    rate: str
    amount: str
    tax: str
    quantity: str | None = None
    unit_price: str | None = None
    unit: str = ""
    spec: str = ""
    preference_flag: int = 0
    preference_note: str = ""
    zero_rate_kind: str = ""
    own_code: str = ""
    order_line: int = 0
    """Index of the order line it comes from."""
    line_no: int = 0
    original_line_no: int = 0
    """Of a red invoice: the line of the blue one that it offsets."""


class PartyAnswer(Struct, frozen=True, kw_only=True):
    """Buyer or seller as used."""

    name: str
    tax_id: str = ""
    address_phone: str = ""
    bank_account: str = ""
    email: str = ""
    mobile: str = ""


class ChoiceAnswer(Struct, frozen=True, kw_only=True):
    """Where the invoice is issued and why there."""

    device_no: str
    terminal_code: str
    reason: str
    text: str = ""
    text_en: str = ""


class AttemptAnswer(Struct, frozen=True, kw_only=True):
    """Another invoice of the same order."""

    invoice_id: str
    request_id: str
    state: str
    created_at: str = ""
    refusal: str | None = None
    """Code of its refusal, if it was refused."""


class RedAnswer(Struct, frozen=True, kw_only=True):
    """A red invoice of a blue one; its totals are below zero."""

    invoice_id: str
    request_id: str
    state: str
    upload_status: str
    kind: str
    net_total: str
    tax_total: str
    gross_total: str
    invoice_code: str | None = None
    invoice_no: str | None = None
    red_form_no: str = ""


class InvoiceAnswer(Struct, frozen=True, kw_only=True):
    """One invoice. ``state`` and ``upload_status`` are open lists: clients must bear words they do not know."""

    id: str
    version: int
    taxpayer_id: str
    request_id: str
    order_no: str
    state: str
    upload_status: str
    kind: str
    direction: str
    created_at: str
    updated_at: str
    buyer: PartyAnswer
    seller: PartyAnswer
    net_total: str
    tax_total: str
    gross_total: str
    lines: list[LineAnswer]
    order_id: str | None = None
    choice: ChoiceAnswer | None = None
    segment_id: str | None = None
    virtual_device_no: str | None = None
    device_no: str | None = None
    terminal_code: str | None = None
    invoice_code: str | None = None
    invoice_no: str | None = None
    check_code: str | None = None
    issued_at: str | None = None
    uploaded_at: str | None = None
    upload_receipt_no: str | None = None
    waiting_reason: RefusalAnswer | None = None
    refusal: RefusalAnswer | None = None
    open_job: dict[str, str] | None = None
    red_offset_by: str | None = None
    """The red invoice that used up the last of this one: its order may be requested again."""
    red_net_total: str = "0.00"
    red_tax_total: str = "0.00"
    red_gross_total: str = "0.00"
    """What its issued red invoices come to, above zero."""
    red_offsets: list[RedAnswer] = []
    original_id: str | None = None
    """Of a red invoice: the blue one it offsets."""
    original_code: str | None = None
    original_no: str | None = None
    red_form_no: str = ""
    red_reason: str = ""
    voided_at: str | None = None
    voided_by: str = ""
    void_reason: str = ""
    issuer: str = ""
    payee: str = ""
    reviewer: str = ""
    remark: str = ""
    device_id: str | None = None
    upload_message: str = ""
    """The bureau's words on an upload that failed."""
    attempts: list[AttemptAnswer] = []


class CheckAnswer(Struct, frozen=True, kw_only=True):
    """``POST /v1/invoices/check``: what issuing would come to, without issuing."""

    ok: bool
    refusals: list[RefusalAnswer] = []
    warnings: list[RefusalAnswer] = []
    waiting_reason: RefusalAnswer | None = None
    choice: ChoiceAnswer | None = None
    lines: list[LineAnswer] = []
    net_total: str | None = None
    tax_total: str | None = None
    gross_total: str | None = None


def refusal_answer(refusal: Refusal, language: Language = "zh") -> RefusalAnswer:
    """A refusal in one language."""
    return RefusalAnswer(**refusal.as_dict(language))


def line_answers(invoice: PricedInvoice) -> list[LineAnswer]:
    """The priced lines, money as text."""
    return [
        LineAnswer(
            nature=line.nature,
            item_name=line.item_name,
            tax_class_code=line.tax_class_code,
            rate=line.rate,
            amount=yuan(line.amount_fen),
            tax=yuan(line.tax_fen),
            quantity=line.quantity,
            unit_price=line.unit_price,
            unit=line.unit,
            spec=line.spec,
            preference_flag=line.preference_flag,
            preference_note=line.preference_note,
            zero_rate_kind=line.zero_rate_kind,
            own_code=line.own_code,
            order_line=line.order_line,
        )
        for line in invoice.lines
    ]


def _buyer(body: BuyerBody) -> RequestedBuyer:
    return RequestedBuyer(
        name=body.name,
        tax_id=body.tax_id or "",
        address_phone=body.address_phone or "",
        bank_account=body.bank_account or "",
        email=body.email or "",
        mobile=body.mobile or "",
    )


def _line(body: LineBody) -> RequestedLine:
    return RequestedLine(
        item_name=body.item_name,
        tax_class_code=body.tax_class_code,
        rate=body.rate,
        quantity=body.quantity,
        unit_price=body.unit_price,
        amount=body.amount,
        discount_amount=body.discount_amount,
        tax=body.tax,
        unit=body.unit or "",
        spec=body.spec or "",
        preference_flag=body.preference_flag,
        preference_note=body.preference_note or "",
        zero_rate_kind=body.zero_rate_kind or "",
        own_code=body.own_code or "",
    )


def _meant(value: Any) -> Any:
    """The value without what says nothing: empty texts (defaults and nulls are gone already)."""
    if isinstance(value, dict):
        return {key: _meant(child) for key, child in value.items() if child != ""}
    if isinstance(value, list):
        return [_meant(child) for child in value]
    return value


def _compare(first: Any, second: Any, path: str, found: list[str]) -> None:
    if isinstance(first, dict) and isinstance(second, dict):
        for key in first.keys() | second.keys():
            _compare(first.get(key), second.get(key), f"{path}.{key}" if path else key, found)
    elif isinstance(first, list) and isinstance(second, list):
        for index, (one, other) in enumerate(zip_longest(first, second)):
            _compare(one, other, f"{path}[{index}]", found)
    elif first != second:
        found.append(path)
