"""Rules of numbers: what may leave a run, how a grant walks, what the bureau's word does, when stock is low."""

from __future__ import annotations

import pytest

from controlplane.domain import application, invoice_segment
from controlplane.domain.stock_alert import level

RUN = (101, 200, 141)
"""Numbers 101 to 200, the next is 141: 60 are left."""


@pytest.mark.parametrize(
    ("wanted", "spoken_for", "code"),
    [
        ((141, 60), 0, None),
        ((200, 1), 0, None),
        ((191, 10), 50, None),
        ((191, 10), 51, "numbers_spoken_for"),
        ((200, 1), 60, "numbers_spoken_for"),
        ((200, 1), 900, "numbers_spoken_for"),
        ((140, 61), 0, "run_not_tail"),
        ((101, 100), 0, "run_not_tail"),
        ((141, 59), 0, "run_not_tail"),
        ((150, 52), 0, "run_not_tail"),
        ((201, 1), 0, "run_not_tail"),
    ],
)
def test_only_the_unused_tail_that_nobody_waits_for_leaves(
    wanted: tuple[int, int], spoken_for: int, code: str | None
) -> None:
    found = invoice_segment.unused_tail(RUN, wanted, spoken_for)
    assert (found.code if found else None) == code


def test_the_refusal_names_how_many_are_free() -> None:
    found = invoice_segment.unused_tail(RUN, (191, 10), 55)
    assert found is not None and found.details == {"count": 10, "waiting": 55, "free": 5}
    assert "5" in found.message and "5" in found.message_en


def test_a_spent_run_has_nothing_to_give() -> None:
    found = invoice_segment.unused_tail((1, 10, 11), (11, 1), 0)
    assert found is not None and (found.code, found.details["left"]) == ("run_not_tail", 0)


@pytest.mark.parametrize("known", [None, "granted", "written", "confirmed"])
@pytest.mark.parametrize("told", ["granted", "written", "confirmed"])
def test_a_grant_walks_forward_only(known: str | None, told: str) -> None:
    order = ["granted", "written", "confirmed"]
    expected = told if known is None else order[max(order.index(known), order.index(told))]
    assert invoice_segment.grant_after(known, told) == expected


BY_HAND = {
    ("applied", "waiting"): None, ("applied", "granted"): "grant", ("applied", "refused"): "refuse",
    ("applied", "cancelled"): "cancel", ("granted", "cancelled"): None, ("granted", "refused"): None,
    ("granted", "granted"): None, ("cancelled", "granted"): None, ("received", "cancelled"): None,
}  # fmt: skip


def test_what_the_bureaus_word_does() -> None:
    for (state, status), move in BY_HAND.items():
        assert application.move_of(state, status) == move, (state, status)


@pytest.mark.parametrize(
    ("left", "before", "after"),
    [
        (101, None, "enough"), (100, None, "low"), (0, None, "low"), (100, "enough", "low"), (101, "enough", "enough"),
        (101, "low", "low"), (110, "low", "low"), (111, "low", "enough"), (99, "low", "low"),
    ],
)  # fmt: skip
def test_low_at_the_threshold_and_enough_a_tenth_above(left: int, before: str | None, after: str) -> None:
    assert level(left, 100, before) == after  # type: ignore[arg-type]


@pytest.mark.parametrize(("threshold", "recovers_at"), [(1, 2), (5, 6), (9, 10), (10, 12), (20, 23), (1000, 1101)])
def test_how_far_above_small_thresholds(threshold: int, recovers_at: int) -> None:
    assert level(recovers_at, threshold, "low") == "enough" and level(recovers_at - 1, threshold, "low") == "low"
