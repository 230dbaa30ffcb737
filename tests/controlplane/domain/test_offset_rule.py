"""How each kind is voided and red-offset: the shipped rows, and every rule with the limit its refusal names."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from controlplane.domain import red_form
from controlplane.domain.invoice_request import Original, PricedInvoice
from controlplane.domain.offset_rule import OffsetRule, red_kinds, remark_of, rule_of
from controlplane.domain.readiness import fits
from controlplane.domain.red_offset import text_refusal
from controlplane.domain.refusals import CATALOGUE, Refusal, refuse
from controlplane.domain.void_rule import VoidFacts, void_refusals
from tests.controlplane.domain.examples import LIMITS, RULES, TODAY, facts, invoice, priced

PAPER = rule_of(RULES.offsets, "007", TODAY)
ELECTRONIC = rule_of(RULES.offsets, "026", TODAY)
SPECIAL = rule_of(RULES.offsets, "028", TODAY)
BLUE = ("044002600111", "00000007")


@pytest.mark.parametrize(
    ("kind", "void", "form", "partners"),
    [
        ("004", "same_month", True, {"004"}),
        ("005", "same_month", False, {"005"}),
        ("006", "same_month", False, {"006"}),
        ("007", "same_month", False, {"007", "025", "026"}),
        ("025", "same_month", False, {"007", "025", "026"}),
        ("026", "signature_rejected", False, {"007", "025", "026"}),
        ("028", "signature_rejected", True, {"028"}),
    ],
)
def test_the_shipped_rules(kind: str, void: str, form: bool, partners: set[str]) -> None:
    rule = rule_of(RULES.offsets, kind, TODAY)
    assert (rule.void, rule.needs_form, rule.needs_upload) == (void, form, True)
    assert set(red_kinds(RULES.offsets, kind, TODAY)) == partners
    assert rule.form_lines == (8 if form else 0)


def test_rules_are_dated() -> None:
    for kind, day in (("028", date(2020, 8, 31)), ("009", TODAY), ("999", TODAY)):
        with pytest.raises(Refusal) as caught:
            rule_of(RULES.offsets, kind, day)
        assert caught.value.code == "offset_not_ruled" and kind in caught.value.message


def void_codes(rule: OffsetRule, today: date = TODAY, **changes: object) -> list[str]:
    known = VoidFacts(**{"issued_on": TODAY, "upload_status": "not_uploaded", **changes})  # type: ignore[arg-type]
    return [one.code for one in void_refusals(known, rule, today)]


@pytest.mark.parametrize("status", ["not_uploaded", "uploaded", "failed"])
@pytest.mark.parametrize("rule", [ELECTRONIC, SPECIAL])
def test_electronic_kinds_are_voided_only_after_a_rejected_signature(rule: OffsetRule, status: str) -> None:
    assert void_codes(rule, upload_status=status) == ["void_electronic"]
    assert void_codes(rule, upload_status="signature_rejected", issued_on=date(2026, 1, 5)) == []


def test_paper_is_voided_in_its_month_and_before_reporting() -> None:
    assert void_codes(PAPER, upload_status="uploaded") == []
    assert void_codes(PAPER, issued_on=date(2026, 11, 1), today=date(2026, 11, 30)) == []
    for issued_on in (date(2026, 10, 31), date(2025, 11, 22)):
        (told,) = void_refusals(VoidFacts(issued_on, "uploaded"), PAPER, TODAY)
        assert told.code == "void_other_month"
        assert issued_on.isoformat() in told.message and "2026-11" in told.message_en
    assert void_codes(PAPER, issued_on=date(2026, 11, 20), reported_before=date(2026, 11, 20)) == []
    (told,) = void_refusals(VoidFacts(date(2026, 11, 19), "uploaded", date(2026, 11, 20)), PAPER, TODAY)
    assert told.code == "void_reported" and "2026-11-20" in told.message and "2026-11-19" in told.message_en


@pytest.mark.parametrize("rule", [PAPER, ELECTRONIC])
def test_nothing_that_is_offset_is_voided(rule: OffsetRule) -> None:
    known = VoidFacts(TODAY, "signature_rejected", red_fen=2180, reds=2, forms=1)
    offset, form = void_refusals(known, rule, TODAY)
    assert (offset.code, form.code) == ("void_red_offset", "void_red_form")
    assert "21.80" in offset.message and "2" in offset.message_en and "1" in form.message


def test_the_remark_begins_as_it_must() -> None:
    assert remark_of(ELECTRONIC, BLUE, "", "") == "对应正数发票代码:044002600111号码:00000007"
    assert remark_of(ELECTRONIC, BLUE, "", "退货") == "对应正数发票代码:044002600111号码:00000007 退货"
    number = "4403012611000001"
    assert remark_of(SPECIAL, BLUE, number, "x") == f"开具红字增值税专用发票信息表编号{number} x"


def test_the_bytes_of_the_beginning_count() -> None:
    kind = RULES.kinds.find("026", TODAY)
    assert kind is not None and kind.remark_bytes == 230
    first = remark_of(ELECTRONIC, BLUE, "", "")
    room = kind.remark_bytes - len(first.encode("gb18030")) - 1
    fitting = invoice(direction="red", remark=f"{first} {'a' * room}")
    assert text_refusal(fitting, first, kind) is None
    told = text_refusal(replace(fitting, remark=fitting.remark + "a"), first, kind)
    assert told is not None and told.code == "red_remark_too_long"
    assert "231" in told.message and "230" in told.message_en and first in told.message
    hidden = text_refusal(replace(fitting, remark="a\u202eb"), first, kind)
    assert hidden is not None and hidden.code == "control_character"


def red(issued_on: date, device_no: str = "A") -> PricedInvoice:
    original = Original(*BLUE, device_no, issued_on, "1")
    lines = tuple(replace(one, amount_fen=-one.amount_fen, tax_fen=-one.tax_fen) for one in priced().lines)
    return PricedInvoice(invoice(direction="red", original=original), lines, -2000, -180, -2180, frozenset({"0.09"}))


def misfits(limits: dict[str, object], wanted: PricedInvoice) -> list[Refusal]:
    known = facts(device_no="A", kinds={"026": replace(LIMITS, **limits)})  # type: ignore[arg-type]
    return fits(known, wanted, RULES, TODAY)


def test_a_device_may_want_the_blue_invoice_on_itself() -> None:
    assert misfits({"red_needs_original": True}, red(TODAY)) == []
    assert misfits({"red_needs_original": False}, red(TODAY, "B")) == []
    (told,) = misfits({"red_needs_original": True}, red(TODAY, "B"))
    assert told.code == "red_original_elsewhere" and "A" in told.message and "B" in told.message


def test_a_device_may_limit_the_days() -> None:
    assert misfits({"red_max_days": 21}, red(date(2026, 11, 1))) == []
    assert misfits({"red_max_days": 0}, red(date(2020, 11, 1))) == []
    (told,) = misfits({"red_max_days": 20}, red(date(2026, 11, 1)))
    assert told.code == "red_too_late" and "20" in told.message and "21" in told.message_en


def test_a_device_limits_red_totals_like_blue_ones() -> None:
    assert misfits({"single_limit_fen": 2180}, red(TODAY)) == []
    (told,) = misfits({"single_limit_fen": 2179}, red(TODAY))
    assert told.code == "over_single_limit" and told.details["excess"] == "0.01"


def test_a_device_signs_red_lines_at_authorised_rates_only() -> None:
    (told,) = fits(facts(device_no="A", rates=frozenset({"0.13"})), red(TODAY), RULES, TODAY)
    assert told.code == "rate_not_authorised"


def test_every_status_of_the_bureau_moves_a_form_or_is_shown() -> None:
    assert set(red_form.MOVES_BY_STATUS) == set(red_form.STATUS_LABELS) - {""}
    assert set(red_form.MOVES_BY_STATUS.values()) <= red_form.MACHINE.moves
    assert {"draft", "uploaded", "approved"} == red_form.OPEN and set(red_form.LABELS) == red_form.MACHINE.states


def test_every_refusal_of_this_room_names_its_limit() -> None:
    named = {
        "void_electronic": "upload_status", "void_other_month": "month", "void_reported": "reported_before",
        "void_red_offset": "amount", "void_red_form": "count", "red_not_uploaded": "upload_status",
        "red_amount_exceeds": "left", "red_quantity_exceeds": "left", "red_remark_too_long": "limit",
        "red_too_late": "limit", "red_form_too_many_lines": "limit", "red_kind_differs": "kind",
        "red_form_not_approved": "state", "red_form_taken": "invoice_id",
    }  # fmt: skip
    for code, name in named.items():
        assert f"{{{name}}}" in CATALOGUE[code].message and f"{{{name}}}" in CATALOGUE[code].message_en, code
    assert "0.00" in refuse("red_nothing_left").message and "0.00" in refuse("red_line_used_up").message_en
