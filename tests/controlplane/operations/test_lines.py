"""Bureau lines: each slot is worked once, what nobody worked is written down, whatever stops, jumps or is switched."""

from __future__ import annotations

import pytest

from controlplane.domain.refusals import Refusal
from controlplane.operations import line_slots, lines
from controlplane.store.engine import Ledger
from controlplane.store.times import utc_text
from controlplane.wire.lines import ClaimSlot
from probes.reach import Reach
from tests.controlplane.operations.scene import ADMIN, START, Clock, Scene
from tests.controlplane.operations.watching import PERIOD, Watch, slots

FIRST = utc_text(START)


@pytest.fixture
def watch(scene: Scene, clock: Clock) -> Watch:
    return Watch(scene, clock)


def test_each_slot_of_a_vantage_is_worked_once(watch: Watch, clock: Clock) -> None:
    watch.line()
    watch.line(2, enabled=False)
    ledger = watch.scene.ledger
    other = Ledger(ledger.url, clock)
    for _ in range(5):
        wanted = ClaimSlot(slot=watch.slot(), period=PERIOD, vantage="v", holder="h")
        futures = [one.submit(lambda tx, wanted=wanted: line_slots.claim(tx, wanted)) for one in (ledger, other) * 4]
        got = [future.result(20) for future in futures]
        assert [len(one) for one in got if one is not None] == [1], "one clock gets it, with the enabled address"
        clock.forward(seconds=PERIOD)
    other.close()
    clock.forward(seconds=-PERIOD)
    assert watch.claim(vantage="another") is not None


@pytest.mark.parametrize("slot", ["2026-11-22T03:05:01.000Z", "2026-11-22T03:10:00.000Z", "2026-11-22T03:00:01.000Z"])
def test_a_slot_of_the_future_or_off_the_grid_is_refused(watch: Watch, slot: str) -> None:
    with pytest.raises(Refusal, match="field_invalid"):
        watch.claim(slot)


def test_a_slot_of_the_past_is_nobodys(watch: Watch) -> None:
    watch.line()
    assert watch.claim() is not None
    assert watch.claim("2026-11-22T02:55:00.000Z") is None


def test_slots_passed_over_are_written_as_missed_and_not_made_up(watch: Watch, clock: Clock) -> None:
    line_id = watch.line()
    watch.sweep(**{line_id: True})
    clock.forward(hours=6)
    assert watch.claim() is not None, "the slot now, and no burst of old ones"
    expected = [(FIRST, 1, ""), *((slot, None, "missed") for slot in slots(FIRST, 73)[1:])]
    assert watch.samples(line_id) == expected
    assert watch.verdict(line_id) == "normal"


def test_slots_are_missed_also_while_nobody_comes_back(watch: Watch, clock: Clock) -> None:
    line_id = watch.line()
    watch.sweep(**{line_id: True})
    for _ in range(6):
        watch.keep_up()
        clock.forward(seconds=PERIOD)
    assert [ok for _, ok, _ in watch.samples(line_id)] == [1, None, None, None, None, None]
    assert not watch.scene.ledger.write_now(line_slots.keep_up)


def test_a_claimed_slot_that_is_not_reported_is_missed(watch: Watch, clock: Clock) -> None:
    line_id = watch.line()
    watch.claim()
    clock.forward(seconds=PERIOD)
    watch.sweep(forward=False, **{line_id: True})
    assert watch.samples(line_id) == [(FIRST, None, "not_reported"), (watch.slot(), 1, "")]
    with pytest.raises(Refusal, match="slot_closed"):
        watch.report(FIRST, **{line_id: False})
    assert watch.samples(line_id)[0] == (FIRST, None, "not_reported"), "who wakes up later writes nothing"


def test_only_the_holder_reports_and_only_once(watch: Watch) -> None:
    line_id = watch.line()
    with pytest.raises(Refusal, match="slot_not_yours"):
        watch.report(**{line_id: True})
    watch.claim()
    with pytest.raises(Refusal, match="slot_not_yours"):
        watch.report(holder="other", **{line_id: True})
    assert watch.report(**{line_id: True}) == 1
    assert watch.report(**{line_id: False}) == 0
    assert watch.samples(line_id) == [(FIRST, 1, "")]


def test_a_line_left_out_of_a_report_is_written_as_missed(watch: Watch) -> None:
    first, second = watch.line(), watch.line(2)
    watch.sweep(**{first: True})
    assert watch.samples(second) == [(FIRST, None, "not_reported")]


def test_a_line_owes_rows_for_the_time_it_is_enabled(watch: Watch, clock: Clock) -> None:
    """Enabled, disabled and enabled again while no clock runs: exactly the slots in between are owed."""
    always, line_id = watch.line(), watch.line(2, enabled=False)
    watch.sweep(**{always: True})
    for verb in ("enable", "disable", "enable"):
        watch.switch(line_id, verb)
        clock.forward(seconds=3 * PERIOD)
    watch.sweep(**{always: True, line_id: True})
    every = slots(FIRST, 11)
    assert [slot for slot, _, _ in watch.samples(always)] == every
    assert [slot for slot, _, _ in watch.samples(line_id)] == [*every[1:4], *every[7:11]]


def test_a_line_switched_by_another_hand_is_watched_from_then_on(watch: Watch, clock: Clock) -> None:
    line_id = watch.line(enabled=False)
    watch.sweep()
    clock.forward(seconds=2 * PERIOD)
    switch = "UPDATE bureau_endpoints SET enabled = :on, updated_at = :now"
    watch.scene.change(switch, on=1, now=utc_text(clock()))
    watch.sweep(**{line_id: True})
    watch.scene.change(switch, on=0, now=utc_text(clock()))
    watch.sweep()
    clock.forward(seconds=3 * PERIOD)
    watch.sweep()
    assert watch.samples(line_id) == [(slots(FIRST, 4)[3], 1, "")]


def test_a_clock_that_jumps_ahead_and_back_does_no_slot_twice_and_leaves_none_out(watch: Watch, clock: Clock) -> None:
    line_id = watch.line()
    watch.sweep(**{line_id: True})
    clock.forward(hours=2)
    watch.sweep(**{line_id: True})
    clock.forward(hours=-2, seconds=-PERIOD)
    for _ in range(30):
        if watch.claim() is not None:
            watch.report(**{line_id: True})
        watch.keep_up()
        clock.forward(seconds=PERIOD)
    seen = watch.samples(line_id)
    assert [slot for slot, _, _ in seen] == slots(FIRST, 31)
    assert [ok for _, ok, _ in seen] == [1] * 31, "a real check takes the place of a row that was missed"


def test_a_check_is_never_replaced_by_a_missed_row(watch: Watch, clock: Clock) -> None:
    line_id = watch.line()
    watch.sweep(**{line_id: True})
    clock.forward(seconds=-PERIOD)
    for _ in range(4):
        watch.keep_up()
        clock.forward(seconds=PERIOD)
    assert watch.samples(line_id)[0] == (FIRST, 1, "")


def test_a_vantage_given_up_for_a_week_owes_nothing_more(watch: Watch, clock: Clock) -> None:
    line_id = watch.line()
    watch.sweep(**{line_id: True})
    clock.forward(days=8)
    watch.keep_up()
    assert len(watch.samples(line_id)) == 1
    watch.sweep(**{line_id: True})
    assert [row["action"] for row in watch.scene.log()][-1] == "lines.watch_resumed", "and its return is on record"


def test_two_vantages_and_a_slot_is_good_if_one_of_them_gets_through(watch: Watch, clock: Clock) -> None:
    line_id = watch.line()
    for _ in range(4):
        for vantage, ok in (("v", False), ("w", True)):
            assert watch.claim(vantage=vantage) is not None
            watch.report(vantage=vantage, **{line_id: ok})
        assert watch.verdict(line_id) == "normal"
        clock.forward(seconds=PERIOD)
    assert len(watch.samples(line_id)) == len(watch.samples(line_id, "w")) == 4


def test_a_report_may_name_a_line_twice_or_one_that_is_gone(watch: Watch) -> None:
    line_id = watch.line()
    watch.claim()
    assert watch.report(**{line_id: True, "gone": False}) == 1


def test_an_address_stands_once_and_is_switched_by_version(watch: Watch) -> None:
    line_id = watch.line(enabled=False)
    with pytest.raises(Refusal, match="already_exists"):
        watch.line()
    watch.switch(line_id, "enable")
    watch.scene.change("UPDATE bureau_endpoints SET version = 1")
    with pytest.raises(Refusal, match="version_differs"):
        stale = lines.Act(ADMIN, "disable", line_id, 2, "because", {})
        watch.scene.ledger.write_now(lambda tx: lines.switch(tx, stale))
    assert [row["outcome"] for row in watch.scene.log()] == ["allowed", "refused", "allowed", "refused"]


HOSTILE = (
    "tcp://127.0.0.1:80", "tcp://10.0.0.1:80", "tcp://169.254.169.254:80", "http://[::1]/", "http://[::ffff:10.0.0.1]/",
    "http://[64:ff9b::7f00:1]/", "http://[2002:7f00:1::]/", "tcp://2130706433:80", "tcp://0x7f.1:80", "tcp://127.1:80",
    "http://100.64.0.1/", "tcp://0.0.0.0:80", "tcp://224.0.0.1:80", "http://a_b:99999/", "tcp://host", "tls://",
    "http://1.1.1.1:0/", "tcp://1.1.1.1:443/path", "http://[fe80::1]/", "http://[fd00:ec2::254]/",
)  # fmt: skip


@pytest.mark.parametrize("target", HOSTILE)
def test_an_address_inside_our_own_walls_is_refused_when_it_is_saved(watch: Watch, target: str) -> None:
    values = {"region": "北京", "area_code": "1100", "service": "upload", "target": target, "enabled": True}
    with pytest.raises(Refusal, match="target_not_allowed"):
        watch.scene.ledger.write_now(lambda tx: lines.add(tx, ADMIN, values, Reach(["public"])))
    assert watch.scene.rows("SELECT * FROM bureau_endpoints") == []


def test_a_certificate_and_its_days_are_kept_and_shown(watch: Watch, clock: Clock) -> None:
    line_id = watch.line()
    watch.claim()
    sample = watch.sample(line_id, True).model_copy(update={"certificate_not_after": "2026-12-25T03:00:00.000Z"})
    sent = line_slots.SampleReport(slot=FIRST, vantage="v", holder="h", samples=[sample])
    watch.scene.ledger.write_now(lambda tx: line_slots.report(tx, sent))
    shown = watch.view(line_id)
    assert (shown["certificate_days"], shown["certificate_expiring"]) == (33, False)
    clock.forward(days=4)
    shown = watch.view(line_id)
    assert (shown["certificate_days"], shown["certificate_expiring"]) == (29, True), "told by the clock"
    assert shown["history"][0]["certificate_days"] == 33
    clock.forward(days=30)
    assert watch.view(line_id)["certificate_days"] == -1
