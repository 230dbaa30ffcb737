"""Alerts on bureau lines: checks weighed by every rule, flips kept, and letters that tell each recipient of them.

A flip waits as one row per recipient until a letter takes it along. A recipient gets one letter at a time and at most
one in ``group_seconds``; whatever flips meanwhile goes into the next, so the order of down and up is kept.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import msgspec

from controlplane import data
from controlplane.domain import alert_rule, delivery
from controlplane.domain.dated import DEVICE_ZONE
from controlplane.domain.line_watch import Streak
from controlplane.mail.outbox import post
from controlplane.operations import alert_letters
from controlplane.operations.jobs import PLATFORM
from controlplane.store import alert_flips, alert_rules, lines, outbox, times
from controlplane.store.alert_flips import AlertFlipRow, AlertTellRow
from controlplane.store.alert_rules import OpenAlertRow
from controlplane.store.statement import Connection, Row
from controlplane.store.transaction import Event, Transaction, row_of

CAUSE = "alerts"
WATCH_ENDED = "watch_ended"
"""Reason of a closing flip: the line is watched no more."""


@dataclass(frozen=True, slots=True)
class Checked:
    """A line, the sample that counted, and the streak after it."""

    line: Row
    sample: Row
    streak: Streak


def weigh(tx: Transaction, checks: Sequence[Checked]) -> None:
    """Let every rule judge these checks: alerts open and close, and flips wait to be told."""
    if not checks:
        return
    rules = [(row, msgspec.json.decode(row["scope_values"], type=list[str])) for row in alert_rules.by_id(tx).values()]
    opened = alert_rules.open_alerts(tx)
    for check in checks:
        for rule, values in rules:
            alert = opened.get((rule["id"], check.line["id"]))
            if alert is None and not (rule["state"] == "enabled" and _covers(rule, values, check.line)):
                continue
            move = alert_rule.move(alert is not None, check.streak, rule["open_after"], rule["close_after"])
            if move == "opened":
                _open(tx, rule, check)
            elif move == "closed" and alert is not None:
                _close(tx, alert, _flip(tx, rule["id"], check))


def _covers(rule: Row, values: list[str], line: Row) -> bool:
    return alert_rule.covers(rule["scope"], values, line)


def _flip(tx: Transaction, rule_id: str, check: Checked) -> Row:
    sample = check.sample
    return row_of(
        AlertFlipRow, id=times.new_id(), rule_id=rule_id, line_id=check.line["id"], vantage=sample["vantage"],
        move="opened", slot=sample["slot"], at=sample["at"], failing_phase=sample["failing_phase"],
        reason=sample["reason"],
    )  # fmt: skip


def _open(tx: Transaction, rule: Row, check: Checked) -> None:
    flip = _flip(tx, rule["id"], check)
    _keep(tx, flip, msgspec.json.decode(rule["recipients"], type=list[str]))
    tx.add(OpenAlertRow(rule_id=rule["id"], line_id=check.line["id"], flip_id=flip["id"], opened_at=tx.now))


def _close(tx: Transaction, alert: Row, flip: Row) -> None:
    """Close an alert; whoever was told that it is open, or is about to be, hears of it, whatever the rule says now."""
    alert_rules.close(tx, alert["rule_id"], alert["line_id"])
    flip |= {"move": "closed", "opened_by": alert["flip_id"]}
    _keep(tx, flip, alert_flips.recipients(tx, alert["flip_id"]))


def _keep(tx: Transaction, flip: Row, recipients: Iterable[str]) -> None:
    tx.add_rows(AlertFlipRow, [flip])
    tx.add_rows(AlertTellRow, [row_of(AlertTellRow, flip_id=flip["id"], recipient=one) for one in recipients])
    tx.raise_event(Event("alert-flips", flip["id"], PLATFORM, flip["move"], 1))


def give_up_line(tx: Transaction, line_id: str) -> None:
    """A line is watched no more: its alerts close, for a reason of their own."""
    for alert in alert_rules.open_of_line(tx, line_id):
        flip = row_of(
            AlertFlipRow, id=times.new_id(), rule_id=alert["rule_id"], line_id=line_id, vantage="", move="closed",
            slot=tx.now, at=tx.now, failing_phase="", reason=WATCH_ENDED,
        )  # fmt: skip
        _close(tx, alert, flip)


# --- vantages: the watch itself has stopped


def vantage_silent(tx: Transaction, vantage: Row) -> None:
    """Nobody works the slots of a vantage: everyone whom a rule would tell of a line hears that nothing is checked."""
    _keep(tx, _vantage_flip(tx, vantage, "opened", vantage["settled_to"]), _everyone(tx))


def vantage_heard(tx: Transaction, vantage: Row, slot: str) -> None:
    """A vantage is back: told to those who heard that it was silent, or to all if nobody could be told."""
    last = alert_flips.last_of_vantage(tx, vantage["vantage"])
    flip = _vantage_flip(tx, vantage, "closed", slot)
    flip["reason"] = str(vantage["missed"])
    if last is not None and last["move"] == "opened":
        _keep(tx, flip | {"opened_by": last["id"]}, alert_flips.recipients(tx, last["id"]))
    else:
        _keep(tx, flip, _everyone(tx))


def _vantage_flip(tx: Transaction, vantage: Row, move: str, slot: str) -> Row:
    return row_of(
        AlertFlipRow, id=times.new_id(), rule_id="", line_id="", vantage=vantage["vantage"], move=move, slot=slot,
        at=tx.now, failing_phase="", reason="not_watched",
    )  # fmt: skip


def _everyone(tx: Transaction) -> list[str]:
    found = [one for rule in alert_rules.enabled(tx) for one in msgspec.json.decode(rule["recipients"])]
    return list(dict.fromkeys(found))


# --- letters


def any_waiting(hand: Connection) -> bool:
    """True when some flip is not in a letter yet."""
    return bool(alert_flips.waiting(hand))


def compose(tx: Transaction) -> None:
    """Put what waits into letters: one per recipient whose last letter is delivered and long enough ago."""
    waiting = alert_flips.waiting(tx)
    if not waiting:
        return
    rules, known = alert_rules.by_id(tx), lines.by_id(tx)
    pause = timedelta(seconds=data.line_rules(tx.moment.astimezone(DEVICE_ZONE).date()).group_seconds)
    for recipient, flips in waiting.items():
        if _must_wait(tx, recipient, pause):
            continue
        kept = _worth_telling(flips, rules)
        outbox_id = None
        if kept:
            still = _still_open(tx, recipient, rules)
            outbox_id = post(tx, alert_letters.write(recipient, kept, known, still), CAUSE)
        told = {flip["id"] for flip in kept}
        alert_flips.told(tx, [_told(flip, recipient, flip["id"] in told, outbox_id) for flip in flips])


def _told(flip: Row, recipient: str, told: bool, outbox_id: str | None) -> Row:
    state = {"state": "told", "outbox_id": outbox_id} if told else {"state": "dropped", "outbox_id": None}
    return {"flip_id": flip["id"], "recipient": recipient, **state}


def _must_wait(tx: Transaction, recipient: str, pause: timedelta) -> bool:
    last = outbox.latest(tx, recipient, CAUSE)
    if last is None:
        return False
    if last["state"] in delivery.UNDELIVERED:
        return True
    return tx.moment < times.from_text(last["sent_at"] or last["created_at"]) + pause


def _worth_telling(flips: Sequence[Row], rules: dict[str, Row]) -> list[Row]:
    """What a recipient shall hear: nothing new of a rule that is off, and no end of what he never heard begin."""
    dropped: set[str] = set()
    kept = []
    for flip in flips:
        off = flip["rule_id"] != "" and rules[flip["rule_id"]]["state"] != "enabled"
        if (flip["move"] == "opened" and off) or flip["opened_by"] in dropped:
            dropped.add(flip["id"])
        else:
            kept.append(flip)
    return kept


def _still_open(tx: Transaction, recipient: str, rules: dict[str, Row]) -> set[str]:
    """Lines that are abnormal by a rule that tells this recipient."""
    return {
        line_id
        for rule_id, line_id in alert_rules.open_alerts(tx)
        if recipient in msgspec.json.decode(rules[rule_id]["recipients"])
    }


def flip_view(hand: Connection, row: Row) -> dict[str, Any]:
    """A flip as the API shows it: the line, the rule's name, and who hears of it."""
    rule = alert_rules.find(hand, row["rule_id"]) if row["rule_id"] else None
    line = lines.find(hand, row["line_id"]) if row["line_id"] else None
    mails = [
        {"recipient": mail["recipient"], "delivery_id": mail["outbox_id"],
         "state": mail["delivery"] or ("dropped" if mail["state"] == "dropped" else "grouped")}
        for mail in alert_flips.mails(hand, row["id"])
    ]  # fmt: skip
    place = {name: line[name] if line else "" for name in ("region", "area_code", "service", "target")}
    return row | place | {"rule_name": rule["name"] if rule else "", "mails": mails}
