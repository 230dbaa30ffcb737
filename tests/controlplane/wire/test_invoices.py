"""The body of an invoice request: strict fields, one canonical form, differences by name."""

from __future__ import annotations

import json
import subprocess
import sys
from copy import deepcopy
from datetime import date
from typing import Any

import msgspec
import pytest

from controlplane import data
from controlplane.domain.issuing import examine
from controlplane.domain.refusals import refuse
from controlplane.wire.body import BodyFault, read
from controlplane.wire.invoices import (
    CheckAnswer,
    InvoiceBody,
    canonical,
    differing_fields,
    digest,
    line_answers,
    refusal_answer,
    requested,
)

SMALL: dict[str, Any] = {
    "taxpayer_id": "91990000MA0000015Q",
    "request_id": "req-1",
    "kind": "026",
    "buyer": {"name": "购方有限公司"},
    "lines": [{"item_name": "稻谷", "tax_class_code": "1010101010000000000", "rate": "0.09", "amount": "10.00"}],
}
FULL_TEXTS = ["source", "business_type", "terminal_code", "device_no", "issuer", "payee", "reviewer", "remark"]
FULL_TEXTS += ["special_type", "taxation_method"]


def body(**changes: Any) -> InvoiceBody:
    return read(json.dumps({**SMALL, **changes}).encode(), InvoiceBody)


def line(**changes: Any) -> dict[str, Any]:
    return {**SMALL["lines"][0], **changes}


def fault(**changes: Any) -> tuple[int, str, str]:
    with pytest.raises(BodyFault) as caught:
        body(**changes)
    return caught.value.status, caught.value.refusal.code, caught.value.field


def test_the_smallest_body_is_enough() -> None:
    assert body().order_no is None and body().direction == "blue"


def test_every_optional_field_is_taken_from_the_start() -> None:
    texts = dict.fromkeys(FULL_TEXTS, "x")
    buyer = dict.fromkeys(("name", "tax_id", "address_phone", "bank_account", "email", "mobile"), "x")
    marks = dict.fromkeys(("unit", "spec", "preference_note", "own_code"), "x")
    amounts = dict.fromkeys(("quantity", "unit_price", "amount", "discount_amount", "tax"), "1.00")
    whole = body(
        **texts,
        buyer=buyer,
        order_no="o-1",
        tax_inclusive=True,
        deduction_amount="1.00",
        lines=[line(**marks, **amounts, preference_flag=1, zero_rate_kind="3")],
    )
    request = requested(whole)
    assert (request.business_type, request.device_no, request.deduction_amount) == ("x", "x", "1.00")
    assert (request.buyer.mobile, request.lines[0].own_code, request.lines[0].preference_flag) == ("x", "x", 1)


@pytest.mark.parametrize("name", ["taxpayer_id", "request_id", "kind", "buyer", "lines"])
def test_what_is_needed_is_needed(name: str) -> None:
    with pytest.raises(BodyFault) as caught:
        read(json.dumps({key: value for key, value in SMALL.items() if key != name}).encode(), InvoiceBody)
    assert (caught.value.refusal.code, caught.value.field) == ("missing_field", name)


@pytest.mark.parametrize("name", ["id", "state", "version", "invoice_no", "epoch", "uploaded_at", "created_at", "role"])
def test_columns_of_ours_are_not_taken_from_outside(name: str) -> None:
    assert fault(**{name: "x"}) == (422, "unknown_field", name)
    assert fault(buyer={"name": "x", name: "x"}) == (422, "unknown_field", f"buyer.{name}")
    assert fault(lines=[line(**{name: "x"})]) == (422, "unknown_field", f"lines[0].{name}")


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"taxpayer_id": "91990000ma0000015q"}, "taxpayer_id"),
        ({"taxpayer_id": "９1990000MA0000015Q"}, "taxpayer_id"),
        ({"taxpayer_id": "91990000MA0000015Q\u200b"}, "taxpayer_id"),
        ({"request_id": ""}, "request_id"),
        ({"request_id": "a" * 65}, "request_id"),
        ({"request_id": "a b"}, "request_id"),
        ({"request_id": "req-1\n"}, "request_id"),
        ({"request_id": "ｒeq-1"}, "request_id"),
        ({"order_no": "o\u200b1"}, "order_no"),
        ({"order_no": " o1"}, "order_no"),
        ({"kind": "26"}, "kind"),
        ({"kind": "026\n"}, "kind"),
        ({"direction": "green"}, "direction"),
        ({"tax_inclusive": "true"}, "tax_inclusive"),
        ({"tax_inclusive": 1}, "tax_inclusive"),
        ({"remark": "x" * 501}, "remark"),
        ({"buyer": {"name": ""}}, "buyer.name"),
        ({"buyer": None}, "buyer"),
        ({"lines": "x"}, "lines"),
        ({"lines": [None]}, "lines[0]"),
    ],
)
def test_fields_of_another_form_are_refused_with_their_path(changes: dict[str, Any], field: str) -> None:
    assert fault(**changes) == (422, "field_invalid", field)


@pytest.mark.parametrize(
    "text", [10, 10.5, True, None, "", "1e3", "+1", "01", ".5", "1.", "１", "1\n", "NaN", "1" * 17, "0." + "1" * 9]
)
def test_decimals_are_text_in_one_spelling(text: Any) -> None:
    changes = line(rate=text)
    assert fault(lines=[changes]) == (422, "field_invalid", "lines[0].rate")


def test_lines_are_bounded_at_the_door() -> None:
    assert len(body(lines=[line()] * 2000).lines) == 2000
    assert fault(lines=[line()] * 2001) == (422, "field_invalid", "lines")


def test_an_empty_list_of_lines_is_left_to_the_rule_that_names_it() -> None:
    result = examine(requested(body(lines=[])), data.issuing_rules(), date(2026, 11, 22))
    assert [one.code for one in result.refusals] == ["no_lines"]


# --- canonical form


def test_order_blanks_nulls_empty_texts_and_defaults_do_not_matter() -> None:
    same = [
        json.dumps(SMALL).encode(),
        json.dumps(dict(reversed(SMALL.items())), indent=3, ensure_ascii=False).encode(),
        json.dumps({**SMALL, "order_no": None, "remark": "", "tax_inclusive": False, "direction": "blue"}).encode(),
        json.dumps({**SMALL, "lines": [line(unit="", preference_flag=0, quantity=None)]}).encode(),
    ]
    forms = {canonical(read(raw, InvoiceBody)) for raw in same}
    assert len(forms) == 1
    [form] = forms
    assert len(digest(form)) == 64
    assert canonical(read(form, InvoiceBody)) == form, "a canonical body is a body, and its own canonical form"


CHANGES: list[tuple[dict[str, Any], list[str]]] = [
    ({"kind": "028"}, ["kind"]),
    ({"remark": "x"}, ["remark"]),
    ({"buyer": {"name": "另一家"}}, ["buyer.name"]),
    ({"buyer": {"name": "购方有限公司", "email": "a@example.com"}}, ["buyer.email"]),
    ({"lines": [line(rate="0.13", amount="9.00")]}, ["lines[0].amount", "lines[0].rate"]),
    ({"lines": [line(), line()]}, ["lines[1]"]),
    ({"tax_inclusive": True, "order_no": "o-2"}, ["order_no", "tax_inclusive"]),
]


@pytest.mark.parametrize(("changes", "fields"), CHANGES)
def test_other_content_has_another_digest_and_its_fields_are_named(changes: dict[str, Any], fields: list[str]) -> None:
    first, second = canonical(body()), canonical(body(**changes))
    assert digest(first) != digest(second)
    assert differing_fields(first, second) == fields == differing_fields(second, first)


def test_the_same_content_differs_nowhere_and_differences_are_bounded() -> None:
    form = canonical(body())
    assert differing_fields(form, form) == []
    many = canonical(body(lines=[line()] * 100))
    assert len(differing_fields(form, many)) == 20


# --- answers


def test_a_check_is_answered_in_lines_and_totals() -> None:
    request = requested(body(lines=[line(discount_amount="1.00")]))
    invoice = examine(request, data.issuing_rules(), date(2026, 11, 22)).invoice
    assert invoice is not None
    answer = json.loads(msgspec.json.encode(CheckAnswer(ok=True, lines=line_answers(invoice))))
    assert [(one["nature"], one["amount"], one["tax"]) for one in answer["lines"]] == [
        (2, "10.00", "0.90"),
        (1, "-1.00", "-0.09"),
    ]


def test_a_refusal_is_answered_in_the_language_asked_for() -> None:
    refusal = refuse("no_stock", device_no="1", terminal_code="2", kind="026")
    chinese, english = refusal_answer(refusal), refusal_answer(refusal, "en")
    assert "号码" in chinese.message and "numbers" in english.message
    assert (chinese.runbook, chinese.reason_class) == ("stock-empty", "stock")
    assert chinese.details == {"device_no": "1", "terminal_code": "2", "kind": "026"}


def test_the_examples_here_are_not_changed_by_use() -> None:
    before = deepcopy(SMALL)
    body(lines=[line(rate="0.13")])
    assert before == SMALL


def test_bodies_load_without_pydantic() -> None:
    script = "import sys, controlplane.wire.invoices, controlplane.wire.body; print('pydantic' in sys.modules)"
    answer = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == "False"
