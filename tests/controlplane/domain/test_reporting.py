"""Reporting: the table of states against one written by hand, where a kind stands, and every gate by its name."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, time

import pytest

from controlplane import data
from controlplane.domain import report, report_schedule
from controlplane.domain.dated import DEVICE_ZONE
from controlplane.domain.device_kind import KINDS, reports_all_first
from controlplane.domain.health import TEXTS
from controlplane.domain.refusals import Refusal
from controlplane.domain.report import Gate, KindPeriod, Totals

BY_HAND = {
    "report_due": {"report": "reported", "find_cleared": "cleared"},
    "reported": {
        "verify": "verified", "refuse": "report_due", "accept_totals": "reported", "find_cleared": "cleared",
    },
    "verified": {
        "verify": "verified", "refuse": "report_due", "accept_totals": "verified", "find_cleared": "cleared",
        "file_return": "return_filed", "clear": "cleared",
    },
    "return_filed": {
        "verify": "return_filed", "refuse": "report_due", "accept_totals": "return_filed", "find_cleared": "cleared",
        "clear": "cleared",
    },
    "cleared": {},
}  # fmt: skip
MOVES = {"report", "verify", "refuse", "file_return", "clear", "accept_totals", "find_cleared"}
SCHEDULE = {"enabled": {"disable": "disabled"}, "disabled": {"enable": "enabled"}}


def test_every_state_and_move_is_as_written_by_hand() -> None:
    assert report.MACHINE.initial == "report_due" and report_schedule.MACHINE.initial == "enabled"
    for tested, by_hand, moves in (
        (report.MACHINE, BY_HAND, MOVES),
        (report_schedule.MACHINE, SCHEDULE, {"enable", "disable"}),
    ):
        assert tested.states == set(by_hand) and tested.moves == moves
        for state, edges in by_hand.items():
            for move in moves:
                if move in edges:
                    assert tested.after(state, move) == edges[move], (state, move)
                else:
                    with pytest.raises(Refusal) as caught:
                        tested.after(state, move)
                    assert caught.value.code == "move_not_allowed", (state, move)


def test_people_make_the_same_moves_but_those_of_bureau_and_device() -> None:
    for state, edges in BY_HAND.items():
        for move in MOVES:
            by_people = move in edges and move not in ("refuse", "find_cleared")
            assert report.STEPS.may(state, move) == by_people, (state, move)
            assert not by_people or report.STEPS.after(state, move) == edges[move]


def test_verbs_and_labels_fit_the_machines() -> None:
    assert set(report.JOB_KINDS) <= MOVES and set(report.LABELS) == report.MACHINE.states
    assert {spec.verb for spec in report.ACTS} == MOVES - {"refuse", "find_cleared"}
    assert {spec.verb for spec in report_schedule.ACTS} == {"set", "enable", "disable"}
    assert set(report_schedule.LABELS) == report_schedule.MACHINE.states


def kind(**days: str) -> KindPeriod:
    told = {"first": "2026-10-01", "last": "2026-10-31", "deadline": "2026-11-16", "last_report": "2026-10-20", **days}
    return KindPeriod("026", **{name: date.fromisoformat(day) if day else None for name, day in told.items()})


@pytest.mark.parametrize(
    ("today", "told", "expected"),
    [
        ("2026-11-01", {}, "due"),
        ("2026-11-16", {}, "due"),
        ("2026-11-17", {}, "locked"),
        ("2027-01-18", {}, "locked"),
        ("2027-01-19", {}, "zombie"),
        ("2026-10-31", {}, "not_due"),
        ("2026-11-22", {"deadline": "2026-12-15"}, "due"),
        ("2026-11-22", {"deadline": "2026-12-15", "first": "2026-11-01", "last": "2026-11-30"}, "not_due"),
        ("2026-11-22", {"deadline": "2026-12-15", "last": ""}, "not_due"),
        ("2026-11-22", {"deadline": "2027-11-15", "last": ""}, "not_due"),
        ("2026-11-10", {"last": ""}, "due"),
        ("2026-11-10", {"last_report": ""}, "due"),
        ("2026-11-10", {"deadline": ""}, "not_due"),
        ("2026-11-10", {"last_report": "2026-08-11", "deadline": "2026-12-15"}, "zombie"),
    ],
)
def test_where_a_kind_stands(today: str, told: dict[str, str], expected: str) -> None:
    """Silent for more than 90 days; past the deadline; the open period is over, or, untold, the deadline is near."""
    day = date.fromisoformat(today)
    days = report.zombie_days(data.issuing_rules().reporting, day)
    assert (days, report.standing(kind(**told), day, days)) == (90, expected)


def test_the_period_is_the_month_of_its_first_day() -> None:
    assert kind().period == "2026-10" and kind(first="").period == ""


OPEN = Gate("500000000001", "026", "2026-10", "due", last_report="2026-10-20", silent_days=90)
GATES = [
    ("report", {"standing": "zombie"}, "device_zombie"),
    ("clear", {"standing": "zombie"}, "device_zombie"),
    ("report", {"period_over": False}, "period_open"),
    ("report", {"waiting_uploads": 2}, "uploads_waiting"),
    ("report", {"device_waiting": 1}, "device_uploads_waiting"),
    ("clear", {"kinds_to_report": ("028",)}, "kinds_to_report"),
    ("clear", {"needs_return": True}, "return_not_filed"),
    ("clear", {"differences": ("blue_net",)}, "totals_differ"),
    ("accept_totals", {}, "totals_agree"),
]


@pytest.mark.parametrize(("verb", "facts", "code"), GATES)
def test_a_step_too_early_is_refused_by_name(verb: str, facts: dict[str, object], code: str) -> None:
    refusal = report.gate(verb, replace(OPEN, **facts))  # type: ignore[arg-type]
    assert refusal is not None and refusal.code == code
    assert "{" not in refusal.message + refusal.message_en + refusal.remedy + refusal.remedy_en
    assert "—" not in refusal.message + refusal.message_en, "every place of the texts is filled"


@pytest.mark.parametrize(
    ("verb", "facts"),
    [
        ("report", {}),
        ("report", {"standing": "locked", "period_over": False}),
        ("verify", {"standing": "zombie", "waiting_uploads": 3}),
        ("clear", {"standing": "locked"}),
        ("clear", {"needs_return": True, "return_filed": True}),
        ("clear", {"differences": ("blue_net",), "totals_accepted": True}),
        ("accept_totals", {"differences": ("blue_net",)}),
        ("file_return", {}),
    ],
)
def test_an_open_gate(verb: str, facts: dict[str, object]) -> None:
    assert report.gate(verb, replace(OPEN, **facts)) is None  # type: ignore[arg-type]


def test_the_next_step_waits_for_a_return_that_is_wanted() -> None:
    steps = [report.next_step(state, wants) for wants in (False, True) for state in BY_HAND]
    assert steps == ["report", "verify", "clear", "clear", None, "report", "verify", "verify", "clear", None]


def test_totals_are_compared_one_by_one() -> None:
    ours = Totals(2, 4000, 360, 1, -2000, -180, 1)
    assert report.differences(ours, ours) == []
    for name in Totals.__dataclass_fields__:
        assert report.differences(replace(ours, **{name: 7}), ours) == [name]


def test_numbers_of_a_period_add_up_or_not() -> None:
    used = Totals(blue_count=5, red_count=2, void_count=1)
    numbers = {"opening": 100, "received": 50, "returned": 10, "closing": 132}
    assert report.numbers_add_up(numbers, used)
    for name in numbers:
        assert not report.numbers_add_up({**numbers, name: numbers[name] + 1}, used), name


def test_golden_disks_report_all_kinds_before_any_clears() -> None:
    """A9 and C48 always, a U180 by the medium inside; all others go kind by kind."""
    by_hand = {
        ("golden_disk_c48", "golden_disk"): True,
        ("golden_disk_a9", "golden_disk"): True,
        ("u180", "golden_disk"): True,
        ("u180", "ukey"): False,
        ("new_tax_server", "server_board"): False,
        ("new_tax_server", "none"): False,
        ("tax_disk", "tax_disk"): False,
        ("tax_ukey", "ukey"): False,
        ("old_tax_server", "tax_disk"): False,
        ("digital", "none"): False,
    }
    assert {code for code, _ in by_hand} == set(KINDS)
    assert {pair: reports_all_first(*pair) for pair in by_hand} == by_hand


def test_a_schedule_starts_so_many_days_before_the_deadline_by_device_time() -> None:
    moment = report_schedule.starts_at(date(2026, 12, 15), 5, time(8, 30))
    assert moment == datetime(2026, 12, 10, 8, 30, tzinfo=DEVICE_ZONE)


def test_health_tells_how_long_there_is_to_report_and_clear() -> None:
    assert "抄报清零" in TEXTS["issue_deadline"][0] and "report and clear" in TEXTS["issue_deadline"][1]
