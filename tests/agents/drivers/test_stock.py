"""Applications, reclaim and return between the driver and simulated devices with their bureau."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from agents.drivers.catalog import Catalog, Patience
from agents.drivers.contract import Done, Found, NoAnswer, Refused, Taken
from controlplane.wire.evidence import Applications, Applied, GrantFacts, SegmentFacts, Segments
from controlplane.wire.work import (
    ApplySegment,
    CancelApplication,
    DistributeSegment,
    QueryApplications,
    ReceiveSegments,
    ReclaimSegment,
    ReturnSegment,
    Work,
)
from tests.agents import orders
from tests.agents.drivers.test_against_simulator import Bench
from tests.agents.simulated.practice import Practice


def _practice(folder: Any, habit: str) -> Practice:
    return Practice(folder, taxpayers={orders.TAXPAYER: {"applications": habit}})


@pytest.fixture(scope="module")
def practice(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Practice]:
    practice = Practice(tmp_path_factory.mktemp("practice"))
    yield practice
    practice.close()


@pytest.fixture
def bench(practice: Practice) -> Iterator[Bench]:
    yield from _bench(practice)


def _bench(practice: Practice) -> Iterator[Bench]:
    catalog = Catalog(Patience(connect=2.0, read=6.0), lambda: datetime.now(UTC))
    bench = Bench(catalog.driver("new_tax_server"), practice)
    _name(bench)
    wire = practice.server_ready()
    bench.device_no = practice.device_ready(wire, numbers=0, taxpayer_id=orders.TAXPAYER)
    yield bench
    practice.bureau_faults()
    catalog.close()


_benches = iter(range(1, 1000))


def _name(bench: Bench) -> None:
    """Serials of this bench are nobody else's."""
    bench._number = next(_benches) * 1_000_000


def stocked(bench: Bench, count: int = 50) -> SegmentFacts:
    """One undistributed run of so many numbers."""
    bench.done(ApplySegment(kind="026", count=count))
    found = bench.done(ReceiveSegments(kind="026"))
    assert isinstance(found, Segments)
    return next(one for one in found.segments if one.terminal_code is None and one.left == count)


def refused(bench: Bench, work: Work) -> str:
    answer = bench.perform(bench.order(work))
    assert isinstance(answer, Refused), answer
    return answer.code


def run_of(one: SegmentFacts, skip: int, count: int) -> dict[str, Any]:
    start = int(one.start_no) + skip
    return {"kind": one.kind, "invoice_code": one.invoice_code, "start_no": f"{start:08d}", "count": count}


def shape(found: Any) -> list[tuple[int, int, str | None]]:
    assert isinstance(found, Segments)
    return [(int(s.start_no), int(s.end_no), s.terminal_code) for s in sorted(found.segments, key=lambda s: s.start_no)]


def test_applied_queried_received(bench: Bench) -> None:
    applied = bench.done(ApplySegment(kind="026", count=30))
    assert isinstance(applied, Applied)
    received = bench.done(ReceiveSegments(kind="026"))
    assert isinstance(received, Segments)
    (grant,) = received.grants
    assert (grant.status, grant.application_no, received.stopped_by) == ("confirmed", applied.application_no, "")
    assert (grant.start_no, grant.end_no) == (received.segments[0].start_no, received.segments[0].end_no)
    asked = bench.done(QueryApplications(kind="026"))
    assert isinstance(asked, Applications) and asked.grants == [grant]
    assert [(a.application_no, a.status, a.count) for a in asked.applications] == [
        (applied.application_no, "granted", 30)
    ]
    assert refused(bench, CancelApplication(application_no=applied.application_no)) == "300002"
    assert refused(bench, CancelApplication(application_no="SL9999999999")) == "300002"


@pytest.mark.parametrize(("habit", "status"), [("refuse", "refused"), ("wait", "waiting")])
def test_the_bureau_refuses_or_keeps_waiting(tmp_path: Any, habit: str, status: str) -> None:
    practice = _practice(tmp_path, habit)
    try:
        for bench in _bench(practice):
            applied = bench.done(ApplySegment(kind="026", count=30))
            assert isinstance(applied, Applied)
            until = [bench.done(QueryApplications(kind="026")) for _ in range(30)]
            found = until[-1]
            assert isinstance(found, Applications) and found.applications[-1].status == status and not found.grants
            if habit == "wait":
                bench.done(CancelApplication(application_no=applied.application_no))
                again = bench.done(QueryApplications(kind="026"))
                assert isinstance(again, Applications) and again.applications[-1].status == "cancelled"
                bench.done(CancelApplication(application_no=applied.application_no))
            else:
                assert found.applications[-1].message == "超过核定数量"
            held = bench.done(ReceiveSegments(kind="026", patient=False))
            assert held == Segments(segments=[])
    finally:
        practice.close()


def test_reclaimed_and_returned(bench: Bench) -> None:
    one = stocked(bench)
    first = int(one.start_no)
    bench.done(DistributeSegment(**run_of(one, 0, 40), terminal_code="T1"))
    assert shape(bench.done(ReclaimSegment(**run_of(one, 25, 15), terminal_code="T1"))) == [
        (first, first + 24, "T1"), (first + 25, first + 39, None), (first + 40, first + 49, None),
    ]  # fmt: skip
    assert refused(bench, ReturnSegment(**run_of(one, 25, 14))) == "09d108", "not to its end"
    assert refused(bench, ReturnSegment(**run_of(one, 20, 5))) == "09d108", "on a terminal"
    assert refused(bench, ReclaimSegment(**run_of(one, 20, 5), terminal_code="T9")) == "09d108"
    assert refused(bench, ReclaimSegment(**run_of(one, 20, 4), terminal_code="T1")) == "09d108"
    assert shape(bench.done(ReturnSegment(**run_of(one, 30, 10)))) == [
        (first, first + 24, "T1"), (first + 25, first + 29, None), (first + 40, first + 49, None),
    ]  # fmt: skip
    assert shape(bench.done(ReturnSegment(**run_of(one, 40, 10)))) == [
        (first, first + 24, "T1"),
        (first + 25, first + 29, None),
    ]
    assert refused(bench, ReturnSegment(**run_of(one, 40, 10))) == "09d108", "gone"
    again = stocked(bench, 10)
    assert int(again.start_no) in (first + 30, first + 40), "the bureau grants again what came back"


@pytest.mark.parametrize("kind", ["answer_lost", "half_answer", "sent_not_executed"])
def test_a_lost_answer_is_recalled(bench: Bench, practice: Practice, kind: str) -> None:
    one = stocked(bench)
    assert bench.device_no
    practice.faults(bench.device_no, {"kind": kind, "calls": ["GP_FPTH"], "times": 1})
    asked = bench.order(ReturnSegment(**run_of(one, 20, 30)))
    assert isinstance(bench.perform(asked), NoAnswer)
    found = bench.driver.recall(asked)
    if kind == "sent_not_executed":
        found = bench.perform(asked)
    assert isinstance(found, Found | Done)
    assert shape(found.evidence) == [(int(one.start_no), int(one.start_no) + 19, None)]


def test_a_return_that_the_bureau_did_not_answer_is_set_aside_and_goes_on(bench: Bench, practice: Practice) -> None:
    """The bureau has taken it, its answer is lost: nobody can use the numbers, also after a restart of the device."""
    one = stocked(bench)
    practice.bureau_faults({"kind": "answer_lost", "calls": ["RETURN"]})
    assert refused(bench, ReturnSegment(**run_of(one, 0, 50))) == "300001"
    assert refused(bench, DistributeSegment(**run_of(one, 0, 5), terminal_code="T1")) == "09d108"
    practice.restart_devices()
    bench.port = int(practice.devices_facts["tax_servers"][0]["port"])
    practice.bureau_faults()
    assert refused(bench, DistributeSegment(**run_of(one, 0, 5), terminal_code="T1")) == "09d108"
    assert bench.done(ReturnSegment(**run_of(one, 0, 50))) == Segments(segments=[])


def test_what_the_bureau_does_not_take_back_stays(bench: Bench, practice: Practice) -> None:
    """A written grant that is not confirmed cannot be returned; the device holds it as before, and may distribute it."""
    bench.done(ApplySegment(kind="026", count=20))
    practice.bureau_faults({"kind": "down", "calls": ["CONFIRM"]})
    found = bench.done(ReceiveSegments(kind="026"))
    assert isinstance(found, Segments)
    (grant,) = found.grants
    assert (grant.status, found.stopped_by[:6]) == ("written", "300001")
    (one,) = found.segments
    assert refused(bench, ReturnSegment(**run_of(one, 5, 15))) == "300002"
    bench.done(DistributeSegment(**run_of(one, 5, 15), terminal_code="T1"))
    practice.bureau_faults()
    done = bench.done(ReceiveSegments(kind="026", patient=False))
    assert isinstance(done, Segments) and [g.status for g in done.grants] == ["confirmed"] and not done.stopped_by


def test_partly_received(bench: Bench, practice: Practice) -> None:
    """Two grants; the confirmation of the second fails: each is told as it stands, and the next go finishes it."""
    bench.done(ApplySegment(kind="026", count=10))
    bench.done(ApplySegment(kind="026", count=10))
    practice.bureau_faults({"kind": "down", "calls": ["CONFIRM"], "after": 1})
    found = bench.done(ReceiveSegments(kind="026"))
    assert isinstance(found, Segments) and [one.status for one in found.grants] == ["confirmed", "written"]
    practice.bureau_faults()
    again = bench.done(ReceiveSegments(kind="026"))
    assert isinstance(again, Segments) and [one.status for one in again.grants] == ["confirmed", "confirmed"]
    assert shape(again) == shape(found)


def test_a_slow_bureau_is_waited_for(bench: Bench, practice: Practice) -> None:
    """Answers of 1000 on the way do not end in "nothing granted"."""
    bench.done(ApplySegment(kind="026", count=10))
    practice.bureau_faults({"kind": "slow", "calls": ["CONFIRM"], "seconds": 3.0, "times": 1})
    asked = bench.order(ReceiveSegments(kind="026"))
    answer: Any = bench.perform(asked)
    for _ in range(40):
        if isinstance(answer, Done):
            break
        time.sleep(0.2)
        answer = bench.driver.poll(asked) if isinstance(answer, Taken) else bench.perform(asked)
    assert isinstance(answer, Done) and isinstance(answer.evidence, Segments)
    assert [one.status for one in answer.evidence.grants] == ["confirmed"]


def test_grants_tell_their_numbers(bench: Bench) -> None:
    one = stocked(bench, 5)
    found = bench.done(ReceiveSegments(kind="026", patient=False))
    assert isinstance(found, Segments)
    (grant,) = found.grants
    assert grant == GrantFacts(
        grant_no=one.grant_no, kind="026", invoice_code=one.invoice_code, start_no=one.start_no, end_no=one.end_no,
        status="confirmed", application_no=grant.application_no,
    )  # fmt: skip
