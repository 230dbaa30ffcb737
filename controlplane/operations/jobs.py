"""Jobs: opening one for a record, leasing them to agents in order, giving them back."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import msgspec

from controlplane.domain.principal import Principal
from controlplane.domain.refusals import refuse
from controlplane.domain.stop import STOPPED_KINDS
from controlplane.operations import facts
from controlplane.store import jobs, times
from controlplane.store.head import position
from controlplane.store.jobs import JobRow
from controlplane.store.statement import Connection, Row
from controlplane.store.transaction import Event, Transaction, row_of
from controlplane.wire.agents import DeviceAddress, LeaseRequest, Order
from controlplane.wire.work import ORDERS, Work

PLATFORM = "-"
"""Shard key of jobs that belong to no taxpayer."""
FOR_EVER = "9999-12-31T00:00:00.000Z"
REST_FIRST = 1.0
REST_MOST = 30.0
"""Seconds a lane rests after its device could not be reached: doubled from the first to the most."""


def open_job(
    tx: Transaction, target: tuple[str, str], subject: tuple[str, str, str], work: Work, caller: Principal
) -> str:
    """Queue ``work`` in the lane of ``target`` (noun, id) for ``subject`` (noun, id, taxpayer id); the job's id.

    Everything but issuing is exclusive: a record with an open job takes no other (``open_job``).
    """
    noun, subject_id, taxpayer_id = subject
    kind = str(type(work).__struct_config__.tag)
    exclusive = None
    if kind != "invoice.issue":
        exclusive = subject_id
        held = jobs.open_of(tx, subject_id)
        if held is not None:
            raise refuse("open_job", kind=held["kind"], job_id=held["id"])
    job_id = times.new_id()
    row = row_of(
        JobRow,
        taxpayer_id=taxpayer_id or PLATFORM,
        id=job_id,
        kind=kind,
        state="queued",
        target_noun=target[0],
        target_id=target[1],
        subject_noun=noun,
        subject_id=subject_id,
        exclusive=exclusive,
        work=msgspec.json.encode(work).decode(),
        trail=trail("[]", tx.now, "queued", caller.name),
        requested_by=caller.name,
        created_at=tx.now,
        updated_at=tx.now,
    )
    tx.add_rows(JobRow, [row])
    tx.raise_event(Event("jobs", job_id, taxpayer_id or PLATFORM, "queued", 1, topic=target[1]))
    return job_id


def trail(so_far: str, at: str, what: str, detail: str = "") -> str:
    """The trail of a job with one more step; JSON list of {at, what, detail}."""
    steps = msgspec.json.decode(so_far)
    steps.append({"at": at, "what": what, "detail": detail})
    return msgspec.json.encode(steps).decode()


def has_work(hand: Connection, agent_id: str, request: LeaseRequest) -> bool:
    """A cheap look before the writer is asked: is there anything to lease, or a lane to take over?"""
    lanes = jobs.lanes_at_a_glance(hand, agent_id)
    if any(lane["session"] != request.session or lane["waiting"] for lane in lanes):
        return True
    # What was handed out and the agent does not know of: an answer of ours was lost on its way.
    return bool(lanes) and not jobs.held_by(hand, agent_id) <= set(request.holding)


def lease(tx: Transaction, agent_id: str, request: LeaseRequest) -> list[Order]:
    """Orders for an agent, at most ``limit`` in hand per lane, in lane order.

    A session that is new to a lane takes it over: the epoch goes up and everything the session before held goes out
    again, marked redelivered. There is no time-out: a device hangs on one host, so its orders wait for its agent.
    """
    holding = frozenset(request.holding)
    addresses = {row["target_id"]: row for row in jobs.serves(tx, agent_id)}
    orders: list[Order] = []
    stopped = facts.holding(tx, list(addresses))
    for lane in jobs.lanes(tx, agent_id):
        taken_over = lane["session"] != request.session
        if not taken_over and lane["rest_until"] > tx.now:
            continue
        epoch = lane["epoch"] + 1 if taken_over else lane["epoch"]
        if taken_over:
            values = {"target_id": lane["target_id"], "session": request.session, "epoch": epoch, "now": tx.now}
            jobs.take_over(tx, values)
        for job in jobs.lane(tx, lane["target_id"], request.limit):
            if job["state"] != "queued" and not taken_over and job["id"] in holding:
                continue
            if job["state"] == "queued" and job["kind"] in STOPPED_KINDS and lane["target_id"] in stopped:
                continue
            if _hand_out(tx, job, epoch, agent_id):
                orders.append(_order(job, epoch, addresses[lane["target_id"]]))
    return orders


def _hand_out(tx: Transaction, job: Row, epoch: int, agent_id: str) -> bool:
    what = "leased" if job["state"] == "queued" else "leased_again"
    values = {
        "taxpayer_id": job["taxpayer_id"],
        "id": job["id"],
        "epoch": epoch,
        "agent_id": agent_id,
        "lost_sight": int(job["lost_sight"] or job["state"] != "queued"),
        "now": tx.now,
        "trail": trail(job["trail"], tx.now, what, f"epoch {epoch}"),
    }
    if not jobs.lease(tx, values):
        return False
    if job["kind"] != "invoice.issue":
        tx.raise_event(Event("jobs", job["id"], job["taxpayer_id"], "leased", job["version"] + 1))
    return True


def _order(job: Row, epoch: int, address: Row) -> Order:
    return Order(
        job_id=job["id"],
        taxpayer_id=job["taxpayer_id"],
        serial=job["id"].replace("-", ""),
        epoch=epoch,
        redelivered=job["attempts"] > 0,
        address=device_address(address),
        work=ORDERS.decode(job["work"]),
    )


def device_address(row: Row) -> DeviceAddress:
    """An address of ``store.jobs.serves`` as it goes to the agent."""
    return DeviceAddress(
        device_kind=row["device_kind"],
        host=row["host"],
        port=row["port"],
        tax_server_no=row["tax_server_no"],
        device_no=row["device_no"],
        taxpayer_id=row["taxpayer_id"],
    )


def rest(tx: Transaction, target_id: str) -> None:
    """The device could not be reached: hold its lane back, longer each time."""
    binding = jobs.binding(tx, target_id)
    if binding is None or binding["rest_until"] == FOR_EVER:
        return
    seconds = min(REST_FIRST * 2 ** min(binding["failures"], 10), REST_MOST)
    until = times.utc_text(tx.moment + timedelta(seconds=seconds))
    values = {"target_id": target_id, "rest_until": until, "failures": binding["failures"] + 1, "now": tx.now}
    jobs.rest(tx, values)


def stand_still(tx: Transaction, target_id: str) -> None:
    """Hold a lane back until somebody resumes its device."""
    jobs.rest(tx, {"target_id": target_id, "rest_until": FOR_EVER, "failures": 1, "now": tx.now})


def wake(tx: Transaction, target_id: str, resumed: bool = False) -> None:
    """The device works again: its lane goes on at once. One that stands still goes on only when ``resumed``."""
    binding = jobs.binding(tx, target_id)
    if binding is None or not binding["failures"] or (binding["rest_until"] == FOR_EVER and not resumed):
        return
    jobs.rest(tx, {"target_id": target_id, "rest_until": "", "failures": 0, "now": tx.now})
    tx.raise_event(Event("lanes", target_id, PLATFORM, "awake", topic=target_id))


def ledger_position(hand: Connection) -> tuple[str, int]:
    """Instance id and last event number, which an agent compares with the highest it has seen."""
    return position(hand)


def view(row: Row) -> dict[str, Any]:
    """A job as the API shows it."""
    shown = {key: row[key] for key in _SHOWN}
    shown["trail"] = msgspec.json.decode(row["trail"])
    return shown


_SHOWN = (
    "id", "kind", "state", "target_noun", "target_id", "subject_noun", "subject_id", "taxpayer_id", "attempts", "epoch",
    "agent_id", "code", "message", "requested_by", "created_at", "leased_at", "settled_at", "version",
)  # fmt: skip
