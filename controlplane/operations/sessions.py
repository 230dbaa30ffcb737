"""Sessions: signing in and out, one's own password, and ending what is open."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from controlplane.domain.acts import ActSpec
from controlplane.domain.principal import Principal
from controlplane.domain.refusals import refuse
from controlplane.domain.registry import acts_of
from controlplane.domain.session import MACHINE
from controlplane.operations import acts, jobs, principals, secrets
from controlplane.operations.acts import Act, Viewer
from controlplane.store import principals as store
from controlplane.store import times
from controlplane.store.statement import Connection, Row
from controlplane.store.transaction import Entry, Event, Transaction

LIFE = timedelta(hours=12)
LEAST_PASSWORD = 12
LEAST_DIFFERENT = 5
"""Characters of a password, and how many of them must differ."""


def find_person(hand: Connection, name: str) -> Row | None:
    """The person of that name, if active."""
    row = store.by_name(hand, name)
    return row if row and row["state"] == "active" and row["kind"] == "person" else None


def sign_in(tx: Transaction, checked: Row, address: str) -> dict[str, Any]:
    """A new session for a person whose password was checked against ``checked``; the token is told only here."""
    row = store.find(tx, checked["id"], lock=True)
    if row is None or row["state"] != "active" or row["password_hash"] != checked["password_hash"]:
        raise refuse("sign_in_failed")
    if row["password_expires_at"] is not None and row["password_expires_at"] <= tx.now:
        raise refuse("sign_in_failed")
    entry = Entry(row["id"], row["name"], row["kind"], "session.open", "sessions", row["id"])
    entry.detail = {"address": address}
    tx.begin_entry(entry)
    return _open(tx, row, address)


def _open(tx: Transaction, row: Row, address: str) -> dict[str, Any]:
    token = secrets.new_secret()
    expires_at = times.utc_text(tx.moment + LIFE)
    session_id = principals.give_token(tx, row["id"], token, expires_at, kind="session", address=address)
    person = principals.view(principals.principal_of(tx, row, session_id))
    return {
        "token": token,
        "expires_at": expires_at,
        "must_change_password": bool(row["must_change"]),
        "principal": person,
    }


def weak(name: str, password: str) -> bool:
    """True when a password is too easy to guess: too short, monotonous, or with the person's name in it."""
    if len(password) < LEAST_PASSWORD or len(set(password)) < LEAST_DIFFERENT:
        return True
    return name.lower() in password.lower()


def change_password(tx: Transaction, caller: Principal, checked: Row, new_hash: str, address: str) -> dict[str, Any]:
    """The caller's own password; every session and token of before is over, and one new session is opened."""
    tx.begin_entry(Entry(caller.id, caller.name, caller.kind, "session.password", "people", caller.id))
    row = store.find(tx, caller.id, lock=True)
    if row is None or row["state"] != "active" or row["password_hash"] != checked["password_hash"]:
        raise refuse("password_wrong", "current")
    values = {"password_hash": new_hash, "must_change": 0, "password_expires_at": None}
    store.change(tx, caller.id, values, tx.now)
    store.revoke_all(tx, caller.id, tx.now)
    tx.raise_event(Event("people", caller.id, jobs.PLATFORM, "password", row["version"] + 1))
    return _open(tx, row | values, address)


def sign_out(tx: Transaction, caller: Principal, everywhere: bool) -> int:
    """End the session the caller came with, or all that is open under its name; how many ended."""
    entry = Entry(caller.id, caller.name, caller.kind, "session.close", "sessions", caller.session_id)
    entry.detail = {"everywhere": everywhere}
    tx.begin_entry(entry)
    ended = store.revoke_all(tx, caller.id, tx.now) if everywhere else int(store.revoke(tx, caller.session_id, tx.now))
    tx.raise_event(Event("people", caller.id, jobs.PLATFORM, "signed_out"))
    return ended


def act(tx: Transaction, wanted: Act) -> None:
    """``revoke``: end a session or token of one's own; an administrator ends anybody's."""
    acts.begin(tx, wanted, "sessions")
    row = find(tx, wanted.record_id, wanted.caller)
    if not MACHINE.may(row["state"], wanted.verb):
        raise MACHINE.not_allowed(row["state"], wanted.verb)
    if row["version"] != wanted.version:
        raise refuse("version_differs", "version", current=row["version"], given=wanted.version)
    store.revoke(tx, row["id"], tx.now)
    tx.raise_event(Event("people", row["principal_id"], jobs.PLATFORM, "session_revoked"))


def find(hand: Connection, session_id: str, caller: Principal) -> Row:
    """A session that exists for the caller: its own, or anybody's for who manages people; else ``not_found``."""
    row = store.session(hand, session_id)
    if row is None or not (row["principal_id"] == caller.id or caller.may("people.manage")):
        raise refuse("not_found")
    return row


def view(row: Row, viewer: Viewer) -> dict[str, Any]:
    """A session or token as the API shows it; nothing of its secret."""
    over = row["expires_at"] is not None and row["expires_at"] <= times.utc_text(viewer.now)
    shown = row | {"current": row["id"] == viewer.caller.session_id}
    if row["state"] == "open" and over:
        shown["state"] = "expired"
    shown["allowed"] = [acts.verdict(spec, _why_not(spec, row)) for spec in acts_of("sessions")]
    return shown


def _why_not(spec: ActSpec, row: Row) -> str | None:
    return None if MACHINE.may(row["state"], spec.verb) else MACHINE.not_allowed(row["state"], spec.verb).message
