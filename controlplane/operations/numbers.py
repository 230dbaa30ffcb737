"""Numbers that leave: reclaimed from a terminal, or returned to the bureau."""

from __future__ import annotations

from typing import Any

from controlplane.domain import invoice_segment
from controlplane.domain.refusals import refuse
from controlplane.store import segments, terminals, times
from controlplane.store.segments import SegmentRow
from controlplane.store.statement import Row
from controlplane.store.transaction import Event, Transaction
from controlplane.wire import evidence, work


def reclaim(tx: Transaction, device: Row, arguments: dict[str, Any]) -> work.Work:
    """回收: the tail of a terminal's run, as far as no waiting invoice may come to use it, is held from now on."""
    asked = work.ReclaimSegment(**arguments)
    run = _run_of(tx, device, asked, asked.terminal_code)
    where = _place(device, asked)
    stock = terminals.stock_at(tx, where)
    reserved = stock["reserved"] if stock else 0
    _refuse_unless_tail(run, asked, reserved)
    if not terminals.hold(tx, where, asked.count):
        free = max(0, stock["remaining"] - reserved) if stock else 0
        raise refuse("numbers_spoken_for", "count", count=asked.count, waiting=reserved, free=free)
    return asked


def give_back(tx: Transaction, device: Row, arguments: dict[str, Any]) -> work.Work:
    """退回: the tail of an undistributed run. No invoice waits for undistributed numbers."""
    asked = work.ReturnSegment(**arguments)
    _refuse_unless_tail(_run_of(tx, device, asked, ""), asked, 0)
    return asked


Leaving = work.ReclaimSegment | work.ReturnSegment


def _run_of(tx: Transaction, device: Row, asked: Leaving, terminal_code: str) -> Row:
    place = {"taxpayer_id": device["taxpayer_id"], "device_id": device["id"], "invoice_code": asked.invoice_code}
    run = segments.holding(tx, place, int(asked.start_no))
    if run is None or (run["kind"], run["terminal_code"]) != (asked.kind, terminal_code):
        where = terminal_code or "—"
        raise refuse("run_not_there", "start_no", invoice_code=asked.invoice_code, start_no=asked.start_no, place=where)
    return run


def _refuse_unless_tail(run: Row, asked: Leaving, spoken_for: int) -> None:
    bounds = (run["start_no"], run["end_no"], run["next_no"])
    found = invoice_segment.unused_tail(bounds, (int(asked.start_no), asked.count), spoken_for)
    if found is not None:
        raise found


def _place(device: Row, asked: work.ReclaimSegment) -> Row:
    place = {"taxpayer_id": device["taxpayer_id"], "device_id": device["id"]}
    return place | {"terminal_code": asked.terminal_code, "kind": asked.kind}


def let_go(tx: Transaction, device: Row, asked: work.ReclaimSegment) -> None:
    """The reclaim has its end: what was held for it is held no more."""
    terminals.let_go(tx, _place(device, asked), asked.count)


def returned(tx: Transaction, device: Row, asked: work.ReturnSegment, grant_no: str) -> None:
    """The bureau has the run back: on record as returned, and free to be granted again to anybody."""
    start_no, end_no = int(asked.start_no), int(asked.start_no) + asked.count - 1
    row = SegmentRow(
        taxpayer_id=device["taxpayer_id"],
        id=times.new_id(),
        device_id=device["id"],
        kind=asked.kind,
        invoice_code=asked.invoice_code,
        start_no=start_no,
        end_no=end_no,
        next_no=start_no,
        state=invoice_segment.MACHINE.after("on_device", "return"),
        grant_no=grant_no,
        received_on="",
        created_at=tx.now,
        updated_at=tx.now,
    )
    tx.add(row)
    wanted = {"invoice_code": asked.invoice_code, "start_no": start_no, "end_no": end_no, "device_id": device["id"]}
    segments.release(tx, wanted)
    tx.raise_event(Event("segments", row.id, row.taxpayer_id, "returned", 1))


def still_there(asked: work.ReturnSegment, told: list[evidence.SegmentFacts]) -> bool:
    """Whether a device that says it returned a run still lists a number of it."""
    first, last = int(asked.start_no), int(asked.start_no) + asked.count - 1
    return any(
        one.invoice_code == asked.invoice_code and one.left and int(one.next_no) <= last and int(one.end_no) >= first
        for one in told
    )
