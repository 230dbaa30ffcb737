"""Looks at the bureau: asking, keeping what differs, applying or discarding it."""

from __future__ import annotations

from typing import Any

import msgspec

from controlplane.domain.issuing_right import NATIVE_KINDS
from controlplane.domain.refusals import refuse
from controlplane.domain.taxpayer import COMPARED, FETCH_MACHINE
from controlplane.operations import jobs, taxpayer_flags
from controlplane.operations.acts import Act
from controlplane.store import tax_servers, taxpayers, times
from controlplane.store.statement import Connection, Row
from controlplane.store.taxpayers import FetchRow
from controlplane.store.transaction import Event, Transaction
from controlplane.wire.evidence import TaxpayerFacts
from controlplane.wire.work import FetchTaxpayer

SHOWN = 20
_FLAG = "flags."


def fetch(tx: Transaction, row: Row, wanted: Act) -> str:
    """Ask the bureau through a tax server, named or of the taxpayer's region; the job's id."""
    taxpayer_id = row["taxpayer_id"]
    server = _server(tx, row["region"], wanted.arguments["tax_server_id"])
    kept = FetchRow(
        taxpayer_id=taxpayer_id,
        id=times.new_id(),
        tax_server_id=server["id"],
        state=FETCH_MACHINE.initial,
        base_version=row["version"],
        requested_by=wanted.caller.name,
        created_at=tx.now,
        updated_at=tx.now,
    )
    subject = ("taxpayers", taxpayer_id, taxpayer_id)
    work = FetchTaxpayer(taxpayer_id=taxpayer_id)
    kept.job_id = jobs.open_job(tx, ("tax-servers", server["id"]), subject, work, wanted.caller)
    tx.add(kept)
    tx.raise_event(Event("taxpayers", taxpayer_id, taxpayer_id, "fetch", row["version"]))
    return kept.job_id


def _server(tx: Transaction, region: str, named: str | None) -> Row:
    if named is None:
        server = taxpayers.server_of_region(tx, region)
        if server is None:
            raise refuse("no_tax_server", "tax_server_id", region=region)
        return server
    server = tax_servers.find(tx, named)
    if server is None:
        raise refuse("not_found", "tax_server_id")
    if server["state"] != "certified":
        raise refuse("server_stopped", "tax_server_id", device_no=server["tax_server_no"], state=server["state"])
    return server


def arrived(tx: Transaction, row: Row, kept: Row, facts: TaxpayerFacts) -> None:
    """What the bureau knows is here: keep what differs until somebody decides on it."""
    found = differences(tx, row, facts)
    for older in taxpayers.pending_fetches(tx, row["taxpayer_id"]):
        state = FETCH_MACHINE.after(older["state"], "supersede")
        taxpayers.change_fetch(tx, older, {"state": state, "settled_at": tx.now}, tx.now)
    values: dict[str, Any] = {
        "state": FETCH_MACHINE.after(kept["state"], "differ" if found else "agree"),
        "facts": msgspec.json.encode(facts).decode(),
        "diff": msgspec.json.encode(found).decode(),
        "base_version": row["version"],
        "arrived_at": tx.now,
        "settled_at": None if found else tx.now,
    }
    taxpayers.change_fetch(tx, kept, values, tx.now)
    tx.raise_event(Event("taxpayers", row["taxpayer_id"], row["taxpayer_id"], "fetched", row["version"]))


def failed(tx: Transaction, kept: Row, message: str) -> None:
    """The bureau or the device said no."""
    state = FETCH_MACHINE.after(kept["state"], "fail")
    taxpayers.change_fetch(tx, kept, {"state": state, "message": message[:300], "settled_at": tx.now}, tx.now)
    tx.raise_event(Event("taxpayers", kept["taxpayer_id"], kept["taxpayer_id"], "fetch_failed"))


def differences(hand: Connection, row: Row, facts: TaxpayerFacts) -> list[dict[str, Any]]:
    """What the bureau says otherwise: {field, old, new}, flags as ``flags.<name>`` with value and days."""
    said = {name: getattr(facts, name) for name in COMPARED}
    said["taxpayer_kind"] = NATIVE_KINDS[facts.taxpayer_kind]
    ours = {name: row[name] for name in COMPARED} | {"may_issue": bool(row["may_issue"])}
    found = [{"field": name, "old": ours[name], "new": said[name]} for name in COMPARED if ours[name] != said[name]]
    known = taxpayer_flags.latest(hand, row["taxpayer_id"])
    for flag in sorted(facts.flags, key=lambda one: one.name):
        new = {"value": flag.value, "valid_from": flag.valid_from, "valid_to": flag.valid_to}
        if known.get(flag.name) != new:
            found.append({"field": f"{_FLAG}{flag.name}", "old": known.get(flag.name), "new": new})
    told = {flag.name for flag in facts.flags}
    for name in sorted(known.keys() - told):
        if known[name]["value"] not in ("0", "00"):
            found.append({"field": f"{_FLAG}{name}", "old": known[name], "new": None})
    return found


def apply(tx: Transaction, row: Row, wanted: Act) -> None:
    """Take over all that differs, or the chosen fields; ``fetch_stale`` when the record changed since."""
    kept = _pending(tx, row["taxpayer_id"], wanted.arguments["fetch_id"], "apply")
    if kept["base_version"] != row["version"]:
        raise refuse("fetch_stale", "fetch_id", base=kept["base_version"], current=row["version"])
    found = {one["field"]: one["new"] for one in msgspec.json.decode(kept["diff"])}
    chosen: list[str] = wanted.arguments["fields"] or list(found)
    unknown = next((name for name in chosen if name not in found), None)
    if unknown is not None:
        raise refuse("fetch_field_unknown", "fields", name=unknown)
    columns: dict[str, Any] = {}
    for name in dict.fromkeys(chosen):
        if name.startswith(_FLAG):
            _apply_flag(tx, row["taxpayer_id"], name.removeprefix(_FLAG), found[name])
        else:
            columns[name] = int(found[name]) if name == "may_issue" else found[name]
    taxpayer_flags.publish(tx, row["taxpayer_id"], **columns)
    values = {
        "state": FETCH_MACHINE.after(kept["state"], "apply"),
        "applied": msgspec.json.encode(sorted(set(chosen))).decode(),
        "settled_at": tx.now,
    }
    taxpayers.change_fetch(tx, kept, values, tx.now)


def _apply_flag(tx: Transaction, taxpayer_id: str, name: str, new: dict[str, str] | None) -> None:
    if new is None:
        # The bureau knows nothing of it any more.
        taxpayers.drop_flags(tx, taxpayer_id, name, "")
        return
    taxpayer_flags.enter(tx, taxpayer_id, name, new["value"], (new["valid_from"], new["valid_to"]), "fetched")


def discard(tx: Transaction, row: Row, fetch_id: str) -> None:
    """Leave the record as it is."""
    kept = _pending(tx, row["taxpayer_id"], fetch_id, "discard")
    state = FETCH_MACHINE.after(kept["state"], "discard")
    taxpayers.change_fetch(tx, kept, {"state": state, "settled_at": tx.now}, tx.now)


def _pending(tx: Transaction, taxpayer_id: str, fetch_id: str, move: str) -> Row:
    kept = taxpayers.fetch(tx, taxpayer_id, fetch_id)
    if kept is None:
        raise refuse("not_found", "fetch_id")
    FETCH_MACHINE.after(kept["state"], move)
    return kept


def view(row: Row) -> dict[str, Any]:
    """A fetch as the API shows it."""
    shown = {name: value for name, value in row.items() if name != "facts"}
    return shown | {"diff": msgspec.json.decode(row["diff"]), "applied": msgspec.json.decode(row["applied"])}


def shown_of(hand: Connection, taxpayer_id: str) -> list[dict[str, Any]]:
    """The latest looks at the bureau, newest first."""
    return [view(row) for row in taxpayers.fetches(hand, taxpayer_id, SHOWN)]
