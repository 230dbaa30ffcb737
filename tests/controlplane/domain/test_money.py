"""Money is exact: spelling, rounding, splits and sums."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal, localcontext

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controlplane.domain import money
from controlplane.domain.refusals import Refusal

FEN = st.integers(-money.MAX_FEN, money.MAX_FEN)
RATES = st.sampled_from(["0", "0.01", "0.015", "0.03", "0.05", "0.06", "0.09", "0.1", "0.11", "0.13", "0.16", "0.17"])
QUANTITIES = st.decimals("0.00000001", "999999", places=8)


@pytest.mark.parametrize("text", ["0", "1", "-1", "12.5", "0.00000001", "9999999999999999", "-0.10", "10.00000000"])
def test_plain_decimals_are_taken(text: str) -> None:
    assert money.decimal_of(text) == Decimal(text)


@pytest.mark.parametrize(
    "text",
    ["", " 1", "1 ", "+1", "01", ".5", "1.", "1e3", "NaN", "Infinity", "１", "١", "1_0", "1,0", "--1", "1\n"],
)
def test_any_other_spelling_is_refused_by_name(text: str) -> None:
    with pytest.raises(Refusal) as caught:
        money.decimal_of(text, "lines[0].amount")
    assert (caught.value.code, caught.value.field) == ("decimal_invalid", "lines[0].amount")


@pytest.mark.parametrize("text", ["99999999999999999", "0.000000001", "0x1"])
def test_more_than_16_digits_or_8_decimals_are_refused(text: str) -> None:
    with pytest.raises(Refusal):
        money.decimal_of(text)


@given(FEN)
def test_fen_and_yuan_make_a_round_trip(fen: int) -> None:
    assert money.fen_of(money.yuan(fen)) == fen


@pytest.mark.parametrize(("fen", "text"), [(0, "0.00"), (5, "0.05"), (-5, "-0.05"), (-1234, "-12.34"), (100, "1.00")])
def test_money_has_one_spelling(fen: int, text: str) -> None:
    assert money.yuan(fen) == text


def test_finer_than_a_fen_is_refused_but_zeros_do_not_matter() -> None:
    assert money.fen_of("1.230") == 123
    with pytest.raises(Refusal) as caught:
        money.fen_of("1.234")
    assert caught.value.code == "amount_decimals"


def test_amounts_are_bounded() -> None:
    assert money.fen_of("9999999999999.99") == money.MAX_FEN
    for act in (lambda: money.fen_of("10000000000000"), lambda: money.line_amount(Decimal(10**15), Decimal(10**15))):
        with pytest.raises(Refusal) as caught:
            act()
        assert caught.value.code == "amount_too_large"


@pytest.mark.parametrize(
    ("quantity", "price", "fen"),
    [("1", "0.005", 1), ("1", "0.0049999", 0), ("3", "0.335", 101), ("7", "14.00", 9800), ("0.1", "0.25", 3)],
)
def test_line_amounts_round_half_up(quantity: str, price: str, fen: int) -> None:
    assert money.line_amount(Decimal(quantity), Decimal(price)) == fen


@pytest.mark.parametrize(
    ("net", "rate", "tax"), [(50, "0.01", 1), (49, "0.01", 0), (-50, "0.01", -1), (1000, "0.13", 130)]
)
def test_tax_rounds_half_away_from_zero(net: int, rate: str, tax: int) -> None:
    assert money.tax_on(net, Decimal(rate)) == tax


@given(QUANTITIES, st.decimals("0.00000001", "999999", places=8))
def test_line_amount_is_the_exact_product_rounded_once(quantity: Decimal, price: Decimal) -> None:
    with localcontext() as context:
        context.prec = 100
        exact = int((quantity * price * 100).quantize(Decimal(1), rounding=ROUND_HALF_UP))
    assert money.line_amount(quantity, price) == exact


@given(st.integers(1, money.MAX_FEN), RATES)
def test_a_split_gives_back_the_gross_and_its_tax_fits_the_rate(gross: int, rate: str) -> None:
    net, tax = money.split_gross(gross, Decimal(rate))
    assert net + tax == gross and net > 0 and tax >= 0
    assert money.tax_difference(net, Decimal(rate), tax) <= 1


@given(FEN, RATES)
def test_tax_of_a_discount_is_the_negative_of_the_tax(fen: int, rate: str) -> None:
    assert money.tax_on(-fen, Decimal(rate)) == -money.tax_on(fen, Decimal(rate))


@given(st.lists(FEN, max_size=50))
def test_totals_are_sums_and_do_not_depend_on_order(fens: list[int]) -> None:
    assert money.total(fens) == money.total(reversed(fens)) == sum(fens)


@given(st.integers(1, 10**9), st.decimals("0.01", "9999", places=2))
def test_a_price_found_for_an_amount_multiplies_back(fen: int, quantity: Decimal) -> None:
    price = money.price_of(fen, quantity)
    assert money.difference(quantity, price, fen) <= 1
    assert -price.as_tuple().exponent <= 8


@pytest.mark.parametrize(
    ("text", "spelled"), [("0.130", "0.13"), ("0.13", "0.13"), ("0.00", "0"), ("0", "0"), ("0.1", "0.1")]
)
def test_rates_have_one_spelling(text: str, spelled: str) -> None:
    assert money.rate_text(money.rate_of(text)) == spelled


@pytest.mark.parametrize("text", ["1", "13", "-0.13", "1.00"])
def test_a_rate_lies_between_zero_and_one(text: str) -> None:
    with pytest.raises(Refusal) as caught:
        money.rate_of(text)
    assert caught.value.code == "rate_invalid"


def test_no_float_on_the_path() -> None:
    results = [
        money.fen_of("1.00"),
        money.line_amount(Decimal(1), Decimal(2)),
        *money.split_gross(113, Decimal("0.13")),
    ]
    assert all(type(result) is int for result in results)
