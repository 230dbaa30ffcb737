"""Alert rules: registering, changing, switching and removing them, and a test of the way to their recipients."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from controlplane import data
from controlplane.domain import alert_rule
from controlplane.domain.dated import DEVICE_ZONE
from controlplane.domain.principal import Principal
from controlplane.domain.refusals import refuse
from controlplane.domain.registry import acts_of
from controlplane.mail.letter import is_address
from controlplane.mail.outbox import post
from controlplane.operations import acts, alert_letters
from controlplane.operations.acts import Act, Viewer
from controlplane.operations.jobs import PLATFORM
from controlplane.store import alert_rules, lines, times
from controlplane.store.alert_rules import AlertRuleRow
from controlplane.store.statement import Connection, Row
from controlplane.store.transaction import Entry, Event, Transaction

NOUN = "alert-rules"


def register(tx: Transaction, caller: Principal, values: dict[str, Any]) -> str:
    """A new rule, switched on; its id. ``already_exists`` when a rule has the name."""
    entry = tx.begin_entry(Entry(caller.id, caller.name, caller.kind, f"{NOUN}.register", NOUN, detail=dict(values)))
    if caller.scope is not None:
        raise refuse("not_permitted", act="alerts.change")
    if alert_rules.named(tx, values["name"]) is not None:
        raise refuse("already_exists", "name", name=values["name"])
    row = AlertRuleRow(id=times.new_id(), created_at=tx.now, updated_at=tx.now, **_columns(tx, values))
    tx.add(row)
    entry.subject_id = row.id
    tx.raise_event(Event(NOUN, row.id, PLATFORM, "registered", 1))
    return row.id


def _columns(tx: Transaction, values: dict[str, Any]) -> Row:
    scope_values = list(dict.fromkeys(values.get("scope_values") or []))
    _check_scope(tx, values["scope"], scope_values)
    recipients = list({address.lower(): address for address in values["recipients"]}.values())
    for address in recipients:
        if not is_address(address):
            raise refuse("recipient_invalid", "recipients", address=address)
    rules = data.line_rules(tx.moment.astimezone(DEVICE_ZONE).date())
    return {
        "name": values["name"],
        "scope": values["scope"],
        "scope_values": msgspec.json.encode(scope_values).decode(),
        "recipients": msgspec.json.encode(recipients).decode(),
        "open_after": values.get("open_after") or rules.open_after,
        "close_after": values.get("close_after") or rules.close_after,
    }


def _check_scope(tx: Transaction, scope: alert_rule.Scope, values: Sequence[str]) -> None:
    if (scope == "all") == bool(values):
        raise refuse("scope_values_wrong", "scope_values", scope=scope)
    known = list(lines.by_id(tx).values()) if values else []
    for value in values:
        if not any(alert_rule.covers(scope, [value], line) for line in known):
            raise refuse("scope_matches_nothing", "scope_values", value=value)


def act(tx: Transaction, wanted: Act) -> None:
    """Do one verb. Alerts that are open stay so until their line is good again, whatever becomes of the rule."""
    acts.begin(tx, wanted, NOUN)
    found = alert_rules.find(tx, wanted.record_id, lock=True)
    row = acts.check(found, wanted, alert_rule.MACHINE)
    if wanted.verb == "test_send":
        for recipient in msgspec.json.decode(row["recipients"]):
            post(tx, alert_letters.test_letter(recipient, row["name"]), f"test/{row['id']}")
        return
    new = row | {"state": alert_rule.MACHINE.after(row["state"], wanted.verb)}
    if wanted.verb == "change":
        other = alert_rules.named(tx, wanted.arguments["name"])
        if other is not None and other["id"] != row["id"]:
            raise refuse("already_exists", "name", name=wanted.arguments["name"])
        new |= _columns(tx, wanted.arguments)
    alert_rules.change(tx, new, tx.now)
    tx.raise_event(Event(NOUN, row["id"], PLATFORM, wanted.verb, row["version"] + 1))


def first_rule(tx: Transaction, recipients: Sequence[str]) -> None:
    """The rule a new installation starts with, for the recipients of its settings; nothing where a rule ever was."""
    if not recipients or alert_rules.any_at_all(tx):
        return
    values = {"name": "默认 / default", "scope": "all", "recipients": list(recipients)}
    register(tx, Principal("system", "taxplane", "system", "admin"), values)


def view(hand: Connection, row: Row, viewer: Viewer) -> dict[str, Any]:
    """A rule as the API shows it, with the verbs that are allowed now."""
    machine = alert_rule.MACHINE
    return row | {
        "scope_values": msgspec.json.decode(row["scope_values"]),
        "recipients": msgspec.json.decode(row["recipients"]),
        "open_alerts": alert_rules.open_count(hand, row["id"]),
        "allowed": [
            acts.verdict(spec, acts.why_not(spec, row["state"], machine, None, viewer.caller)) for spec in acts_of(NOUN)
        ],
    }
