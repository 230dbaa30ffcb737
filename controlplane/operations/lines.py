"""Bureau lines: the address book, its switches, and how a line shows itself."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

import msgspec

from controlplane import data
from controlplane.domain import line_watch
from controlplane.domain.dated import DEVICE_ZONE
from controlplane.domain.principal import Principal
from controlplane.domain.refusals import refuse
from controlplane.domain.registry import acts_of
from controlplane.operations import acts, alerts
from controlplane.operations.acts import Act, Viewer
from controlplane.operations.jobs import PLATFORM
from controlplane.store import alert_rules, line_checks, lines, times
from controlplane.store.lines import BureauEndpointRow
from controlplane.store.statement import Connection, Row
from controlplane.store.transaction import Entry, Event, Transaction
from probes.reach import BadHost, NotAllowed, Reach
from probes.target import BadTarget, parse

SHOWN_SAMPLES = 24
CHECK_WAITS = timedelta(seconds=60)
"""A check by hand that no probe process has made by then is not made any more."""


def check_target(target: str, reach: Reach) -> None:
    """Refuse an address that the probes would never connect to: ``target_not_allowed``.

    Names are not resolved here; what they lead to is tested again at each connection.
    """
    try:
        reach.confirm_host(parse(target).host)
    except BadTarget as fault:
        raise refuse("target_not_allowed", "target", problem=fault.code) from fault
    except (BadHost, NotAllowed) as fault:
        raise refuse("target_not_allowed", "target", problem="host") from fault


def add(tx: Transaction, caller: Principal, values: dict[str, Any], reach: Reach | None = None) -> Row:
    """A new address; ``already_exists`` when the same target is on record for the region and service.

    ``reach``: the allow-list it is tested against; without one only the probes test it.
    """
    entry = tx.begin_entry(Entry(caller.id, caller.name, caller.kind, "lines.add", "lines", detail=dict(values)))
    if not caller.sees_region(values["area_code"]):
        raise refuse("not_found", "area_code")
    if reach is not None:
        check_target(values["target"], reach)
    if lines.same(tx, values) is not None:
        raise refuse("already_exists", "target", name=values["target"])
    row = BureauEndpointRow(
        id=times.new_id(), created_at=tx.now, updated_at=tx.now, **{**values, "enabled": int(values["enabled"])}
    )
    tx.add(row)
    if row.enabled:
        lines.watch(tx, row.id, tx.now)
    entry.subject_id = row.id
    tx.raise_event(Event("lines", row.id, PLATFORM, "added", 1))
    return row.model_dump()


def switch(tx: Transaction, wanted: Act) -> None:
    """``enable`` or ``disable`` the checking of an address. Alerts that are open on a disabled one are closed."""
    acts.begin(tx, wanted, "lines")
    row = lines.find(tx, wanted.record_id, lock=True)
    if row is None or not wanted.caller.sees_record(row):
        raise refuse("not_found")
    if row["version"] != wanted.version:
        raise refuse("version_differs", "version", current=row["version"], given=wanted.version)
    enable = wanted.verb == "enable"
    lines.switch(tx, row["id"], int(enable), tx.now)
    if enable and not row["enabled"]:
        lines.watch(tx, row["id"], tx.now)
    elif not enable:
        unwatch(tx, row["id"], tx.now)
        alerts.compose(tx)
    tx.raise_event(Event("lines", row["id"], PLATFORM, wanted.verb, row["version"] + 1))


def unwatch(tx: Transaction, line_id: str, until: str) -> None:
    """A line is watched no more: it owes no slots from now on, and what it had open is over."""
    lines.end_watch(tx, line_id, until)
    lines.forget_state(tx, line_id)
    alerts.give_up_line(tx, line_id)


def take_book(tx: Transaction, rows: Iterable[dict[str, Any]]) -> int:
    """Take an address book in: addresses that are not on record yet are added; returns how many."""
    added = 0
    for values in rows:
        if lines.same(tx, values) is None:
            tx.add(BureauEndpointRow(id=times.new_id(), created_at=tx.now, updated_at=tx.now, **values))
            added += 1
    if added:
        tx.begin_entry(Entry("system", "taxplane", "system", "lines.import", "lines", detail={"added": added}))
    return added


def view(hand: Connection, row: Row, viewer: Viewer) -> dict[str, Any]:
    """An address with its verdict, latest samples, certificate, and what may be done now."""
    history = [_shown(one) for one in lines.newest(hand, row["id"], SHOWN_SAMPLES)]
    seen: dict[str, Any] = next((one for one in history if one["ok"] is not None), {})
    state = lines.state(hand, row["id"]) or {"verdict": "unknown", "since": None}
    check = line_checks.latest(hand, row["id"])
    return row | {
        "enabled": bool(row["enabled"]),
        "in_force": lines.is_watched(row | {"enabled": 1}, times.utc_text(viewer.now)),
        "verdict": state["verdict"],
        "since": state["since"],
        "at": history[0]["at"] if history else None,
        "address": seen.get("address", ""),
        "failing_phase": seen.get("failing_phase", ""),
        "reason": seen.get("reason", ""),
        "duration_ms": seen.get("duration_ms"),
        **_certificate(history, viewer),
        "alerts": len(alert_rules.open_of_line(hand, row["id"])),
        "check": None if check is None else _check(check, viewer),
        "history": history,
        "allowed": [acts.verdict(spec, _why_not(spec.verb, row, viewer.caller)) for spec in acts_of("lines")],
    }


def _shown(one: Row) -> dict[str, Any]:
    not_after = one["certificate_not_after"]
    at = times.from_text(one["at"])
    return {
        **{name: one[name] for name in ("slot", "vantage", "kind", "at", "failing_phase", "reason", "duration_ms",
                                        "address", "certificate_not_after")},
        "ok": None if one["ok"] is None else bool(one["ok"]),
        "phases": msgspec.json.decode(one["phases"]),
        "certificate_days": line_watch.days_left(times.from_text(not_after), at) if not_after else None,
    }  # fmt: skip


def _certificate(history: list[dict[str, Any]], viewer: Viewer) -> dict[str, Any]:
    """The certificate that was shown last, and how many days it has left now."""
    not_after = next((one["certificate_not_after"] for one in history if one["certificate_not_after"]), None)
    if not_after is None:
        return {"certificate_not_after": None, "certificate_days": None, "certificate_expiring": False}
    days = line_watch.days_left(times.from_text(not_after), viewer.now)
    warn = data.line_rules(viewer.now.astimezone(DEVICE_ZONE).date()).certificate_warn_days
    return {"certificate_not_after": not_after, "certificate_days": days, "certificate_expiring": days < warn}


def _check(check: Row, viewer: Viewer) -> dict[str, Any]:
    late = check["state"] != "done" and times.from_text(check["asked_at"]) + CHECK_WAITS <= viewer.now
    shown = {name: check[name] for name in ("id", "asked_by", "asked_at", "taken_at", "done_at")}
    return shown | {"state": "expired" if late else check["state"]}


def _why_not(verb: str, row: Row, caller: Principal) -> str | None:
    if not caller.may("lines.change"):
        return refuse("not_permitted", act=verb).message
    if verb == ("enable" if row["enabled"] else "disable"):
        state = "enabled" if row["enabled"] else "disabled"
        return refuse("move_not_allowed", noun="line", state=state, move=verb, allowed="").message
    return None
