"""Bureau addresses: versions with a start, switched on and off, and what the book lacks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from controlplane import data
from controlplane.domain import bureau_address as rule
from controlplane.domain.principal import Principal
from controlplane.domain.refusals import Refusal, refuse
from controlplane.domain.registry import acts_of
from controlplane.operations import acts, alerts, lines
from controlplane.operations.acts import Act, Viewer
from controlplane.operations.jobs import PLATFORM
from controlplane.store import bureau_addresses as store
from controlplane.store import lines as line_store
from controlplane.store import times
from controlplane.store.lines import BureauEndpointRow
from controlplane.store.statement import Connection, Row
from controlplane.store.transaction import Entry, Event, Transaction

NOUN = "bureau-addresses"


def moment(text: str, field: str) -> str:
    """A field of shape ``moment`` as it stands in tables; ``field_invalid`` for a day that is not."""
    try:
        return times.utc_text(rule.starts(text))
    except ValueError as fault:
        raise refuse("field_invalid", field, problem="no such time") from fault


def register(tx: Transaction, caller: Principal, values: dict[str, Any]) -> str:
    """A new address, disabled; ``address_overlaps`` when its region, service and carrier have one at that time."""
    given = {name: value for name, value in values.items() if value is not None and name != "starts_at"}
    entry = tx.begin_entry(Entry(caller.id, caller.name, caller.kind, f"{NOUN}.register", NOUN, detail=dict(values)))
    if not caller.sees_region(given["area_code"]):
        raise refuse("not_found", "area_code")
    starts_at = moment(values["starts_at"], "starts_at") if values.get("starts_at") else tx.now
    row = BureauEndpointRow(
        id=times.new_id(), enabled=0, valid_from=starts_at, created_at=tx.now, updated_at=tx.now, **given
    )
    for other in store.of_key(tx, row.model_dump()):
        if other["valid_to"] is None or other["valid_to"] > starts_at:
            raise _overlap(other)
    tx.add(row)
    entry.subject_id = row.id
    tell(tx, row.id, "registered", 1)
    return row.id


def _overlap(other: Row) -> Refusal:
    named = {name: other[name] for name in ("area_code", "service", "target")}
    return refuse("address_overlaps", "", **named)


def act(tx: Transaction, wanted: Act) -> None:
    """Do one verb."""
    acts.begin(tx, wanted, NOUN)
    row = store.find(tx, wanted.record_id)
    row = acts.check(row | {"state": state_of(row)} if row else None, wanted, rule.MACHINE)
    _DO[wanted.verb](tx, row, wanted)
    tell(tx, row["id"], wanted.verb, row["version"] + 1)


def tell(tx: Transaction, address_id: str, verb: str, version: int) -> None:
    """Tell followers of the address book and of the lines, which are the same rows."""
    tx.raise_event(Event(NOUN, address_id, PLATFORM, verb, version))
    tx.raise_event(Event("lines", address_id, PLATFORM, verb, version))


def state_of(row: Row) -> str:
    """enabled, disabled or removed."""
    if row["removed_at"] is not None:
        return "removed"
    return "enabled" if row["enabled"] else "disabled"


def _change(tx: Transaction, row: Row, wanted: Act) -> None:
    """The next version takes over at its start; a start that is past means now."""
    if row["valid_to"] is not None:
        raise refuse("address_superseded", "", at=row["valid_to"])
    starts_at = max(moment(wanted.arguments["starts_at"], "starts_at"), tx.now)
    if starts_at <= row["valid_from"]:
        raise refuse("address_starts_early", "starts_at", starts=starts_at, before=row["valid_from"])
    following = BureauEndpointRow(
        **{name: row[name] for name in ("region", "area_code", "service", "carrier", "enabled")},
        id=times.new_id(),
        target=wanted.arguments["target"],
        valid_from=starts_at,
        note=wanted.arguments["note"] or "",
        source=wanted.arguments["source"] or "",
        created_at=tx.now,
        updated_at=tx.now,
    )
    store.change(tx, row["id"], {"valid_to": starts_at}, tx.now)
    tx.add(following)
    if row["enabled"]:
        line_store.end_watch(tx, row["id"], starts_at)
        line_store.watch(tx, following.id, starts_at)
    tell(tx, following.id, "registered", 1)


def _switch(tx: Transaction, row: Row, wanted: Act) -> None:
    """This version, and those that will follow it, are checked or not; alerts that are open on them are closed."""
    if _ended(row, tx.now):
        raise refuse("address_superseded", "", at=row["valid_to"])
    switch_rows(tx, [one for one in store.of_key(tx, row) if one["valid_from"] >= row["valid_from"]],
                wanted.verb == "enable")  # fmt: skip


def switch_rows(tx: Transaction, rows: list[Row], enable: bool) -> None:
    """Begin or end the watch over versions that are not over."""
    for row in rows:
        if bool(row["enabled"]) == enable:
            continue
        store.change(tx, row["id"], {"enabled": int(enable)}, tx.now)
        if enable:
            line_store.watch(tx, row["id"], max(tx.now, row["valid_from"]))
        else:
            lines.unwatch(tx, row["id"], tx.now)
    if not enable:
        alerts.compose(tx)


def _remove(tx: Transaction, row: Row, _wanted: Act) -> None:
    """Take a version out of the book; the one before it goes on when this one has not begun."""
    store.change(tx, row["id"], {"removed_at": tx.now}, tx.now)
    if row["valid_from"] <= tx.now:
        return
    for before in store.of_key(tx, row):
        if before["valid_to"] == row["valid_from"]:
            store.change(tx, before["id"], {"valid_to": row["valid_to"]}, tx.now)
            if before["enabled"]:
                line_store.end_watch(tx, before["id"], tx.now)
                line_store.watch(tx, before["id"], tx.now)
            tell(tx, before["id"], "prolonged", before["version"] + 1)


_DO: dict[str, Callable[[Transaction, Row, Act], None]] = {
    "change": _change,
    "enable": _switch,
    "disable": _switch,
    "remove": _remove,
}


def _ended(row: Row, now: str) -> bool:
    return row["valid_to"] is not None and row["valid_to"] <= now


def view(row: Row, viewer: Viewer) -> dict[str, Any]:
    """A version as the API shows it; where it stands in time is told by the clock."""
    now = times.utc_text(viewer.now)
    state = state_of(row)
    return row | {
        "enabled": bool(row["enabled"]),
        "state": state,
        "standing": rule.standing(row["valid_from"], row["valid_to"], now),
        "allowed": [
            acts.verdict(spec, _why_not(spec, row, state, now, viewer.caller)) for spec in acts_of(NOUN)
        ],
    }  # fmt: skip


def _why_not(spec: Any, row: Row, state: str, now: str, caller: Principal) -> str | None:
    why = acts.why_not(spec, state, rule.MACHINE, None, caller)
    late = row["valid_to"] is not None if spec.verb == "change" else _ended(row, now)
    if why is None and late and spec.verb != "remove":
        return refuse("address_superseded", "", at=row["valid_to"]).message
    return why


def regions() -> dict[str, str]:
    """Area code → name of the 36 bureaus."""
    return {row["area_code"]: row["region"] for row in data.rows("bureaus")}


def completeness(hand: Connection, caller: Principal, now: str) -> list[dict[str, Any]]:
    """Every region × service kind the caller sees: ok, missing, raw_ip_omitted or duplicate."""
    held = [
        (row["area_code"], row["service"], row["carrier"], row["target"], bool(row["enabled"]))
        for row in store.in_force(hand, now)
    ]
    seen = {code: name for code, name in regions().items() if caller.sees_region(code)}
    return [
        {
            "id": f"{cell.area_code}.{cell.service}",
            "area_code": cell.area_code,
            "region": cell.region,
            "service": cell.service,
            "status": cell.status,
            "targets": list(cell.targets),
            "enabled": cell.enabled,
        }
        for cell in rule.completeness(seen, data.rows("bureau_gaps"), held)
    ]
