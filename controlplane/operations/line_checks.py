"""Checks by hand: asked for by people, made by probe processes, weighed like any other check."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from controlplane import data
from controlplane.domain.dated import DEVICE_ZONE
from controlplane.domain.line_watch import CHECK, EVERY
from controlplane.domain.principal import Principal
from controlplane.domain.refusals import refuse
from controlplane.operations import alerts, line_slots
from controlplane.operations.jobs import PLATFORM
from controlplane.operations.lines import CHECK_WAITS
from controlplane.store import line_checks, lines, times
from controlplane.store.line_checks import LineCheckRow
from controlplane.store.lines import MANUAL
from controlplane.store.statement import Connection, Row
from controlplane.store.transaction import Entry, Event, Transaction
from controlplane.wire.lines import CheckReport, TakeChecks

TOPIC = "line-checks"
"""Topic of the events that probe processes wait for."""
LOST_AFTER = timedelta(seconds=20)
"""A check that was taken and not finished by then is given to whoever asks next: no probe takes longer than ten."""


def ask(tx: Transaction, caller: Principal, ids: Sequence[str]) -> dict[str, Any]:
    """Want these lines checked now; ``EVERY`` stands for all that are enabled. Refused when none of them may be.

    ``not_found`` and ``line_disabled`` refuse the whole wish; a line that was checked a moment ago is left out and
    named, ``line_checked_lately`` when no other is left.
    """
    detail = {"ids": list(ids)}
    entry = tx.begin_entry(Entry(caller.id, caller.name, caller.kind, "lines.check", "lines", detail=detail))
    enabled = lines.enabled(tx, tx.now) if EVERY in ids else []
    every = [row["id"] for row in enabled if caller.sees_record(row)]
    wanted = sorted({*every, *ids} - {EVERY})
    if len(wanted) == 1:
        entry.subject_id = wanted[0]
    seconds = data.line_rules(tx.moment.astimezone(DEVICE_ZONE).date()).manual_check_seconds
    asked: list[dict[str, Any]] = []
    limited: list[dict[str, Any]] = []
    for line_id in wanted:
        wait = _wait(tx, caller, line_id, timedelta(seconds=seconds))
        if wait:
            limited.append({"line_id": line_id, "seconds": wait})
        else:
            asked.append({"line_id": line_id, "id": _want(tx, caller, line_id)})
    if limited and not asked:
        raise refuse("line_checked_lately", seconds=min(one["seconds"] for one in limited))
    return {"asked": asked, "limited": limited}


def _wait(tx: Transaction, caller: Principal, line_id: str, pause: timedelta) -> int:
    """Seconds until a line may be checked by hand again; 0 when it may. The line is locked, so racers queue."""
    line = lines.find(tx, line_id, lock=True)
    if line is None or not caller.sees_record(line):
        raise refuse("not_found", "ids")
    if not lines.is_watched(line, tx.now):
        raise refuse("line_disabled", "ids", target=line["target"])
    last = line_checks.latest(tx, line_id)
    if last is None:
        return 0
    left = times.from_text(last["asked_at"]) + pause - tx.moment
    return max(0, math.ceil(left.total_seconds())) if left <= pause else 0


def _want(tx: Transaction, caller: Principal, line_id: str) -> str:
    row = LineCheckRow(id=times.new_id(), endpoint_id=line_id, asked_by=caller.name, asked_at=tx.now)
    tx.add(row)
    tx.raise_event(Event("lines", line_id, PLATFORM, "check", topic=TOPIC))
    return row.id


def any_wanted(hand: Connection, now: str) -> bool:
    """True when a check waits to be taken."""
    moment = times.from_text(now)
    return bool(line_checks.wanted(hand, times.utc_text(moment - CHECK_WAITS), times.utc_text(moment - LOST_AFTER), 1))


def take(tx: Transaction, asked: TakeChecks) -> list[Row]:
    """Checks that are the asker's to make now, oldest first."""
    fresh, lost = times.utc_text(tx.moment - CHECK_WAITS), times.utc_text(tx.moment - LOST_AFTER)
    found = []
    for row in line_checks.wanted(tx, fresh, lost):
        if line_checks.take(tx, {"id": row["id"], "holder": asked.holder, "now": tx.now, "lost": lost}):
            found.append({"id": row["id"], "target": row["target"]})
    return found


def finish(tx: Transaction, sent: CheckReport) -> bool:
    """Store and weigh what a check saw; False when it is stored already. Refused when it is not on record."""
    check = line_checks.find(tx, sent.check_id)
    line = lines.find(tx, check["endpoint_id"]) if check else None
    if check is None or line is None:
        raise refuse("not_found", "check_id")
    if check["state"] == "done":
        return False
    if check["state"] == "wanted" or check["holder"] != sent.holder:
        raise refuse("slot_not_yours", "holder", slot=sent.check_id, holder=sent.holder)
    CHECK.after(check["state"], "finish")
    line_checks.finish(tx, check["id"], tx.now)
    values = sent.sample.model_dump() | {"endpoint_id": line["id"]}
    row = line_slots.sample_row(values, values["at"], sent.vantage, MANUAL)
    lines.add_samples(tx, [row])
    line_slots.weigh(tx, [(line, row)])
    alerts.compose(tx)
    return True
