"""Emergency stops: placed and resumed, in force for every replica with the commit that answers."""

from __future__ import annotations

from typing import Any

from controlplane.domain.issuing_rules import IssuingRules
from controlplane.domain.principal import Principal
from controlplane.domain.refusals import refuse
from controlplane.domain.registry import acts_of
from controlplane.domain.stop import MACHINE
from controlplane.operations import acts, jobs, placement
from controlplane.operations.acts import Act, Viewer
from controlplane.store import devices, stops, tax_servers, taxpayers, times
from controlplane.store.statement import Connection, Row
from controlplane.store.stops import StopRow
from controlplane.store.transaction import Entry, Event, Transaction

MOST_DEVICES = 200
"""Devices looked after at once; the rest of a large region follow with the clock's next sweep.

Until then their queued orders are kept from agents by the stop itself.
"""


def register(tx: Transaction, caller: Principal, values: dict[str, Any]) -> str:
    """Stop issuing for a target; the stop's id. It holds with the commit, and :func:`settle` takes back what is queued.

    ``not_found`` for a target that does not exist for the caller, ``already_stopped`` when one is in force on it.
    """
    entry = Entry(caller.id, caller.name, caller.kind, "stops.register", "stops", reason=values["reason"])
    entry.detail = {"target_noun": values["target_noun"], "target": values["target"]}
    tx.begin_entry(entry)
    target = _target(tx, caller, values["target_noun"], values["target"])
    entry.taxpayer_id = target["taxpayer_id"]
    known = stops.active_on(tx, target["target_noun"], target["target_id"])
    if known is not None:
        raise refuse("already_stopped", "target", target=known["target_name"], stop_id=known["id"])
    row = StopRow(
        id=times.new_id(),
        reason=values["reason"],
        stopped_by=caller.name,
        stopped_by_id=caller.id,
        created_at=tx.now,
        updated_at=tx.now,
        **target,
    )
    tx.add(row)
    stops.changed(tx)
    entry.subject_id = row.id
    tx.raise_event(Event("stops", row.id, row.taxpayer_id or jobs.PLATFORM, "registered", 1))
    return row.id


def _target(tx: Transaction, caller: Principal, noun: str, given: str) -> dict[str, Any]:
    """The columns that name a target: found by id or number, and only if it exists for the caller."""
    row: Row | None = {"region": given}
    if noun == "taxpayer":
        row = taxpayers.find(tx, given)
    elif noun == "device":
        row = devices.find(tx, given) or devices.by_number(tx, given)
    elif noun == "tax_server":
        row = tax_servers.find(tx, given) or tax_servers.by_number(tx, given)
    elif len(given) != 4 or not given.isdigit():
        raise refuse("field_invalid", "target", problem="地区代码是 4 位数字 / an area code has 4 digits")
    if row is None or not caller.sees_record(row):
        raise refuse("not_found", "target")
    target_id = row["taxpayer_id"] if noun == "taxpayer" else row.get("id", given)
    number = row.get("device_no") or row.get("tax_server_no") or target_id
    name = f"{number} {row['name']}" if row.get("name") else number
    region = "" if noun in ("taxpayer", "device") else row["region"]
    owner = row["taxpayer_id"] if noun in ("taxpayer", "device") else ""
    columns = {"target_noun": noun, "target_id": target_id, "target_name": name}
    return columns | {"taxpayer_id": owner, "region": region}


def settle(tx: Transaction, stop_id: str, rules: IssuingRules) -> None:
    """Take queued orders back, or place what waits: the devices' own rules know which.

    What an agent holds is left to it. A transaction of its own, after the one that stopped or resumed: it sees all
    that was placed before, and holds up nobody's commit. Should the process die in between, the clock's sweep does it.
    """
    row = stops.find(tx, stop_id)
    assert row is not None
    under = stops.devices_under(tx, row["target_noun"], row["target_id"])[:MOST_DEVICES]
    for device in under:
        found = devices.find(tx, device["id"])
        if found is not None:
            placement.withdraw_blocked(tx, found, rules)
        tx.raise_event(Event("virtual-devices", device["id"], device["taxpayer_id"], "stops", topic=device["id"]))
    for taxpayer_id in dict.fromkeys(device["taxpayer_id"] for device in under):
        placement.place_waiting(tx, taxpayer_id, rules)


def act(tx: Transaction, wanted: Act) -> None:
    """``resume``: the stop is over with the commit; :func:`settle` then places what waits."""
    entry = acts.begin(tx, wanted, "stops")
    row = stops.find(tx, wanted.record_id, lock=True)
    if row is None or not wanted.caller.sees_record(row):
        raise refuse("not_found")
    entry.taxpayer_id = row["taxpayer_id"]
    state = MACHINE.after(row["state"], wanted.verb)
    if row["version"] != wanted.version:
        raise refuse("version_differs", "version", current=row["version"], given=wanted.version)
    values = {"id": row["id"], "state": state, "resumed_by": wanted.caller.name, "reason": wanted.reason, "now": tx.now}
    stops.resume(tx, values)
    stops.changed(tx)
    tx.raise_event(Event("stops", row["id"], row["taxpayer_id"] or jobs.PLATFORM, "resumed", row["version"] + 1))


def view(row: Row, viewer: Viewer) -> dict[str, Any]:
    """A stop as the API shows it."""
    allowed = [
        acts.verdict(spec, acts.why_not(spec, row["state"], MACHINE, None, viewer.caller)) for spec in acts_of("stops")
    ]
    return row | {"allowed": allowed}


def find(hand: Connection, stop_id: str, caller: Principal) -> Row:
    """A stop that exists for the caller, else ``not_found``."""
    row = stops.find(hand, stop_id)
    if row is None or not caller.sees_record(row):
        raise refuse("not_found")
    return row

