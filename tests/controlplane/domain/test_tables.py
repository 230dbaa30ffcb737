"""Dated tables: codes, kinds, device kinds, clock bounds, deadlines, and the shipped rows themselves."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from controlplane import data
from controlplane.domain import clock_rule, device_kind, invoice_segment
from controlplane.domain.agent import heartbeat
from controlplane.domain.calendar import Calendar
from controlplane.domain.dated import day_of, last_day_of
from controlplane.domain.tax_code import parent_codes
from tests.controlplane.domain.examples import NOW, RULES, SUMMARY, TODAY

TABLES = [
    "bureau_gaps", "flag_names", "flag_rules", "kind_rates", "table_rules",
    "bureaus", "clock_rules", "device_abilities", "device_codes", "device_invoice_kinds", "filing_deadlines",
    "health_thresholds", "invoice_kinds", "preference_notes", "tax_codes", "tolerances",
]  # fmt: skip


@pytest.mark.parametrize("name", TABLES)
def test_every_shipped_row_is_whole_dated_and_names_its_source(name: str) -> None:
    rows = data.rows(name)
    assert rows
    for row in rows:
        assert None not in row and None not in row.values() and row["source"]
        if "valid_from" in row:
            first, last = day_of(row["valid_from"]), last_day_of(row["valid_to"])
            assert last is None or first <= last


def test_the_address_book_ships_disabled() -> None:
    rows = data.rows("bureaus")
    assert len({row["area_code"] for row in rows}) == 36
    assert {row["enabled"] for row in rows} == {"0"}


def test_tax_codes_know_summary_rows_and_parents() -> None:
    codes = data.tax_codes()
    assert len(codes) == 132 == len(list(codes))
    summary = codes.get(SUMMARY)
    assert summary is not None and summary.summary and summary.usual_rates == ()
    grain = codes.get("1010101000000000000")
    assert grain is not None and not grain.summary, "having children does not make a summary row"
    assert grain.usual_rates == ("0.09",)
    assert [parent.code for parent in codes.parents("1010101010000000000")] == [
        "1010101000000000000",
        "1010100000000000000",
        "1010000000000000000",
    ]


def test_parents_follow_the_structure() -> None:
    assert parent_codes("1010101010000000000")[0] == "1010101000000000000"
    assert parent_codes("1000000000000000000") == ()
    with pytest.raises(ValueError, match="19 digits"):
        parent_codes("101")


def test_kinds_are_asked_for_a_day() -> None:
    kinds = data.kinds()
    assert kinds.find("028", date(2020, 8, 31)) is None
    electronic = kinds.find("028", TODAY)
    assert electronic is not None and electronic.special and not electronic.paper and not electronic.zero_rate_allowed
    assert electronic.dialect_codes == {"fplxdm": "028", "hangxin": "52", "digital": "032"}
    assert kinds.find("009", date(2016, 6, 30)) is not None and kinds.find("009", date(2016, 7, 1)) is None
    ordinary = kinds.find("026", TODAY)
    assert ordinary is not None and ordinary.zero_rate_allowed and ordinary.max_lines == 100


def test_the_matrix_of_kinds_and_device_kinds() -> None:
    kinds = data.kinds()
    on_server = {kind.code for kind in kinds.on_day(TODAY) if kinds.support("new_tax_server", kind.code, TODAY) != "no"}
    assert on_server == {"026", "028"}
    assert kinds.support("tax_ukey", "028", TODAY) == "stated"
    assert kinds.support("golden_disk_a9", "004", TODAY) == "plausible"
    assert kinds.support("no_such_device", "026", TODAY) == "no"


def test_eight_device_kinds_apart_from_custody_and_medium() -> None:
    assert len(device_kind.KINDS) == 8
    assert [kind.code for kind in device_kind.KINDS.values() if kind.reserved] == ["digital"]
    assert device_kind.KINDS["u180"].media == {"golden_disk", "ukey"}
    assert [kind.code for kind in device_kind.KINDS.values() if kind.clock_settable] == ["new_tax_server"]
    codes = data.vendor_codes()
    assert len(codes) == 11
    assert (codes["011"].device_kind, codes["011"].custody, codes["011"].medium) == ("tax_ukey", "local", "ukey")
    assert codes["000"].device_kind == ""


@pytest.mark.parametrize("change", [{"device_kind": "abacus"}, {"custody": "attic"}, {"medium": "paper"}])
def test_vendor_codes_take_no_word_nobody_knows(change: dict[str, str]) -> None:
    row = {"code": "1", "name": "x", "device_kind": "u180", "custody": "hosted", "medium": "ukey", **change}
    with pytest.raises(ValueError, match="1: no"):
        device_kind.load_vendor_codes([row])


@pytest.mark.parametrize(
    ("moment", "refuses_at"),
    [
        (datetime(2026, 11, 30, 14, 59, 59, tzinfo=UTC), 1800),
        (datetime(2026, 11, 30, 15, 0, tzinfo=UTC), 300),
        (datetime(2026, 11, 30, 15, 59, 59, tzinfo=UTC), 300),
        (datetime(2026, 11, 30, 16, 0, tzinfo=UTC), 1800),
        (datetime(2028, 2, 29, 15, 30, tzinfo=UTC), 300),
        (datetime(2026, 12, 31, 15, 30, tzinfo=UTC), 300),
    ],
)
def test_the_clock_bound_is_tight_in_the_months_last_hour_of_device_time(moment: datetime, refuses_at: int) -> None:
    rule = clock_rule.rule_at(RULES.clock, moment)
    assert rule is not None and (rule.warn_seconds, rule.refuse_seconds) == (300, refuses_at)


def test_no_rule_in_force_means_no_bound() -> None:
    assert clock_rule.rule_at(RULES.clock, datetime(2015, 1, 1, tzinfo=UTC)) is None


def test_the_next_last_hour_of_a_month() -> None:
    assert clock_rule.next_month_last_hour(NOW) == datetime(2026, 11, 30, 15, 0, tzinfo=UTC)


def test_deadlines_come_from_dated_rows_and_name_their_source() -> None:
    calendar = data.calendar()
    assert calendar.deadline("2026-10").due == date(2026, 10, 26)
    assert "64" in calendar.deadline("2026-10").source
    assert calendar.next_deadline(date(2026, 11, 16)).due == date(2026, 11, 16)
    assert calendar.next_deadline(date(2026, 11, 17)).due == date(2026, 12, 15)


def test_a_month_without_a_row_is_the_15th_moved_past_a_weekend() -> None:
    calendar = Calendar([])
    assert calendar.deadline("2026-08").due == date(2026, 8, 17)
    assert calendar.deadline("2026-12").due == date(2026, 12, 15)
    assert calendar.deadline("2026-12").source.startswith("rule")
    assert calendar.next_deadline(date(2026, 12, 31)).month == "2027-01"


def test_tolerances_and_notes_are_dated() -> None:
    assert RULES.tolerance(TODAY).total_tax_fen == 127
    with pytest.raises(LookupError):
        RULES.tolerance(date(2015, 12, 31))
    assert RULES.knows_note("免税", TODAY) and not RULES.knows_note("免税", date(2015, 12, 31))


def test_the_state_of_a_run_is_what_the_device_says() -> None:
    assert [invoice_segment.state_of(*given) for given in ((0, "1"), (5, "1"), (5, None))] == [
        "exhausted",
        "on_terminal",
        "on_device",
    ]


@pytest.mark.parametrize(
    ("silence", "word"), [(0, "online"), (45, "online"), (46, "late"), (120, "late"), (121, "lost")]
)
def test_heartbeat_is_a_fact_of_the_clock(silence: int, word: str) -> None:
    assert heartbeat(NOW - timedelta(seconds=silence), NOW) == word
    assert heartbeat(None, NOW) == "lost"
