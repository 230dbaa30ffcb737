"""What is left of a blue invoice, line by line: red invoices never come to more than the blue one, to the fen."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from controlplane.domain import money
from controlplane.domain.invoice_request import PricedInvoice, PricedLine
from controlplane.domain.red_offset import Left, Taken, WantedLine, left_of, parts, priced, red_lines, total_left
from controlplane.domain.refusals import Refusal
from tests.controlplane.domain import examples
from tests.controlplane.domain.examples import RULES, TODAY, invoice, line

TOLERANCES = RULES.tolerance(TODAY)


def blue(*lines: object) -> tuple[PricedLine, ...]:
    return examples.priced(*lines).lines  # type: ignore[arg-type]


def refused(lines: tuple[PricedLine, ...], *wanted: WantedLine, taken: tuple[Taken, ...] = ()) -> Refusal:
    with pytest.raises(Refusal) as caught:
        parts(left_of(lines, taken), wanted, TOLERANCES)
    return caught.value


def red_of(left: list[Left], offset: list[Taken]) -> PricedInvoice:
    return priced(invoice(direction="red"), red_lines(left, offset, TOLERANCES), TOLERANCES)


def test_the_whole_is_the_blue_one_below_zero() -> None:
    lines = blue(line(), line(quantity=None, unit_price=None, amount="8.85", rate="0.13"))
    left = left_of(lines, ())
    red = red_of(left, parts(left, None, TOLERANCES))
    assert (red.net_fen, red.tax_fen, red.gross_fen) == (-2885, -295, -3180)
    assert [(one.quantity, one.unit_price, one.amount_fen) for one in red.lines] == [
        ("-2", "10.00", -2000), (None, None, -885),
    ]  # fmt: skip
    assert [one.original_line_no for one in red.lines] == [1, 2]
    assert {one.nature for one in red.lines} == {0}


def test_a_discount_goes_with_its_line() -> None:
    lines = blue(line(discount_amount="1.50"), line())
    assert len(lines) == 3
    left = left_of(lines, ())
    assert [(one.line_no, one.net_fen) for one in left] == [(1, 1850), (3, 2000)]
    red = red_of(left, parts(left, None, TOLERANCES))
    assert (red.lines[0].quantity, red.lines[0].unit_price) == ("-2", "9.25")
    assert red.net_fen == -sum(one.amount_fen for one in lines) and red.tax_fen == -sum(one.tax_fen for one in lines)
    assert refused(lines, WantedLine(2)).code == "red_line_unknown"


def test_a_part_by_quantity_or_amount() -> None:
    left = left_of(blue(line(quantity="3")), ())
    (by_quantity,) = parts(left, [WantedLine(1, quantity="1")], TOLERANCES)
    assert (by_quantity.net_fen, by_quantity.tax_fen, by_quantity.quantity) == (1000, 90, Decimal(1))
    (by_amount,) = parts(left, [WantedLine(1, amount="10.50")], TOLERANCES)
    assert (by_amount.net_fen, by_amount.tax_fen, by_amount.quantity) == (1050, 95, None)
    (both,) = parts(left, [WantedLine(1, quantity="1", amount="10.01")], TOLERANCES)
    assert both.net_fen == 1001
    (rest,) = parts(left_of(blue(line(quantity="3")), [by_quantity]), [WantedLine(1)], TOLERANCES)
    assert (rest.net_fen, rest.tax_fen, rest.quantity) == (2000, 180, Decimal(2))


@pytest.mark.parametrize(
    ("wish", "code", "named"),
    [
        (WantedLine(1, amount="20.01"), "red_amount_exceeds", "20.00"),
        (WantedLine(1, quantity="2.5"), "red_quantity_exceeds", "2"),
        (WantedLine(1, quantity="1", amount="10.02"), "line_amount_tolerance", "0.02"),
        (WantedLine(1, amount="0"), "red_not_positive", ""),
        (WantedLine(1, amount="-1"), "red_not_positive", ""),
        (WantedLine(1, quantity="0"), "red_not_positive", ""),
        (WantedLine(1, quantity="0.0001"), "red_not_positive", ""),
        (WantedLine(1, amount="1.005"), "amount_decimals", "1.005"),
        (WantedLine(9), "red_line_unknown", "9"),
    ],
)
def test_each_refusal_names_the_limit(wish: WantedLine, code: str, named: str) -> None:
    refusal = refused(blue(line()), wish)
    assert refusal.code == code and refusal.field.startswith("lines[0].")
    assert named in refusal.message and named in refusal.message_en


def test_a_line_twice_or_used_up_or_without_quantity() -> None:
    lines = blue(line(), line(quantity=None, unit_price=None, amount="5"))
    assert refused(lines, WantedLine(1, amount="1"), WantedLine(1, amount="1")).code == "red_line_twice"
    assert refused(lines, WantedLine(2, quantity="1")).code == "red_line_without_quantity"
    gone = (Taken(1, 2000, 180, Decimal(2)),)
    assert refused(lines, WantedLine(1), taken=gone).code == "red_line_used_up"
    assert refused(lines, taken=gone).code == "no_lines"
    with pytest.raises(Refusal) as caught:
        parts(left_of(blue(line()), gone), None, TOLERANCES)
    assert caught.value.code == "red_nothing_left"


RATES = st.sampled_from(["0.01", "0.03", "0.06", "0.09", "0.13"])


@st.composite
def blue_lines(draw: st.DrawFn) -> tuple[PricedLine, ...]:
    """A blue invoice as intake would price it: by quantity or amount, discounts, given taxes, with or without tax."""
    asked = []
    for _ in range(draw(st.integers(1, 4))):
        fields: dict[str, object] = {"rate": draw(RATES)}
        if draw(st.booleans()):
            fields |= {"quantity": str(draw(st.integers(1, 30))), "unit_price": money.yuan(draw(st.integers(1, 5000)))}
        else:
            fields |= {"quantity": None, "unit_price": None, "amount": money.yuan(draw(st.integers(1, 50_000)))}
        if draw(st.integers(0, 3)) == 0:
            whole = fields.get("amount") or money.yuan(
                money.line_amount(Decimal(str(fields["quantity"])), Decimal(str(fields["unit_price"])))
            )
            fields["discount_amount"] = money.yuan(draw(st.integers(1, money.fen_of(str(whole)))))
        asked.append(line(**fields))
    found = examples.examined(invoice(*asked, tax_inclusive=draw(st.booleans()))).invoice
    return found.lines if found is not None else blue(line())


def wish_of(draw: st.DrawFn, left: Left) -> WantedLine:
    how = draw(st.sampled_from(["all", "amount", "quantity"]))
    if how == "quantity" and left.quantity is not None and left.quantity > 0:
        return WantedLine(left.line_no, quantity=str(draw(st.integers(1, int(left.quantity) or 1))))
    if how == "amount" and left.net_fen > 0:
        return WantedLine(left.line_no, amount=money.yuan(draw(st.integers(1, left.net_fen))))
    return WantedLine(left.line_no)


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_any_partial_reds_add_up_to_the_blue_one(data: st.DataObject) -> None:
    """I-8: after every red the sums stay within the blue's, per line; what is left can always be offset to zero."""
    draw = data.draw
    lines = draw(blue_lines())
    net, tax = sum(one.amount_fen for one in lines), sum(one.tax_fen for one in lines)
    taken: list[Taken] = []
    for turn in range(8):
        left = left_of(lines, taken)
        assert all(one.net_fen >= 0 and one.tax_fen >= 0 and (one.quantity or 0) >= 0 for one in left)
        if total_left(left) == (0, 0):
            break
        usable = [one for one in left if one.net_fen > 0 or one.tax_fen > 0]
        chosen = [one for one in usable if draw(st.booleans())] or usable[:1]
        wanted = None if turn == 7 else [wish_of(draw, one) for one in chosen]
        try:
            offset = parts(left, wanted, TOLERANCES)
        except Refusal as refusal:
            assert refusal.code in ("red_amount_exceeds", "red_not_positive"), refusal
            continue
        red = red_of(left, offset)
        assert (red.net_fen, red.tax_fen) == (
            -sum(part.net_fen for part in offset), -sum(part.tax_fen for part in offset),
        )  # fmt: skip
        for one in red.lines:
            assert money.tax_difference(one.amount_fen, Decimal(one.rate), one.tax_fen) <= TOLERANCES.line_tax_fen
        taken += offset
    assert sum(part.net_fen for part in taken) <= net and sum(part.tax_fen for part in taken) <= tax
    assert total_left(left_of(lines, taken)) == (
        net - sum(part.net_fen for part in taken), tax - sum(part.tax_fen for part in taken),
    )  # fmt: skip


@pytest.mark.parametrize("off", [-6, -3, 0, 3, 6])
def test_reds_of_a_few_fen_never_strand_the_tax(off: int) -> None:
    """A hundred reds of 0.03 would each have no tax: one fen moves over where the rest would be off by more than 0.06."""
    lines = blue(line(quantity=None, unit_price=None, amount="3.00", rate="0.13", tax=money.yuan(39 + off)))
    taken: list[Taken] = []
    for _ in range(99):
        left = left_of(lines, taken)
        offset = parts(left, [WantedLine(1, amount="0.03")], TOLERANCES)
        red_of(left, offset)
        taken += offset
    left = left_of(lines, taken)
    last = red_of(left, parts(left, None, TOLERANCES))
    assert total_left(left_of(lines, [*taken, *parts(left, None, TOLERANCES)])) == (0, 0) and last.net_fen == -3
