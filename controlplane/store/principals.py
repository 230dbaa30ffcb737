"""Who may call: people, front ends, their sessions and tokens, and the taxpayers of their scope."""

from __future__ import annotations

from typing import Any

import msgspec
from sqlmodel import Field, SQLModel

from controlplane.store.statement import Connection, Row, Statement

NOBODYS = "[]"


class PrincipalRow(SQLModel, table=True):
    """One caller.

    ``scope`` is a JSON list of taxpayer ids, each with all that hangs below it, ``regions`` one of area codes; both
    null: everything. ``must_change`` 1: the password was given by somebody else, and opens nothing but its own change.
    """

    __tablename__ = "principals"
    id: str = Field(primary_key=True)
    kind: str
    name: str = Field(unique=True)
    role: str
    password_hash: str | None = None
    must_change: int = Field(default=0, sa_column_kwargs={"server_default": "0"})
    password_expires_at: str | None = None
    """Until when a one-time password is good; None: for ever."""
    scope: str | None = None
    regions: str | None = None
    state: str = "active"
    version: int = 1
    created_at: str
    updated_at: str


class TokenRow(SQLModel, table=True):
    """One opaque token, by its hash: a session a person opened, or a token given to a program."""

    __tablename__ = "tokens"
    token_hash: str = Field(primary_key=True)
    id: str | None = Field(default=None, unique=True)
    principal_id: str = Field(index=True)
    kind: str = Field(default="token", sa_column_kwargs={"server_default": "token"})
    label: str = Field(default="", sa_column_kwargs={"server_default": ""})
    address: str = Field(default="", sa_column_kwargs={"server_default": ""})
    """Where a session was opened from."""
    expires_at: str | None = None
    revoked_at: str | None = None
    version: int = Field(default=1, sa_column_kwargs={"server_default": "1"})
    created_at: str


SESSIONS = (
    "(SELECT t.id, t.principal_id, t.kind, t.label, t.address, t.created_at, t.expires_at, t.revoked_at, t.version, "
    "p.name AS principal_name, p.role, CASE WHEN t.revoked_at IS NULL THEN 'open' ELSE 'revoked' END AS state "
    "FROM tokens t JOIN principals p ON p.id = t.principal_id WHERE t.id IS NOT NULL) x"
)
"""Sessions and tokens as they are listed, without their hashes."""

_BY_NAME = Statement("SELECT * FROM principals WHERE name = :name")
_TWIN = Statement("SELECT name FROM principals WHERE LOWER(name) = LOWER(:name) LIMIT 1")
_ONE = Statement("SELECT * FROM principals WHERE id = :id")
_LOCKED = Statement("SELECT * FROM principals WHERE id = :id", for_update=True)
_BY_TOKEN = Statement(
    "SELECT p.*, t.id AS session_id, t.expires_at AS token_expires_at FROM tokens t "
    "JOIN principals p ON p.id = t.principal_id "
    "WHERE t.token_hash = :token_hash AND t.revoked_at IS NULL AND p.state = 'active'"
)
_ADMIN = (
    "SELECT id FROM principals WHERE role = 'admin' AND state = 'active' AND scope IS NULL AND regions IS NULL "
    "ORDER BY id"
)
_ADMINS = Statement(_ADMIN)
_ADMINS_LOCKED = Statement(_ADMIN, for_update=True)
_CHANGE = (
    "must_change",
    "password_expires_at",
    "password_hash",
    "regions",
    "role",
    "scope",
    "state",
)
_SESSION = Statement(f"SELECT x.* FROM {SESSIONS} WHERE x.id = :id")
_TOKENS = Statement(
    f"SELECT x.* FROM {SESSIONS} WHERE x.principal_id = :principal_id AND x.kind = :kind AND x.state = 'open' "
    "AND (x.expires_at IS NULL OR x.expires_at > :now) ORDER BY x.id"
)
_REVOKE = Statement(
    "UPDATE tokens SET revoked_at = :now, version = version + 1 WHERE id = :id AND revoked_at IS NULL"
)
_REVOKE_ALL = Statement(
    "UPDATE tokens SET revoked_at = :now, version = version + 1 WHERE principal_id = :principal_id "
    "AND revoked_at IS NULL AND (id IS NULL OR id <> :but)"
)
_LAST_SIGN_IN = Statement(
    "SELECT MAX(created_at) AS at FROM tokens WHERE principal_id = :principal_id AND kind = 'session'"
)
_TREE = Statement(
    "WITH RECURSIVE tree(taxpayer_id) AS (SELECT taxpayer_id FROM taxpayers WHERE taxpayer_id = :root "
    "UNION SELECT t.taxpayer_id FROM taxpayers t JOIN tree ON t.parent_id = tree.taxpayer_id) "
    "SELECT taxpayer_id FROM tree"
)
_OF_REGION = Statement("SELECT taxpayer_id FROM taxpayers WHERE region = :region")


def by_name(hand: Connection, name: str) -> Row | None:
    """The principal that signs in under this name."""
    return hand.one(_BY_NAME, {"name": name})


def twin_of(hand: Connection, name: str) -> str | None:
    """The name on record that differs from this one in nothing but capitals, or not at all."""
    row = hand.one(_TWIN, {"name": name})
    return row["name"] if row else None


def find(hand: Connection, principal_id: str, lock: bool = False) -> Row | None:
    """One principal, its row locked until the end of the batch when ``lock``."""
    return hand.one(_LOCKED if lock else _ONE, {"id": principal_id})


def by_token(hand: Connection, token_hash: str) -> Row | None:
    """The active principal a token belongs to; the caller checks ``token_expires_at``."""
    return hand.one(_BY_TOKEN, {"token_hash": token_hash})


def admins(hand: Connection, lock: bool = False) -> list[str]:
    """Ids of the active administrators of full scope, their rows locked when ``lock``."""
    return [row["id"] for row in hand.rows(_ADMINS_LOCKED if lock else _ADMINS)]


def change(hand: Connection, principal_id: str, values: dict[str, Any], now: str) -> None:
    """Set columns of a principal, count its version up."""
    assert values.keys() <= set(_CHANGE)
    columns = "".join(f"{name} = :{name}, " for name in values)
    statement = Statement(f"UPDATE principals SET {columns}version = version + 1, updated_at = :now WHERE id = :id")
    hand.run(statement, {**values, "now": now, "id": principal_id})


def session(hand: Connection, session_id: str) -> Row | None:
    """One session or token as listed."""
    return hand.one(_SESSION, {"id": session_id})


def open_tokens(hand: Connection, principal_id: str, kind: str, now: str) -> list[Row]:
    """The sessions (kind ``session``) or tokens (``token``) of a principal that are good now."""
    return hand.rows(_TOKENS, {"principal_id": principal_id, "kind": kind, "now": now})


def revoke(hand: Connection, session_id: str, now: str) -> bool:
    """End one session or token; False when it had ended."""
    return hand.run(_REVOKE, {"id": session_id, "now": now}) == 1


def revoke_all(hand: Connection, principal_id: str, now: str, but: str = "") -> int:
    """End every session and token of a principal, ``but`` one; how many there were."""
    return hand.run(_REVOKE_ALL, {"principal_id": principal_id, "now": now, "but": but})


def last_sign_in(hand: Connection, principal_id: str) -> str | None:
    """When a person last signed in."""
    row = hand.one(_LAST_SIGN_IN, {"principal_id": principal_id})
    return row["at"] if row else None


def taxpayers_of(hand: Connection, row: Row) -> frozenset[str] | None:
    """Every taxpayer in the scope of a principal's row as it stands now; None: everything."""
    if row["scope"] is None and row["regions"] is None:
        return None
    found: set[str] = set()
    for root in listed(row["scope"]):
        found.update(one["taxpayer_id"] for one in hand.rows(_TREE, {"root": root}))
    for region in listed(row["regions"]):
        found.update(one["taxpayer_id"] for one in hand.rows(_OF_REGION, {"region": region}))
    return frozenset(found)


def listed(text: str | None) -> list[str]:
    """A JSON column of texts."""
    return msgspec.json.decode(text or NOBODYS, type=list[str])
