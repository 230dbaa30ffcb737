"""Secure proxies: registering one for a tax server, changing it, and pushing its configuration."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from controlplane.domain import secure_proxy
from controlplane.domain.principal import Principal
from controlplane.domain.refusals import Refusal, refuse
from controlplane.domain.registry import acts_of
from controlplane.operations import acts, jobs, releases
from controlplane.operations.acts import Act, Viewer
from controlplane.store import devices, lines, secure_proxies, tax_servers, times
from controlplane.store import jobs as job_store
from controlplane.store.secure_proxies import SecureProxyRow
from controlplane.store.statement import Connection, Row
from controlplane.store.transaction import Entry, Event, Transaction
from controlplane.wire import work

_KEPT_BACK = ("reported",)


def register(tx: Transaction, caller: Principal, values: dict[str, Any]) -> str:
    """The secure proxy of a tax server; its id. A tax server has one: its row is locked, so racers queue."""
    entry = tx.begin_entry(Entry(caller.id, caller.name, caller.kind, "secure-proxies.register", "secure-proxies"))
    server = tax_servers.find(tx, values["tax_server_id"], lock=True)
    if server is None or caller.scope is not None:
        raise refuse("not_found")
    there = secure_proxies.of_server(tx, server["id"])
    if there is not None:
        raise refuse("proxy_exists", "tax_server_id", name=there["name"])
    row = SecureProxyRow(
        id=times.new_id(),
        state=secure_proxy.MACHINE.initial,
        created_at=tx.now,
        updated_at=tx.now,
        **_columns(values),
    )
    tx.add(row)
    entry.subject_id = row.id
    tx.raise_event(Event("secure-proxies", row.id, jobs.PLATFORM, "registered", 1))
    return row.id


def _columns(values: Mapping[str, Any]) -> dict[str, Any]:
    """Settings as columns; VIP host and port belong together."""
    if (values["vip_host"] is None) != (values["vip_port"] is None):
        raise refuse("proxy_vip_incomplete", "vip_port" if values["vip_port"] is None else "vip_host")
    return {**values, "use_platform_key": int(values["use_platform_key"])}


def act(tx: Transaction, wanted: Act) -> str | None:
    """Do one verb; returns the id of the job it opened, if any."""
    if wanted.verb == "upgrade":
        return releases.upgrade_proxy(tx, wanted)
    acts.begin(tx, wanted, "secure-proxies")
    row = acts.check(secure_proxies.find(tx, wanted.record_id, lock=True), wanted, secure_proxy.MACHINE)
    held = job_store.open_of(tx, row["id"])
    if held is not None and wanted.verb not in acts.BESIDE_JOBS:
        raise refuse("open_job", kind=held["kind"], job_id=held["id"])
    if wanted.verb in secure_proxy.JOB_KINDS:
        problem = gate(tx, wanted.verb, tx.now)
        if problem is not None:
            raise problem
        order = _configuration(tx, row, tx.now) if wanted.verb == "configure" else work.ReadProxy()
        subject = ("secure-proxies", row["id"], jobs.PLATFORM)
        return jobs.open_job(tx, ("tax-servers", row["tax_server_id"]), subject, order, wanted.caller)
    values: dict[str, Any] = {"state": secure_proxy.MACHINE.after(row["state"], wanted.verb)}
    if wanted.verb == "change":
        values |= _columns(wanted.arguments)
    devices.change(tx, "secure_proxies", row["id"], values, tx.now)
    tx.raise_event(Event("secure-proxies", row["id"], jobs.PLATFORM, wanted.verb, row["version"] + 1))
    return None


def gate(hand: Connection, verb: str, now: str) -> Refusal | None:
    """Why a verb that the state allows may still not be done at a time (UTC text); None when it may."""
    return refuse("proxy_no_addresses") if verb == "configure" and not lines.enabled(hand, now) else None


def _configuration(hand: Connection, row: Row, now: str) -> work.ConfigureProxy:
    """Our settings, and every enabled bureau address as it stands now."""
    return work.ConfigureProxy(
        max_connections=row["max_connections"],
        socket_connections=row["socket_connections"],
        offline_interval_hours=row["offline_interval_hours"],
        log_level=row["log_level"],
        use_platform_key=bool(row["use_platform_key"]),
        areas=[work.ProxyArea(area_code=one["area_code"], address=one["target"]) for one in lines.enabled(hand, now)],
    )


def view(hand: Connection, row: Row, viewer: Viewer) -> dict[str, Any]:
    """A secure proxy as the API shows it: settings, what it reported last, and what of that warns."""
    reported = msgspec.json.decode(row["reported"])
    wanted = row | {"use_platform_key": bool(row["use_platform_key"])}
    held = job_store.open_of(hand, row["id"])
    found = secure_proxy.warnings(wanted, reported)
    return {name: value for name, value in wanted.items() if name not in _KEPT_BACK} | {
        "reported": reported or None,
        "connections": reported.get("connections"),
        "differing": list(secure_proxy.differing(wanted, reported)),
        "warnings": [one.as_dict() | {"message_en": one.message_en, "remedy_en": one.remedy_en} for one in found],
        "open_job": held,
        "allowed": _allowed(hand, row, viewer, held),
    }


def _allowed(hand: Connection, row: Row, viewer: Viewer, held: Row | None) -> list[dict[str, Any]]:
    found = []
    for spec in acts_of("secure-proxies"):
        why = acts.why_not(spec, row["state"], secure_proxy.MACHINE, held, viewer.caller)
        if why is None:
            if spec.verb == "upgrade":
                problem = releases.proxy_gate(hand, row, viewer)
            else:
                problem = gate(hand, spec.verb, times.utc_text(viewer.now))
            why = problem.message if problem is not None else None
        found.append(acts.verdict(spec, why))
    return found
