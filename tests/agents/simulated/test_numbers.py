"""Codes and numbers in the layout of their area and kind."""

from __future__ import annotations

import pytest

from agents.simulated import numbers


def test_an_invoice_code_has_its_twelve_digits_in_order():
    assert numbers.invoice_code("4403", 2026, 7, "13") == "044032600713"


@pytest.mark.parametrize("bad", [("440", 2026, 1, "11"), ("4403", 2026, 0, "11"), ("4403", 2026, 1000, "11")])
def test_an_invoice_code_out_of_range_is_refused(bad: tuple[str, int, int, str]):
    with pytest.raises(ValueError, match="range"):
        numbers.invoice_code(*bad)


@pytest.mark.parametrize(("text", "value"), [("0", 0), ("1.5", 150), ("-0.07", -7), ("113.00", 11300)])
def test_money_is_fen(text: str, value: int):
    assert numbers.fen(text) == value


@pytest.mark.parametrize("text", ["", "1e2", "1.234", "NaN", "１", " 1", "+1", "1_0", "Infinity"])
def test_what_is_no_money_is_none(text: str):
    assert numbers.fen(text) is None


def test_money_is_printed_with_two_places():
    assert [numbers.yuan(value) for value in (0, 7, -7, -150, 11300)] == ["0.00", "0.07", "-0.07", "-1.50", "113.00"]


def test_numbers_are_eight_digits():
    assert numbers.parse_number(numbers.number(42)) == 42
    assert numbers.parse_number("42") is None and numbers.parse_number("１２３４５６７８") is None


def test_codes_of_a_signed_invoice_have_their_lengths_and_depend_on_the_key():
    facts = ["044032600713", "00000001"]
    assert len(numbers.check_code("k", facts)) == 20 and numbers.check_code("k", facts).isdigit()
    assert len(numbers.cipher("k", facts)) <= 190
    assert numbers.signature("k", "d", facts) != numbers.signature("l", "d", facts)
    assert len(numbers.receipt_no(1, *facts)) == 32
