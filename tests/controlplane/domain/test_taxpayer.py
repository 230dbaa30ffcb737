"""Taxpayer ids: length, characters, twins, check digits, each with its position."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controlplane.domain import taxpayer

GOOD = ["91990000MA0000015Q", "91990000MA0000AB0C", "92990000MA00TE3TX9"]


@pytest.mark.parametrize("tax_id", GOOD)
def test_valid_codes_pass_without_a_doubt(tax_id: str) -> None:
    assert taxpayer.faults(tax_id) == [] and taxpayer.doubts(tax_id) == []


@pytest.mark.parametrize("tax_id", ["123456789012345", "12345678901234A", "1" * 17, "1" * 20])
def test_older_forms_have_no_usable_check(tax_id: str) -> None:
    assert taxpayer.examine(tax_id, "buyer.tax_id", "error") == ([], [])


@pytest.mark.parametrize("length", [1, 14, 16, 19, 21])
def test_other_lengths_are_refused(length: int) -> None:
    [fault] = taxpayer.faults("1" * length, "buyer.tax_id")
    assert (fault.code, fault.details["length"], fault.field) == ("tax_id_length", length, "buyer.tax_id")


@pytest.mark.parametrize("letter", list("IOZSV"))
def test_18_character_codes_have_no_look_alikes(letter: str) -> None:
    [fault] = taxpayer.faults(f"9199000{letter}MA0000015Q")
    assert (fault.code, fault.details["position"]) == ("tax_id_character", 8)


def test_other_characters_are_refused_with_their_position() -> None:
    [fault] = taxpayer.faults("1234-6789012345")
    assert (fault.code, fault.details["position"]) == ("tax_id_character", 5)


@pytest.mark.parametrize(
    ("twin", "position"),
    [
        ("91990000ma0000015q", 9),
        ("９1990000MA0000015Q", 1),
        ("91990000MA 0000015Q", 11),
        ("91990000MA0000015Q ", 19),
        ("91990000MA\u200b0000015Q", 11),
        ("91990000MA0000015Q\ufeff", 19),
    ],
)
def test_twins_of_one_id_are_refused_never_folded(twin: str, position: int) -> None:
    [fault] = taxpayer.faults(twin)
    assert (fault.code, fault.details["position"]) == ("tax_id_not_canonical", position)
    assert taxpayer.canonical(twin) == "91990000MA0000015Q"


def test_check_digits_warn_or_refuse_by_level() -> None:
    wrong = "91990000MA0000015R"
    errors, warnings = taxpayer.examine(wrong, "buyer.tax_id", "warn")
    assert errors == [] and [w.details["position"] for w in warnings] == [18]
    assert warnings[0].details["expected"] == "Q"
    errors, warnings = taxpayer.examine(wrong, "buyer.tax_id", "error")
    assert [e.code for e in errors] == ["tax_id_check_digit"] and warnings == []


def test_the_organisation_code_inside_is_checked_too() -> None:
    positions = [doubt.details["position"] for doubt in taxpayer.doubts("91990000MA0000025Q")]
    assert 17 in positions


@given(st.text("0123456789ABCDEFGHJKLMNPQRTUWXY", min_size=16, max_size=16))
def test_codes_made_by_the_rule_pass_the_rule(first_16: str) -> None:
    first_17 = first_16 + taxpayer.organisation_check_digit(first_16[8:])
    assert taxpayer.doubts(first_17 + taxpayer.unified_check_digit(first_17)) == []


@given(st.sampled_from(GOOD), st.integers(0, 17), st.sampled_from("0123456789ABCDEFGHJKLMNPQRTUWXY"))
def test_any_single_wrong_character_is_doubted(tax_id: str, position: int, character: str) -> None:
    changed = tax_id[:position] + character + tax_id[position + 1 :]
    assert (taxpayer.doubts(changed) == []) is (changed == tax_id)
