"""Who may call: people, front ends and their tokens."""

from __future__ import annotations

from sqlmodel import Field, SQLModel

from controlplane.store.statement import Connection, Row, Statement


class PrincipalRow(SQLModel, table=True):
    """One caller. ``scope`` is a JSON list of taxpayer ids, or null for all."""

    __tablename__ = "principals"
    id: str = Field(primary_key=True)
    kind: str
    name: str = Field(unique=True)
    role: str
    password_hash: str | None = None
    scope: str | None = None
    state: str = "active"
    version: int = 1
    created_at: str
    updated_at: str


class TokenRow(SQLModel, table=True):
    """One opaque token, by its hash."""

    __tablename__ = "tokens"
    token_hash: str = Field(primary_key=True)
    principal_id: str = Field(index=True)
    expires_at: str | None = None
    revoked_at: str | None = None
    created_at: str


_BY_NAME = Statement("SELECT * FROM principals WHERE name = :name")
_BY_TOKEN = Statement(
    "SELECT p.*, t.expires_at AS token_expires_at FROM tokens t JOIN principals p ON p.id = t.principal_id "
    "WHERE t.token_hash = :token_hash AND t.revoked_at IS NULL AND p.state = 'active'"
)


def by_name(hand: Connection, name: str) -> Row | None:
    """The principal that signs in under this name."""
    return hand.one(_BY_NAME, {"name": name})


def by_token(hand: Connection, token_hash: str) -> Row | None:
    """The active principal a token belongs to; the caller checks ``token_expires_at``."""
    return hand.one(_BY_TOKEN, {"token_hash": token_hash})
