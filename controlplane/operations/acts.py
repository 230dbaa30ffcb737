"""What every act on a record has in common: found, at the expected version, allowed now, logged."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from controlplane.domain.acts import ActSpec
from controlplane.domain.issuing_rules import IssuingRules
from controlplane.domain.lifecycle import Machine
from controlplane.domain.principal import Principal
from controlplane.domain.refusals import refuse
from controlplane.domain.registry import acts_of
from controlplane.store import jobs
from controlplane.store.statement import Connection, Row
from controlplane.store.transaction import Entry, Transaction


@dataclass(frozen=True, slots=True)
class Viewer:
    """Who looks, when, and under which rules: what a view of a record depends on besides the record."""

    caller: Principal
    now: datetime
    rules: IssuingRules


@dataclass(frozen=True, slots=True)
class Act:
    """One verb on one record, as asked for."""

    caller: Principal
    verb: str
    record_id: str
    version: int
    reason: str
    arguments: dict[str, Any]


BESIDE_JOBS = frozenset({"suspend", "resume", "change"})
"""Verbs that may be done while a job of the record is open."""


@dataclass(frozen=True, slots=True)
class Once:
    """More than a record's id: secrets that are shown now and never again, and what another transaction does next."""

    record_id: str
    shown: dict[str, str] = field(default_factory=dict)
    then: Callable[[Transaction], None] | None = None


def begin(tx: Transaction, act: Act, noun: str) -> Entry:
    """Open the operation-log entry of an act; it stays, marked refused, should the act be refused."""
    entry = Entry(act.caller.id, act.caller.name, act.caller.kind, f"{noun}.{act.verb}", noun, act.record_id)
    entry.reason, entry.detail = act.reason, dict(act.arguments)
    return tx.begin_entry(entry)


def check(row: Row | None, act: Act, machine: Machine) -> Row:
    """The record, if the caller may see it, knows its version, and the verb is allowed in its state."""
    if row is None or not act.caller.sees_record(row):
        raise refuse("not_found")
    if not machine.may(row["state"], act.verb):
        raise machine.not_allowed(row["state"], act.verb)
    return found(row, act)


def found(row: Row | None, act: Act) -> Row:
    """As :func:`check`, for a verb that no state machine knows."""
    if row is None or not act.caller.sees_record(row):
        raise refuse("not_found")
    if row["version"] != act.version:
        raise refuse("version_differs", "version", current=row["version"], given=act.version)
    return row


def allowed(hand: Connection, row: Row, noun: str, machine: Machine, caller: Principal) -> list[dict[str, Any]]:
    """Every act on a record of the noun, whether it may be done now, and if not, why."""
    held = jobs.open_of(hand, row["id"])
    return [verdict(spec, why_not(spec, row["state"], machine, held, caller)) for spec in acts_of(noun)]


def verdict(spec: ActSpec, why: str | None) -> dict[str, Any]:
    """One line of the ``allowed`` list of a record."""
    return {"verb": spec.verb, "enabled": why is None, "why": why or ""}


def why_not(spec: ActSpec, state: str, machine: Machine, held: Row | None, caller: Principal) -> str | None:
    """Why an act may not be done now; None when it may. Only moves of the machine depend on the state."""
    if not caller.may(spec.permission):
        return refuse("not_permitted", act=spec.verb).message
    if spec.verb in machine.moves and not machine.may(state, spec.verb):
        return machine.not_allowed(state, spec.verb).message
    if held is not None and spec.verb not in BESIDE_JOBS:
        return refuse("open_job", kind=held["kind"]).message
    return None
