"""The slots of the line watch: claimed by probe clocks, reported, and written as missed where nobody did."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import msgspec

from controlplane import data
from controlplane.domain.dated import DEVICE_ZONE
from controlplane.domain.line_watch import SLOT, LineRules, Streak, grid, slot_at
from controlplane.domain.refusals import refuse
from controlplane.operations import alerts
from controlplane.operations.alerts import Checked
from controlplane.operations.jobs import PLATFORM
from controlplane.operations.lines import unwatch
from controlplane.store import line_slots, lines, times
from controlplane.store import slots as store_slots
from controlplane.store.line_slots import LineVantageRow
from controlplane.store.lines import SLOT as BY_SLOT
from controlplane.store.lines import LineStateRow, SampleRow
from controlplane.store.slots import SlotRow
from controlplane.store.statement import Connection, Row
from controlplane.store.transaction import Entry, Event, Transaction, row_of
from controlplane.wire.lines import ClaimSlot, SampleReport

WORK = "line-watch"
REPORT_WITHIN = timedelta(seconds=60)
"""A claimed slot whose samples are not here by then is written as missed; who comes later is too late."""
SILENT_AFTER = 2
"""Slots missed in a row after which a vantage is silent, and somebody is told."""
RETIRED_AFTER = timedelta(days=7)
"""A vantage that was not heard of for so long is held to be given up; no more rows are written for it."""
_MOST_ROWS = 20_000
"""Missed rows written in one go; the writer has others to serve."""


def claim(tx: Transaction, wanted: ClaimSlot) -> list[Row] | None:
    """The addresses to check when the slot is the asker's, else None: somebody has it, or it is over.

    Refused when it lies in the future (every slot up to it would be too late from then on) or between two slots.
    """
    start, period = times.from_text(wanted.slot), timedelta(seconds=wanted.period)
    if start > tx.moment + period:
        raise refuse("field_invalid", "slot", problem="it lies in the future")
    if times.utc_text(slot_at(start, wanted.period)) != wanted.slot:
        raise refuse("field_invalid", "slot", problem="it is no multiple of the period")
    if start + period <= tx.moment:
        return None
    row = SlotRow(work=_work(wanted.vantage), slot=wanted.slot, holder=wanted.holder, at=tx.now)
    if not store_slots.claim(tx, row):
        return None
    before = times.utc_text(start - period)
    line_slots.meet(tx, LineVantageRow(vantage=wanted.vantage, period=wanted.period, settled_to=before))
    settle(tx, wanted.vantage, claiming=True)
    return _targets(tx)


def _work(vantage: str) -> str:
    return f"{WORK}/{vantage}"


def _targets(tx: Transaction) -> list[Row]:
    """Addresses to check now; a line that was switched by another hand is watched, or not, from then on."""
    targets = lines.enabled(tx, tx.now)
    watched = lines.watched(tx)
    for target in targets:
        if target["id"] not in watched:
            lines.watch(tx, target["id"], max(target["updated_at"], target["valid_from"]))
    gone = watched - {target["id"] for target in targets}
    if gone:
        known = lines.by_id(tx)
        for line_id in gone:
            unwatch(tx, line_id, _ended(known.get(line_id), tx.now))
    return targets


def _ended(line: Row | None, now: str) -> str:
    """When a line that is not to be checked any more ceased to be."""
    if line is None:
        return now
    over = line["valid_to"] is not None and line["valid_to"] <= now
    return str(line["removed_at"] or (line["valid_to"] if over and line["enabled"] else line["updated_at"]))


def report(tx: Transaction, sent: SampleReport) -> int:
    """Store the samples of a slot and weigh them; returns how many were taken. A repeat changes nothing.

    Refused with ``slot_not_yours`` when the sender does not hold the slot, with ``slot_closed`` when it came too late.
    """
    slot = line_slots.find(tx, _work(sent.vantage), sent.slot)
    if slot is None or slot["holder"] != sent.holder:
        raise refuse("slot_not_yours", "holder", slot=sent.slot, holder=sent.holder)
    if slot["state"] == "missed":
        raise refuse("slot_closed", "slot", slot=sent.slot)
    if slot["state"] == "done":
        return 0
    known = lines.by_id(tx)
    samples = {one.endpoint_id: one for one in sent.samples if one.endpoint_id in known}
    rows = [sample_row(one.model_dump(), sent.slot, sent.vantage) for one in samples.values()]
    lines.add_samples(tx, rows)
    weigh(tx, [(known[row["endpoint_id"]], row) for row in rows])
    if sent.final:
        line_slots.end(tx, _work(sent.vantage), sent.slot, SLOT.after("claimed", "report"))
        _write_missed(tx, sent.vantage, [sent.slot], "not_reported")
        _heard(tx, sent)
        alerts.compose(tx)
    return len(rows)


def sample_row(values: dict[str, Any], slot: str, vantage: str, kind: str = BY_SLOT) -> Row:
    """A sample as it stands in the table."""
    values["phases"] = msgspec.json.encode(values["phases"]).decode()
    values["ok"] = None if values["ok"] is None else int(values["ok"])
    return row_of(SampleRow, slot=slot, vantage=vantage, kind=kind, **values)


def weigh(tx: Transaction, samples: Sequence[tuple[Row, Row]]) -> None:
    """Let checks (line, sample) count for the lines' verdicts and for every alert rule."""
    rules = data.line_rules(tx.moment.astimezone(DEVICE_ZONE).date())
    before = lines.states(tx) if len(samples) > 1 else _states_of(tx, samples)
    after: list[Row] = []
    checked: list[Checked] = []
    for line, sample in samples:
        old = before.get(line["id"]) or _unseen(line["id"], tx.now)
        new = _counted(old, sample, rules)
        if new != old:
            after.append(new)
            checked.append(Checked(line, sample, Streak(new["verdict"], new["failed"], new["good"])))
        tx.raise_event(Event("lines", line["id"], PLATFORM, new["verdict"], line["version"]))
    lines.keep_states(tx, after)
    alerts.weigh(tx, checked)


def _states_of(hand: Connection, samples: Sequence[tuple[Row, Row]]) -> dict[str, Row]:
    found = [lines.state(hand, line["id"]) for line, _ in samples]
    return {row["endpoint_id"]: row for row in found if row is not None}


def _unseen(line_id: str, now: str) -> Row:
    return row_of(
        LineStateRow, endpoint_id=line_id, verdict="unknown", failed=0, good=0, slot="", slot_ok=None, since=now
    )


def _counted(state: Row, sample: Row, rules: LineRules) -> Row:
    """The state after a sample. A slot counts once: good if it is good from any vantage; what comes late counts not."""
    ok: int | None = sample["ok"]
    scheduled = sample["kind"] == BY_SLOT
    if ok is None or (scheduled and sample["slot"] < state["slot"]):
        return state
    if scheduled and sample["slot"] == state["slot"] and (state["slot_ok"] or not ok):
        return state
    streak = Streak(state["verdict"], state["failed"], state["good"])
    streak = streak.after(bool(ok), rules.open_after, rules.close_after)
    since = state["since"] if streak.verdict == state["verdict"] else sample["at"]
    new = state | {"verdict": streak.verdict, "failed": streak.failed, "good": streak.good, "since": since}
    return new | {"slot": sample["slot"], "slot_ok": ok} if scheduled else new


def _heard(tx: Transaction, sent: SampleReport) -> None:
    """A slot was done: a vantage that was silent is so no more."""
    row = line_slots.vantage(tx, sent.vantage)
    if row is not None and row["silent_since"] is not None:
        alerts.vantage_heard(tx, row, sent.slot)
        line_slots.settle(tx, row | {"silent_since": None, "missed": 0})


def keep_up(tx: Transaction) -> bool:
    """Write the slots that are over and were missed, of every vantage; True when there is more to write."""
    alerts.compose(tx)
    more = [settle(tx, row["vantage"]) for row in line_slots.vantages(tx)]
    return any(more)


def is_behind(hand: Connection, now: str) -> bool:
    """True when :func:`keep_up` might find something to do: a slot is over that is not settled."""
    moment = times.from_text(now)
    for row in line_slots.vantages(hand):
        behind = moment - times.from_text(row["settled_to"])
        if timedelta(seconds=2 * row["period"]) <= behind < RETIRED_AFTER:
            return True
    return alerts.any_waiting(hand)


def settle(tx: Transaction, vantage: str, claiming: bool = False) -> bool:
    """Walk a vantage's slots up to now and write what was missed; True when not all could be written in one go."""
    row = line_slots.vantage(tx, vantage)
    if row is None or _retired(tx, row, claiming):
        return False
    work = _work(vantage)
    for slot in line_slots.unreported(tx, work, times.utc_text(tx.moment - REPORT_WITHIN)):
        line_slots.end(tx, work, slot["slot"], SLOT.after("claimed", "miss"))
        _write_missed(tx, vantage, [slot["slot"]], "not_reported")
    new, more = _walked(tx, row)
    if new["missed"] >= SILENT_AFTER and new["silent_since"] is None:
        new["silent_since"] = new["settled_to"]
        if not claiming:  # a clock that is back already is told of when its slot is done
            alerts.vantage_silent(tx, new)
            alerts.compose(tx)
    if new != row:
        line_slots.settle(tx, new)
    return more


def _retired(tx: Transaction, row: Row, claiming: bool) -> bool:
    gap = tx.moment - times.from_text(row["settled_to"])
    if gap < RETIRED_AFTER or not claiming:
        return gap >= RETIRED_AFTER
    detail = {"vantage": row["vantage"], "nothing_known_since": row["settled_to"]}
    tx.begin_entry(Entry("system", "taxplane", "system", "lines.watch_resumed", "lines", detail=detail))
    here = times.utc_text(tx.moment - timedelta(seconds=2 * row["period"]))
    line_slots.settle(tx, row | {"settled_to": here, "silent_since": None, "missed": 0})
    return True


def _walked(tx: Transaction, row: Row) -> tuple[Row, bool]:
    """The vantage's row after its slots that are over; missed ones are written on the way."""
    work, new = _work(row["vantage"]), dict(row)
    over = tx.moment - timedelta(seconds=row["period"], milliseconds=-1)
    slots = [times.utc_text(slot) for slot in grid(times.from_text(row["settled_to"]), over, row["period"])]
    there = line_slots.between(tx, work, row["settled_to"], tx.now) if slots else {}
    most = max(1, _MOST_ROWS // max(1, len(lines.watched(tx)))) if slots else 0
    missed: list[str] = []
    for slot in slots:
        found = there.get(slot)
        if len(missed) >= most or (found is not None and found["state"] == "claimed"):
            break
        if found is None:
            line_slots.miss(tx, SlotRow(work=work, slot=slot, holder="", at=tx.now, state="missed"))
            missed.append(slot)
        done = found is not None and found["state"] == "done"
        new |= {"settled_to": slot, "missed": 0 if done else new["missed"] + 1}
    _write_missed(tx, row["vantage"], missed, "missed")
    return new, len(missed) >= most > 0


def _write_missed(tx: Transaction, vantage: str, slots: Sequence[str], reason: str) -> None:
    """A row for each slot and each line that was watched then, and was not checked."""
    if not slots:
        return
    watches = lines.watches(tx, slots[0], slots[-1] + "~")
    rows = {
        (watch["endpoint_id"], slot): row_of(
            SampleRow, endpoint_id=watch["endpoint_id"], slot=slot, vantage=vantage, at=tx.now, ok=None,
            failing_phase="", reason=reason, duration_ms=None, phases="{}", address="",
        )
        for slot in slots
        for watch in watches
        if watch["since"] <= slot and (watch["until"] is None or watch["until"] > slot)
    }  # fmt: skip
    lines.add_missed(tx, list(rows.values()))
