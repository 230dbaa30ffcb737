"""People and front ends: creating them, signing in, tokens."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import msgspec

from controlplane.domain.principal import Principal
from controlplane.domain.refusals import refuse
from controlplane.operations import secrets
from controlplane.store import principals, times
from controlplane.store.principals import PrincipalRow, TokenRow
from controlplane.store.statement import Connection, Row
from controlplane.store.transaction import Entry, Transaction

SESSION = timedelta(hours=12)
SYSTEM = Principal("system", "taxplane", "system", "admin")
"""The product itself, as actor of clock work and first set-up."""


def create(tx: Transaction, name: str, role: str, password: str | None = None, scope: list[str] | None = None) -> Row:
    """A new principal; kind follows the role. ``already_exists`` when the name is taken."""
    if principals.by_name(tx, name) is not None:
        raise refuse("already_exists", "name", name=name)
    kind = {"front_end": "front_end"}.get(role, "person")
    row = PrincipalRow(
        id=times.new_id(),
        kind=kind,
        name=name,
        role=role,
        password_hash=secrets.hash_password(password) if password else None,
        scope=None if scope is None else msgspec.json.encode(scope).decode(),
        created_at=tx.now,
        updated_at=tx.now,
    )
    tx.add(row)
    tx.begin_entry(Entry("system", "taxplane", "system", "people.create", "principals", row.id, detail={"role": role}))
    return row.model_dump()


def give_token(tx: Transaction, principal_id: str, token: str, expires_at: str | None) -> None:
    """Store a token's digest for a principal."""
    tx.add(
        TokenRow(token_hash=secrets.digest(token), principal_id=principal_id, expires_at=expires_at, created_at=tx.now)
    )


def sign_in(tx: Transaction, row: Row) -> dict[str, Any]:
    """A new session for a person whose password was checked."""
    token = secrets.new_secret()
    expires_at = times.utc_text(tx.moment + SESSION)
    give_token(tx, row["id"], token, expires_at)
    tx.begin_entry(Entry(row["id"], row["name"], row["kind"], "session.open", "sessions", row["id"]))
    return {"token": token, "expires_at": expires_at, "principal": view(principal_of(row))}


def find_person(hand: Connection, name: str) -> Row | None:
    """The principal of that name, if active."""
    row = principals.by_name(hand, name)
    return row if row and row["state"] == "active" else None


def by_token(hand: Connection, token: str, now: str) -> Principal | None:
    """Who a bearer token stands for; None when unknown, revoked or expired."""
    row = principals.by_token(hand, secrets.digest(token))
    if row is None or (row["token_expires_at"] is not None and row["token_expires_at"] <= now):
        return None
    return principal_of(row)


def principal_of(row: Row) -> Principal:
    """A principal's row as the rules know it."""
    scope = None if row["scope"] is None else frozenset(msgspec.json.decode(row["scope"], type=list[str]))
    return Principal(row["id"], row["name"], row["kind"], row["role"], scope)


def view(principal: Principal) -> dict[str, Any]:
    """A principal as the API shows it."""
    scope = None if principal.scope is None else sorted(principal.scope)
    return {"id": principal.id, "name": principal.name, "kind": principal.kind, "role": principal.role, "scope": scope}
