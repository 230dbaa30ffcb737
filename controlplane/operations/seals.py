"""Seals: registering one for a province, its four steps, its canary, and two persons to replace or revoke it."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from datetime import datetime
from typing import Any

from controlplane import data
from controlplane.domain import seal
from controlplane.domain.dated import DEVICE_ZONE
from controlplane.domain.principal import Principal
from controlplane.domain.refusals import Refusal, refuse
from controlplane.domain.seal import SealRules
from controlplane.operations import acts, jobs
from controlplane.operations.acts import Act
from controlplane.store import devices, seals, tax_servers, times
from controlplane.store import jobs as job_store
from controlplane.store.seals import SealRow
from controlplane.store.statement import Connection, Row
from controlplane.store.transaction import Entry, Event, Transaction
from controlplane.wire import work

NO_REQUEST: dict[str, Any] = {
    "request_kind": "", "request_by": "", "request_by_name": "", "request_at": None, "request_reason": "",
}  # fmt: skip
_REQUESTS = {"request_replacement": "replacement", "request_revocation": "revocation"}
_PERSONAL = ("handler_name", "handler_mobile", "handler_id")


def rules_at(now: datetime) -> SealRules:
    """The rules of seals in force at a moment."""
    return data.seal_rules().on(now.astimezone(DEVICE_ZONE).date())


def register(tx: Transaction, caller: Principal, values: dict[str, Any]) -> str:
    """A new seal of an area on a tax server of its province, not applied for yet; its id.

    Refused with ``seal_exists`` while the area has a live one there: the server's row is locked, so racers queue.
    """
    entry = tx.begin_entry(Entry(caller.id, caller.name, caller.kind, "seals.register", "seals"))
    server = tax_servers.find(tx, values["tax_server_id"], lock=True)
    if server is None or not caller.sees_record(server):
        raise refuse("not_found")
    area = values["area_code"]
    if not seal.serves_province(server["region"], area):
        raise refuse("seal_other_province", "area_code", region=server["region"], area_code=area)
    there = seals.current(tx, server["id"], area)
    if there is not None:
        raise refuse("seal_exists", "area_code", area_code=area, state=there["state"])
    entry.subject_id = _add(tx, values, "current")
    return entry.subject_id


def _add(tx: Transaction, values: dict[str, Any], place: str, replaces: str | None = None) -> str:
    row = SealRow(
        id=times.new_id(),
        state=seal.MACHINE.initial,
        place=place,
        replaces=replaces,
        created_at=tx.now,
        updated_at=tx.now,
        **values,
    )
    tx.add(row)
    tx.raise_event(Event("seals", row.id, jobs.PLATFORM, "registered", 1))
    return row.id


def act(tx: Transaction, wanted: Act) -> str | None:
    """Do one verb; returns the id of the job it opened, if any."""
    entry = acts.begin(tx, wanted, "seals")
    entry.detail = _without_persons(wanted.arguments)
    row = acts.check(seals.find(tx, wanted.record_id, lock=True), wanted, seal.MACHINE)
    held = job_store.open_of(tx, row["id"])
    if held is not None:
        raise refuse("open_job", kind=held["kind"], job_id=held["id"])
    problem = gate(tx, row, wanted.verb, wanted.caller, tx.moment)
    if problem is not None:
        raise problem
    make = _WORK.get(wanted.verb)
    if make is not None:
        subject = ("seals", row["id"], jobs.PLATFORM)
        order = make(row, wanted.arguments, tx.now)
        return jobs.open_job(tx, ("tax-servers", row["tax_server_id"]), subject, order, wanted.caller)
    if wanted.verb == "approve":
        entry.detail |= {"requested_by": row["request_by_name"], "request": row["request_kind"]}
    devices.change(tx, "seals", row["id"], _settled_at_once(tx, row, wanted), tx.now)
    tx.raise_event(Event("seals", row["id"], jobs.PLATFORM, wanted.verb, row["version"] + 1))
    return None


def _settled_at_once(tx: Transaction, row: Row, wanted: Act) -> dict[str, Any]:
    """What a verb without an agent changes."""
    if wanted.verb in _REQUESTS:
        return {
            "request_kind": _REQUESTS[wanted.verb],
            "request_by": wanted.caller.id,
            "request_by_name": wanted.caller.name,
            "request_at": tx.now,
            "request_reason": wanted.reason,
        }
    if wanted.verb == "withdraw_request":
        return dict(NO_REQUEST)
    if wanted.verb == "approve":
        if row["request_kind"] == "revocation":
            return {**NO_REQUEST, "state": seal.MACHINE.after(row["state"], "revoke")}
        values = {name: row[name] for name in ("tax_server_id", "area_code", "seal_name")}
        _add(tx, values, "next", row["id"])
        return dict(NO_REQUEST)
    return {"state": seal.MACHINE.after(row["state"], wanted.verb)}


def _without_persons(arguments: dict[str, Any]) -> dict[str, Any]:
    """Arguments as the operation log keeps them for everybody: a handler's data masked."""
    shown = dict(arguments)
    for name in _PERSONAL:
        if shown.get(name):
            shown[name] = masked(name, shown[name])
    return shown


def masked(name: str, value: str) -> str:
    """One of a handler's data as those see it who need not know."""
    return seal.masked_name(value) if name == "handler_name" else seal.masked_number(value)


# --- what else than the state decides


def gate(hand: Connection, row: Row, verb: str, caller: Principal, now: datetime) -> Refusal | None:
    """Why a verb that the state allows may still not be done; None when it may."""
    if verb in seal.JOB_KINDS:
        return _not_at_work(hand, row, verb, now)
    if verb in _REQUESTS:
        return _no_second_request(hand, row, caller, now)
    if verb == "withdraw_request":
        return None if request_at(row, now) is not None else refuse("seal_request_missing")
    return _not_approvable(hand, row, caller, now) if verb == "approve" else None


def _not_at_work(hand: Connection, row: Row, verb: str, now: datetime) -> Refusal | None:
    server = tax_servers.find(hand, row["tax_server_id"])
    if server is None or server["state"] != "certified":
        return refuse("seal_server_not_ready", state=server["state"] if server else "—")
    ended = row["not_after"] is not None and times.from_text(row["not_after"]) <= now
    return refuse("seal_expired", not_after=row["not_after"][:10]) if ended and verb == "upload" else None


def request_at(row: Row, now: datetime) -> datetime | None:
    """When the request that still can be approved was made; None when there is none."""
    if not row["request_at"]:
        return None
    asked = times.from_text(row["request_at"])
    ends = seal.approval_ends(asked, rules_at(now))
    return asked if ends is not None and now < ends else None


def _no_second_request(hand: Connection, row: Row, caller: Principal, now: datetime) -> Refusal | None:
    if caller.kind != "person":
        return refuse("seal_not_a_person")
    if request_at(row, now) is not None:
        return refuse("seal_request_open", name=row["request_by_name"])
    following = seals.successor(hand, row["id"])
    return refuse("seal_successor_exists", state=following["state"]) if following is not None else None


def _not_approvable(hand: Connection, row: Row, caller: Principal, now: datetime) -> Refusal | None:
    if caller.kind != "person":
        return refuse("seal_not_a_person")
    if not row["request_at"]:
        return refuse("seal_request_missing")
    if request_at(row, now) is None:
        return refuse("seal_request_expired", minutes=rules_at(now).approval_minutes)
    return refuse("seal_same_person") if row["request_by"] == caller.id else None


# --- what agents are asked


def _canary(row: Row, now: str) -> str:
    """A document nobody else can have made before: what it is for, the time, and 128 random bits."""
    return f"taxplane canary\nseal {row['id']}\narea {row['area_code']}\ntime {now}\nnonce {secrets.token_hex(16)}\n"


_Make = Callable[[Row, dict[str, Any], str], work.Work]
_WORK: dict[str, _Make] = {
    "fetch_key": lambda row, given, now: work.SealKey(area_code=row["area_code"]),
    "apply": lambda row, given, now: work.SealApply(
        area_code=row["area_code"], key_index=row["key_index"], seal_name=row["seal_name"], **given
    ),
    "download": lambda row, given, now: work.SealDownload(
        area_code=row["area_code"], application_no=row["application_no"]
    ),
    "upload": lambda row, given, now: work.SealUpload(
        area_code=row["area_code"], application_no=row["application_no"]
    ),
    "test": lambda row, given, now: work.SealTest(
        area_code=row["area_code"], application_no=row["application_no"], document=_canary(row, now)
    ),
}
