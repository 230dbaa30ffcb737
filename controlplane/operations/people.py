"""People, front ends and probe clocks: taking them on, their roles and scopes, their passwords and tokens."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from controlplane.domain.acts import ActSpec
from controlplane.domain.principal import KINDS, MACHINE, Principal
from controlplane.domain.refusals import Refusal, refuse
from controlplane.domain.registry import acts_of
from controlplane.operations import acts, jobs, secrets
from controlplane.operations.acts import Act, Once, Viewer
from controlplane.operations.principals import give_token, json_or_null
from controlplane.store import principals as store
from controlplane.store import taxpayers, times
from controlplane.store.principals import PrincipalRow
from controlplane.store.statement import Connection, Row
from controlplane.store.transaction import Entry, Event, Transaction

ONE_TIME_LIFE = timedelta(hours=24)
"""How long a one-time password waits for its person."""


def register(tx: Transaction, caller: Principal, values: dict[str, Any]) -> Once:
    """A new principal. A person gets a one-time password, told only here; a program gets its tokens by an act."""
    entry = Entry(caller.id, caller.name, caller.kind, "people.register", "people")
    entry.detail = {name: value for name, value in values.items() if value is not None}
    tx.begin_entry(entry)
    scope = _scope(tx, values)
    if store.twin_of(tx, values["name"]) is not None:
        raise refuse("already_exists", "name", name=values["name"])
    columns: dict[str, Any] = {**scope}
    shown: dict[str, str] = {}
    if KINDS[values["role"]] == "person":
        password, shown = _one_time(tx)
        columns |= password
    row = PrincipalRow(
        id=times.new_id(),
        kind=KINDS[values["role"]],
        name=values["name"],
        role=values["role"],
        created_at=tx.now,
        updated_at=tx.now,
        **columns,
    )
    tx.add(row)
    entry.subject_id = row.id
    tx.raise_event(Event("people", row.id, jobs.PLATFORM, "registered", 1))
    return Once(row.id, shown)


def _one_time(tx: Transaction) -> tuple[dict[str, Any], dict[str, str]]:
    """(columns, what is shown once) of a new one-time password."""
    password, until = secrets.new_one_time(), times.utc_text(tx.moment + ONE_TIME_LIFE)
    columns = {"password_hash": secrets.hash_one_time(password), "must_change": 1, "password_expires_at": until}
    return columns, {"password": password, "expires_at": until}


def _scope(tx: Transaction, values: dict[str, Any]) -> dict[str, str | None]:
    """The columns of a scope. Everything has to be said in so many words: nothing at all is no scope."""
    roots, regions, everything = values.get("taxpayers"), values.get("regions"), values.get("everything")
    if bool(roots or regions) == bool(everything):
        raise refuse("scope_not_clear", "everything")
    if everything:
        return {"scope": None, "regions": None}
    for root in roots or ():
        if taxpayers.find(tx, root) is None:
            raise refuse("not_found", "taxpayers")
    return {"scope": json_or_null(roots or []), "regions": json_or_null(regions or [])}


def act(tx: Transaction, wanted: Act) -> str | Once | None:
    """Do one verb on a principal; a secret it makes is told only in the answer."""
    acts.begin(tx, wanted, "people")
    store.admins(tx, lock=True)  # locked in one order by all who may take the last one away
    row = acts.check(_found(tx, wanted), wanted, MACHINE)
    no = _gate(tx, wanted.verb, row, wanted.caller, tx.now)
    if no is not None:
        raise no
    shown = _VERBS[wanted.verb](tx, wanted, row)
    tx.raise_event(Event("people", row["id"], jobs.PLATFORM, wanted.verb, row["version"] + 1))
    return Once(row["id"], shown) if shown else None


def _found(tx: Transaction, wanted: Act) -> Row | None:
    return store.find(tx, wanted.record_id, lock=True) if wanted.caller.may("people.manage") else None


def _gate(hand: Connection, verb: str, row: Row, caller: Principal, now: str) -> Refusal | None:
    """What forbids a verb besides the state; None when nothing does."""
    person = row["kind"] == "person"
    if verb in ("reset", "change_role") and not person:
        return refuse("only_for_people", name=row["name"])
    if verb == "give_token" and person:
        return refuse("only_for_programs", name=row["name"])
    if verb in ("change_role", "change_scope") and row["id"] == caller.id:
        return refuse("not_your_own", name=row["name"])
    if verb == "revoke_token" and not store.open_tokens(hand, row["id"], "token", now):
        return refuse("no_token_left", name=row["name"])
    if verb in ("disable", "change_role", "change_scope") and _last_admin(hand, row):
        return refuse("last_admin", name=row["name"])
    return None


def _last_admin(hand: Connection, row: Row) -> bool:
    return store.admins(hand) == [row["id"]]


def _disable(tx: Transaction, wanted: Act, row: Row) -> dict[str, str]:
    store.change(tx, row["id"], {"state": MACHINE.after(row["state"], "disable")}, tx.now)
    store.revoke_all(tx, row["id"], tx.now)
    return {}


def _enable(tx: Transaction, wanted: Act, row: Row) -> dict[str, str]:
    store.change(tx, row["id"], {"state": MACHINE.after(row["state"], "enable")}, tx.now)
    return {}


def _reset(tx: Transaction, wanted: Act, row: Row) -> dict[str, str]:
    columns, shown = _one_time(tx)
    store.change(tx, row["id"], columns, tx.now)
    store.revoke_all(tx, row["id"], tx.now)
    return shown


def reset_by_name(tx: Transaction, name: str) -> dict[str, str]:
    """A new one-time password for a person, asked for on the server itself; a disabled one is active again."""
    row = store.by_name(tx, name)
    entry = Entry("system", "taxplane-server", "system", "people.reset", "people", row["id"] if row else "")
    tx.begin_entry(entry)
    if row is None or row["kind"] != "person":
        raise refuse("not_found")
    columns, shown = _one_time(tx)
    store.change(tx, row["id"], {**columns, "state": MACHINE.initial}, tx.now)
    store.revoke_all(tx, row["id"], tx.now)
    return shown


def _change_role(tx: Transaction, wanted: Act, row: Row) -> dict[str, str]:
    store.change(tx, row["id"], {"role": wanted.arguments["role"]}, tx.now)
    store.revoke_all(tx, row["id"], tx.now)
    return {}


def _change_scope(tx: Transaction, wanted: Act, row: Row) -> dict[str, str]:
    store.change(tx, row["id"], _scope(tx, wanted.arguments), tx.now)
    if row["kind"] == "person":
        # A program's tokens stay: they are looked up with the new scope from now on, and its business goes on.
        store.revoke_all(tx, row["id"], tx.now)
    return {}


def _give_token(tx: Transaction, wanted: Act, row: Row) -> dict[str, str]:
    token = secrets.new_secret()
    expires_at = times.utc_text(tx.moment + timedelta(days=wanted.arguments["days"]))
    token_id = give_token(tx, row["id"], token, expires_at, label=wanted.arguments["label"])
    store.change(tx, row["id"], {}, tx.now)
    return {"token": token, "token_id": token_id, "expires_at": expires_at}


def _revoke_token(tx: Transaction, wanted: Act, row: Row) -> dict[str, str]:
    token = store.session(tx, wanted.arguments["token_id"])
    if token is None or token["principal_id"] != row["id"] or not store.revoke(tx, token["id"], tx.now):
        raise refuse("not_found", "token_id")
    store.change(tx, row["id"], {}, tx.now)
    return {}


_VERBS: dict[str, Callable[[Transaction, Act, Row], dict[str, str]]] = {
    "disable": _disable,
    "enable": _enable,
    "reset": _reset,
    "change_role": _change_role,
    "change_scope": _change_scope,
    "give_token": _give_token,
    "revoke_token": _revoke_token,
}


def view(hand: Connection, row: Row, viewer: Viewer) -> dict[str, Any]:
    """A principal as the API shows it, with its open tokens and the verbs that are allowed now; no secret of it."""
    now = times.utc_text(viewer.now)
    everything = row["scope"] is None and row["regions"] is None
    names = ("id", "kind", "name", "role", "state", "version", "created_at", "updated_at", "password_expires_at")
    tokens = store.open_tokens(hand, row["id"], "token", now)
    return {name: row[name] for name in names} | {
        "everything": everything,
        "taxpayers": None if everything else store.listed(row["scope"]),
        "regions": None if everything else store.listed(row["regions"]),
        "must_change_password": bool(row["must_change"]),
        "last_sign_in": store.last_sign_in(hand, row["id"]),
        "open_sessions": len(store.open_tokens(hand, row["id"], "session", now)),
        "tokens": [{name: one[name] for name in ("id", "label", "created_at", "expires_at")} for one in tokens],
        "allowed": [acts.verdict(spec, _why_not(hand, spec, row, viewer)) for spec in acts_of("people")],
    }


def _why_not(hand: Connection, spec: ActSpec, row: Row, viewer: Viewer) -> str | None:
    why = acts.why_not(spec, row["state"], MACHINE, None, viewer.caller)
    if why is None:
        no = _gate(hand, spec.verb, row, viewer.caller, times.utc_text(viewer.now))
        why = no.message if no is not None else None
    return why
