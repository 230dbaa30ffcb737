"""Taxpayers: taking them on, changing them, their place in the tree, and letting them go."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from controlplane.domain import taxpayer as rule
from controlplane.domain.issuing_rules import IssuingRules
from controlplane.domain.principal import Principal
from controlplane.domain.refusals import refuse
from controlplane.operations import acts, placement, taxpayer_fetches, taxpayer_flags, taxpayer_views
from controlplane.operations.acts import Act
from controlplane.store import taxpayers, times
from controlplane.store.statement import Connection, Row
from controlplane.store.taxpayers import ContactRow, TaxpayerRow
from controlplane.store.transaction import Entry, Event, Transaction


def create(tx: Transaction, caller: Principal, values: dict[str, Any], rules: IssuingRules | None = None) -> Row:
    """A new taxpayer; ``already_exists`` when the 纳税人识别号 is on record, ``not_found`` for an unknown parent.

    An id whose check digits fail is taken with a warning, or refused where the rules set that level to error.
    """
    taxpayer_id = values["taxpayer_id"]
    entry = Entry(caller.id, caller.name, caller.kind, "taxpayers.register", "taxpayers", taxpayer_id, taxpayer_id)
    tx.begin_entry(entry)
    if not caller.may_take_on(values["region"], values.get("parent_id")):
        raise refuse("not_found")
    if rules is not None:
        errors, _ = rule.examine(taxpayer_id, "taxpayer_id", rules.id_check)
        if errors:
            raise errors[0]
    if taxpayers.find(tx, taxpayer_id) is not None:
        raise refuse("already_exists", "taxpayer_id", name=taxpayer_id)
    given = {name: value for name, value in values.items() if value is not None}
    if "parent_id" in given:
        _place_under(tx, caller, taxpayer_id, given["parent_id"])
    row = TaxpayerRow(id=times.new_id(), created_at=tx.now, updated_at=tx.now, **given)
    tx.add(row)
    tx.raise_event(Event("taxpayers", taxpayer_id, taxpayer_id, "created", 1))
    return row.model_dump()


def act(tx: Transaction, wanted: Act, rules: IssuingRules) -> str | None:
    """Do one verb; returns the id of the job it opened, if any."""
    entry = acts.begin(tx, wanted, "taxpayers")
    for private in ("phone", "mail"):
        entry.detail.pop(private, None)
    row = acts.check(taxpayers.find(tx, wanted.record_id, lock=True), wanted, rule.MACHINE)
    entry.taxpayer_id = row["taxpayer_id"]
    if wanted.verb == "fetch":
        return taxpayer_fetches.fetch(tx, row, wanted)
    _DO[wanted.verb](tx, row, wanted, rules)
    tx.raise_event(Event("taxpayers", row["taxpayer_id"], row["taxpayer_id"], wanted.verb, row["version"] + 1))
    return None


def _change(tx: Transaction, row: Row, wanted: Act, rules: IssuingRules) -> None:
    values = {name: value for name, value in wanted.arguments.items() if value is not None}
    if not values:
        raise refuse("nothing_to_change")
    taxpayers.change(tx, row["taxpayer_id"], values, tx.now)
    if "taxpayer_kind" in values:
        placement.taxpayer_changed(tx, row["taxpayer_id"], rules)


def _may_issue(tx: Transaction, row: Row, wanted: Act, rules: IssuingRules) -> None:
    taxpayers.change(tx, row["taxpayer_id"], {"may_issue": int(wanted.verb == "allow_issue")}, tx.now)
    placement.taxpayer_changed(tx, row["taxpayer_id"], rules)


def _move(tx: Transaction, row: Row, wanted: Act, _rules: IssuingRules) -> None:
    parent_id = wanted.arguments["parent_id"]
    if not wanted.caller.may_take_on(row["region"], parent_id):
        # Nobody moves a taxpayer to where it is out of their own sight.
        raise refuse("not_found", "parent_id")
    if parent_id is not None:
        _place_under(tx, wanted.caller, row["taxpayer_id"], parent_id)
    taxpayers.change(tx, row["taxpayer_id"], {"parent_id": parent_id}, tx.now)


def _place_under(tx: Transaction, caller: Principal, taxpayer_id: str, parent_id: str) -> None:
    """The parent may be one: on record, seen by the caller, not retired, not below, and not too deep down."""
    taxpayers.lock_tree(tx)
    parent = taxpayers.find(tx, parent_id)
    if parent is None or not caller.sees(parent_id):
        raise refuse("not_found", "parent_id")
    if parent["state"] == "retired":
        raise refuse("taxpayer_retired", "parent_id", taxpayer_id=parent_id)
    above = taxpayers.above(tx, parent_id, rule.TREE_DEPTH + 1)
    if taxpayer_id in above:
        raise refuse("taxpayer_tree_circle", "parent_id", taxpayer_id=taxpayer_id, parent_id=parent_id)
    below = taxpayers.subtree(tx, taxpayer_id, rule.TREE_DEPTH + 1)
    depth = len(above) + (below[-1]["depth"] if below else 1)
    if depth > rule.TREE_DEPTH:
        raise refuse("taxpayer_tree_deep", "parent_id", depth=depth, limit=rule.TREE_DEPTH)


def _apply(tx: Transaction, row: Row, wanted: Act, rules: IssuingRules) -> None:
    taxpayer_fetches.apply(tx, row, wanted)
    placement.taxpayer_changed(tx, row["taxpayer_id"], rules)


def _discard(tx: Transaction, row: Row, wanted: Act, _rules: IssuingRules) -> None:
    taxpayer_fetches.discard(tx, row, wanted.arguments["fetch_id"])


def _set_flag(tx: Transaction, row: Row, wanted: Act, rules: IssuingRules) -> None:
    given = wanted.arguments
    days = (given["valid_from"] or "", given["valid_to"] or "")
    taxpayer_flags.enter(tx, row["taxpayer_id"], given["flag"], given["value"], days)
    taxpayer_flags.publish(tx, row["taxpayer_id"])
    placement.taxpayer_changed(tx, row["taxpayer_id"], rules)


def _end_flag(tx: Transaction, row: Row, wanted: Act, rules: IssuingRules) -> None:
    taxpayer_flags.end(tx, row["taxpayer_id"], wanted.arguments["flag"], wanted.arguments["last_day"])
    taxpayer_flags.publish(tx, row["taxpayer_id"])
    placement.taxpayer_changed(tx, row["taxpayer_id"], rules)


def _add_contact(tx: Transaction, row: Row, wanted: Act, _rules: IssuingRules) -> None:
    given = {name: value for name, value in wanted.arguments.items() if value is not None}
    tx.add(ContactRow(taxpayer_id=row["taxpayer_id"], id=times.new_id(), created_at=tx.now, **given))
    taxpayers.change(tx, row["taxpayer_id"], {}, tx.now)


def _remove_contact(tx: Transaction, row: Row, wanted: Act, _rules: IssuingRules) -> None:
    if not taxpayers.drop_contact(tx, row["taxpayer_id"], wanted.arguments["contact_id"]):
        raise refuse("not_found", "contact_id")
    taxpayers.change(tx, row["taxpayer_id"], {}, tx.now)


def _retire(tx: Transaction, row: Row, _wanted: Act, _rules: IssuingRules) -> None:
    found = taxpayer_views.retire_refusal(tx, row["taxpayer_id"])
    if found is not None:
        raise found
    state = rule.MACHINE.after(row["state"], "retire")
    taxpayers.change(tx, row["taxpayer_id"], {"state": state, "may_issue": 0}, tx.now)


_DO: dict[str, Callable[[Transaction, Row, Act, IssuingRules], None]] = {
    "change": _change,
    "move": _move,
    "allow_issue": _may_issue,
    "stop_issue": _may_issue,
    "apply": _apply,
    "discard": _discard,
    "set_flag": _set_flag,
    "end_flag": _end_flag,
    "add_contact": _add_contact,
    "remove_contact": _remove_contact,
    "retire": _retire,
}


def tree(hand: Connection, taxpayer_id: str, caller: Principal) -> dict[str, Any]:
    """The taxpayer and all below it that the caller sees, each with its ``children``."""
    nodes: dict[str, dict[str, Any]] = {}
    for row in taxpayers.subtree(hand, taxpayer_id, rule.TREE_DEPTH):
        if not caller.sees(row["taxpayer_id"]):
            continue
        node = row | {"children": []}
        nodes[row["taxpayer_id"]] = node
        if row["taxpayer_id"] != taxpayer_id and row["parent_id"] in nodes:
            nodes[row["parent_id"]]["children"].append(node)
    if taxpayer_id not in nodes:
        raise refuse("not_found")
    return nodes[taxpayer_id]
