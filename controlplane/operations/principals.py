"""People and front ends: making them, and who a token stands for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from controlplane.domain.principal import KINDS, Principal
from controlplane.domain.refusals import refuse
from controlplane.operations import secrets
from controlplane.store import principals, times
from controlplane.store.principals import PrincipalRow, TokenRow
from controlplane.store.statement import Connection, Row
from controlplane.store.transaction import Entry, Transaction

SYSTEM = Principal("system", "taxplane", "system", "admin")
"""The product itself, as actor of clock work and first set-up."""


def create(
    tx: Transaction,
    name: str,
    role: str,
    password: str | None = None,
    scope: list[str] | None = None,
    **columns: Any,
) -> Row:
    """A new principal made by the product itself; kind follows the role. ``already_exists`` when the name is taken.

    ``scope``: taxpayer ids, each with all below it. Columns: ``regions`` (a list of area codes), ``must_change``.
    """
    if principals.twin_of(tx, name) is not None:
        raise refuse("already_exists", "name", name=name)
    regions = columns.get("regions")
    row = PrincipalRow(
        id=times.new_id(),
        kind=KINDS[role],
        name=name,
        role=role,
        password_hash=secrets.hash_password(password) if password else None,
        must_change=int(columns.get("must_change", False)),
        scope=json_or_null(scope if scope is not None or regions is None else []),
        regions=json_or_null(regions if regions is not None or scope is None else []),
        created_at=tx.now,
        updated_at=tx.now,
    )
    tx.add(row)
    tx.begin_entry(Entry("system", "taxplane", "system", "people.create", "people", row.id, detail={"role": role}))
    return row.model_dump()


def give_token(tx: Transaction, principal_id: str, token: str, expires_at: str | None, **columns: Any) -> str:
    """Store a token's digest for a principal; the token's id."""
    row = TokenRow(
        token_hash=secrets.digest(token),
        id=times.new_id(),
        principal_id=principal_id,
        expires_at=expires_at,
        created_at=tx.now,
        **columns,
    )
    tx.add(row)
    return str(row.id)


def json_or_null(values: Sequence[str] | None) -> str | None:
    """A list of texts as its column holds it, each once and sorted."""
    return None if values is None else msgspec.json.encode(sorted(set(values))).decode()


def by_token(hand: Connection, token: str, now: str) -> Principal | None:
    """Who a bearer token stands for, scope resolved; None when unknown, revoked or expired."""
    row = principals.by_token(hand, secrets.digest(token))
    if row is None or (row["token_expires_at"] is not None and row["token_expires_at"] <= now):
        return None
    return principal_of(hand, row, row["session_id"] or "")


def principal_of(hand: Connection, row: Row, session_id: str = "") -> Principal:
    """A principal's row as the rules know it: trees and regions resolved to the taxpayers that are there now."""
    scope = principals.taxpayers_of(hand, row)
    regions = None if scope is None else frozenset(principals.listed(row["regions"]))
    must_change = bool(row["must_change"])
    return Principal(row["id"], row["name"], row["kind"], row["role"], scope, regions, must_change, session_id)


def view(principal: Principal) -> dict[str, Any]:
    """A principal as it sees itself."""
    return {
        "id": principal.id,
        "name": principal.name,
        "kind": principal.kind,
        "role": principal.role,
        "scope": None if principal.scope is None else sorted(principal.scope),
        "regions": None if principal.scope is None else sorted(principal.regions or ()),
        "must_change_password": principal.must_change_password,
        "session_id": principal.session_id,
    }
