"""One test per rule of validation and pricing; totals as properties."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controlplane.domain import money
from controlplane.domain.invoice_request import RequestedBuyer
from tests.controlplane.domain.examples import RULES, STRICT_IDS, SUMMARY, codes, examined, invoice, line, priced

EXEMPT = {"rate": "0", "zero_rate_kind": "1", "preference_flag": 1, "preference_note": "免税"}


def shown(request_lines: object) -> list[tuple[int, str, str]]:
    return [(one.nature, money.yuan(one.amount_fen), money.yuan(one.tax_fen)) for one in request_lines]


# --- pricing


def test_a_plain_line_is_quantity_times_price() -> None:
    result = priced(line(quantity="12", unit_price="14.00", rate="0.13"))
    assert shown(result.lines) == [(0, "168.00", "21.84")]
    assert (result.net_fen, result.tax_fen, result.gross_fen) == (16800, 2184, 18984)
    assert (result.kind, result.rates) == ("026", {"0.13"})


def test_a_discount_is_a_line_of_its_own_right_after_the_discounted_one() -> None:
    result = priced(line(discount_amount="3.35", unit="公斤", spec="一级"), line(item_name="玉米"))
    assert shown(result.lines) == [(2, "20.00", "1.80"), (1, "-3.35", "-0.30"), (0, "20.00", "1.80")]
    goods, discount, _ = result.lines
    assert (discount.item_name, discount.tax_class_code, discount.rate) == (
        goods.item_name,
        goods.tax_class_code,
        "0.09",
    )
    assert (discount.quantity, discount.unit_price, discount.unit, discount.spec) == (None, None, "", "")
    assert [one.order_line for one in result.lines] == [0, 0, 1]


def test_an_amount_alone_is_enough() -> None:
    [only] = priced(line(quantity=None, unit_price=None, amount="99.99")).lines
    assert (only.amount_fen, only.tax_fen, only.quantity, only.unit_price) == (9999, 900, None, None)


def test_a_tax_inclusive_line_is_split() -> None:
    result = priced(line(quantity="3", unit_price="11.30", rate="0.13"), tax_inclusive=True)
    assert shown(result.lines) == [(0, "30.00", "3.90")]
    assert result.gross_fen == 3390 and result.lines[0].unit_price == "10.00"


def test_a_tax_inclusive_discount_is_split_too() -> None:
    result = priced(
        line(quantity=None, unit_price=None, amount="113.00", rate="0.13", discount_amount="11.30"), tax_inclusive=True
    )
    assert shown(result.lines) == [(2, "100.00", "13.00"), (1, "-10.00", "-1.30")]


def test_a_given_tax_within_the_tolerance_is_kept() -> None:
    assert priced(line(tax="1.86")).tax_fen == 186
    result = priced(line(quantity=None, unit_price=None, amount="21.80", tax="1.80"), tax_inclusive=True)
    assert (result.net_fen, result.tax_fen) == (2000, 180)


def test_rates_are_kept_in_one_spelling() -> None:
    assert priced(line(rate="0.090")).lines[0].rate == "0.09"


AMOUNTS = st.integers(1, 10**9)
RATES = st.sampled_from(["0.01", "0.03", "0.06", "0.09", "0.13"])


@st.composite
def requested_lines(draw: st.DrawFn) -> object:
    fen = draw(AMOUNTS)
    discount = draw(st.none() | st.integers(1, max(1, fen - 1)))
    return line(
        quantity=None,
        unit_price=None,
        amount=money.yuan(fen),
        rate=draw(RATES),
        discount_amount=None if discount is None or discount >= fen else money.yuan(discount),
    )


@given(st.lists(requested_lines(), min_size=1, max_size=20), st.booleans())
def test_totals_are_sums_of_lines_and_nothing_is_lost(lines: list, tax_inclusive: bool) -> None:
    result = priced(*lines, tax_inclusive=tax_inclusive)
    assert result.net_fen == sum(one.amount_fen for one in result.lines)
    assert result.tax_fen == sum(one.tax_fen for one in result.lines)
    assert result.gross_fen == result.net_fen + result.tax_fen
    asked = sum(money.fen_of(one.amount) - money.fen_of(one.discount_amount or "0") for one in lines)
    assert (result.gross_fen if tax_inclusive else result.net_fen) == asked
    for one in result.lines:
        assert money.tax_difference(one.amount_fen, Decimal(one.rate), one.tax_fen) <= 1


@given(st.decimals("1", "9999", places=2), st.decimals("0.01", "9999", places=2), RATES)
def test_a_split_line_still_multiplies_back(quantity: Decimal, price: Decimal, rate: str) -> None:
    [only] = priced(line(quantity=str(quantity), unit_price=str(price), rate=rate), tax_inclusive=True).lines
    assert money.difference(quantity, Decimal(only.unit_price), only.amount_fen) <= 1
    assert only.amount_fen + only.tax_fen == money.line_amount(quantity, price)


# --- rules about amounts


@pytest.mark.parametrize(
    ("changes", "code", "field"),
    [
        ({"quantity": None}, "quantity_and_price", "quantity"),
        ({"unit_price": None}, "quantity_and_price", "unit_price"),
        ({"quantity": None, "unit_price": None}, "amount_missing", "amount"),
        ({"quantity": "0"}, "amount_not_positive", "quantity"),
        ({"quantity": "-2"}, "amount_not_positive", "quantity"),
        ({"unit_price": "0.00"}, "amount_not_positive", "unit_price"),
        ({"quantity": None, "unit_price": None, "amount": "0.00"}, "amount_not_positive", "amount"),
        ({"quantity": None, "unit_price": None, "amount": "-1.00"}, "amount_not_positive", "amount"),
        ({"unit_price": "0.00000001"}, "amount_not_positive", "amount"),
        ({"quantity": None, "unit_price": None, "amount": "1.001"}, "amount_decimals", "amount"),
        ({"quantity": "9999999999999999", "unit_price": "9999"}, "amount_too_large", "amount"),
        ({"amount": "20.02"}, "line_amount_tolerance", "amount"),
        ({"tax": "1.87"}, "line_tax_tolerance", "tax"),
        ({"tax": "1.73"}, "line_tax_tolerance", "tax"),
        ({"tax": "-0.01"}, "amount_not_positive", "tax"),
        ({"discount_amount": "20.01"}, "discount_invalid", "discount_amount"),
        ({"discount_amount": "0.00"}, "discount_invalid", "discount_amount"),
        ({"discount_amount": "-1.00"}, "discount_invalid", "discount_amount"),
        ({"quantity": "1e3"}, "decimal_invalid", "quantity"),
        ({"rate": "1.3"}, "rate_invalid", "rate"),
    ],
)
def test_amounts_that_break_a_rule_are_refused_by_name(changes: dict, code: str, field: str) -> None:
    assert codes(invoice(line(**changes))) == [(code, f"lines[0].{field}")]


def test_tolerances_include_their_bound() -> None:
    assert priced(line(amount="20.01")).net_fen == 2001
    assert priced(line(tax="1.74")).tax_fen == 174


def test_a_fully_discounted_invoice_is_nothing() -> None:
    assert codes(invoice(line(discount_amount="20.00"))) == [("amount_not_positive", "lines")]
    assert priced(line(discount_amount="20.00"), line()).net_fen == 2000


def test_line_taxes_may_not_add_up_to_more_than_the_total_tolerance() -> None:
    assert priced(*[line(tax="1.86")] * 21).tax_fen == 21 * 186
    [refusal] = examined(invoice(*[line(tax="1.86")] * 22)).refusals
    assert (refusal.code, refusal.details["difference"]) == ("total_tax_tolerance", "1.32")
    assert "拆分" in refusal.remedy


def test_a_split_that_no_price_of_8_decimals_can_carry_is_refused() -> None:
    request = invoice(line(quantity="98765432.1", unit_price="1.03", rate="0.13"), tax_inclusive=True)
    assert codes(request) == [("line_amount_tolerance", "lines[0].amount")]


def test_each_line_names_its_own_fault() -> None:
    assert codes(invoice(line(), line(quantity="0"), line(amount="1.00"))) == [
        ("amount_not_positive", "lines[1].quantity"),
        ("line_amount_tolerance", "lines[2].amount"),
    ]


# --- rules about kinds, codes, rates, marks


@pytest.mark.parametrize(
    ("changes", "code", "field"),
    [
        ({"kind": "999"}, "kind_unknown", "kind"),
        ({"kind": "009"}, "kind_unknown", "kind"),
        ({"kind": "007"}, "not_built_yet", "kind"),
        ({"direction": "red"}, "not_built_yet", "direction"),
        ({"special_type": "08"}, "not_built_yet", "special_type"),
        ({"taxation_method": "2"}, "not_built_yet", "taxation_method"),
        ({"deduction_amount": "1.00"}, "not_built_yet", "deduction_amount"),
        ({"lines": ()}, "no_lines", "lines"),
        ({"remark": "备" * 116}, "remark_too_long", "remark"),
    ],
)
def test_what_is_not_possible_is_refused_by_name(changes: dict, code: str, field: str) -> None:
    assert codes(invoice(**changes) if "lines" not in changes else _without_lines()) == [(code, field)]


def _without_lines() -> object:
    whole = invoice()
    return type(whole)(kind=whole.kind, buyer=whole.buyer, lines=())


def test_neutral_marks_are_taken() -> None:
    assert priced(special_type="00", taxation_method="0", remark="备" * 115).gross_fen == 2180


def test_lines_are_counted_with_their_discounts() -> None:
    assert len(priced(*[line()] * 100).lines) == 100
    assert codes(invoice(*[line()] * 101)) == [("too_many_lines", "lines")]
    assert codes(invoice(*[line(discount_amount="1.00")] * 51)) == [("too_many_lines", "lines")]


@pytest.mark.parametrize(
    ("code", "refused"),
    [("123", "tax_code_format"), ("9" * 19, "tax_code_unknown"), (SUMMARY, "tax_code_summary")],
)
def test_tax_class_codes_are_checked(code: str, refused: str) -> None:
    assert codes(invoice(line(tax_class_code=code))) == [(refused, "lines[0].tax_class_code")]


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"rate": "0"}, "zero_rate_kind_missing"),
        ({"rate": "0", "zero_rate_kind": "1"}, "zero_rate_note_differs"),
        ({**EXEMPT, "preference_note": "不征税"}, "zero_rate_note_differs"),
        ({**EXEMPT, "zero_rate_kind": "2"}, "zero_rate_note_differs"),
        ({**EXEMPT, "zero_rate_kind": "3"}, "zero_rate_note_differs"),
        ({**EXEMPT, "zero_rate_kind": "0"}, "zero_rate_note_differs"),
        ({"zero_rate_kind": "1"}, "zero_rate_kind_unexpected"),
        ({"preference_flag": 1, "preference_note": "免税"}, "zero_rate_note_differs"),
        ({"preference_flag": 1}, "preference_flag_and_note"),
        ({"preference_note": "简易征收"}, "preference_flag_and_note"),
        ({"preference_flag": 1, "preference_note": "随便"}, "preference_note_unknown"),
        ({**EXEMPT, "tax": "0.01"}, "line_tax_tolerance"),
    ],
)
def test_zero_rates_and_preferences_must_agree(changes: dict, code: str) -> None:
    assert [found for found, _ in codes(invoice(line(**changes)))] == [code]


@pytest.mark.parametrize(
    "changes",
    [
        EXEMPT,
        {**EXEMPT, "zero_rate_kind": "2", "preference_note": "不征税"},
        {"rate": "0", "zero_rate_kind": "3"},
        {"rate": "0.00", "zero_rate_kind": "0"},
        {"rate": "0", "zero_rate_kind": "0", "preference_flag": 1, "preference_note": "出口零税"},
        {"rate": "0.03", "preference_flag": 1, "preference_note": "简易征收"},
    ],
)
def test_marks_that_agree_are_taken(changes: dict) -> None:
    assert priced(line(**changes)).gross_fen > 0


# --- rules about the buyer and characters


def test_a_special_invoice_needs_tax_id_and_rate() -> None:
    anonymous = RequestedBuyer(name="个人")
    assert priced(buyer=anonymous).gross_fen > 0
    assert codes(invoice(kind="028", buyer=anonymous)) == [("buyer_tax_id_missing", "buyer.tax_id")]
    assert codes(invoice(line(**EXEMPT), kind="028")) == [("zero_rate_on_special", "lines[0].rate")]


def test_a_doubtful_tax_id_warns_or_refuses_by_setting() -> None:
    request = invoice(buyer=RequestedBuyer(name="购方", tax_id="91990000MA0000AB0D"))
    result = examined(request)
    assert result.invoice is not None and [one.code for one in result.warnings] == ["tax_id_check_digit"]
    assert codes(request, STRICT_IDS) == [("tax_id_check_digit", "buyer.tax_id")]
    assert codes(invoice(buyer=RequestedBuyer(name="购方", tax_id="91990000ma0000AB0C"))) == [
        ("tax_id_not_canonical", "buyer.tax_id")
    ]


def test_blank_names_are_refused() -> None:
    assert codes(invoice(buyer=RequestedBuyer(name="  "))) == [("buyer_name_missing", "buyer.name")]
    assert codes(invoice(line(item_name=" "))) == [("text_blank", "lines[0].item_name")]


@pytest.mark.parametrize("character", ["\x00", "\x1b", "\n", "\x9b", "\u200b", "\u202e", "\u2028", "\ufeff"])
def test_control_characters_are_refused_with_field_and_position(character: str) -> None:
    for request, field in (
        (invoice(line(item_name=f"稻{character}谷")), "lines[0].item_name"),
        (invoice(line(spec=f"一{character}级")), "lines[0].spec"),
        (invoice(remark=f"备{character}注"), "remark"),
        (invoice(buyer=RequestedBuyer(name=f"购{character}方")), "buyer.name"),
        (invoice(issuer=f"张{character}三"), "issuer"),
    ):
        [refusal] = examined(request).refusals
        assert (refusal.code, refusal.field, refusal.details["position"]) == ("control_character", field, 2)
        assert character not in refusal.message


def test_all_rules_are_told_at_once_and_the_whole_is_refused() -> None:
    request = invoice(line(tax_class_code="1", rate="x", quantity="0"), kind="028", buyer=RequestedBuyer(name=""))
    result = examined(request)
    assert result.invoice is None
    assert [one.field for one in result.refusals] == [
        "buyer.name",
        "buyer.tax_id",
        "lines[0].tax_class_code",
        "lines[0].rate",
    ]
    assert RULES.id_check == "warn"
